// The text of a fetched answer, up to a bound: a peer that sends without end is not believed.
import { Mk8sError } from '../../model/errors.ts';

/** Throws Mk8sError `protocol` above `most` bytes, and what the connection throws. */
export async function readBounded(response: Response, most: number): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  // Leaving the loop by throwing cancels the body.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > most) throw new Mk8sError(`the answer is larger than ${most} bytes`, { code: 'protocol' });
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
