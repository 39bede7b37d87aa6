// Decoding, from the socket to identity, version and bytes, plain and over TLS. Events of a watch: ours,
// @kubernetes/client-node's Watch, and the floor (the same bytes read and dropped). Objects of a list in pages: ours, and
// node:http with JSON.parse of each page, which is the least that a client can do that hands out objects.
//
// Unfair on both sides: client-node builds whole objects, which some of its users want; ours hands out bytes, which are
// all a bridge needs. The server shares the machine's cores with the side that reads; how busy it was is a row of its own.
import { type DecodeServer, type Run, takeTurns, withDecodeServer } from './decode-sides.ts';
import { describeMachine, formatMachine } from './machine.ts';
import { type Bar, type BenchOptions, type BenchRow, benchRow, formatRow, ratioAtLeast } from './report.ts';

export interface DecodeBenchOptions extends BenchOptions {
  /** Events and objects a run; a multiple of 20,000. Default 100,000. */
  readonly events?: number;
}

type How = 'plain' | 'TLS';

const WATCH_SIDES = { ours: 'ours', clientNode: 'client-node', drain: 'drain' } as const;
const LIST_SIDES = { ours: 'list-ours', parse: 'list-parse' } as const;

export async function benchDecode(options: DecodeBenchOptions = {}): Promise<BenchRow[]> {
  const { events = 100_000, runs = 5, log = () => {} } = options;
  return await withDecodeServer(events, async (server) => {
    const rows: BenchRow[] = [];
    for (const how of ['plain', 'TLS'] as const) rows.push(...(await compareWatches(how, server, runs, log)));
    for (const how of ['plain', 'TLS'] as const) rows.push(...(await compareLists(how, server, runs, log)));
    return rows;
  });
}

async function compareWatches(how: How, server: DecodeServer, runs: number, log: (line: string) => void) {
  const { ours, clientNode, drain } = await takeTurns({
    what: `watch, ${how}`,
    server,
    target: server.target(how),
    sides: WATCH_SIDES,
    count: server.started.events,
    uncounted: ['drain'],
    runs,
    log,
  });
  const what = `decode (${how})`;
  const watch = { name: "client-node's Watch", runs: clientNode };
  const raw = { name: 'the raw drain', runs: drain };
  const plain = how === 'plain';
  return [
    rowOf(what, 'events/s', 'wall', ours, watch, plain ? ratioAtLeast(6) : undefined),
    rowOf(what, 'events/s', 'wall', ours, raw, plain ? ratioAtLeast(0.5) : undefined),
    rowOf(what, 'events/CPU s', 'cpu', ours, watch),
    rowOf(what, 'events/CPU s', 'cpu', ours, raw, plain ? undefined : ratioAtLeast(0.5)),
    rowOf(what, 'µs of CPU an event', 'cost', ours, raw),
    rowOf(`decode (${how}), the server meanwhile`, '% of a core', 'serverBusy', ours, raw),
  ];
}

async function compareLists(how: How, server: DecodeServer, runs: number, log: (line: string) => void) {
  const { ours, parse } = await takeTurns({
    what: `list, ${how}`,
    server,
    target: server.target(how),
    sides: LIST_SIDES,
    count: server.started.objects,
    runs,
    log,
  });
  const what = `list in pages (${how})`;
  const peer = { name: 'JSON.parse of each page', runs: parse };
  return [rowOf(what, 'objects/s', 'wall', ours, peer), rowOf(what, 'objects/CPU s', 'cpu', ours, peer)];
}

function rowOf(
  what: string,
  unit: string,
  figure: keyof Run,
  ours: readonly Run[],
  peer: { readonly name: string; readonly runs: readonly Run[] },
  bar?: Bar,
): BenchRow {
  return benchRow({
    what,
    unit,
    ours: ours.map((run) => run[figure]),
    peer: { name: peer.name, runs: peer.runs.map((run) => run[figure]) },
    bars: bar === undefined ? [] : [bar],
  });
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(formatMachine(describeMachine()));
  for (const row of await benchDecode({ log: say })) say(formatRow(row));
}
