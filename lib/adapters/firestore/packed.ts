// A value as one document, compressed; above the limit of a document, with parts beside it. What a write leaves of a longer one
// before it is never read.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Document, Documents, Fields, Write } from './documents.ts';

/** Of a document: the limit is 1 MiB with all else that is in it. */
const MOST_BYTES = 800_000;
const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

/** `path`: `COLLECTION/ID`; its parts are in `COLLECTIONParts`. `fields` go into every document. */
export function packedWrites(path: string, value: unknown, fields: Fields = {}): readonly Write[] {
  const bytes = zstdCompressSync(JSON.stringify(value), { params });
  const parts: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += MOST_BYTES) parts.push(bytes.subarray(from, from + MOST_BYTES));
  const [first = new Uint8Array(), ...rest] = parts;
  return [
    { kind: 'put', path, fields: { ...fields, data: first, parts: parts.length } },
    ...rest.map((data, i): Write => ({ kind: 'put', path: partPath(path, i + 1), fields: { ...fields, data } })),
  ];
}

export async function unpacked(documents: Documents, document: Document): Promise<unknown> {
  const count = Number(document.fields['parts']) - 1;
  const paths = Array.from({ length: count }, (_, i) => partPath(document.path, i + 1));
  const rest = paths.length === 0 ? [] : await documents.get(paths);
  const bytes = [document, ...rest].map((part) => part?.fields['data'] as Uint8Array);
  return JSON.parse(zstdDecompressSync(Buffer.concat(bytes)).toString());
}

function partPath(path: string, number: number): string {
  return `${path.replace('/', 'Parts/')}-${number}`;
}
