// Redacting objects of any content: no secret is left in what is recorded, and none gets into an error (promise 9).
import { redactor, secretsRule } from '../../../lib/history/redact.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { pick } from '../../support/seeded-random.ts';
import type { Random } from '../mutate.ts';
import { SECRETS } from '../secrets.ts';
import { type FuzzTarget, must } from '../target.ts';
import { wildMember } from '../wild-json.ts';

const [SECRET = ''] = SECRETS;

export const redaction: FuzzTarget = {
  name: 'redaction',
  cases: 4000,
  words: [
    '"data":{',
    '"stringData":',
    '"__proto__":',
    '"metadata":{',
    '"annotations":{',
    '{',
    '}',
    '[',
    ']',
    '\\u0064ata',
    '"',
  ],
  generate,
  check,
};

const redact = redactor([secretsRule], { group: '', plural: 'secrets' });

function check(input: Buffer): string {
  must(redact !== undefined, 'Secrets are not redacted');
  let text: string;
  try {
    text = Buffer.from(redact({ object: input }).object).toString('utf8');
  } catch (error) {
    const chain = [error, (error as Error).cause].map((each) => (each instanceof Error ? each.message : ''));
    must(
      !chain.some((message) => message.includes(SECRET.slice(0, 6))),
      `an error tells a secret: ${chain.join(' / ')}`,
    );
    must(error instanceof Mk8sError && error.code === 'protocol', `it fails otherwise: ${String(error)}`);
    return 'refused';
  }
  // Elsewhere than in these it is no secret of a Secret. Twice the same key: the last counts, and it is redacted like any other.
  const { data, stringData } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  must(!JSON.stringify([data, stringData]).includes(SECRET), `a secret was left: ${text}`);
  return 'redacted';
}

function generate(random: Random): Buffer {
  const members = [
    '"apiVersion":"v1"',
    '"kind":"Secret"',
    `"metadata":{"name":"s","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"x"}}`,
    `"data":{"password":"${SECRET}"}`,
    ...(random() < 0.3 ? [wildMember(random)] : []),
  ];
  const order = random() < 0.5 ? members : members.toReversed();
  return Buffer.from(`{${order.join(pick(random, [',', ' , ']))}}`);
}
