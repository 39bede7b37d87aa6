// Makes lib/decode/scanner-wasm.ts of assembly/: `npm run build:scanner`. The same source gives the same bytes (the
// compiler is pinned), which test/unit/decode/scanner-wasm.test.ts holds the committed file to.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main as asc, createMemoryStream } from 'assemblyscript/asc';

const SOURCES = join(import.meta.dirname, 'assembly');

/** Where the module is kept. */
export const GENERATED = join(import.meta.dirname, '../../lib/decode/scanner-wasm.ts');

/** The module has the places of its data in its memory from its caller, and needs nothing of a runtime. */
const OPTIONS = ['-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--enable', 'simd,bulk-memory'];

/** The text of the generated file. Throws with the compiler's messages where the source does not compile. */
export async function generateScanner(): Promise<string> {
  let wasm: Uint8Array | undefined;
  const stderr = createMemoryStream();
  const { error } = await asc(['scanner.ts', '--outFile', 'scanner.wasm', ...OPTIONS], {
    readFile: (name) => {
      const file = join(SOURCES, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : null;
    },
    writeFile: (name, contents) => {
      if (name === 'scanner.wasm' && typeof contents !== 'string') wasm = contents;
    },
    listFiles: () => [],
    stderr,
  });
  if (error !== null || wasm === undefined) throw new Error(`The scanner does not compile: ${stderr.toString()}`);
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,110}/g);
  return `// Made of tools/scanner/assembly by \`npm run build:scanner\`: a WebAssembly module of ${wasm.byteLength} bytes, in base64.

export const SCANNER_WASM = \`
${lines?.join('\n')}
\`;
`;
}

if (import.meta.main) writeFileSync(GENERATED, await generateScanner());
