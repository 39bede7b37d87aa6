// The body of a list, whatever its bytes and however they are cut: its items are those of a reader by the book, in order,
// and what is no list, or not all of one, ends with an error after the items before.
//
// Between items the splitter trusts commas, and inside them what it does not look at (see watch-body.ts): `trusted`.
import { decodeList, type ListPart } from '../../../lib/decode/list-stream.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ScannedObject } from '../../../lib/model/revision.ts';
import { pick } from '../../support/seeded-random.ts';
import { collect, cut, items } from '../../unit/decode/bodies.ts';
import { randomObject } from '../../unit/decode/documents.ts';
import { type Json, membersNamed, readJson, textOf } from '../json-oracle.ts';
import { judgeObject } from '../judge-object.ts';
import { below, type Random, randomOf } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';
import { gap, wildMember } from '../wild-json.ts';

export const listBody: FuzzTarget = {
  name: 'list-body',
  cases: 1500,
  words: [
    '"items":[',
    '"items":null',
    ']',
    '},{',
    ',',
    '"metadata":{',
    '"continue":"x"',
    '"kind":"PodList"',
    '{}',
    '"',
    '\\',
    '\n',
    '<html>',
  ],
  generate,
  check,
};

interface Decoded {
  readonly objects: readonly ScannedObject[];
  readonly end: ListPart | undefined;
  readonly error: unknown;
}

async function check(input: Buffer): Promise<string> {
  const random = randomOf(input);
  const first = await decode(items([Buffer.from(input)]));
  const others = [await decode(cut(input, random)), ...(input.length < 1200 ? [await decode(bytewise(input))] : [])];
  for (const other of others) {
    must(JSON.stringify(first.objects) === JSON.stringify(other.objects), 'cut otherwise its items are others');
    must(JSON.stringify(first.end) === JSON.stringify(other.end), 'cut otherwise it ends otherwise');
    must((first.error === undefined) === (other.error === undefined), 'cut otherwise it fails otherwise');
  }
  return judge(input, first);
}

async function decode(body: AsyncIterable<readonly Uint8Array[]>): Promise<Decoded> {
  const objects: ScannedObject[] = [];
  const { values, error } = await collect(
    (async function* () {
      for await (const part of decodeList(body, { maxObjectBytes: 1024 * 1024 })) {
        if (part.kind === 'end') yield part;
        else objects.push(...part.objects.map((each) => ({ ...each, object: Buffer.from(each.object) })));
      }
    })(),
  );
  return { objects, end: values.at(-1), error };
}

async function* bytewise(bytes: Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  for (let at = 0; at < bytes.length; at++) yield [Buffer.from(bytes.subarray(at, at + 1))];
}

function judge(input: Buffer, { objects, end, error }: Decoded): string {
  must(
    error === undefined || (error instanceof Mk8sError && error.code === 'protocol'),
    `failed otherwise: ${String(error)}`,
  );
  must((end === undefined) === (error !== undefined), 'it has an end and an error, or neither');
  const list = readJson(input);
  const all = membersNamed(list, 'items');
  if (list === undefined || all.length > 1 || membersNamed(list, 'metadata').length > 1) {
    return error === undefined ? 'trusted' : 'refused';
  }
  const found = all[0]?.value;
  const isNull = found !== undefined && input.toString('latin1', found.from, found.to) === 'null';
  if (found === undefined || (found.kind !== 'array' && !isNull)) {
    must(error !== undefined && objects.length === 0, 'what is no list was read as one');
    return 'refused';
  }
  const defaults = defaultsOf(list, found.from);
  for (const [n, item] of (found.kind === 'array' ? found.items : []).entries()) {
    const scanned = objects[n];
    if (item.kind !== 'object') {
      must(error !== undefined && scanned === undefined, 'an item that is no object was passed over');
      return 'refused';
    }
    if (judgeObject(input, item, scanned, { mayLackVersion: true, defaults }) === 'refused') {
      must(error !== undefined, 'an item was left out');
      return 'refused';
    }
  }
  must(error === undefined, `a good list was refused: ${String(error)}`);
  must(objects.length === (found.kind === 'array' ? found.items.length : 0), 'it has too many items');
  judgeEnd(list, end);
  return 'read';
}

function judgeEnd(list: Json, end: ListPart | undefined): void {
  must(end?.kind === 'end', 'it has no end');
  const metadata = membersNamed(list, 'metadata').at(-1)?.value;
  const last = (key: string): string => textOf(membersNamed(metadata, key).at(-1)?.value) ?? '';
  must(end.resourceVersion === last('resourceVersion'), 'its resourceVersion is another');
  must(end.continueToken === last('continue'), 'its continue token is another');
}

/** What a list says of its items counts where it says so before them. */
function defaultsOf(list: Json, before: number): { apiVersion: string; kind: string } | undefined {
  const said = (key: string): string | undefined =>
    textOf(membersNamed(list, key).findLast(({ value }) => value.to < before)?.value);
  const [apiVersion, kind] = [said('apiVersion'), said('kind')];
  return apiVersion !== undefined && kind?.endsWith('List') === true
    ? { apiVersion, kind: kind.slice(0, -4) }
    : undefined;
}

function generate(random: Random): Buffer {
  if (random() < 0.06) {
    return Buffer.from(
      pick(random, [
        '{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1"},"columnDefinitions":[],"rows":[]}',
        '{"kind":"Status","apiVersion":"v1","metadata":{"continue":"t"},"status":"Failure","reason":"Expired","code":410}',
        '<html><body>502 Bad Gateway</body></html>',
        '\u001f\u008b\u0008',
        '{"items":[[]]}',
        '[]',
        '',
      ]),
    );
  }
  const typed = random() < 0.6;
  const space = (): string => (random() < 0.15 ? pick(random, ['\n', '\n  ', ' ']) : '');
  const objects = Array.from({ length: random() < 0.005 ? 100 + below(random, 600) : below(random, 5) }, () =>
    spelled(random, randomObject(random, { typed }), typed),
  );
  const members = [
    `"kind":"ThingList"`,
    `"apiVersion":"example.com/v1"`,
    `"metadata":{"resourceVersion":"279"${random() < 0.4 ? ',"continue":"é\\"x","remainingItemCount":7' : ''}}`,
    ...(random() < 0.2 ? [wildMember(random)] : []),
  ];
  const listed =
    random() < 0.95
      ? `"items":${space()}[${space()}${objects.join(`${space()},${space()}`)}${space()}]`
      : '"items":null';
  const order = typed && random() < 0.5 ? [listed, ...members] : [...members, listed];
  return Buffer.from(`{${space()}${order.join(`,${gap(random)}`)}${space()}}${space()}`);
}

/** Mostly as servers write it, all items of one kind; now and then over several lines, as `?pretty=true` gives it or otherwise. */
function spelled(random: Random, json: string, typed: boolean): string {
  const way = random();
  if (way > 0.6 || json.includes('\\\\')) return json;
  const { apiVersion: _, kind: __, metadata, ...others } = JSON.parse(json) as Record<string, unknown>;
  const value = { ...(typed ? { apiVersion: 'v1', kind: 'W' } : {}), metadata, ...others };
  if (way < 0.05) return JSON.stringify(value, undefined, 2);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`);
  const broken = way < 0.2 ? below(random, members.length) : -1;
  return `{${members.map((member, n) => (n === broken ? `\n${member}` : member)).join(',')}}`;
}
