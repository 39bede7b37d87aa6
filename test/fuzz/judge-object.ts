// What an object in the bytes must be scanned as, by a reader by the book.
import { isDeepStrictEqual } from 'node:util';
import type { ScannedObject } from '../../lib/model/revision.ts';
import { type Json, type Member, membersNamed, readJson, textOf } from './json-oracle.ts';
import { must } from './target.ts';

export interface ObjectRules {
  /** Items of lists may; a watch without versions cannot be resumed. */
  readonly mayLackVersion: boolean;
  /** What the list says of its items. */
  readonly defaults?: { readonly apiVersion: string; readonly kind: string } | undefined;
}

const KEYS = ['namespace', 'name', 'uid', 'resourceVersion'] as const;

/** `object` lies in `bytes`; `scanned` is undefined where it was refused. Throws where that is not the truth. */
export function judgeObject(
  bytes: Buffer,
  object: Json & { kind: 'object' },
  scanned: ScannedObject | undefined,
  { mayLackVersion, defaults }: ObjectRules,
): 'read' | 'refused' | 'trusted' {
  const metadata = member(object, 'metadata')?.value;
  const said = Object.fromEntries(KEYS.map((key) => [key, member(metadata, key)?.value]));
  const apiVersion = member(object, 'apiVersion')?.value;
  const kind = member(object, 'kind')?.value;
  const isText = (value: Json | undefined): boolean => value === undefined || value.kind === 'string';
  const allTexts = [apiVersion, kind, ...Object.values(said)].every(isText);
  const complete =
    metadata?.kind === 'object' &&
    allTexts &&
    (apiVersion ?? defaults) !== undefined &&
    (kind ?? defaults) !== undefined &&
    (textOf(said['name']) ?? '') !== '' &&
    (mayLackVersion || (textOf(said['resourceVersion']) ?? '') !== '');
  const twice =
    ['apiVersion', 'kind', 'metadata'].some((key) => membersNamed(object, key).length > 1) ||
    [...KEYS, 'managedFields'].some((key) => membersNamed(metadata, key).length > 1);
  if (twice) {
    // JSON leaves open what a key that stands there twice means; no API server writes one.
    return scanned === undefined ? 'refused' : 'trusted';
  }
  const fields = member(metadata, 'managedFields');
  if (scanned === undefined) {
    must(!complete || !isUsual(fields?.value), 'a good object was refused');
    return 'refused';
  }
  must(complete, 'an object was read that lacks what it must have');
  must(scanned.apiVersion === (textOf(apiVersion) ?? defaults?.apiVersion), 'apiVersion is another');
  must(scanned.kind === (textOf(kind) ?? defaults?.kind), 'kind is another');
  for (const key of KEYS) must(scanned[key] === (textOf(said[key]) ?? ''), `${key} is another`);
  judgeManager(fields?.value, bytes, scanned.manager);
  judgeBytes(bytes, object, metadata, fields, scanned, { apiVersion, kind });
  return 'read';
}

/** The bytes that were sent without one piece: managedFields and a comma. */
function judgeBytes(
  bytes: Buffer,
  object: Json,
  metadata: Json,
  fields: Member | undefined,
  { object: given, ...scanned }: ScannedObject,
  type: { apiVersion: Json | undefined; kind: Json | undefined },
): void {
  const parsed = readJson(given);
  must(parsed !== undefined, 'the object is no JSON any more');
  must(!Buffer.from(given).includes('\n'), 'the object has a line break: it is no line of NDJSON');
  must(membersNamed(member(parsed, 'metadata')?.value, 'managedFields').length === 0, 'managedFields is still there');
  must(textOf(member(parsed, 'apiVersion')?.value) === scanned.apiVersion, 'the bytes lack apiVersion');
  must(textOf(member(parsed, 'kind')?.value) === scanned.kind, 'the bytes lack kind');
  // The same values in the same order, by their bytes.
  const added = Number(type.apiVersion === undefined) + Number(type.kind === undefined);
  const before = members(bytes, object).filter(({ value }) => value !== metadata);
  const after = members(Buffer.from(given), parsed).slice(added);
  const kept = after.filter(({ key }) => key !== 'metadata');
  must(isDeepStrictEqual(before.map(spelling), kept.map(spelling)), 'another member was changed');
  const meta = members(Buffer.from(given), member(parsed, 'metadata')?.value);
  const sent = members(bytes, metadata).filter(({ from }) => from !== fields?.from);
  must(isDeepStrictEqual(sent.map(spelling), meta.map(spelling)), 'other metadata was changed');
}

interface Spelled extends Member {
  readonly text: string;
}

function members(bytes: Buffer, value: Json | undefined): Spelled[] {
  if (value?.kind !== 'object') return [];
  return value.members.map((each) => ({
    ...each,
    text: bytes.toString('latin1', each.value.from, each.value.to).replaceAll('\n', ' '),
  }));
}

function spelling({ key, text }: Spelled): string {
  return `${key}=${text}`;
}

/** Told exactly where managedFields has the form that API servers give it. */
function judgeManager(fields: Json | undefined, bytes: Buffer, manager: string): void {
  if (fields === undefined || fields.kind !== 'array') return must(manager === '', 'a manager was made up');
  let lastTime = '';
  let lastManager = '';
  for (const entry of fields.items) {
    const time = member(entry, 'time')?.value;
    const text = textOf(time) ?? '';
    const plain =
      time === undefined || /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$/.test(bytes.toString('latin1', time.from, time.to));
    const twice = ['time', 'manager'].some((key) => membersNamed(entry, key).length > 1);
    if (!plain || twice) return;
    if (text < lastTime) continue;
    lastTime = text;
    lastManager = textOf(member(entry, 'manager')?.value) ?? '';
  }
  must(manager === lastManager, `the last writer is "${lastManager}", not "${manager}"`);
}

/** An array of objects, or null: what else stands there may be refused. */
function isUsual(fields: Json | undefined): boolean {
  return fields?.kind !== 'array' || fields.items.every((entry) => entry.kind === 'object');
}

function member(value: Json | undefined, key: string): Member | undefined {
  return membersNamed(value, key).at(-1);
}
