// Protobuf bodies, in which typed clients (kubectl among them) send built-in kinds: the few that are created here.
// An envelope (`k8s\0`, then runtime.Unknown) around the object. Field numbers: the kinds' generated.proto files.
import type { Json, JsonObject } from './json.ts';

/** How to read a field: its JSON name and type; a nested table for a message. Prefixed: `*` repeated, `%` map. */
type Field = readonly [
  name: string,
  type: 'string' | 'bytes' | 'int' | 'bool' | '*string' | '%string' | '%bytes' | Fields,
];
interface Fields {
  readonly [number: number]: Field;
}

const magic = Buffer.from('k8s\0');

const metadata: Field = [
  'metadata',
  {
    1: ['name', 'string'],
    2: ['generateName', 'string'],
    3: ['namespace', 'string'],
    5: ['uid', 'string'],
    6: ['resourceVersion', 'string'],
    11: ['labels', '%string'],
    12: ['annotations', '%string'],
    14: ['finalizers', '*string'],
  },
];
const resourceAttributes: Field = [
  'resourceAttributes',
  {
    1: ['namespace', 'string'],
    2: ['verb', 'string'],
    3: ['group', 'string'],
    5: ['resource', 'string'],
    6: ['subresource', 'string'],
    7: ['name', 'string'],
  },
];
const boundObject: Field = [
  'boundObjectRef',
  { 1: ['kind', 'string'], 2: ['apiVersion', 'string'], 3: ['name', 'string'], 4: ['uid', 'string'] },
];

const kinds: Readonly<Record<string, Fields>> = {
  Namespace: { 1: metadata },
  ServiceAccount: { 1: metadata, 4: ['automountServiceAccountToken', 'bool'] },
  ConfigMap: { 1: metadata, 2: ['data', '%string'], 3: ['binaryData', '%bytes'], 4: ['immutable', 'bool'] },
  Secret: {
    1: metadata,
    2: ['data', '%bytes'],
    3: ['type', 'string'],
    4: ['stringData', '%string'],
    5: ['immutable', 'bool'],
  },
  TokenRequest: {
    1: metadata,
    2: ['spec', { 1: ['audiences', '*string'], 3: boundObject, 4: ['expirationSeconds', 'int'] }],
  },
  TokenReview: { 1: metadata, 2: ['spec', { 1: ['token', 'string'], 2: ['audiences', '*string'] }] },
  SelfSubjectReview: { 1: metadata },
  SelfSubjectAccessReview: { 1: metadata, 2: ['spec', { 1: resourceAttributes }] },
  SubjectAccessReview: {
    1: metadata,
    2: ['spec', { 1: resourceAttributes, 3: ['user', 'string'], 4: ['groups', '*string'] }],
  },
  SelfSubjectRulesReview: { 1: metadata, 2: ['spec', { 1: ['namespace', 'string'] }] },
  DeleteOptions: {
    2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
    4: ['propagationPolicy', 'string'],
  },
};

export function isProtobuf(body: Uint8Array): boolean {
  return body.length >= magic.length && magic.equals(body.subarray(0, magic.length));
}

/** The object that the body holds; undefined for a kind that is not read here. Throws an Error for broken bytes. */
export function decodeProtobuf(body: Uint8Array): JsonObject | undefined {
  const unknown: Fields = { 1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }] };
  const envelope = body.subarray(magic.length);
  const { apiVersion, kind } = (readMessage(envelope, unknown)['type'] ?? {}) as JsonObject;
  const fields = typeof kind === 'string' ? kinds[kind] : undefined;
  if (fields === undefined) return undefined;
  let raw = new Uint8Array();
  for (const { number, bytes } of readFields(envelope))
    if (number === 2 && bytes !== undefined) raw = new Uint8Array(bytes);
  return { apiVersion, kind, ...readMessage(raw, fields) };
}

function readMessage(bytes: Uint8Array, fields: Fields): JsonObject {
  const result: JsonObject = {};
  for (const { number, value, bytes: content } of readFields(bytes)) {
    const field = fields[number];
    if (field === undefined) continue;
    const [name, type] = field;
    if (content === undefined) {
      if (type === 'int') result[name] = value;
      if (type === 'bool') result[name] = value !== 0;
      continue;
    }
    if (typeof type === 'object') result[name] = readMessage(content, type);
    else if (type === '*string') result[name] = [...((result[name] as Json[] | undefined) ?? []), text(content)];
    else if (type.startsWith('%')) {
      const entry = readMessage(content, {
        1: ['key', 'string'],
        2: ['value', type === '%bytes' ? 'bytes' : 'string'],
      });
      const key = typeof entry['key'] === 'string' ? entry['key'] : '';
      result[name] = { ...(result[name] as JsonObject | undefined), [key]: entry['value'] ?? '' };
    } else if (content.length > 0)
      result[name] = type === 'bytes' ? Buffer.from(content).toString('base64') : text(content);
  }
  return result;
}

interface RawField {
  readonly number: number;
  readonly value: number;
  /** Absent for numbers. */
  readonly bytes: Uint8Array | undefined;
}

function* readFields(bytes: Uint8Array): Generator<RawField> {
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the protobuf body ends in the middle of a field');
      // Multiplied, not shifted: numbers here have up to 53 bits.
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === 0) yield { number, value: varint(), bytes: undefined };
    else if (wireType === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new Error('the protobuf body ends in the middle of a field');
      at += length;
      yield { number, value: 0, bytes: bytes.subarray(at - length, at) };
    } else if (wireType === 1 || wireType === 5) at += wireType === 1 ? 8 : 4;
    else throw new Error(`wire type ${wireType} is not read here`);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
