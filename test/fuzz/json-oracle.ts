// JSON read by the book (RFC 8259), slowly and independently of the code under test. Not JSON.parse: that of Node 24.21
// confuses keys that hold a backslash (after parsing `{"\\":1}` the key of `{"\n":1}` can come out as `\`), forgets where
// in the text a value stood, and keeps only the last of several members with one key.

/** A value and where it stands: `from` its first byte, `to` after its last. */
export type Json =
  | { readonly kind: 'object'; readonly from: number; to: number; readonly members: Member[] }
  | { readonly kind: 'array'; readonly from: number; to: number; readonly items: Json[] }
  | { readonly kind: 'string'; readonly from: number; readonly to: number; readonly text: string }
  | { readonly kind: 'number' | 'word'; readonly from: number; readonly to: number };

export interface Member {
  readonly key: string;
  /** Of the key's opening quote. */
  readonly from: number;
  readonly value: Json;
}

type Open = { readonly kind: 'object' | 'array'; readonly value: Json & { to: number }; key?: Omit<Member, 'value'> };

const SPACE = /[ \t\n\r]*/y;
// Any byte from 0x20 on but the quote and the backslash, and escapes.
const STRING = /"[ !#-[\]-\xff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\xff]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** The document, or undefined where the bytes are no JSON. No recursion: depth is bounded by memory alone. */
export function readJson(bytes: Uint8Array): Json | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) return undefined;
  // One character a byte, so that positions are those of the bytes.
  const text = buffer.toString('latin1');
  const open: Open[] = [];
  let root: Json | undefined;
  let at = 0;
  const token = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : -1;
  };
  const string = (to: number): string => JSON.parse(buffer.toString('utf8', at, to)) as string;
  const space = (): void => void (at = token(SPACE));

  const place = (value: Json): void => {
    const inside = open.at(-1);
    if (inside === undefined) root = value;
    else if (inside.value.kind === 'array') inside.value.items.push(value);
    else if (inside.value.kind === 'object')
      inside.value.members.push({ ...(inside.key as Omit<Member, 'value'>), value });
  };
  /** Reads a key and its colon. */
  const key = (inside: Open): boolean => {
    const to = token(STRING);
    if (to < 0) return false;
    inside.key = { key: string(to), from: at };
    at = to;
    space();
    if (text[at] !== ':') return false;
    at += 1;
    space();
    return true;
  };
  /** Reads a value, or the beginning of an object or array that is not empty. */
  const value = (): 'whole' | 'begun' | 'none' => {
    const from = at;
    if (text[at] === '{' || text[at] === '[') {
      const isObject = text[at] === '{';
      const begun: Json & { to: number } = isObject
        ? { kind: 'object', from, to: -1, members: [] }
        : { kind: 'array', from, to: -1, items: [] };
      at += 1;
      space();
      if (text[at] === (isObject ? '}' : ']')) {
        at += 1;
        begun.to = at;
        place(begun);
        return 'whole';
      }
      place(begun);
      const inside: Open = { kind: isObject ? 'object' : 'array', value: begun };
      open.push(inside);
      return isObject && !key(inside) ? 'none' : 'begun';
    }
    const kinds = [
      ['string', STRING],
      ['number', NUMBER],
      ['word', WORD],
    ] as const;
    for (const [kind, pattern] of kinds) {
      const to = token(pattern);
      if (to < 0) continue;
      place(kind === 'string' ? { kind, from, to, text: string(to) } : { kind, from, to });
      at = to;
      return 'whole';
    }
    return 'none';
  };

  space();
  for (;;) {
    const found = value();
    if (found === 'none') return undefined;
    if (found === 'begun') continue;
    // After a whole value: close what ends here, then go on with the next.
    for (;;) {
      space();
      const inside = open.at(-1);
      if (inside === undefined) return at === text.length ? root : undefined;
      if (text[at] === ',') {
        at += 1;
        space();
        if (inside.kind === 'object' && !key(inside)) return undefined;
        break;
      }
      if (text[at] !== (inside.kind === 'object' ? '}' : ']')) return undefined;
      at += 1;
      inside.value.to = at;
      open.pop();
    }
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The members of `value` that have this key; none where it is no object. */
export function membersNamed(value: Json | undefined, key: string): readonly Member[] {
  return value?.kind === 'object' ? value.members.filter((member) => member.key === key) : [];
}

/** The text of a string; undefined for other values and for none. */
export function textOf(value: Json | undefined): string | undefined {
  return value?.kind === 'string' ? value.text : undefined;
}
