// Random policies and requests against an oracle that is as simple as can be: every list spelt out, no patterns but `*`.
import { expect, test } from 'vitest';
import { decide } from '../../../lib/policy/decide.ts';
import type { Ask, Caller, Rule } from '../../../lib/policy/policy.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SEEDS = 3_000;
const GOOGLE = 'https://accounts.google.com';
const emails = ['a@x.com', 'b@x.com', 'a@y.com'];
const clusters = ['one', 'two'];
const namespaces = ['shop', 'pay'];
const accounts = ['deployer', 'reader'];
const audiences = ['api-server', 'https://v.example.com'];

/** True by the words of docs/functions.md. */
function oracle(
  rules: readonly Rule[],
  caller: Caller,
  ask: Extract<Ask, { what: 'service-account-tokens' }>,
): boolean {
  const about = (rule: Rule): boolean => {
    const has = (list: readonly string[] | undefined, value: string): boolean =>
      list === undefined ? rule.effect === 'deny' : list.includes('*') || list.includes(value);
    return (
      rule.what === ask.what &&
      rule.callers.some(
        ({ email = '' }) =>
          email === '*' || email === caller.email || email === `*@${caller.email?.split('@')[1] ?? ''}`,
      ) &&
      has(rule.clusters, ask.cluster.name) &&
      has(rule.namespaces, ask.namespace) &&
      has(rule.serviceAccounts, ask.serviceAccount) &&
      has(rule.audiences, ask.audience)
    );
  };
  const granted = rules.some((rule) => rule.effect === 'grant' && about(rule));
  return granted && !rules.some((rule) => rule.effect === 'deny' && about(rule));
}

test('nothing is granted that no rule grants, and nothing that a rule denies', () => {
  const counts = { allowed: 0, refused: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const some = (from: readonly string[]): string[] => from.filter(() => random() < 0.6).concat(pick(from));
    const rules = Array.from({ length: Math.floor(random() * 5) }, (_, index): Rule => {
      const deny = random() < 0.3;
      const list = (from: readonly string[], star = true): string[] | undefined =>
        deny && random() < 0.5 ? undefined : star && random() < 0.2 ? ['*'] : some(from);
      const email = pick([...emails, '*@x.com', ...(deny ? ['*'] : [])]);
      const lists = {
        clusters: list(clusters),
        namespaces: list(namespaces),
        serviceAccounts: list(accounts),
        audiences: list(audiences, deny),
      };
      const given = Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined));
      return {
        name: `rule-${index}`,
        effect: deny ? 'deny' : 'grant',
        what: random() < 0.9 ? 'service-account-tokens' : 'clusters',
        callers: [{ issuer: GOOGLE, email }],
        ...given,
        ...(deny ? {} : { maxLifetime: pick([600, 1_800, 3_600]) }),
      };
    });
    for (let n = 0; n < 8; n += 1) {
      const caller: Caller = { issuer: GOOGLE, subject: 's', email: pick(emails) };
      const ask = {
        what: 'service-account-tokens',
        cluster: { name: pick(clusters), aliases: [] },
        namespace: pick(namespaces),
        serviceAccount: pick(accounts),
        audience: pick(audiences),
      } as const;
      const decision = decide({ rules }, caller, ask);
      expect(decision.allow, `seed ${seed}, ${JSON.stringify({ rules, caller, ask })}`).toBe(
        oracle(rules, caller, ask),
      );
      if (decision.allow) {
        const longest = Math.max(
          ...rules.filter(({ effect }) => effect === 'grant').map(({ maxLifetime = 0 }) => maxLifetime),
        );
        expect(decision.maxLifetime).toBeLessThanOrEqual(longest);
        // The order of rules decides nothing.
        expect(decide({ rules: rules.toReversed() }, caller, ask)).toMatchObject({
          allow: true,
          maxLifetime: decision.maxLifetime,
        });
      }
      counts[decision.allow ? 'allowed' : 'refused'] += 1;
    }
  }
  // Both happen, or it proves nothing.
  expect(counts.allowed).toBeGreaterThan(SEEDS / 4);
  expect(counts.refused).toBeGreaterThan(SEEDS);
});
