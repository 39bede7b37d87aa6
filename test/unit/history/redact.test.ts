// What never reaches the record (promise 9), and what is no news.
import { describe, expect, test } from 'vitest';
import { isNoop } from '../../../lib/history/noop.ts';
import { type RedactionRule, redactor, secretsRule } from '../../../lib/history/redact.ts';
import { change } from '../../support/changes.ts';

const secrets = { group: '', plural: 'secrets' };
const widgets = { group: 'example.com', plural: 'widgets' };
const rule = (...fields: string[]): RedactionRule => ({ matches: ({ plural }) => plural === 'widgets', fields });

/** The object as it would be recorded. */
function redacted(rules: readonly RedactionRule[], resource: typeof widgets, object: object): unknown {
  const redact = redactor(rules, resource);
  const { object: bytes } = redact?.(change('a', 1, { object: JSON.stringify(object) })) ?? expect.unreachable();
  return JSON.parse(Buffer.from(bytes).toString());
}

describe('promise 9: redaction', () => {
  test('takes data and stringData of Secrets, and the copy that kubectl keeps of them', () => {
    const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
    const secret = {
      metadata: { name: 'a', annotations: { [lastApplied]: '{"data":{"key":"c2VjcmV0"}}', other: 'stays' } },
      type: 'Opaque',
      data: { key: 'c2VjcmV0', empty: null },
      stringData: { plain: 'secret' },
    };
    expect(redacted([secretsRule], secrets, secret)).toEqual({
      metadata: { name: 'a', annotations: { [lastApplied]: 'REDACTED', other: 'stays' } },
      type: 'Opaque',
      data: { key: 'REDACTED', empty: null },
      stringData: { plain: 'REDACTED' },
    });
  });

  test('follows paths through keys and items, and takes everything below', () => {
    const object = {
      spec: {
        users: [
          { name: 'a', token: 't1' },
          { name: 'b', token: ['t2', { deep: 7 }] },
        ],
        map: { x: { key: true } },
      },
    };
    expect(redacted([rule('spec.users.*.token', 'spec.map.*')], widgets, object)).toEqual({
      spec: {
        users: [
          { name: 'a', token: 'REDACTED' },
          { name: 'b', token: ['REDACTED', { deep: 'REDACTED' }] },
        ],
        map: { x: { key: 'REDACTED' } },
      },
    });
  });

  test('also takes keys that are special to JavaScript', () => {
    const redact = redactor([rule('spec.*')], widgets);
    const result = redact?.(change('a', 1, { object: '{"spec":{"__proto__":"secret","constructor":"secret"}}' }));
    expect(Buffer.from(result?.object ?? []).toString()).toBe(
      '{"spec":{"__proto__":"REDACTED","constructor":"REDACTED"}}',
    );
  });

  test('leaves absent paths and other resources alone; where no rule matches nothing is parsed', () => {
    expect(redacted([rule('spec.a.b', 'toString.x')], widgets, { spec: { a: 'text' } })).toEqual({
      spec: { a: 'text' },
    });
    expect(redactor([secretsRule, rule('spec')], { group: 'example.com', plural: 'secrets' })).toBeUndefined();
  });

  test.each(['{"data":{"key":"c2VjcmV0"', '{"data":c2VjcmV0}', '"c2VjcmV0"'])(
    'refuses what is no JSON object without a word of it: %s',
    (object) => {
      const redact = redactor([secretsRule], secrets) ?? expect.unreachable();
      const refused = expect.objectContaining({
        code: 'protocol',
        message: expect.not.stringContaining('c2Vj') as string,
      }) as Error;
      expect(() => redact(change('a', 1, { object }))).toThrow(refused);
    },
  );

  test('changes nothing of what was redacted before', () => {
    const once = redacted([secretsRule], secrets, { data: { a: 'x', b: [1] } }) as object;
    expect(redacted([secretsRule], secrets, once)).toEqual(once);
  });
});

describe('a change that alters nothing', () => {
  const bytes = (object: object): Uint8Array => Buffer.from(JSON.stringify(object));

  test('differs in resourceVersion and managedFields only', () => {
    const before = { metadata: { name: 'a', resourceVersion: '1', managedFields: [1] }, spec: { a: 1 } };
    expect(isNoop(bytes(before), bytes({ ...before, metadata: { name: 'a', resourceVersion: '2' } }))).toBe(true);
  });

  test.each([
    { metadata: { name: 'a', labels: { x: 'y' } }, spec: { a: 1 } },
    { metadata: { name: 'a' }, spec: { a: 1 }, status: {} },
    { metadata: { name: 'a', generation: 2 }, spec: { a: 2 } },
  ])('is not this one: %j', (after) => {
    expect(isNoop(bytes({ metadata: { name: 'a' }, spec: { a: 1 } }), bytes(after))).toBe(false);
  });
});
