// What a credential plugin prints: the credential it means, or an error that tells nothing of it (promise 9).
import { parseExecAnswer } from '../../../lib/adapters/kubernetes/exec-credential.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { pick } from '../../support/seeded-random.ts';
import { membersNamed, readJson, textOf } from '../json-oracle.ts';
import type { Random } from '../mutate.ts';
import { SECRETS } from '../secrets.ts';
import { type FuzzTarget, must } from '../target.ts';
import { wildMember, wildValue } from '../wild-json.ts';

const VERSION = 'client.authentication.k8s.io/v1';

export const execAnswer: FuzzTarget = {
  name: 'exec-answer',
  cases: 10_000,
  words: [
    '"status":{',
    '"token":"',
    '"expirationTimestamp":"',
    '"kind":"ExecCredential"',
    'null',
    '{',
    '}',
    'v1beta1',
    'v1alpha1',
    '\n',
    '\\n',
    ' ',
  ],
  generate,
  check,
};

function check(input: Buffer): string {
  const text = input.toString('utf8');
  // Bytes that are no UTF-8 were replaced before: where it matters, the token no longer is one.
  const root = readJson(Buffer.from(text));
  const status = membersNamed(root, 'status').at(-1)?.value;
  const token = textOf(membersNamed(status, 'token').at(-1)?.value);
  try {
    const { credential, expiresAt } = parseExecAnswer(text, VERSION, 'Exec plugin p');
    must(root !== undefined, 'what is no JSON was taken for an answer');
    must(textOf(membersNamed(root, 'apiVersion').at(-1)?.value) === VERSION, 'another version was taken');
    must(textOf(membersNamed(root, 'kind').at(-1)?.value) === 'ExecCredential', 'another kind was taken');
    const trimmed = (token ?? '').trim();
    must(
      credential.headers['authorization'] === (trimmed === '' ? undefined : `Bearer ${trimmed}`),
      'the token is another',
    );
    must(trimmed !== '' || credential.clientCertificate !== undefined, 'there is no credential');
    must(expiresAt === undefined || Number.isFinite(expiresAt), 'it never expires, or always');
    return 'read';
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(error.code === 'credentials', `it is refused as ${error.code}`);
    must(error.message.length < 600, 'the message is endless');
    // The version it answered is told, in quotes.
    const told = error.message.replace(/its apiVersion is ".*"/s, '');
    for (const secret of SECRETS) must(!told.includes(secret), `the message tells a secret: ${error.message}`);
    must(!(error.cause instanceof SyntaxError), 'the cause quotes what was printed');
    return 'refused';
  }
}

function generate(random: Random): Buffer {
  const odd = (usual: string): string => (random() < 0.85 ? usual : wildValue(random, 1));
  const secret = JSON.stringify(pick(random, SECRETS));
  const status = [
    `"token":${odd(secret)}`,
    ...(random() < 0.3
      ? [`"clientCertificateData":${odd('"-----BEGIN CERTIFICATE-----"')}`, `"clientKeyData":${odd(secret)}`]
      : []),
    ...(random() < 0.7
      ? [
          `"expirationTimestamp":${odd(pick(random, ['"2026-11-22T15:41:25Z"', '"2026-11-22T15:41:25.123+01:00"', '"tomorrow"', '""', 'null', '"-1"', '"9999999999"']))}`,
        ]
      : []),
    ...(random() < 0.2 ? [wildMember(random)] : []),
  ];
  const members = [
    `"apiVersion":${odd(random() < 0.9 ? `"${VERSION}"` : '"client.authentication.k8s.io/v1beta1"')}`,
    `"kind":${odd('"ExecCredential"')}`,
    `"status":${odd(`{${status.join(',')}}`)}`,
  ];
  const text = `{${members.filter(() => random() < 0.96).join(',')}}`;
  return Buffer.from(
    random() < 0.9
      ? text
      : pick(random, ['', '\n', `error: ${secret}`, `warning\n${text}`, `${text}${text}`, `\ufeff${text}`]),
  );
}
