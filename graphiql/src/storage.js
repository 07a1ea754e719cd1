/**
 * What does the browser remember of a session in the IDE? Everything but the headers.
 *
 * `shouldPersistHeaders` covers the tabs only: the history writes each operation with its headers, and so
 * the Authorization header, to the browser's disk.
 */
const NAMESPACE = 'graphiql:';
const HISTORY_KEYS = [`${NAMESPACE}queries`, `${NAMESPACE}favorites`];

const withoutHeaders = (json) => JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));

const ownKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(NAMESPACE));

export const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, HISTORY_KEYS.includes(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};
