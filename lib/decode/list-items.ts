// The items in a stretch of a list: the byte scanner takes as many as it can, the others are scanned by the book.
import type { ScannedObject } from '../model/revision.ts';
import { byteScanner, ROW } from './byte-scanner.ts';
import type { ItemReader } from './list-splitter.ts';
import { ObjectScanner, type TypeMeta } from './scan-object.ts';

/** How an item begins that leaves apiVersion and kind to its list. */
const UNTYPED = Buffer.from('{"metadata":');

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** For one list: it learns from each item how the next may begin. */
export class ListItems implements ItemReader {
  /** What was found since it was taken last, in order. */
  found: ScannedObject[] = [];
  private readonly objects = new ObjectScanner();
  private readonly maxBytes: number;
  private readonly typeOfList: () => TypeMeta | undefined;
  private defaults: TypeMeta | undefined;

  /** `maxBytes`: largest item; `typeOfList`: apiVersion and kind for items without, as far as the list has said by now. */
  constructor(maxBytes: number, typeOfList: () => TypeMeta | undefined) {
    this.maxBytes = maxBytes;
    this.typeOfList = typeOfList;
  }

  taken(): ScannedObject[] {
    const { found } = this;
    this.found = [];
    return found;
  }

  readMany(chunk: Buffer, from: number, own: boolean): number {
    const untyped = startsWith(chunk, from, UNTYPED);
    this.defaults ??= this.typeOfList();
    if (untyped && this.defaults === undefined) return from;
    const scanner = byteScanner();
    const loadedTo = scanner.load(chunk, from);
    const lineBreak = chunk.subarray(from, loadedTo).indexOf(NEWLINE);
    const count = scanner.scanItems(from, untyped ? UNTYPED : this.objects.beginning, !untyped);
    let at = from;
    for (let row = 0; row < count; row++) {
      const place = row * ROW.size;
      const start = (scanner.rows[place + ROW.start] as number) - scanner.shift;
      const end = (scanner.rows[place + ROW.end] as number) - scanner.shift;
      if (end - start > this.maxBytes || (lineBreak >= 0 && end > from + lineBreak)) break;
      this.found.push(this.objects.take(chunk, scanner, row, own, untyped ? this.defaults : undefined));
      at = end;
    }
    return at;
  }

  readOne(bytes: Buffer, start: number, end: number, own: boolean): void {
    this.defaults ??= this.typeOfList();
    const object = this.objects.scan(bytes, start, end, this.defaults, own);
    this.found.push(onOneLine(object));
  }
}

/**
 * Readers of the record get an object a line (NDJSON). Some servers write lists over several lines; a line break in JSON is
 * white space, for strings can't hold one.
 */
function onOneLine(scanned: ScannedObject): ScannedObject {
  if (!scanned.object.includes(NEWLINE)) return scanned;
  return { ...scanned, object: scanned.object.map((byte) => (byte === NEWLINE ? SPACE : byte)) };
}

function startsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
