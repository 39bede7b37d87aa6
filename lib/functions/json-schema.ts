// JSON Schema (2020-12, as OpenAPI 3.1 takes it) of the valibot schemas that are used here. What it does not know it refuses, so
// that the document never says less than what is checked.
import type { GenericSchema } from 'valibot';

export type JsonSchema = Readonly<Record<string, unknown>>;

interface Part {
  readonly kind: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Throws Error for a schema that it has no words for. */
export function jsonSchema(schema: GenericSchema): JsonSchema {
  const part = schema as unknown as Part;
  const [inner, ...actions] = (part['pipe'] as readonly [GenericSchema, ...Part[]] | undefined) ?? [];
  if (inner === undefined) return baseOf(part);
  const base = jsonSchema(inner);
  return Object.assign({}, base, ...actions.map((action) => actionOf(action, base['type']))) as JsonSchema;
}

function baseOf(part: Part): JsonSchema {
  const wrapped = (): JsonSchema => jsonSchema(part['wrapped'] as GenericSchema);
  switch (part.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: part.type };
    case 'unknown':
      return {};
    case 'literal':
      return { const: part['literal'] };
    case 'picklist':
      return { enum: part['options'] };
    case 'optional':
      return part['default'] === undefined ? wrapped() : { ...wrapped(), default: part['default'] };
    case 'nullable':
      return { anyOf: [wrapped(), { type: 'null' }] };
    case 'array':
      return { type: 'array', items: jsonSchema(part['item'] as GenericSchema) };
    case 'record':
      return { type: 'object', additionalProperties: jsonSchema(part['value'] as GenericSchema) };
    case 'union':
      return { anyOf: (part['options'] as readonly GenericSchema[]).map(jsonSchema) };
    case 'strict_object':
    case 'loose_object':
      return objectOf(part);
    default:
      throw new Error(`There are no words for the schema ${part.type} in OpenAPI.`);
  }
}

function objectOf(part: Part): JsonSchema {
  const entries = Object.entries(part['entries'] as Record<string, GenericSchema>);
  const required = entries.filter(([, value]) => value.type !== 'optional').map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, value]) => [name, jsonSchema(value)])),
    ...(required.length === 0 ? {} : { required }),
    ...(part.type === 'strict_object' ? { additionalProperties: false } : {}),
  };
}

function actionOf(action: Part, base: unknown): JsonSchema {
  const { requirement } = action;
  const length = base === 'array' ? 'Items' : 'Length';
  switch (action.type) {
    case 'description':
      return { description: action['description'] };
    case 'regex':
      return { pattern: (requirement as RegExp).source };
    case 'max_length':
      return { [`max${length}`]: requirement };
    case 'min_length':
      return { [`min${length}`]: requirement };
    case 'min_value':
      return { minimum: requirement };
    case 'max_value':
      return { maximum: requirement };
    case 'integer':
      return { type: 'integer' };
    default:
      throw new Error(`There are no words for the action ${action.type} in OpenAPI.`);
  }
}
