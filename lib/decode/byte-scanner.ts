// Scans stretches of bytes in WebAssembly (tools/scanner/assembly): many objects a call, 16 bytes a step. It takes only
// the spelling that API servers use; what it leaves is for those who read by the book (watch-line.ts, scan-object.ts).
//
// There is one scanner in a process, and its memory stays at 256 KiB: calls are synchronous, and whoever makes one has
// read its rows before anybody makes the next.
import { SCANNER_WASM } from './scanner-wasm.ts';

/** Where in a row each number stands. Positions are in the scanner's memory: `shift` less in the bytes that were loaded. */
export const ROW = {
  /** A `ROW_KIND`. */
  kind: 0,
  /** Of the object; of the line without its newline where the kind is `other`. */
  start: 1,
  end: 2,
  /** The bytes to leave out, managedFields with a comma; both 0 where there is none. */
  cutFrom: 3,
  cutTo: 4,
  /** Strings, in ASCII and without escapes: first byte, then the position after the last. Both 0 where absent. */
  name: 5,
  namespace: 7,
  uid: 9,
  resourceVersion: 11,
  manager: 13,
  /** Numbers a row. */
  size: 16,
} as const;

export const ROW_KIND = { other: 0, added: 1, modified: 2, deleted: 3, item: 4 } as const;

/** What is used of the global that Node's types leave to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  scanLines(at: number, to: number, table: number, max: number, beginning: number, length: number): number;
  scanItems(
    at: number,
    to: number,
    table: number,
    max: number,
    beginning: number,
    length: number,
    typed: number,
  ): number;
}

// The memory: nothing (0 says "not found"), the beginning, the table, the bytes. Loads reach 64 bytes beyond each.
const BEGINNING_AT = 64;
const MAX_BEGINNING_BYTES = 1024;
const TABLE_AT = 2048;
const MAX_ROWS = 512;
const BYTES_AT = TABLE_AT + MAX_ROWS * ROW.size * 4;
const PAGE_BYTES = 65_536;
const PAGES = 4;

/** As many bytes can be loaded at once: a few chunks of a socket, and little enough to stay in a processor's cache. */
export const WINDOW_BYTES = PAGES * PAGE_BYTES - BYTES_AT - 64;

export class ByteScanner {
  /** The rows that the last scan made, `ROW.size` numbers each. */
  readonly rows: Int32Array;
  /** Position in the scanner's memory less position in the bytes that were loaded. */
  shift = 0;
  private loadedTo = 0;
  private beginning: Uint8Array | undefined;
  private readonly exports: Exports;
  private readonly memory: Uint8Array;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(SCANNER_WASM, 'base64'));
    this.exports = new WebAssembly.Instance(module).exports as Exports;
    this.exports.memory.grow(PAGES);
    this.memory = new Uint8Array(this.exports.memory.buffer);
    this.rows = new Int32Array(this.exports.memory.buffer, TABLE_AT, MAX_ROWS * ROW.size);
  }

  /** Copies as much of `bytes` from `from` on as the window takes; returns the position after it. */
  load(bytes: Uint8Array, from: number): number {
    const to = Math.min(bytes.length, from + WINDOW_BYTES);
    this.memory.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), BYTES_AT);
    this.shift = BYTES_AT - from;
    this.loadedTo = BYTES_AT + to - from;
    return to;
  }

  /**
   * Scans the loaded lines from `from` on (a position in the bytes) and returns the number of rows. It stops at a line that
   * is not complete, after one that it does not take (the row's kind is `other`), or where the table is full.
   * `beginning` is how objects begin up to the value of metadata; without any, no line is taken.
   */
  scanLines(from: number, beginning: Uint8Array): number {
    const { exports, shift, loadedTo } = this;
    return exports.scanLines(from + shift, loadedTo, TABLE_AT, MAX_ROWS, BEGINNING_AT, this.use(beginning));
  }

  /**
   * The same for the items of a list: it stops after an item that is not followed by `,{`, before one that is not
   * complete or that it does not take, or where the table is full. `typed`: the beginning says apiVersion and kind.
   */
  scanItems(from: number, beginning: Uint8Array, typed: boolean): number {
    const { exports, shift, loadedTo } = this;
    const length = this.use(beginning);
    return exports.scanItems(from + shift, loadedTo, TABLE_AT, MAX_ROWS, BEGINNING_AT, length, typed ? 1 : 0);
  }

  /** Returns how many bytes the beginning has in memory. */
  private use(beginning: Uint8Array): number {
    if (beginning.length > MAX_BEGINNING_BYTES) return 0;
    if (this.beginning !== beginning) {
      this.memory.set(beginning, BEGINNING_AT);
      this.beginning = beginning;
    }
    return beginning.length;
  }
}

let shared: ByteScanner | undefined;

/** The scanner of this process, made when it is first asked for (1 ms). */
export function byteScanner(): ByteScanner {
  shared ??= new ByteScanner();
  return shared;
}
