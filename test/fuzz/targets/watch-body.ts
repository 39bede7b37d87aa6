// The body of a watch, whatever its bytes and however they are cut: each line's type, key, uid and version are those of a
// reader by the book, its object is the bytes that were sent without managedFields, and a bad line ends it with an error
// after all good lines.
//
// What the decoder trusts is counted apart (`trusted`): of an object it looks at the bytes up to its metadata's end, so a
// line whose damage lies beyond is handed on as it came. It is then no JSON for whoever reads it: an error there, and
// never another object.
import type { WatchLine } from '../../../lib/decode/watch-line.ts';
import { decodeWatch } from '../../../lib/decode/watch-stream.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { pick } from '../../support/seeded-random.ts';
import { collect, cut, items } from '../../unit/decode/bodies.ts';
import { randomObject } from '../../unit/decode/documents.ts';
import { judgeLine } from '../judge-line.ts';
import { below, type Random, randomOf } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';
import { gap, wildMember, wildString, wildValue } from '../wild-json.ts';

const MAX_OBJECT_BYTES = 1024 * 1024;

export const watchBody: FuzzTarget = {
  name: 'watch-body',
  cases: 3000,
  words: [
    '\n',
    '}}\n',
    '{"type":"ADDED","object":',
    '"metadata":{',
    '"managedFields":[',
    '"managedFields":null,',
    '}],"',
    '\\',
    '"',
    '}{',
    '"resourceVersion":"9"',
    '\ufeff',
    '\r\n',
    'Z"',
  ],
  generate: (random) => Buffer.from(Array.from({ length: howMany(random) }, () => randomLine(random)).join('')),
  check,
};

interface Decoded {
  readonly lines: readonly WatchLine[];
  readonly error: unknown;
}

async function check(input: Buffer): Promise<string> {
  const random = randomOf(input);
  const first = await decode(items([Buffer.from(input)]), false);
  const others = [
    await decode(items([Buffer.from(input)]), true),
    await decode(cut(input, random), random() < 0.5),
    ...(input.length < 1500 ? [await decode(bytewise(input), random() < 0.5)] : []),
  ];
  for (const other of others) mustEqual(first, other);
  return judge(input, first);
}

/** Copies each object: it is a view of a chunk that is used again. */
async function decode(body: AsyncIterable<readonly Uint8Array[]>, ownsChunks: boolean): Promise<Decoded> {
  const lines: WatchLine[] = [];
  const { error } = await collect(
    (async function* () {
      for await (const batch of decodeWatch(body, { ownsChunks, maxObjectBytes: MAX_OBJECT_BYTES })) {
        for (const line of batch) {
          lines.push(
            line.kind === 'object'
              ? { ...line, object: { ...line.object, object: Buffer.from(line.object.object) } }
              : line,
          );
        }
        yield batch.length;
      }
    })(),
  );
  return { lines, error };
}

async function* bytewise(bytes: Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  for (let at = 0; at < bytes.length; at++) yield [Buffer.from(bytes.subarray(at, at + 1))];
}

function mustEqual(a: Decoded, b: Decoded): void {
  must(a.lines.length === b.lines.length, `cut otherwise it has ${b.lines.length} lines, not ${a.lines.length}`);
  must((a.error === undefined) === (b.error === undefined), 'cut otherwise it ends otherwise');
  for (const [n, line] of a.lines.entries()) {
    must(JSON.stringify(line) === JSON.stringify(b.lines[n]), `cut otherwise line ${n} is another`);
  }
}

