// What anybody can read of a data folder, by the commands that a person would use.
import type { FeedEvent } from './materialise.ts';
import { runMk8s, startMk8s } from './process.ts';

/** A stream in `mk8s status -o json`. */
export interface StreamRow {
  readonly cluster: string;
  /** `PLURAL.GROUP`. */
  readonly resource: string;
  readonly state: string;
  readonly epoch: number;
  readonly gaps: number;
}

/** All of the feed, from the beginning, by a tail of its own. Rejects where that one fails. */
export async function readFeed(data: string): Promise<FeedEvent[]> {
  const events: FeedEvent[] = [];
  await readLines(data, 'cloudevents', (line) => events.push(JSON.parse(line) as FeedEvent));
  return events;
}

/** The same, line by line, in one of tail's formats. */
export async function readLines(
  data: string,
  format: 'cloudevents' | 'json',
  onLine: (line: string) => void,
): Promise<void> {
  const flags = ['tail', '--data', data, '--from', 'beginning', '-o', format];
  await using reader = startMk8s(flags, { onLine, keep: 64 * 1024 });
  const { code } = await reader.exit;
  if (code !== 0) throw new Error(`mk8s tail ended with ${code}: ${reader.stderr()}`);
}

/** `place`: the flags that say where the record is. */
export async function readStatus(
  place: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<StreamRow[]> {
  return (await statusOf(place, env)).streams;
}

/** Who wrote the status last, in words that end with `pid N`; undefined where nobody did. */
export async function readOwner(data: string): Promise<string | undefined> {
  return (await statusOf(['--data', data])).run?.run;
}

interface Status {
  readonly run: { readonly run: string } | null;
  readonly streams: StreamRow[];
}

async function statusOf(place: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Status> {
  const { code, stdout, stderr } = await runMk8s(['status', ...place, '-o', 'json'], { env });
  if (code !== 0) throw new Error(`mk8s status ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Status;
}
