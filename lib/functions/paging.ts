// Pages of a sorted list. The token says after which key to go on, and with which filters: it needs no memory, and a list that changes
// in between neither repeats an item nor leaves out one that was there all the time.
import { hash } from 'node:crypto';
import { Problem } from './problems.ts';

const DEFAULT_LIMIT = 100;

export interface PageRequest {
  /** As text, checked. */
  readonly limit: string | undefined;
  readonly token: string | undefined;
  /** Whatever else chose the items. */
  readonly filters: unknown;
}

/** Throws Problem `invalid-request` for a token that was made up, or that belongs to other filters. */
export function pageOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit, token, filters }: PageRequest,
): { readonly items: readonly T[]; readonly continue?: string } {
  const size = limit === undefined ? DEFAULT_LIMIT : Number(limit);
  const mark = hash('sha256', JSON.stringify(filters), 'base64url').slice(0, 12);
  const after = token === undefined ? undefined : keyIn(token, mark);
  const start = after === undefined ? 0 : items.findIndex((item) => keyOf(item) > after);
  const page = start < 0 ? [] : items.slice(start, start + size);
  const last = page.at(-1);
  const more = start >= 0 && start + size < items.length;
  return { items: page, ...(more && last !== undefined ? { continue: tokenOf(keyOf(last), mark) } : {}) };
}

function tokenOf(key: string, mark: string): string {
  return `${mark}.${Buffer.from(key).toString('base64url')}`;
}

function keyIn(token: string, mark: string): string {
  const [given, key = ''] = token.split('.');
  const bytes = Buffer.from(key, 'base64url');
  if (given !== mark || key === '' || bytes.toString('base64url') !== key) {
    throw new Problem('invalid-request', {
      detail:
        'continue is not from an answer to this request: begin again without it, and keep the filters as they are',
    });
  }
  return bytes.toString('utf8');
}
