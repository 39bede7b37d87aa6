// One line of a watch through the decoder, in each of its two ways.
import { ObjectScanner } from '../../../lib/decode/scan-object.ts';
import { type WatchLine, WatchLineDecoder } from '../../../lib/decode/watch-line.ts';
import { WatchLines } from '../../../lib/decode/watch-lines.ts';

/** As a line is decoded that follows others like it: by the byte scanner where it takes it. */
export function decodeLine(line: string | Uint8Array): WatchLine {
  const lines = new WatchLines(Number.MAX_SAFE_INTEGER);
  const events: WatchLine[] = [];
  const bytes = Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
  // The first time the decoder learns how objects begin, if they begin as they should.
  for (let n = 0; n < 2; n++) {
    events.length = 0;
    if (lines.decode(bytes, 0, false, events) !== bytes.length) throw new Error('The line was not decoded to its end.');
  }
  const [event] = events;
  if (event === undefined || events.length > 1) throw new Error(`The line gave ${events.length} events.`);
  return event;
}

/** As a line is decoded that the byte scanner does not take. */
export function decodeLineByTheBook(line: string | Uint8Array): WatchLine {
  const bytes = Buffer.from(line);
  return new WatchLineDecoder(new ObjectScanner()).decode(bytes, 0, bytes.length, false);
}
