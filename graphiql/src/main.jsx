/** Which GraphiQL does a person meet who opens /graphql in a browser? */
import 'graphiql/setup-workers/vite';
// Not graphiql/style.css: that one carries a second copy of Monaco's styles and 35 inlined fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { fetcher } from './fetcher.js';
import headersHint from './headers.jsonc?raw';
import { storage } from './storage.js';
import tour from './tour.graphql?raw';

const plugins = [HISTORY_PLUGIN, explorerPlugin()];

createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    plugins={plugins}
    defaultQuery={tour}
    initialHeaders={headersHint.trim()}
    defaultHeaders={headersHint.trim()}
    defaultEditorToolsVisibility="headers"
    isHeadersEditorEnabled
    shouldPersistHeaders={false}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      rev<em>graph</em>
    </GraphiQL.Logo>
  </GraphiQL>,
);
