// Who has asked too often: callers by who they are, everybody else by where they come from.
import type { VerifiedCaller } from '../ports/caller.ts';
import type { HttpRequest } from '../ports/http.ts';
import { Problem } from './problems.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { createUnverifiedLimit } from './unverified-limit.ts';

/** Both throw Problem `too-many-requests`. */
export interface Admission {
  known(rate: Route['rate'], caller: VerifiedCaller): void;
  unknown(request: Pick<HttpRequest, 'peer'>, requestId: string): void;
}

export function createAdmission({ settings, clock, audit }: Pick<Services, 'settings' | 'clock' | 'audit'>): Admission {
  const { rates } = settings;
  const callers = { lists: createRateLimit(rates.lists, clock), tokens: createRateLimit(rates.tokens, clock) };
  const nobody = createUnverifiedLimit(rates.unverified, clock);
  return {
    known(rate, { issuer, subject }) {
      const taken = callers[rate].take(`${issuer}\n${subject}`);
      if (!taken.ok) throw tooMany('This caller asks too often', taken.retryAfterSeconds);
    },
    unknown({ peer }, requestId) {
      const taken = nobody.take(peer);
      if (taken.ok) return;
      if (taken.first) {
        const reason =
          'too many requests without a valid token; until there are fewer, they are refused without a line';
        audit({ requestId, decision: 'denied', what: 'authentication', peer, reason });
      }
      throw tooMany('Too many requests without a valid token come from this address', taken.retryAfterSeconds);
    },
  };
}

function tooMany(detail: string, seconds: number): Problem {
  return new Problem('too-many-requests', { detail, headers: { 'retry-after': String(seconds) } });
}
