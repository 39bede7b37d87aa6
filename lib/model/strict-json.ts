// JSON from callers, read strictly: UTF-8, no key twice, not deep. JSON.parse takes the last of two equal keys, where another
// reader of the same text takes the first: whoever checks and whoever acts must not see two different requests.

/** A caller's JSON has a few levels. */
const DEEPEST = 32;

/** The value, or why there is none, in words that go on "the body …" and quote nothing of it. */
export function parseStrictJson(bytes: Uint8Array): { readonly value: unknown } | { readonly problem: string } {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { problem: 'is not UTF-8' };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return { problem: 'is not JSON' };
  }
  const problem = scan(text);
  return problem === undefined ? { value } : { problem };
}

/** Looks at the keys of valid JSON. */
function scan(text: string): string | undefined {
  /** Keys of each object that is open; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (expectsKey && keys !== undefined) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (keys.has(key)) return 'has a key twice';
        if (key === '__proto__') return 'has a key that is not allowed';
        keys.add(key);
        expectsKey = false;
      }
      at = end - 1;
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined);
      expectsKey = char === '{';
      if (open.length > DEEPEST) return 'is nested too deeply';
    } else if (char === '}' || char === ']') {
      open.pop();
      expectsKey = false;
    } else if (char === ',') {
      expectsKey = open.at(-1) !== undefined;
    }
  }
  return undefined;
}

/** Of the string that begins at `start`: the index behind its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
