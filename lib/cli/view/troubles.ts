// The lines below all streams: what does not work, whole sentences, the worst first.
import type { RunSnapshot } from '../../compose.ts';
import { fit, printable, widthOf } from '../text/width.ts';
import { troubleOf } from './stream-row.ts';
import type { Paint } from './style.ts';

// A sentence of two hundred characters fits on three lines of a usual terminal; a stack of causes need not.
const linesPerSentence = 3;

/** At most `room` lines, the first one empty; none where there is nothing to say or no room to say it. */
export function troubleLines(
  { clusters, problems, streams }: RunSnapshot,
  messages: readonly string[],
  { width, room }: { readonly width: number; readonly room: number },
  paint: Paint,
): string[] {
  const down = clusters.filter(({ error }) => error !== undefined);
  const downIds = new Set(down.map(({ id }) => id));
  // Where a cluster is not reached, each of its streams would say the same again.
  const own = streams.filter(({ stream }) => !downIds.has(stream.cluster));
  const bad = [
    ...down.map(({ name, error }) => withName(name, error ?? '')),
    ...own.flatMap((status) => troubleOf(status) ?? []),
    ...problems.map(({ message }) => message),
  ].map(printable);
  const sentences = [
    ...[...new Set(bad)].map((text) => wrap(`! ${text}`, width).map((line) => paint('bad', line))),
    ...messages
      .filter((text) => !bad.includes(text))
      .map((text) => wrap(text, width).map((line) => paint('dim', line))),
  ];
  if (sentences.length === 0 || room < 2) return [];
  const kept: string[] = [];
  for (const [index, lines] of sentences.entries()) {
    const left = sentences.length - index;
    const needed = kept.length + lines.length + (left > 1 ? 1 : 0);
    if (needed > room - 1) {
      // The first one shows at least its beginning.
      if (index === 0) return ['', ...lines.slice(0, room - 1)];
      return ['', ...kept, paint('dim', fit(`+${left} more`, width))];
    }
    kept.push(...lines);
  }
  return ['', ...kept];
}

/** `NAME: MESSAGE`, unless the message names it already. */
export function withName(name: string, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`;
}

/** Breaks at spaces; the last line is cut where the sentence is longer than its share. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > width && lines.length < linesPerSentence - 1) {
    const fitted = fit(rest, width + 1).slice(0, -1);
    const space = fitted.lastIndexOf(' ');
    const end = space > width / 2 ? space : fitted.length;
    if (end === 0) break;
    lines.push(rest.slice(0, end));
    rest = `  ${rest.slice(end).trimStart()}`;
  }
  return [...lines, fit(rest, width)];
}
