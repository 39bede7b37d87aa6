// Lists: consistent, in key order, in pages that are all of one moment, until the token for the next page is too old.
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import { type Answer, json, type Piece, statusAnswer, tooLarge } from './answers.ts';
import type { Serving } from './api-process.ts';
import type { FaultDice } from './fault-dice.ts';
import type { Selection } from './selectors.ts';
import { groupVersion, itemText, metadataText, nameOf, type SimObject } from './sim-object.ts';
import { inKeyOrder, type Store, type Table } from './store.ts';

export interface ListOptions {
  readonly serving: Serving;
  readonly version: string;
  readonly selection: Selection;
  readonly metadataOnly: boolean;
  readonly query: NonNullable<ApiRequest['query']>;
}

export interface ListWorld {
  readonly store: Store;
  readonly faults: FaultDice;
  /** Most objects of a page: a few, as if each stood for a hundred. */
  readonly pageLimit: number;
  readonly count: (what: string) => void;
  /** A write to the table: a token does not expire within a moment. */
  readonly write: (table: Table) => void;
}

interface Token {
  /** −1: as of now. */
  readonly rv: number;
  /** Keys from here on. */
  readonly start: string;
}

/** As client-go asks: no resourceVersion, so consistent; `limit` and `continue`. */
export function answerList(options: ListOptions, world: ListWorld): Answer {
  const { store, faults } = world;
  const { query } = options;
  const asked = Number(query.resourceVersion ?? 0);
  if (asked > store.rv) return statusAnswer(tooLarge(asked, store.rv), { 'retry-after': '1' });
  if (query.continue === undefined) return page(options, world, store.rv, '');
  const token = decodeToken(String(query.continue));
  if (token === undefined) return malformedToken();
  if (token.rv < 0) return page(options, world, store.rv, token.start);
  // From a life that a restore ended: etcd has no such revision yet.
  if (token.rv > store.rv) return futureToken();
  const expired = faults.strikes('list', 'continueExpired') !== undefined;
  const anew = faults.strikes('list', 'continueLost') !== undefined;
  if (token.rv >= store.compacted && !expired && !anew) return page(options, world, token.rv, token.start);
  if (expired) world.write(options.serving.table);
  world.count('page.expired');
  return expiredToken(anew ? undefined : encodeToken({ rv: -1, start: token.start }));
}

function page(options: ListOptions, world: ListWorld, rv: number, start: string): Answer {
  const { serving, selection, query } = options;
  const { store, pageLimit } = world;
  const objects = rv === store.rv ? serving.table.objects : store.at(serving.table, rv);
  const rest = inKeyOrder(objects).filter(([key, object]) => key >= start && selection.matches(object));
  const wanted = Number(query.limit ?? 0);
  const limit = wanted === 0 ? rest.length : Math.min(wanted, pageLimit);
  // One object is a look at where the cluster stands.
  if (wanted !== 1) store.noteList(serving.table, rv);
  const items = rest.slice(0, limit).map(([, object]) => object);
  const remaining = rest.length - items.length;
  const last = rest[limit - 1];
  const token = remaining > 0 && last !== undefined ? encodeToken({ rv, start: `${last[0]}\0` }) : '';
  world.count(start === '' ? 'page.first' : 'page.further');
  return json(listText(options, items, { rv, token, remaining: selection.selective ? 0 : remaining }));
}

interface ListMeta {
  readonly rv: number;
  readonly token: string;
  readonly remaining: number;
}

/** Custom resources: metadata last, `"continue":""` on the last page; built-in: first, and no key (KUBERNETES 21, 23). */
function listText(options: ListOptions, objects: readonly SimObject[], { rv, token, remaining }: ListMeta): Piece[] {
  const { serving, version, metadataOnly } = options;
  const { resource } = serving;
  const more = remaining > 0 ? `,"remainingItemCount":${remaining}` : '';
  const next = token === '' ? '' : `,"continue":"${token}"`;
  const metadata = `{"resourceVersion":"${rv}"${next}${more}}`;
  if (metadataOnly) {
    const head = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":${metadata},"items":[`;
    return pieces(head, objects, (object) => metadataText(object), ']}\n');
  }
  const type = groupVersion(resource, version);
  const spell = (object: SimObject): string => itemText(object, version);
  if (resource.origin === 'built-in') {
    const head = `{"kind":"${resource.kind}List","apiVersion":"${type}","metadata":${metadata},"items":[`;
    return pieces(head, objects, spell, ']}\n');
  }
  const tail = `],"kind":"${resource.kind}List","metadata":{"continue":"${token}"${more},"resourceVersion":"${rv}"}}\n`;
  return pieces(`{"apiVersion":"${type}","items":[`, objects, spell, tail);
}

function pieces(
  head: string,
  objects: readonly SimObject[],
  spell: (object: SimObject) => string,
  tail: string,
): Piece[] {
  const items = objects.map((object, index): Piece => {
    const what = `${nameOf(object.resource)} ${object.uid} ${object.rv}`;
    return { text: `${index === 0 ? '' : ','}${spell(object)}`, tells: { how: 'listed', what } };
  });
  return [{ text: head }, ...items, { text: tail }];
}

/** As Kubernetes does it, down to the zero byte: after this key. */
function encodeToken({ rv, start }: Token): string {
  return Buffer.from(`{"v":"meta.k8s.io/v1","rv":${rv},"start":${JSON.stringify(start)}}`).toString('base64url');
}

function decodeToken(text: string): Token | undefined {
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
    return { rv, start };
  } catch {
    return undefined;
  }
}

/** Recording 25-expired/page-2-410-with-fresh-continue. */
function expiredToken(continueToken: string | undefined): Answer {
  const old = 'The provided continue parameter is too old to display a consistent list result.';
  const message =
    continueToken === undefined
      ? `${old} You must start a new list without the continue parameter.`
      : `${old} You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.`;
  return statusAnswer({
    code: 410,
    reason: 'Expired',
    message,
    ...(continueToken === undefined ? {} : { continueToken }),
  });
}

/** Recording 30-error/400-continue-malformed. */
function malformedToken(): Answer {
  const message = 'invalid continue token: continue key is not valid';
  return statusAnswer({ code: 400, reason: 'BadRequest', message });
}

/** etcd's own words, which the API server passes on as 500. */
function futureToken(): Answer {
  return statusAnswer({ code: 500, reason: '', message: 'etcdserver: mvcc: required revision is a future revision' });
}
