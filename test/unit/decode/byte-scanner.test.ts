// What the scanner takes, and what it leaves to others; that it reads right what it takes is held by documents.test.ts.
import { describe, expect, test } from 'vitest';
import { byteScanner, ROW, ROW_KIND, WINDOW_BYTES } from '../../../lib/decode/byte-scanner.ts';

const BEGINNING = '{"apiVersion":"example.com/v1","kind":"Widget","metadata":';
const META = '"name":"w-1","namespace":"team-a","resourceVersion":"7","uid":"u-1"';

function object(metadata: string, rest = ',"spec":{"size":1}'): string {
  return `${BEGINNING}{${metadata}}${rest}}`;
}

function event(metadata: string, rest?: string): string {
  return `{"type":"MODIFIED","object":${object(metadata, rest)}}`;
}

/** The kinds of rows that the scanner makes of lines. */
function kinds(...lines: readonly string[]): number[] {
  const scanner = byteScanner();
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  expect(scanner.load(bytes, 0)).toBe(bytes.length);
  const rows = scanner.scanLines(0, Buffer.from(BEGINNING));
  return Array.from({ length: rows }, (_, row) => scanner.rows[row * ROW.size + ROW.kind] as number);
}

describe('the byte scanner takes', () => {
  test('lines of each type of change', () => {
    const lines = ['ADDED', 'MODIFIED', 'DELETED'].map((type) => event(META).replace('MODIFIED', type));
    expect(kinds(...lines)).toEqual([ROW_KIND.added, ROW_KIND.modified, ROW_KIND.deleted]);
  });

  test.each([
    [
      'annotations and labels with anything in them',
      `"annotations":{"a":"\\"}{[\\\\","b":"čau ☃"},"labels":{},${META}`,
    ],
    ['a name and a version alone', '"resourceVersion":"7","name":"w-1"'],
    ['managedFields of custom resources', `"managedFields":[${entry('alphabet')},${entry('alphabet')}],${META}`],
    ['managedFields of built-in kinds', `${META},"managedFields":[${entry('struct')},${entry('struct')}]`],
    ['managedFields in between', `"generation":3,"managedFields":[${entry('struct')}],${META}`],
    [
      'owners, times and numbers',
      `${META},"creationTimestamp":null,"generation":-1.5e3,"ownerReferences":[{"a":[]},{}]`,
    ],
    ['an annotation of 10,000 bytes', `"annotations":{"a":"${'{\\"x\\":1}'.repeat(1000)}"},${META}`],
  ])('objects with %s', (_what, metadata) => {
    expect(kinds(event(metadata), event(metadata, ''))).toEqual([ROW_KIND.modified, ROW_KIND.modified]);
  });
});

