// Small bodies: error Statuses.
import type { ApiResponse } from '../ports/api-server.ts';

/** More than any Status has; what comes after is left unread. */
const LIMIT = 64 * 1024;

export async function readAll(body: ApiResponse['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const batch of body) {
    chunks.push(...batch);
    length += batch.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (length > LIMIT) break;
  }
  return Buffer.concat(chunks).subarray(0, LIMIT);
}
