// Parses what is to be recorded, for the few rules that need to know what is in it.
import { Mk8sError } from '../model/errors.ts';

/** Throws Mk8sError `protocol` where the bytes are no JSON object. JSON.parse's own message would quote them, secrets included. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Mk8sError(
    `Cannot look into an object of ${bytes.byteLength} bytes: the server sent something that is not JSON. Nothing of it is recorded`,
    { code: 'protocol' },
  );
}
