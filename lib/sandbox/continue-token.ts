// The token with which the next page of a list is asked for: where to go on, and at which resourceVersion.
// (apiserver's storage/continue.go: base64 of {"v","rv","start"}.)
import { badRequest } from './status.ts';

export interface ContinueToken {
  /** resourceVersion of the first page; -1 after that has expired: go on with the present. */
  readonly revision: number;
  /** Continue after this key, which is relative to the listed namespace where there is one. */
  readonly after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  // The trailing NUL makes `start` the first key after this one; the inconsistent form has no leading slash.
  const start = `${revision === -1 ? '' : '/'}${after}\u0000`;
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

/** Throws 400 for a token that this server did not make. */
export function decodeContinue(token: string): ContinueToken {
  let parsed: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as typeof parsed;
  } catch {
    throw badRequest(
      "invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value",
    );
  }
  const { v, rv, start } = parsed;
  if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || typeof start !== 'string') {
    throw badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version "${String(v)}"`,
    );
  }
  return { revision: rv, after: start.replace(/^\//, '').replaceAll('\u0000', '') };
}
