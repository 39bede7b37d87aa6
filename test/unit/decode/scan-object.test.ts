import { expect, test } from 'vitest';
import { scanObject } from '../../../lib/decode/scan-object.ts';
import { expectScanned } from './oracle.ts';

const OBJECT = '{"metadata":{"managedFields":[],"name":"c","namespace":"n"},"data":{"a":"1"}}';
const AROUND = Buffer.from(`[${OBJECT},${OBJECT}]`);

test('an object is found between its bounds in a larger buffer, and given the kind that it lacks', () => {
  const defaults = { apiVersion: 'v1', kind: 'ConfigMap' };
  const scanned = scanObject(AROUND, 1, 1 + OBJECT.length, defaults);
  expectScanned(scanned, OBJECT, defaults);
  expect(Buffer.from(scanned.object).toString()).toBe(
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n"},"data":{"a":"1"}}',
  );
});

test('an object with one of kind and apiVersion is given the other', () => {
  const object = '{"kind":"W","metadata":{"name":"c"}}';
  const scanned = scanObject(Buffer.from(object), 0, object.length, { apiVersion: 'g/v1', kind: 'ignored' });
  expect(Buffer.from(scanned.object).toString()).toBe('{"apiVersion":"g/v1","kind":"W","metadata":{"name":"c"}}');
  expect(scanned).toMatchObject({ apiVersion: 'g/v1', kind: 'W' });
});

test('an object may come as a plain Uint8Array, and is a view of it where nothing is cut', () => {
  const json = '{"apiVersion":"v1","kind":"W","metadata":{"name":"c"}}';
  const bytes = new Uint8Array(Buffer.from(json));
  const scanned = scanObject(bytes, 0, bytes.length);
  expectScanned(scanned, json);
  expect(scanned.object.buffer).toBe(bytes.buffer);
});
