// What a write is about, and how it wants to be carried out.
import type { ManagedFieldsEntry, ObjectVersion } from './object.ts';
import type { Served } from './registry.ts';
import { type Cause, invalidOptions } from './status.ts';

export interface Target extends Served {
  /** '' for cluster-scoped resources. */
  readonly namespace: string;
  /** '' for a collection. */
  readonly name: string;
  readonly subresource: '' | 'status';
}

export interface WriteOptions {
  readonly manager: string;
  readonly dryRun: boolean;
  /** What happens to unknown fields. Default 'Warn'. */
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly force: boolean;
}

export interface Written {
  readonly code: number;
  readonly object: ObjectVersion;
  readonly warnings: readonly string[];
}

/** managedFields that were worked out by server-side apply. */
export interface Ownership {
  readonly managedFields: ManagedFieldsEntry[];
}

const validations = ['Ignore', 'Warn', 'Strict'] as const;

/** Reads dryRun, fieldManager, fieldValidation and force. Throws 422 for values that the server does not know. */
export function writeOptions(query: URLSearchParams, userAgent: string, kind: string): WriteOptions {
  const causes: Cause[] = [];
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
      field: 'dryRun',
    });
  }
  const asked = query.get('fieldValidation') ?? '';
  const fieldValidation = asked === '' ? 'Warn' : validations.find((value) => value === asked);
  if (fieldValidation === undefined) {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: "${asked}": supported values: "", "Ignore", "Strict", "Warn"`,
      field: 'fieldValidation',
    });
  }
  if (causes.length > 0) throw invalidOptions(kind, causes);
  return {
    manager: query.get('fieldManager') || userAgent.split('/')[0] || 'unknown',
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation ?? 'Warn',
    force: query.get('force') === 'true' || query.get('force') === '1',
  };
}
