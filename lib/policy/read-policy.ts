// Reads a policy file. Every complaint names the file, the line, the key and what was expected.

import * as v from 'valibot';
import type { LineCounter, Node } from 'yaml';
import { Mk8sError } from '../model/errors.ts';
import { parseStrictJson } from '../model/strict-json.ts';
import type { Policy } from './policy.ts';
import { policySchema } from './schema.ts';

/**
 * A policy out of YAML (or JSON, which needs no YAML parser to be loaded). `name` is the file as the user knows it.
 * Throws Mk8sError `config` with all complaints, one a line, each beginning `FILE:LINE: `.
 */
export async function readPolicy(text: string, name: string): Promise<Policy> {
  const quick = validJson(text);
  if (quick !== undefined) return quick;
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const syntax = [...document.errors, ...document.warnings].map(
    (error) => `${name}:${lines.linePos(error.pos[0]).line}: ${(error.message.split('\n')[0] ?? '').replace(/:$/, '')}`,
  );
  if (syntax.length > 0) throw refused(syntax);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refused([`${name}:1: it cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const result = v.safeParse(policySchema, plain);
  if (result.success) return result.output;
  throw refused(
    result.issues.map((issue) => {
      const path = (issue.path ?? []).map((item) => item.key as string | number);
      const at = lineOf(document.contents, path, lines);
      const key = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
      // valibot names the key of a strict object that it does not know in the path.
      const expected = issue.type === 'strict_object' && issue.expected === 'never' ? 'left out' : issue.message;
      return `${name}:${at}: ${key === '' ? 'the policy' : key.slice(1)} must be ${expected}`;
    }),
  );
}

/** Undefined where it is to be read as YAML, whose parser knows lines: it is no JSON, has a key twice, or is wrong. */
function validJson(text: string): Policy | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  const parsed = parseStrictJson(Buffer.from(text));
  const result = 'value' in parsed ? v.safeParse(policySchema, parsed.value) : undefined;
  return result?.success === true ? result.output : undefined;
}

function refused(complaints: readonly string[]): Mk8sError {
  return new Mk8sError(complaints.join('\n'), { code: 'config' });
}

/** Where the longest part of `path` is that exists. */
function lineOf(root: unknown, path: readonly (string | number)[], lines: LineCounter): number {
  let node = root as Node | null;
  for (const step of path) {
    const next = (node as { get?: (key: string | number, keep: boolean) => unknown } | null)?.get?.(step, true);
    if (next === undefined || next === null) break;
    node = next as Node;
  }
  const range = (node as { range?: readonly [number, number, number] } | null)?.range;
  return range === undefined ? 1 : lines.linePos(range[0]).line;
}