function judge(input: Buffer, { lines, error }: Decoded): string {
  must(
    error === undefined || (error instanceof Mk8sError && error.code === 'protocol'),
    `failed otherwise: ${String(error)}`,
  );
  let trusted = false;
  let read = 0;
  let start = 0;
  for (;;) {
    const newline = input.indexOf('\n', start);
    const line = input.subarray(start, newline < 0 ? input.length : newline);
    if (line.length > MAX_OBJECT_BYTES) {
      must(read === lines.length, 'a line that is too long was passed over');
      must(error instanceof Mk8sError && !error.retryable, 'a line that is too long is no error');
      return trusted ? 'trusted' : 'refused';
    }
    const blank = /^[ \t\r]*$/.test(line.toString('latin1'));
    if (newline < 0) {
      must(read === lines.length, `${lines.length} events of ${read} lines`);
      must(
        (error === undefined) === blank,
        blank ? 'a whole body failed' : 'a body that broke off was taken for whole',
      );
      must(blank || (error instanceof Mk8sError && error.retryable), 'a body that broke off is no interruption');
      return trusted ? 'trusted' : 'read';
    }
    if (!blank) {
      const verdict = judgeLine(line, lines[read]);
      if (verdict === 'refused') {
        must(read === lines.length, 'a bad line was passed over');
        must(error instanceof Mk8sError && !error.retryable, 'a bad line is no error');
        return trusted ? 'trusted' : 'refused';
      }
      trusted ||= verdict === 'trusted';
      read += 1;
    }
    start = newline + 1;
  }
}

/** Few, so that each is seen; now and then more than a decoder takes at once (bytes or lines, whatever its portions are). */
function howMany(random: Random): number {
  return random() < 0.005 ? 100 + below(random, 600) : 1 + below(random, 3);
}

function randomLine(random: Random): string {
  const end = random() < 0.9 ? '\n' : pick(random, [' \r\n', '\n\n', '']);
  const way = random();
  if (way < 0.08) {
    const mark = random() < 0.5 ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : '';
    return `{"type":"BOOKMARK","object":{"kind":"W","apiVersion":"v1","metadata":{"resourceVersion":"${below(random, 1000)}"${mark}}}}${end}`;
  }
  if (way < 0.14) {
    return `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":${wildString(random)},"reason":"Expired","code":410}}${end}`;
  }
  const type = pick(random, ['ADDED', 'MODIFIED', 'DELETED']);
  const object = way < 0.5 ? randomObject(random) : wildObject(random);
  if (way > 0.9) return `{${gap(random)}"object":${object},${gap(random)}"type":"${type}"${gap(random)}}${end}`;
  return `{"type":"${type}","object":${object}}${end}`;
}

/** An object with the members that count, and anything else around them. */
function wildObject(random: Random): string {
  const others = (): string[] => Array.from({ length: below(random, 3) }, () => wildMember(random));
  const metadata = shuffled(random, [
    `"name":${random() < 0.8 ? '"w-1"' : wildString(random)}`,
    `"resourceVersion":"${below(random, 1000)}"`,
    ...(random() < 0.7 ? ['"namespace":"team-a"'] : []),
    ...(random() < 0.7 ? [`"uid":"u-${below(random, 100)}"`] : []),
    ...(random() < 0.6 ? [`"managedFields":${managedFields(random)}`] : []),
    ...others(),
  ]);
  const inside = `{${gap(random)}${metadata.join(`,${gap(random)}`)}${gap(random)}}`;
  const members = ['"apiVersion":"v1"', '"kind":"W"', `"metadata":${gap(random)}${inside}`, ...others()];
  return `{${(random() < 0.5 ? members : shuffled(random, members)).join(',')}}`;
}

function managedFields(random: Random): string {
  if (random() < 0.3) return wildValue(random, 3);
  const entries = Array.from({ length: 1 + below(random, 3) }, () => {
    const time = `"time":"2026-11-22T15:4${below(random, 3)}:00Z"`;
    const fields = `"fieldsType":"FieldsV1","fieldsV1":${random() < 0.7 ? '{"f:spec":{"f:a":{},"k:{\\"n\\":1}":{}}}' : wildValue(random, 2)}`;
    const who = `"manager":"m${below(random, 3)}","operation":"Update"`;
    return random() < 0.5
      ? `{"apiVersion":"v1",${fields},${who},${time}}`
      : `{${who},"apiVersion":"v1",${time},${fields}}`;
  });
  return `[${entries.join(',')}]`;
}

function shuffled(random: Random, parts: readonly string[]): string[] {
  return parts
    .map((part) => ({ part, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ part }) => part);
}
