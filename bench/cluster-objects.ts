// What a cluster of the benchmarks holds: one collection of 3.4 KB objects, made anew each time it is read, and what changes
// of it. Two times are known: before and after a change of 1 % that nobody watched.
import { watchBody } from './decode-events.ts';

/** The collection's resourceVersion before and after. */
const FIRST = 2_000_000;
const SECOND = 3_000_000;
const BLOCK_BYTES = 65_536;

export interface ClusterObjects {
  /** The collection's resourceVersion now. */
  readonly version: number;
  /** Events after this resourceVersion are remembered. */
  readonly since: number;
  /** One object more is updated. */
  change(): void;
  /** Of a hundred objects one changes: a third of those is deleted, updated, or got a neighbour. Forgets all events. */
  changeOnePercent(): void;
  /** Objects with numbers from `from` to before `to`: what goes before each, its bytes. In key order. */
  objects(from: number, to: number): Generator<readonly Buffer[]>;
  /** The object of this name, as it is in a list. */
  named(name: string): readonly Buffer[] | undefined;
  /** Lines of a watch: the updates after a resourceVersion. */
  events(after: number): Generator<readonly Buffer[]>;
}

/** The bytes of objects around what differs: name, resourceVersion, uid. */
const templates = Buffer.concat([...watchBody(400)])
  .toString()
  .trim()
  .split('\n')
  .map((line) => {
    const { object } = JSON.parse(line) as { object: { metadata: Record<string, unknown> } };
    Object.assign(object.metadata, { name: '@@', namespace: 'team-a', resourceVersion: '@@', uid: '@@' });
    return JSON.stringify(object)
      .split('@@')
      .map((text) => Buffer.from(text));
  });

function objectBytes(index: number, version: number, twin = ''): readonly Buffer[] {
  const [a, b, c, d] = templates[index % templates.length] as [Buffer, Buffer, Buffer, Buffer];
  const id = `${twin === '' ? '4475' : '4476'}-84a4-${index.toString(16).padStart(12, '0')}`;
  const text = (value: string): Buffer => Buffer.from(value, 'latin1');
  const name = `route-${String(index).padStart(7, '0')}${twin}`;
  return [a, text(name), b, text(String(version)), c, text(`32aafeef-9aa6-${id}`), d];
}

/** `count`: at first. */
export function clusterObjects(count: number): ClusterObjects {
  let version = FIRST;
  let since = FIRST;
  let later = false;
  /** Objects updated one by one: number and resourceVersion, in order. */
  let updates: { index: number; version: number }[] = [];
  const updated = new Map<number, number>();

  function* at(index: number): Generator<readonly Buffer[]> {
    const third = later ? index % 300 : undefined;
    if (third === 0) return;
    const own = updated.get(index) ?? (third === 100 ? SECOND - count + index : FIRST - count + index);
    yield objectBytes(index, own);
    if (third === 200) yield objectBytes(index, SECOND - count + index, '-b');
  }

  return {
    get version() {
      return version;
    },
    get since() {
      return since;
    },
    change() {
      version += 1;
      const index = (updates.length * 7919) % count;
      updates.push({ index, version });
      updated.set(index, version);
    },
    changeOnePercent() {
      later = true;
      version = SECOND;
      since = SECOND;
      updates = [];
      updated.clear();
    },
    *objects(from, to) {
      for (let index = from; index < Math.min(to, count); index++) yield* at(index);
    },
    named(name) {
      const twin = name.endsWith('-b');
      const [own, neighbour] = [...at(Number(name.replace(/^route-|-b$/g, '')))];
      return twin ? neighbour : own;
    },
    *events(after) {
      for (const update of updates) {
        if (update.version <= after) continue;
        yield [
          Buffer.from('{"type":"MODIFIED","object":'),
          ...objectBytes(update.index, update.version),
          Buffer.from('}\n'),
        ];
      }
    },
  };
}

/** Joins pieces to blocks of about 64 KiB. */
export function* blocks(all: Iterable<readonly Buffer[]>): Generator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  for (const some of all) {
    for (const piece of some) {
      pieces.push(piece);
      size += piece.length;
    }
    if (size < BLOCK_BYTES) continue;
    yield Buffer.concat(pieces, size);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces, size);
}