describe('the byte scanner leaves', () => {
  test.each([
    ['another beginning', event(META).replace('Widget', 'Gadget')],
    ['other members of the event', event(META).replace('"object"', '"x":1,"object"')],
    ['white space between tokens', event(META).replace(',"uid"', ', "uid"')],
    ['white space at the end', `${event(META)} `],
    ['an escape in a name', event(META).replace('w-1', 'w-\\u0031')],
    ['a name beyond ASCII', event(META).replace('w-1', 'w-č')],
    ['an escape in a key', event(META).replace('"uid"', '"\\u0075id"')],
    ['a key twice', event(`${META},"uid":"u-2"`)],
    ['managedFields twice', event(`"managedFields":[],"managedFields":[],${META}`)],
    ['managedFields that are no array', event(`"managedFields":null,${META}`)],
    ['a manager that is no string', event(`"managedFields":[{"manager":1}],${META}`)],
    ['a name that is no string', event(META).replace('"w-1"', '1')],
    ['an empty name', event(META).replace('w-1', '')],
    ['no version', event('"name":"w-1"')],
    ['metadata that do not end', event(META).replace('"},"spec":{"size":1}', '","spec":{"size":1}')],
    ['an object that ends after its metadata, and goes on', event(META, '').replace(/\}\}\}$/, '}}"}}')],
    ['a bookmark', '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}'],
    ['an empty line', ''],
  ])('a line with %s, and stops there', (_what, line) => {
    expect(kinds(event(META), line, event(META))).toEqual([ROW_KIND.modified, ROW_KIND.other]);
  });

  test('every line where no beginning is known', () => {
    const scanner = byteScanner();
    scanner.load(Buffer.from(`${event(META)}\n`), 0);
    expect(scanner.scanLines(0, Buffer.alloc(0))).toBe(1);
    expect(scanner.rows[ROW.kind]).toBe(ROW_KIND.other);
  });

  test('a line that is not complete, although an earlier one lay there that was', () => {
    const whole = `${event(META)}\n`;
    expect(kinds(event(META))).toEqual([ROW_KIND.modified]);
    const scanner = byteScanner();
    for (let end = whole.length - 1; end > 0; end--) {
      scanner.load(Buffer.from(whole.slice(0, end)), 0);
      expect(scanner.scanLines(0, Buffer.from(BEGINNING))).toBe(0);
    }
  });

  test('what does not fit its window', () => {
    const scanner = byteScanner();
    expect(scanner.load(Buffer.alloc(WINDOW_BYTES + 1), 0)).toBe(WINDOW_BYTES);
    expect(scanner.load(Buffer.alloc(WINDOW_BYTES + 1), 1)).toBe(WINDOW_BYTES + 1);
  });
});

describe('of the items of a list the byte scanner', () => {
  const untyped = (rest = ''): string => `{"metadata":{${META}},"data":{"a":"]},{"},"immutable":true${rest}}`;

  function ends(text: string, beginning: string, typed: boolean): number[] {
    const scanner = byteScanner();
    scanner.load(Buffer.from(text), 0);
    const rows = scanner.scanItems(0, Buffer.from(beginning), typed);
    return Array.from({ length: rows }, (_, row) => (scanner.rows[row * ROW.size + ROW.end] as number) - scanner.shift);
  }

  test('takes those that are complete, up to the last or to one that is not as those before', () => {
    const item = object(META, ',"spec":{"a":[{"b":"]}"}]}');
    const two = `${item},${item}`;
    expect(ends(`${two}]`, BEGINNING, true)).toEqual([item.length, two.length]);
    expect(ends(`${two},${item.slice(0, -1)}`, BEGINNING, true)).toEqual([item.length, two.length]);
    expect(ends(`${two},${untyped()}]`, BEGINNING, true)).toEqual([item.length, two.length]);
    expect(ends(`${item}, ${item}]`, BEGINNING, true)).toEqual([item.length]);
  });

  test('takes those that lack apiVersion and kind, but none that has them later', () => {
    const item = untyped();
    expect(ends(`${item},${item}]`, '{"metadata":', false)).toEqual([item.length, 2 * item.length + 1]);
    for (const member of ['"kind":"X"', '"apiVersion":"v2"', '"metadata":{}', '"k\\u0069nd":"X"']) {
      expect(ends(`${untyped(`,${member}`)}]`, '{"metadata":', false)).toEqual([]);
    }
  });

  test('takes none that is cut, although earlier bytes lay where it goes on', () => {
    for (const [item, beginning, typed] of [
      [object(META), BEGINNING, true],
      [untyped(), '{"metadata":', false],
    ] as const) {
      expect(ends(`${item},${item}]`, beginning, typed)).toHaveLength(2);
      for (let end = item.length - 1; end > 0; end--) expect(ends(item.slice(0, end), beginning, typed)).toEqual([]);
    }
  });
});

/** An entry of managedFields, its keys in one of two orders. */
function entry(order: 'alphabet' | 'struct'): string {
  const fields = '"fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{},"k:{\\"a\\":\\"}]\\"}":{".":{}}}}';
  const who = '"manager":"helm","operation":"Update"';
  const time = '"time":"2026-11-22T15:41:25Z"';
  return order === 'alphabet'
    ? `{"apiVersion":"v1",${fields},${who},${time}}`
    : `{${who},"apiVersion":"v1",${time},${fields}}`;
}
