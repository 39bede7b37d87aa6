// Reads the body of an ApiResponse.
import type { ApiResponse } from '../../lib/ports/api-server.ts';

/** The whole body as text. */
export async function readText(response: ApiResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const batch of response.body) chunks.push(...batch);
  return Buffer.concat(chunks).toString('utf8');
}
