// Validation against the structural schema of a custom resource: the part of OpenAPI v3 that definitions use, with the
// server's words for each violation (kube-openapi's validation, apimachinery's field errors). CEL rules are not run.
import { asArray, asString, encode, equal, isObject, type Json } from './json.ts';
import type { Schema } from './resource.ts';
import type { Cause } from './status.ts';

/** All violations of `schema` in `value`; `path` names it in messages ('' for the object itself). */
export function violations(value: Json, schema: Schema, path = ''): Cause[] {
  const found = check(value, schema, path);
  const skipsRules = found.some(({ reason }) => blocking.has(reason)) && hasRules(schema);
  return path === '' && skipsRules ? [...found, rulesSkipped] : found;
}

/** Violations after which the server does not evaluate the schema's CEL rules. */
const blocking = new Set([
  'FieldValueTypeInvalid',
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTooLong',
]);
const rulesSkipped: Cause = {
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  field: '<nil>',
};

function check(value: Json, schema: Schema, path: string): Cause[] {
  if (value === null && schema['nullable'] === true) return [];
  const wrongType = typeViolation(value, schema, path);
  if (wrongType !== undefined) return [wrongType];
  const found = enumViolations(value, schema, path);
  if (typeof value === 'string') found.push(...stringViolations(value, schema, path));
  if (typeof value === 'number') found.push(...numberViolations(value, schema, path));
  if (Array.isArray(value)) found.push(...arrayViolations(value, schema, path));
  if (isObject(value)) found.push(...objectViolations(value, schema, path));
  return found;
}

function typeViolation(value: Json, schema: Schema, path: string): Cause | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (Number.isInteger(value) || typeof value === 'string') return undefined;
    return typeInvalid(value, 'integer,string', path);
  }
  const type = asString(schema['type']);
  return type === '' || hasType(value, type) ? undefined : typeInvalid(value, type, path);
}

function typeInvalid(value: Json, type: string, path: string): Cause {
  const actual = encode(typeName(value));
  const message = `Invalid value: ${actual}: ${path || '<nil>'} in body must be of type ${type}: ${actual}`;
  return { reason: 'FieldValueTypeInvalid', message, field: path || '<nil>' };
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return typeof value === type;
  }
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function enumViolations(value: Json, schema: Schema, path: string): Cause[] {
  const allowed = schema['enum'];
  if (!Array.isArray(allowed) || allowed.some((item) => equal(item, value))) return [];
  const list = allowed.map((item) => encode(item)).join(', ');
  return [
    {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${encode(value)}: supported values: ${list}`,
      field: path,
    },
  ];
}

function stringViolations(value: string, schema: Schema, path: string): Cause[] {
  const { minLength, maxLength, pattern } = schema;
  const found: Cause[] = [];
  // Go counts code points.
  const length = Array.from(value).length;
  if (typeof maxLength === 'number' && length > maxLength) {
    const unit = maxLength === 1 ? 'byte' : 'bytes';
    found.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${maxLength} ${unit}`,
      field: path,
    });
  }
  if (typeof minLength === 'number' && length < minLength) {
    found.push(bad(value, path, `should be at least ${minLength} chars long`));
  }
  if (typeof pattern === 'string' && !matches(pattern, value))
    found.push(bad(value, path, `should match '${pattern}'`));
  return found;
}

function numberViolations(value: number, schema: Schema, path: string): Cause[] {
  const { minimum, maximum } = schema;
  const found: Cause[] = [];
  if (typeof maximum === 'number' && value > maximum) {
    found.push(bad(value, path, `should be less than or equal to ${maximum}`));
  }
  if (typeof minimum === 'number' && value < minimum) {
    found.push(bad(value, path, `should be greater than or equal to ${minimum}`));
  }
  return found;
}

function arrayViolations(value: Json[], schema: Schema, path: string): Cause[] {
  const { minItems, maxItems, items } = schema;
  const found: Cause[] = [];
  if (typeof maxItems === 'number' && value.length > maxItems) {
    const message = `Too many: ${value.length}: must have at most ${maxItems} items`;
    found.push({ reason: 'FieldValueTooMany', message, field: path });
  }
  if (typeof minItems === 'number' && value.length < minItems) {
    found.push(bad(value.length, path, `should have at least ${minItems} items`));
  }
  if (isObject(items)) value.forEach((item, index) => found.push(...check(item, items, `${path}[${index}]`)));
  found.push(...duplicates(value, schema, path));
  return found;
}

function duplicates(value: Json[], schema: Schema, path: string): Cause[] {
  const listType = schema['x-kubernetes-list-type'];
  if (listType !== 'set' && listType !== 'map') return [];
  const keys = asArray(schema['x-kubernetes-list-map-keys']).map(asString);
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const identity =
      listType === 'set'
        ? encode(item)
        : encode(Object.fromEntries(keys.map((key) => [key, isObject(item) ? item[key] : undefined])));
    if (seen.has(identity)) {
      return [{ reason: 'FieldValueDuplicate', message: `Duplicate value: ${identity}`, field: `${path}[${index}]` }];
    }
    seen.add(identity);
    return [];
  });
}

function objectViolations(value: { [key: string]: Json | undefined }, schema: Schema, path: string): Cause[] {
  const found: Cause[] = [];
  for (const name of asArray(schema['required']).map(asString)) {
    if (value[name] === undefined) {
      found.push({ reason: 'FieldValueRequired', message: 'Required value', field: child(path, name) });
    }
  }
  const { properties, additionalProperties } = schema;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || (path === '' && atRoot.has(name))) continue;
    const property = isObject(properties) ? properties[name] : undefined;
    const memberSchema = isObject(property) ? property : additionalProperties;
    if (isObject(memberSchema)) found.push(...check(member, memberSchema, child(path, name)));
  }
  return found;
}

/** The server checks these itself, whatever the schema says of them. */
const atRoot = new Set(['apiVersion', 'kind', 'metadata']);

function bad(value: Json, path: string, rule: string): Cause {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${encode(value)}: ${path} in body ${rule}`,
    field: path,
  };
}

function child(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Go's RE2 and JavaScript agree on what definitions use; a pattern that JavaScript refuses is not enforced. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

function hasRules(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.some(hasRules);
  if (!isObject(schema)) return false;
  return Object.entries(schema).some(
    ([key, value]) => key === 'x-kubernetes-validations' || (value !== undefined && hasRules(value)),
  );
}
