// The formats that requests and answers come in: YAML, patches, protobuf, columns.
import { describe, expect, test } from 'vitest';
import { humanDuration } from '../../../lib/sandbox/human-time.ts';
import { encode } from '../../../lib/sandbox/json.ts';
import { jsonPatch, mergePatch } from '../../../lib/sandbox/patch.ts';
import { decodeProtobuf } from '../../../lib/sandbox/protobuf.ts';
import { evaluate } from '../../../lib/sandbox/table.ts';
import { parseYaml, writeYaml } from '../../../lib/sandbox/yaml.ts';

test('JSON escapes what Go escapes, and nothing else', () => {
  expect(encode({ a: '<&>\u2028é🦄' })).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028é🦄"}');
});

describe('YAML', () => {
  test('reads what configuration for apply is written in', () => {
    const source = `# a comment
apiVersion: example.com/v1 # another
metadata:
  name: "quoted: yes"
  labels: {a: b, "c": 'd e'}
spec:
  size: 3
  ratio: -1.5
  on: true
  none: null
  version: "1"
  url: http://example.com:80/#x
  list:
  - one
  - name: two
    deep:
      - 2
      - [3, 4]
  -
    name: three
  text: |
    first
      second
  empty: []
`;
    expect(parseYaml(source)).toEqual({
      apiVersion: 'example.com/v1',
      metadata: { name: 'quoted: yes', labels: { a: 'b', c: 'd e' } },
      spec: {
        size: 3,
        ratio: -1.5,
        on: true,
        none: null,
        version: '1',
        url: 'http://example.com:80/#x',
        list: ['one', { name: 'two', deep: [2, [3, 4]] }, { name: 'three' }],
        text: 'first\n  second\n',
        empty: [],
      },
    });
  });

  test('refuses what it does not read, by line', () => {
    expect(() => parseYaml('a: 1\nb: &x 2')).toThrow(/line 2/);
    expect(() => parseYaml('a: 1\n   b: 2')).toThrow(/line 2/);
    expect(() => parseYaml('a: {b: 1')).toThrow(/line 1/);
  });

  test('is read again as it was written', () => {
    const value = { a: [{ b: 'x: y', c: [] }, [1, '2']], d: {}, e: 'true', f: null, 'g/h': '' };
    expect(parseYaml(writeYaml(value))).toEqual(value);
  });
});

describe('patches', () => {
  test('a merge patch removes by null, replaces lists, and leaves its target alone', () => {
    const target = { a: { b: 1, c: 2 }, d: [1, 2] };
    expect(mergePatch(target, { a: { b: null, e: 3 }, d: [3] })).toEqual({ a: { c: 2, e: 3 }, d: [3] });
    expect(target).toEqual({ a: { b: 1, c: 2 }, d: [1, 2] });
  });

  test('a JSON patch does its operations in order', () => {
    const patched = jsonPatch({ a: { 'x/y': 1 }, l: [1, 3] }, [
      { op: 'test', path: '/a/x~1y', value: 1 },
      { op: 'add', path: '/l/1', value: 2 },
      { op: 'add', path: '/l/-', value: 4 },
      { op: 'replace', path: '/a/x~1y', value: 9 },
      { op: 'move', from: '/a', path: '/b' },
      { op: 'copy', from: '/l/0', path: '/c' },
      { op: 'remove', path: '/l/0' },
    ]);
    expect(patched).toEqual({ b: { 'x/y': 9 }, c: 1, l: [2, 3, 4] });
  });

  test.each([
    [[{ op: 'test', path: '/a', value: 2 }]],
    [[{ op: 'remove', path: '/nope' }]],
    [[{ op: 'replace', path: '/nope', value: 1 }]],
    [[{ op: 'add', path: '/a/b/c', value: 1 }]],
  ])('a JSON patch that does not fit is refused: %j', (operations) => {
    expect(() => jsonPatch({ a: 1 }, operations)).toThrow(/rejected our request/);
  });
});

test("kubectl's protobuf body of a TokenRequest is read", () => {
  const field = (number: number, content: Buffer | string): Buffer => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
  };
  const type = Buffer.concat([field(1, 'authentication.k8s.io/v1'), field(2, 'TokenRequest')]);
  const spec = Buffer.concat([field(1, 'foo'), field(1, 'bar'), Buffer.of(4 << 3, 0xd8, 0x04)]);
  const raw = Buffer.concat([field(1, field(1, '')), field(2, spec)]);
  const body = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, raw), field(3, ''), field(4, '')]);
  expect(decodeProtobuf(body)).toEqual({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { audiences: ['foo', 'bar'], expirationSeconds: 600 },
  });
  expect(() => decodeProtobuf(body.subarray(0, 30))).toThrow(/in the middle of a field/);
});

test.each([
  ['.metadata.name', 'x'],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  ['.spec.list[1].a', 2],
  [".metadata.labels['app.kubernetes.io/name']", 'cart'],
  ['.metadata.labels.app\\.kubernetes\\.io/name', 'cart'],
  ['.nope.nope', undefined],
])('the column %s is %s', (path, expected) => {
  const object = {
    metadata: { name: 'x', labels: { 'app.kubernetes.io/name': 'cart' } },
    spec: { list: [{ a: 1 }, { a: 2 }] },
    status: {
      conditions: [
        { type: 'Other', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };
  expect(evaluate(object, path)).toBe(expected);
});

test('ages are printed as kubectl prints them', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  const ages = [
    119 * second,
    2 * minute,
    5 * minute + 30 * second,
    90 * minute,
    7 * hour + 5 * minute,
    30 * hour,
    3 * day + hour,
    100 * day,
    800 * day,
  ];
  expect(ages.map(humanDuration)).toEqual(['119s', '2m', '5m30s', '90m', '7h5m', '30h', '3d1h', '100d', '2y70d']);
});
