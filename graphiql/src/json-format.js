/**
 * How are the variables and headers laid out by the "prettify" button?
 *
 * A plugin for Prettier in place of its parser for JavaScript, which GraphiQL loads for these few lines of
 * JSON: half a megabyte, where the JSON parser that GraphiQL already carries can lay them out as well.
 */
import { applyEdits, format } from 'jsonc-parser';

const LAYOUT = { insertSpaces: true, tabSize: 2, eol: '\n' };

const layOut = (text) => applyEdits(text, format(text, undefined, LAYOUT));

export const parsers = {
  jsonc: {
    astFormat: 'jsonc-text',
    parse: (text) => ({ text }),
    locStart: () => 0,
    locEnd: (node) => node.text.length,
  },
};

export const printers = {
  'jsonc-text': { print: (path) => layOut(path.node.text) },
};
