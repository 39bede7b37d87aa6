// Checks a value against JSON Schema, as far as lib/functions/json-schema.ts has words: for contract tests against OpenAPI.

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What is wrong, one sentence each; none where all is well. `root` is where references lead. */
export function violations(schema: Schema, value: unknown, root: object, at = '$'): readonly string[] {
  if (schema.$ref !== undefined) return violations(resolve(schema.$ref, root), value, root, at);
  if (schema.anyOf !== undefined) {
    const all = schema.anyOf.map((each) => violations(each, value, root, at));
    return all.some((found) => found.length === 0) ? [] : [`${at} is none of: ${all.flat().join('; ')}`];
  }
  if (schema.const !== undefined && value !== schema.const) return [`${at} is not ${JSON.stringify(schema.const)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at} is none of ${schema.enum.join(', ')}`];
  if (schema.type !== undefined && !hasType(schema.type, value)) return [`${at} is no ${schema.type}`];
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    return [`${at} does not match ${schema.pattern}`];
  }
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))) {
    return [`${at} is out of range`];
  }
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => violations(schema.items ?? {}, each, root, `${at}[${index}]`));
  }
  return typeof value === 'object' && value !== null
    ? objectViolations(schema, value as Record<string, unknown>, root, at)
    : [];
}

function objectViolations(
  { properties = {}, required = [], additionalProperties }: Schema,
  value: Readonly<Record<string, unknown>>,
  root: object,
  at: string,
): readonly string[] {
  const missing = required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, each]) => {
    const known = properties[name];
    if (known !== undefined) return violations(known, each, root, `${at}.${name}`);
    if (additionalProperties === false) return [`${at}.${name} is not described`];
    return additionalProperties === undefined ? [] : violations(additionalProperties, each, root, `${at}.${name}`);
  });
  return [...missing, ...wrong];
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function resolve(reference: string, root: object): Schema {
  const found = reference
    .slice(2)
    .split('/')
    .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], root);
  if (typeof found !== 'object' || found === null) throw new Error(`The document has no ${reference}.`);
  return found;
}
