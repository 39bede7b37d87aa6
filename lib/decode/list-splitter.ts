// Splits the body of a list, however it is cut into chunks, into its items and the frame around them:
// `{"kind":"WidgetList","metadata":{…},"items":[ITEM,ITEM]}` has the frame `{"kind":"WidgetList","metadata":{…},"items":[]}`.
// The frame is small and gets parsed; items are handed over as bytes, each as soon as it is complete.
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isSpace,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-bytes.ts';
import { protocolError } from './protocol-error.ts';

/** Who is given the items. */
export interface ItemReader {
  /**
   * An item begins at `from`: reads it and those after it that are whole in the chunk, as far as it likes, and returns the
   * position after the last; `from` where it leaves the first to be split off for `readOne`. `own` allows to overwrite
   * the items.
   */
  readMany(chunk: Buffer, from: number, own: boolean): number;
  /** Gets the buffer and the place of one item in it. */
  readOne(bytes: Buffer, start: number, end: number, own: boolean): void;
}

/** Where the next byte belongs. `items value` is after `"items":`. */
type Place = 'frame' | 'items value' | 'between items' | 'item';

/** `null` begins with it: what Go makes of a slice that was never filled. */
const LETTER_N = 0x6e;

/** Enough of a key to tell `items` from all others, in any spelling with escapes. */
const KEY_BYTES = 64;

export class ListSplitter {
  /** True once the last brace of the list was met. */
  complete = false;
  /** True once `items` was met. */
  hasItems = false;
  /** What the frame said before the items began. */
  head: Record<string, unknown> = {};

  private place: Place = 'frame';
  /** Depth of nesting in the frame or in the item. */
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** Bytes of the last string of the frame: the key, when a colon follows. */
  private key: number[] = [];
  /** As UTF-8 bytes, one a character: a chunk may end inside a character. */
  private frame = '';
  /** The begun item, as far as earlier chunks held it. */
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Takes the next chunk and hands over the items that end in it. `own` allows to overwrite it. Throws Mk8sError `protocol` for what is no list. */
  push(chunk: Buffer, own: boolean, reader: ItemReader): void {
    let i = 0;
    while (i < chunk.length) {
      if (this.place === 'item') i = this.readItem(chunk, i, own, reader);
      else if (this.place === 'between items') i = this.readBetweenItems(chunk, i, own, reader);
      else i = this.readFrame(chunk, i);
    }
  }

  /** The list without its items, once it is complete. */
  parseFrame(): Record<string, unknown> {
    return parseObject(this.frame);
  }

  /** Reads until items begin, or to the end of the chunk; returns the position after it. */
  private readFrame(chunk: Buffer, start: number): number {
    let i = start;
    while (i < chunk.length && this.place !== 'between items') {
      this.frameByte(chunk[i] as number);
      i++;
    }
    this.frame += chunk.toString('latin1', start, i);
    if (this.frame.length > this.maxBytes) throw this.tooLarge('A list without its items', this.frame.length);
    if (this.place === 'between items') this.head = parseObject(`${this.frame}]}`);
    return i;
  }

  private frameByte(byte: number): void {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
      if (this.inString && this.key.length < KEY_BYTES) this.key.push(byte);
      return;
    }
    if (isSpace(byte)) return;
    if (this.complete || (this.depth === 0 && byte !== OPEN_BRACE)) {
      throw protocolError('A list was expected, but the answer is no JSON object, or goes on after its end.');
    }
    if (this.place === 'items value') {
      this.hasItems = true;
      this.place = byte === OPEN_BRACKET ? 'between items' : 'frame';
      if (byte === OPEN_BRACKET) return;
      if (byte !== LETTER_N) throw protocolError('The items of a list are neither an array nor null.');
    }
    if (byte === QUOTE) {
      this.inString = true;
      this.key = [];
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.complete = --this.depth === 0;
    else if (byte === COLON && this.depth === 1 && isItems(this.key)) this.place = 'items value';
  }

  private readBetweenItems(chunk: Buffer, start: number, own: boolean, reader: ItemReader): number {
    let i = start;
    while (i < chunk.length && (chunk[i] === COMMA || isSpace(chunk[i] as number))) i++;
    const byte = chunk[i];
    if (byte === OPEN_BRACE) {
      const after = reader.readMany(chunk, i, own);
      if (after > i) return after;
      this.place = 'item';
      this.depth = 0;
    } else if (byte === CLOSE_BRACKET) {
      this.place = 'frame';
      this.depth = 1;
      this.frame += ']';
      i++;
    } else if (byte !== undefined) throw protocolError('The items of a list are not all objects.');
    return i;
  }

  /** Reads to the end of the item or of the chunk. */
  private readItem(chunk: Buffer, start: number, own: boolean, reader: ItemReader): number {
    const end = this.endOfItem(chunk, start);
    const bytes = this.partialBytes + end - start;
    if (bytes > this.maxBytes) throw this.tooLarge('An item of a list', bytes);
    if (this.depth > 0 || this.inString) {
      this.partial.push(chunk.subarray(start, end));
      this.partialBytes = bytes;
      return end;
    }
    this.place = 'between items';
    if (this.partialBytes === 0) reader.readOne(chunk, start, end, own);
    else {
      const item = Buffer.concat([...this.partial, chunk.subarray(start, end)]);
      this.partial = [];
      this.partialBytes = 0;
      if (reader.readMany(item, 0, true) === 0) reader.readOne(item, 0, item.length, true);
    }
    return end;
  }

  /** The position after the item's last brace, where `depth` is 0; or the end of the chunk. */
  private endOfItem(chunk: Buffer, start: number): number {
    let { depth } = this;
    let i = start;
    while (i < chunk.length) {
      if (this.inString) i = this.endOfString(chunk, i);
      else {
        const byte = chunk[i++];
        if (byte === QUOTE) this.inString = true;
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
        else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) break;
      }
    }
    this.depth = depth;
    return i;
  }

  /** Goes on in a string; returns the position after its closing quote, or the end of the chunk. */
  private endOfString(chunk: Buffer, start: number): number {
    let i = start;
    if (this.escaped && i < chunk.length) {
      this.escaped = false;
      i++;
    }
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === QUOTE) {
        this.inString = false;
        return i + 1;
      }
      if (byte === BACKSLASH && ++i === chunk.length) {
        this.escaped = true;
        return i;
      }
    }
    return i;
  }

  private tooLarge(what: string, bytes: number): Error {
    return protocolError(
      `${what} has at least ${bytes} bytes, more than the ${this.maxBytes} that are accepted. Raise maxObjectBytes, or leave it out by a selector.`,
    );
  }
}

/** `bytes` are those between the quotes. */
function isItems(bytes: readonly number[]): boolean {
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.includes('\\')) return text === 'items';
  return text.length < KEY_BYTES && parse(`"${text}"`) === 'items';
}

/** `text` holds one byte a character. */
function parseObject(text: string): Record<string, unknown> {
  const value = parse(Buffer.from(text, 'latin1').toString('utf8'));
  if (typeof value !== 'object' || value === null) throw protocolError('A list was expected, but the answer is none.');
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw protocolError('A list was expected, but what surrounds its items is not JSON.', error);
  }
}
