/** How does the IDE become files that the server can serve from its own package? */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/static/graphiql/',
  resolve: {
    // Smaller stand-ins for what GraphiQL loads whole; each file says what it leaves out.
    alias: {
      'monaco-editor/esm/vs/editor/edcore.main.js': here('src/monaco.js'),
      'prettier/parser-babel': here('src/json-format.js'),
      'prettier/plugins/estree': here('src/json-format.js'),
    },
  },
  // graphql-js checks every object for a second copy of itself unless it is told that this is production.
  define: {
    'globalThis.process': 'true',
    'globalThis.process.env.NODE_ENV': '"production"',
  },
  build: {
    outDir: '../app/static/graphiql',
    emptyOutDir: true,
    // Fonts and pictures as files of their own: the page then runs without data: in font-src.
    assetsInlineLimit: 0,
    license: { fileName: 'licenses.md' },
    // Monaco is one large chunk, loaded after the page is drawn.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es' },
});
