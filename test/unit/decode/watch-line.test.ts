import { describe, expect, test } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { decodeLine, decodeLineByTheBook } from './decode-line.ts';
import { expectScanned } from './oracle.ts';

const META = '"name":"w-1","namespace":"team-a","resourceVersion":"7","uid":"u-1"';
const ENTRY = (manager: string, time: string): string =>
  `{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{}}},"manager":"${manager}","operation":"Update","time":"${time}"}`;

function event(object: string, type = 'MODIFIED'): string {
  return `{"type":"${type}","object":${object}}`;
}

describe.each([
  { way: 'after another like it', decode: decodeLine },
  { way: 'by the book', decode: decodeLineByTheBook },
])('read $way,', ({ decode }) => {
  /** The object of an event, as text. */
  function objectOf(line: string): string {
    const decoded = decode(line);
    if (decoded.kind !== 'object') throw new Error(`decoded as ${decoded.kind}`);
    return Buffer.from(decoded.object.object).toString('utf8');
  }

  function managerOf(managedFields: string): string {
    const decoded = decode(
      event(`{"apiVersion":"v1","kind":"W","metadata":{"managedFields":${managedFields},${META}},"spec":{}}`),
    );
    return decoded.kind === 'object' ? decoded.object.manager : decoded.kind;
  }

  describe('a line of a watch', () => {
    test.each(['ADDED', 'MODIFIED', 'DELETED'])('of type %s gives the object with its identity', (type) => {
      const object = `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{${META}},"spec":{"size":1}}`;
      const line = decode(event(object, type));
      expect(line).toMatchObject({ kind: 'object', type });
      if (line.kind === 'object') expectScanned(line.object, object);
    });

    test('with a bookmark gives its resourceVersion, and whether it ends the initial events', () => {
      expect(
        decode('{"type":"BOOKMARK","object":{"kind":"W","apiVersion":"v1","metadata":{"resourceVersion":"335"}}}'),
      ).toEqual({
        kind: 'bookmark',
        resourceVersion: '335',
        initialEventsEnd: false,
      });
      expect(
        decode(
          '{"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"},"resourceVersion":"321"}}}',
        ),
      ).toEqual({ kind: 'bookmark', resourceVersion: '321', initialEventsEnd: true });
    });

    test('with an error gives its Status', () => {
      const status =
        '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (444)","reason":"Expired","code":410}';
      expect(decode(event(status, 'ERROR'))).toEqual({
        kind: 'error',
        status: { code: 410, reason: 'Expired', message: 'too old resource version: 1 (444)' },
      });
    });

    test('may have white space, escapes, and its members in any order', () => {
      const object = `{ "metadata" : { "managedFields":[ ], "n\\u0061me":"w-\\u0031", "resourceVersion":"7" }, "kind":"W", "apiVersion":"v1" }`;
      const line = decode(` { "object" : ${object} , "ty\\u0070e":"ADDED" } \r`);
      expect(line).toMatchObject({ kind: 'object', type: 'ADDED', object: { name: 'w-1' } });
      if (line.kind === 'object') expectScanned(line.object, object);
    });

    test.each([' }', ',"more":{"a":1}}', ' , "more" : 1 }'])('may end otherwise than servers end it: %s', (end) => {
      const object = `{"apiVersion":"v1","kind":"W","metadata":{${META}}}`;
      expect(objectOf(`{"type":"ADDED","object":${object}${end.replace('{"a":1}}', '{"a":1} }')}`)).toBe(object);
    });

    test('may hold an object whose data precede its metadata, and mention metadata of their own', () => {
      const object = `{"apiVersion":"v1","data":{"metadata":"{\\"name\\":\\"no\\"}","x":"]},\\"spec\\""},"kind":"ConfigMap","metadata":{${META}}}`;
      const line = decode(event(object));
      if (line.kind === 'object') expectScanned(line.object, object);
      expect(line.kind).toBe('object');
    });

    test('keeps the bytes of an object as they were sent, also those that JSON.parse would alter', () => {
      const spec = '"spec":{"\\\\":1,"big":12345678901234567890.10,"e":"\\u003c\\u2028"},"spec2":"ďábel"';
      expect(objectOf(event(`{"apiVersion":"v1","kind":"W","metadata":{"managedFields":[],${META}},${spec}}`))).toBe(
        `{"apiVersion":"v1","kind":"W","metadata":{${META}},${spec}}`,
      );
    });
  });

  describe('managedFields', () => {
    const fields = `"managedFields":[${ENTRY('helm', '2026-11-22T15:41:25Z')}]`;
    test.each([
      ['first', `{${fields},${META}}`, `{${META}}`],
      ['between others', `{"generation":1,${fields},${META}}`, `{"generation":1,${META}}`],
      ['last', `{${META},${fields}}`, `{${META}}`],
      ['last, with white space', `{${META} , ${fields} }`, `{${META} }`],
      ['null', `{"managedFields":null,${META}}`, `{${META}}`],
      ['empty', `{${META},"managedFields":[]}`, `{${META}}`],
    ])('are cut out with their comma where they are %s', (_place, metadata, without) => {
      const object = (meta: string): string => `{"kind":"W","apiVersion":"v1","metadata":${meta},"spec":{"a":[1]}}`;
      expect(objectOf(event(object(metadata)))).toBe(object(without));
    });

    test('of other objects inside the object stay', () => {
      const object = `{"apiVersion":"v1","kind":"W","metadata":{${META}},"spec":{"template":{"metadata":{${fields},"name":"inner"}}}}`;
      expect(objectOf(event(object))).toBe(object);
    });

    test('tell who wrote last: the manager of the latest time, of several the last', () => {
      const a = ENTRY('a', '2026-11-22T15:41:25Z');
      const b = ENTRY('b', '2026-11-22T15:41:30Z');
      const c = ENTRY('c', '2026-11-22T15:41:30Z');
      expect(managerOf(`[${a},${b}]`)).toBe('b');
      expect(managerOf(`[${b},${a}]`)).toBe('b');
      expect(managerOf(`[${b},${a},${c}]`)).toBe('c');
      expect(managerOf('[]')).toBe('');
      expect(managerOf('[{"manager":"no-time"}]')).toBe('no-time');
    });

    test('tell who wrote last also in the order of built-in kinds, and in no order', () => {
      const entry = (manager: string, second: number): string =>
        `{"manager":"${manager}","operation":"Update","apiVersion":"v1","time":"2026-11-22T15:41:1${second}Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}`;
      expect(managerOf(`[${entry('a', 1)},${entry('b', 3)},${entry('c', 2)}]`)).toBe('b');
      expect(managerOf(`[${ENTRY('x', '2026-11-22T15:41:12Z')},${entry('a', 1)}]`)).toBe('x');
      expect(
        managerOf('[{"time":"2026-11-22T15:41:12Z","manager":"m"},{"manager":"n","time":"2026-11-22T15:41:11Z"}]'),
      ).toBe('m');
    });

    test('may hold strings and arrays that look like their end', () => {
      const tricky = ENTRY('real', '2026-11-22T15:41:25Z').replace(
        '"f:spec"',
        '"k:{\\"a\\":\\"}],\\"}","f:x":[{"manager":"inner","time":"2099-11-22T15:41:25Z"}],"v:Z\\""',
      );
      expect(managerOf(`[${tricky}]`)).toBe('real');
      const nested =
        '{"apiVersion":"v1","fieldsV1":{"x":{},"manager":"inner","operation":"Update","time":"2099-01-01T00:00:00Z"},"manager":"real","operation":"Update","time":"2026-11-22T15:41:25Z"}';
      expect(managerOf(`[${nested}]`)).toBe('real');
    });
  });

  describe('a line that is no event of a watch is refused', () => {
    test.each([
      ['text', 'not json'],
      ['an object that does not end', '{"type":"ADDED","object":{"kind":"W"}'],
      ['a string that does not end', '{"type":"ADDED","object":{"apiVersion":"v1","kind":"W","metadata":{"name":"x}}'],
      ['no object', '{"type":"ADDED"}'],
      ['an unknown type', '{"type":"RENAMED","object":{}}'],
      ['an object without metadata', '{"type":"ADDED","object":{"apiVersion":"v1","kind":"W"}}'],
      [
        'an object without name',
        '{"type":"ADDED","object":{"apiVersion":"v1","kind":"W","metadata":{"resourceVersion":"1"}}}',
      ],
      [
        'an object without resourceVersion',
        '{"type":"ADDED","object":{"apiVersion":"v1","kind":"W","metadata":{"name":"w"}}}',
      ],
      [
        'an object without kind',
        '{"type":"ADDED","object":{"apiVersion":"v1","metadata":{"name":"w","resourceVersion":"1"}}}',
      ],
      ['a name that is no string', '{"type":"ADDED","object":{"apiVersion":"v1","kind":"W","metadata":{"name":1}}}'],
      ['a bookmark without resourceVersion', '{"type":"BOOKMARK","object":{"metadata":{}}}'],
      ['an error that is no JSON', '{"type":"ERROR","object":{""}}'],
      [
        'a bookmark that is no JSON beside its metadata',
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}},"more":tru}',
      ],
      ['a bookmark of null', '{"type":"BOOKMARK","object":null}'],
      ['more after its end', '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}} {}'],
      ['a list', '[1]'],
    ])('%s', (_what, line) => {
      expect(() => decode(line)).toThrow(Mk8sError);
      expect(() => decode(line)).toThrow(expect.objectContaining({ code: 'protocol' }) as Error);
    });

    test('and the message shows nothing of its content', () => {
      const line =
        '{"type":"ADDED","object":{"apiVersion":"v1","data":{"password":"c2VjcmV0"},"kind":"Secret","metadata":{"name":"s3cr3t"}}}';
      expect(() => decode(line)).toThrow(/^(?!.*(?:c2VjcmV0|s3cr3t)).*Secret.*no metadata\.resourceVersion/);
    });
  });
});
