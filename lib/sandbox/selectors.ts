// Label and field selectors: what a list or watch is narrowed to.
import { asObject, encode, isObject, type Json } from './json.ts';
import type { ObjectVersion } from './object.ts';
import type { ServedVersion } from './resource.ts';
import { badRequest } from './status.ts';

export type Matcher = (object: ObjectVersion) => boolean;

/** Whether an object is in the namespace ('' for all) and matches both selectors. Throws 400 where they don't parse. */
export function matcher(
  namespace: string,
  labelSelector: string,
  fieldSelector: string,
  version: ServedVersion,
): Matcher {
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector, version);
  if (namespace === '' && labels.length === 0 && fields.length === 0) return () => true;
  return (object) =>
    (namespace === '' || object.namespace === namespace) &&
    labels.every((matches) => matches(object.labels)) &&
    fields.every((matches) => matches(object));
}

type LabelRequirement = (labels: Readonly<Record<string, string>>) => boolean;

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const parser = new LabelParser(text);
  return parser.parse();
}

const tokenPattern = /\s*(==|!=|=|!|,|\(|\)|>|<|[^\s=!,()<>]+)/y;

class LabelParser {
  readonly #tokens: string[] = [];
  #next = 0;

  constructor(text: string) {
    tokenPattern.lastIndex = 0;
    for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) {
      this.#tokens.push(match[1] ?? '');
    }
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    while (this.#peek() !== undefined) {
      requirements.push(this.#requirement());
      const separator = this.#take();
      if (separator === undefined) break;
      if (separator !== ',') throw unexpected(separator, "',', or 'end of string'");
      if (this.#peek() === undefined) throw unexpected('', 'identifier after ","');
    }
    return requirements;
  }

  #requirement(): LabelRequirement {
    if (this.#peek() === '!') {
      this.#take();
      const key = this.#word("!, identifier, or 'end of string'");
      return (labels) => labels[key] === undefined;
    }
    const key = this.#word("!, identifier, or 'end of string'");
    const operator = this.#peek();
    if (operator === undefined || operator === ',') return (labels) => labels[key] !== undefined;
    this.#take();
    switch (operator) {
      case '=':
      case '==': {
        const value = this.#value();
        return (labels) => labels[key] === value;
      }
      case '!=': {
        const value = this.#value();
        return (labels) => labels[key] !== value;
      }
      case 'in':
      case 'notin': {
        const values = this.#values();
        return operator === 'in'
          ? (labels) => labels[key] !== undefined && values.includes(labels[key])
          : (labels) => labels[key] === undefined || !values.includes(labels[key]);
      }
      case '>':
      case '<': {
        const limit = Number(this.#word('a number'));
        return (labels) => {
          const value = Number.parseInt(labels[key] ?? '', 10);
          return operator === '>' ? value > limit : value < limit;
        };
      }
      default:
        throw unexpected(operator, 'in, notin, =, ==, !=, gt, lt');
    }
  }

  #values(): string[] {
    if (this.#take() !== '(') throw unexpected('', "'('");
    const values: string[] = [];
    for (;;) {
      const token = this.#take();
      if (token === ')') return values;
      if (token === undefined) throw unexpected('', "',', or ')'");
      if (token !== ',') values.push(token);
    }
  }

  #value(): string {
    const token = this.#peek();
    if (token === undefined || token === ',') return '';
    return this.#word('identifier');
  }

  #word(expected: string): string {
    const token = this.#take();
    if (token === undefined || /^[=!,()<>]/.test(token)) throw unexpected(token ?? '', expected);
    return token;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(): string | undefined {
    return this.#tokens[this.#next++];
  }
}

function unexpected(found: string, expected: string): Error {
  return badRequest(`found '${found}', expected: ${expected}`);
}

/** `metadata.name=x,spec.color!=red`, for the fields that the resource can be selected by. */
function parseFieldSelector(text: string, version: ServedVersion): Matcher[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const [, field = '', operator, value = ''] = match;
    const read = fieldReader(field, version);
    return (object) => (read(object) === value) === (operator !== '!=');
  });
}

/** The one object that a field selector can match, where it names one: what a RBAC rule by name looks at. */
export function selectedName(text: string): string {
  return /(?:^|,)metadata\.name==?([^,]+)/.exec(text)?.[1] ?? '';
}

function fieldReader(field: string, version: ServedVersion): (object: ObjectVersion) => string {
  if (field === 'metadata.name') return ({ name }) => name;
  if (field === 'metadata.namespace') return ({ namespace }) => namespace;
  if (!version.selectable.includes(field)) throw badRequest(`field label not supported: ${field}`);
  const path = field.split('.');
  return ({ text }) => {
    let node: Json | undefined = JSON.parse(text) as Json;
    for (const name of path) node = isObject(node) ? asObject(node)[name] : undefined;
    if (node === undefined || node === null) return '';
    return typeof node === 'string' ? node : encode(node);
  };
}
