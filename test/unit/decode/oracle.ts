// What decoding must find in an object, by JSON.parse: slow, whole, and independent of the code under test.
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { ScannedObject } from '../../../lib/model/revision.ts';

interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly time?: string;
}

interface ParsedObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    managedFields?: readonly ManagedFieldsEntry[] | null;
  };
}

interface Expected {
  readonly fields: Omit<ScannedObject, 'object'>;
  /** Without managedFields. */
  readonly object: unknown;
}

/** `defaults` are what a built-in list says of its items. */
function expectedOf(json: string, defaults?: { apiVersion: string; kind: string }): Expected {
  const object = JSON.parse(json) as ParsedObject;
  const { metadata } = object;
  let last: ManagedFieldsEntry = {};
  for (const entry of metadata.managedFields ?? []) if ((entry.time ?? '') >= (last.time ?? '')) last = entry;
  delete metadata.managedFields;
  const full = { ...defaults, ...object };
  return {
    fields: {
      apiVersion: full.apiVersion ?? '',
      kind: full.kind ?? '',
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      uid: metadata.uid ?? '',
      resourceVersion: (metadata.resourceVersion ?? '') as ScannedObject['resourceVersion'],
      manager: last.manager ?? '',
    },
    object: full,
  };
}

/** Fails unless `scanned` says what JSON.parse says of `json`, and its bytes are those of `json` without one piece. */
export function expectScanned(
  scanned: ScannedObject,
  json: string,
  defaults?: { apiVersion: string; kind: string },
): void {
  const { object, ...fields } = scanned;
  const text = Buffer.from(object).toString('utf8');
  const expected = expectedOf(json, defaults);
  const actual: Expected = { fields, object: JSON.parse(text) };
  // The first is much faster, the second tells the difference.
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
  if (defaults === undefined && !isWithoutOnePiece(text, json))
    throw new Error(`Not the bytes that were sent: ${text}`);
}

function isWithoutOnePiece(part: string, all: string): boolean {
  let head = 0;
  while (head < part.length && part[head] === all[head]) head++;
  let tail = 0;
  while (tail < part.length - head && part.at(-1 - tail) === all.at(-1 - tail)) tail++;
  return head + tail === part.length;
}
