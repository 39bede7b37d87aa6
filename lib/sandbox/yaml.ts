// YAML, the part of it that configuration for server-side apply is written in: block mappings and sequences, plain and
// quoted scalars, literal blocks, and flow collections on one line. Anything else is refused, not guessed.
import { isObject, type Json, type JsonObject } from './json.ts';

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

/** Reads one document. Throws an Error that names the line. */
export function parseYaml(source: string): Json {
  const raw = source.split('\n');
  const lines = raw.flatMap((text, index): Line[] => {
    const bare = stripComment(text);
    if (bare.trim() === '' || bare.trim() === '---') return [];
    return [{ indent: bare.length - bare.trimStart().length, text: bare.trim(), number: index + 1 }];
  });
  const reader = new Reader(lines, raw);
  const value = reader.block(0);
  reader.expectEnd();
  return value;
}

class Reader {
  readonly #lines: readonly Line[];
  readonly #raw: readonly string[];
  #next = 0;

  constructor(lines: readonly Line[], raw: readonly string[]) {
    this.#lines = lines;
    this.#raw = raw;
  }

  /** The value whose lines are indented by at least `indent`. */
  block(indent: number): Json {
    const line = this.#lines[this.#next];
    if (line === undefined || line.indent < indent) return null;
    if (line.text === '-' || line.text.startsWith('- ')) return this.#sequence(line.indent);
    if (keyOf(line.text) !== undefined) return this.#mapping(line.indent);
    this.#next++;
    return scalar(line.text, line.number);
  }

  expectEnd(): void {
    const line = this.#lines[this.#next];
    if (line !== undefined) throw new Error(`line ${line.number}: did not find expected key`);
  }

  #mapping(indent: number): JsonObject {
    const result: JsonObject = {};
    for (
      let line = this.#lines[this.#next];
      line !== undefined && line.indent === indent;
      line = this.#lines[this.#next]
    ) {
      const entry = keyOf(line.text);
      if (entry === undefined) throw new Error(`line ${line.number}: could not find expected ':'`);
      this.#next++;
      result[entry.key] = this.#value(entry.rest, line, indent);
    }
    return result;
  }

  #value(rest: string, line: Line, indent: number): Json {
    if (/^[|>][+-]?$/.test(rest)) return this.#literal(rest, line, indent);
    if (rest !== '') return scalar(rest, line.number);
    const below = this.#lines[this.#next];
    // A sequence may stand at the indentation of its key.
    if (below !== undefined && below.indent === indent && /^-( |$)/.test(below.text)) return this.#sequence(indent);
    return this.block(indent + 1);
  }

  #sequence(indent: number): Json[] {
    const result: Json[] = [];
    for (
      let line = this.#lines[this.#next];
      line?.indent === indent && /^-( |$)/.test(line.text);
      line = this.#lines[this.#next]
    ) {
      const rest = line.text.slice(1).trim();
      if (rest === '') {
        this.#next++;
        result.push(this.block(indent + 1));
      } else if (keyOf(rest) === undefined && !/^-( |$)/.test(rest)) {
        this.#next++;
        result.push(scalar(rest, line.number));
      } else {
        // `- key: value` or `- - item`: the item is a block that begins on this line, further in.
        const inner = indent + line.text.length - rest.length;
        (this.#lines as Line[])[this.#next] = { ...line, indent: inner, text: rest };
        result.push(this.block(inner));
      }
    }
    return result;
  }

  #literal(style: string, line: Line, indent: number): string {
    const texts: string[] = [];
    let own = -1;
    for (let number = line.number; number < this.#raw.length; number++) {
      const text = this.#raw[number] ?? '';
      const depth = text.length - text.trimStart().length;
      if (text.trim() !== '' && depth <= indent) break;
      if (own < 0 && text.trim() !== '') own = depth;
      texts.push(text.slice(Math.max(own, 0)));
      while ((this.#lines[this.#next]?.number ?? Number.POSITIVE_INFINITY) <= number + 1) this.#next++;
    }
    const joined = texts.join(style.startsWith('>') ? ' ' : '\n').trimEnd();
    return style.endsWith('-') ? joined : `${joined}\n`;
  }
}

function keyOf(text: string): { key: string; rest: string } | undefined {
  const match = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'{[#&*!|>%@`-][^#]*?|-[^\s#][^#]*?):(?:\s+(.*))?$/.exec(text);
  if (match === null) return undefined;
  return { key: keyText(match[1] ?? '', 0), rest: match[2]?.trim() ?? '' };
}

function keyText(text: string, number: number): string {
  const key = scalar(text, number);
  return typeof key === 'string' ? key : JSON.stringify(key);
}

function scalar(text: string, number: number): Json {
  const first = text[0];
  if (first === '{' || first === '[') return flow(text, number);
  if (first === '"')
    return JSON.parse(
      text.replace(/\\U([0-9A-F]{8})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))),
    ) as Json;
  if (first === "'") return text.slice(1, -1).replaceAll("''", "'");
  if (first === '&' || first === '*' || first === '!')
    throw new Error(`line ${number}: anchors, aliases and tags are not read here`);
  if (text === '' || text === '~' || text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}

/** `{a: 1, b: [x, "y"]}` on one line. */
function flow(text: string, number: number): Json {
  let at = 0;
  const skip = (): void => {
    while (text[at] === ' ') at++;
  };
  const word = (stops: string): string => {
    skip();
    const start = at;
    const quote = text[at] === '"' || text[at] === "'" ? text[at] : undefined;
    if (quote !== undefined) {
      for (at++; at < text.length && text[at] !== quote; at++) if (text[at] === '\\') at++;
      at++;
    } else while (at < text.length && !stops.includes(text[at] ?? '')) at++;
    return text.slice(start, at).trim();
  };
  const value = (): Json => {
    skip();
    if (text[at] === '{') return members();
    if (text[at] === '[') return items();
    return scalar(word(',}]'), number);
  };
  const members = (): JsonObject => {
    const result: JsonObject = {};
    for (at++, skip(); text[at] !== '}'; skip()) {
      const key = keyText(word(':'), number);
      if (text[at++] !== ':') throw new Error(`line ${number}: a flow mapping is not closed`);
      result[key] = value();
      skip();
      if (text[at] === ',') at++;
    }
    at++;
    return result;
  };
  const items = (): Json[] => {
    const result: Json[] = [];
    for (at++, skip(); text[at] !== ']'; skip()) {
      if (at >= text.length) throw new Error(`line ${number}: a flow sequence is not closed`);
      result.push(value());
      skip();
      if (text[at] === ',') at++;
    }
    at++;
    return result;
  };
  return value();
}

function stripComment(text: string): string {
  const match = /^((?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)*?)(?:(?:^|\s)#.*)$/.exec(text);
  return (match?.[1] ?? text).trimEnd();
}

/** The value as YAML in block style, with a final newline. */
export function writeYaml(value: Json): string {
  return `${block(value, 0).trimStart()}\n`;
}

function block(value: Json, depth: number): string {
  const pad = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${pad}- ${nested(item, depth + 1).trimStart()}`).join('');
  }
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return ' {}';
    return members
      .map(
        ([key, member]) => `\n${pad}${plain(key)}:${nested(member ?? null, Array.isArray(member) ? depth : depth + 1)}`,
      )
      .join('');
  }
  return ` ${plain(value)}`;
}

function nested(value: Json, depth: number): string {
  return block(value, depth);
}

function plain(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const safe = /^[A-Za-z_./][\w./-]*(:[\w./-]+)*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return safe ? value : JSON.stringify(value);
}
