// Bundles the HTTP functions (docs/functions.md, "Cold start") to dist/bundle: what every start needs is in one file, what only some
// requests need in others, which they load.
//
// Why: to find, read and link fifty small modules is 30 ms of a start's processor time, of which an empty function needs 190. And of a
// `.js` the framework asks which kind of module it is, with a package that takes 25 ms to load; of an `.mjs` it knows.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** Many small files (yaml: 30 ms to load; 7 in one) or a large one, of which part is used. All other packages stay where npm has put them. */
const BUNDLED = { valibot: 'LICENSE.md', yaml: 'LICENSE' };

const packageFile = (name: string, path: string): string => join(import.meta.dirname, 'node_modules', name, path);
const isBundled = (id: string): boolean => Object.hasOwn(BUNDLED, id);
const isFile = (id: string): boolean => /^[./]/.test(id);

/** An import of a builtin reads all that it exports, and so loads what is loaded when it is read: node:fs the promises, node:crypto WebCrypto. */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import \{([^}]*)\} from "(node:[^"]+)";$/gm,
      (_, names: string, builtin: string) =>
        `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule("${builtin}");`,
    ),
};

/** Their licences ask to go where they go. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    for (const [name, file] of Object.entries(BUNDLED)) {
      this.emitFile({
        type: 'asset',
        fileName: `LICENSE-${name}`,
        source: readFileSync(packageFile(name, file), 'utf8'),
      });
    }
  },
};

export default defineConfig({
  input: { clusters: 'lib/entries/clusters.ts', tokens: 'lib/entries/tokens.ts' },
  platform: 'node',
  external: (id) => !isFile(id) && !isBundled(id),
  // Of yaml the ES modules, which it keeps from Node: CommonJS cannot be taken apart.
  resolve: { alias: { yaml: packageFile('yaml', 'browser/dist/index.js') } },
  plugins: [lazyBuiltins, licences],
  output: {
    dir: 'dist/bundle',
    cleanDir: true,
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
    codeSplitting: { groups: [{ name: 'start', test: /lib\/compose\/framework\.ts$/ }] },
  },
});
