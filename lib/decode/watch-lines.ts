// The lines in a stretch of a watch: the byte scanner takes as many as it can, the others are read by the book.
import { type ByteScanner, byteScanner, ROW, ROW_KIND } from './byte-scanner.ts';
import { isSpace } from './json-bytes.ts';
import { protocolError } from './protocol-error.ts';
import { ObjectScanner } from './scan-object.ts';
import { type ObjectType, type WatchLine, WatchLineDecoder } from './watch-line.ts';

export const NEWLINE = 0x0a;

const TYPES: readonly (ObjectType | undefined)[] = [undefined, 'ADDED', 'MODIFIED', 'DELETED'];

/** For one watch: it learns from each line how the next may begin. */
export class WatchLines {
  private readonly objects = new ObjectScanner();
  private readonly byTheBook = new WatchLineDecoder(this.objects);
  private readonly maxBytes: number;

  /** `maxBytes`: largest line, without its newline. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /**
   * Appends the events of all whole lines in `bytes` from `from` on, and returns the position after the last newline.
   * `inPlace` allows to overwrite the lines. Their objects may be views into `bytes`.
   *
   * Throws Mk8sError `protocol` for a line that is no watch event or too long; those before it are appended.
   */
  decode(bytes: Buffer, from: number, inPlace: boolean, into: WatchLine[]): number {
    const scanner = byteScanner();
    let at = from;
    for (;;) {
      const loadedTo = scanner.load(bytes, at);
      const before = at;
      at = this.decodeLoaded(bytes, at, scanner, inPlace, into);
      if (loadedTo === bytes.length) break;
      if (at > before) continue;
      // A line that does not fit the scanner.
      const newline = bytes.indexOf(NEWLINE, loadedTo);
      if (newline < 0) break;
      this.checkLength(newline - at);
      into.push(this.byTheBook.decode(bytes, at, newline, inPlace));
      at = newline + 1;
    }
    this.checkLength(bytes.length - at);
    return at;
  }

  /** Throws Mk8sError `protocol` where a line has as many bytes already. */
  checkLength(bytes: number): void {
    if (bytes <= this.maxBytes) return;
    throw protocolError(
      `A watch event has at least ${bytes} bytes, more than the ${this.maxBytes} that are accepted of one object. Raise maxObjectBytes, or leave the object out by a selector.`,
    );
  }

  /** Returns the position after the last newline among the loaded bytes. */
  private decodeLoaded(bytes: Buffer, from: number, scanner: ByteScanner, inPlace: boolean, into: WatchLine[]): number {
    const { rows, shift } = scanner;
    let at = from;
    for (;;) {
      const count = scanner.scanLines(at, this.objects.beginning);
      if (count === 0) return at;
      for (let row = 0; row < count; row++) {
        const place = row * ROW.size;
        const kind = rows[place + ROW.kind] as number;
        // The row of an object ends before the event's own brace.
        const end = (rows[place + ROW.end] as number) - shift + (kind === ROW_KIND.other ? 0 : 1);
        this.checkLength(end - at);
        const type = TYPES[kind];
        if (type !== undefined) {
          into.push({ kind: 'object', type, object: this.objects.take(bytes, scanner, row, inPlace) });
        } else if (!isBlank(bytes, at, end)) into.push(this.byTheBook.decode(bytes, at, end, inPlace));
        at = end + 1;
      }
    }
  }
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  let i = from;
  while (i < to && isSpace(bytes[i] as number)) i++;
  return i === to;
}
