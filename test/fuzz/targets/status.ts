// The body of an answer that is an error: a Status, a proxy's page, or anything. Reading it never fails, and what it says
// is bounded and of the types it promises.
import { parseStatus } from '../../../lib/decode/status.ts';
import { pick } from '../../support/seeded-random.ts';
import { below, type Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';
import { wildValue } from '../wild-json.ts';

export const status: FuzzTarget = {
  name: 'status',
  cases: 10_000,
  words: [
    '"kind":"Status"',
    '"details":{',
    '"retryAfterSeconds":1e400',
    '"causes":[null]',
    '"code":410',
    '"metadata":{"continue":"x"}',
    '{',
    '}',
    'null',
  ],
  generate(random: Random) {
    const members = [
      '"kind":"Status"',
      `"code":${pick(random, ['410', '-1', '1e309', '"410"', 'null', '4.5'])}`,
      `"message":${wildValue(random, 1)}`,
      `"reason":${wildValue(random, 1)}`,
      `"metadata":${pick(random, ['{"continue":"t"}', 'null', '[]', '{"continue":1}'])}`,
      `"details":${pick(random, ['{"retryAfterSeconds":5,"causes":[{"reason":"r","message":"m","field":"f"},null,1]}', wildValue(random, 3)])}`,
    ];
    return Buffer.from(`{${members.filter(() => random() < 0.7).join(',')}}`);
  },
  check(input) {
    const said = parseStatus(
      input,
      below(() => 0.5, 600),
    );
    must(
      typeof said.code === 'number' && typeof said.reason === 'string' && typeof said.message === 'string',
      'a type is wrong',
    );
    const { retryAfterSeconds, continueToken, details } = said;
    must(retryAfterSeconds === undefined || retryAfterSeconds > 0, 'it waits for no time');
    must(continueToken === undefined || continueToken !== '', 'an empty token is none');
    for (const cause of details?.causes ?? [])
      must(
        Object.values(cause).every((text) => typeof text === 'string'),
        'a cause is no text',
      );
    const same = parseStatus(input.toString('utf8'), 300);
    must(JSON.stringify(same) === JSON.stringify(said), 'text and bytes are read otherwise');
    return details === undefined ? 'text' : 'details';
  },
};
