// Requests that are answered with an error although nothing is wrong with them: by an API server under load or in trouble, or
// by a proxy between. Bodies come as Status JSON, as text, as a proxy's HTML, or empty.
import type { Dice } from '../random.ts';
import { type Answer, plain, statusAnswer } from './answers.ts';
import type { FaultDice } from './fault-dice.ts';
import type { ServerFault } from './fault-rates.ts';

interface Fault {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** Where the answer comes as text or HTML instead. */
  readonly title: string;
}

/** How one request meets it. */
export interface HttpFault extends Fault {
  readonly form: 'status' | 'text' | 'html' | 'empty';
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

const faults: Readonly<Record<Exclude<ServerFault<'http'>, 'quotesToken'>, Fault>> = {
  // Recording 30-error/401-bad-token.
  unauthorized: { code: 401, reason: 'Unauthorized', message: 'Unauthorized', title: 'Unauthorized' },
  // Recording 60-auth/nobody-list-403.
  forbidden: {
    code: 403,
    reason: 'Forbidden',
    message: 'User "system:anonymous" cannot do this at the cluster scope',
    title: 'Forbidden',
  },
  // Recording 30-error/404-resource: a process that does not know the resource yet.
  notFound: {
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    title: '404 page not found',
  },
  conflict: {
    code: 409,
    reason: 'Conflict',
    message: 'the object has been modified; please apply your changes',
    title: 'Conflict',
  },
  gone: {
    code: 410,
    reason: 'Expired',
    message: 'The resourceVersion for the provided watch is too old.',
    title: 'Gone',
  },
  unprocessable: {
    code: 422,
    reason: 'Invalid',
    message: 'ListOptions.meta.k8s.io "" is invalid',
    title: 'Unprocessable Entity',
  },
  // Recording 30-error/429-too-many-requests: text, with Retry-After.
  throttled: {
    code: 429,
    reason: 'TooManyRequests',
    message: 'the server has received too many requests',
    title: 'Too many requests, please try again later.',
  },
  internal: {
    code: 500,
    reason: 'InternalError',
    message: 'etcdserver: leader changed',
    title: 'Internal Server Error',
  },
  // Recording 80-restart/sigterm-TIMELINE.
  unavailable: {
    code: 503,
    reason: 'ServiceUnavailable',
    message: 'apiserver is shutting down',
    title: 'service unavailable',
  },
  timeout: {
    code: 504,
    reason: 'Timeout',
    message: 'the server was unable to return a response in the time allotted',
    title: 'Gateway Time-out',
  },
};

/** What a token meets that does not count (any more). */
export const unauthorized: HttpFault = { ...faults.unauthorized, form: 'status', retryAfter: undefined };

/** The error that a request meets instead of an answer, if any. */
export function httpFault(strike: FaultDice['strikes']): HttpFault | undefined {
  let met: HttpFault | undefined;
  for (const [name, fault] of Object.entries(faults)) {
    const dice = strike('http', name as keyof typeof faults);
    if (dice !== undefined) met ??= drawn(fault, dice);
  }
  return met;
}

function drawn(fault: Fault, dice: Dice): HttpFault {
  const seconds = 1 + dice.int(10);
  const says = (fault.code === 429 || fault.code === 503) && dice.chance(0.6);
  const form = dice.pick(['text', 'html', 'empty', 'status', 'status'] as const);
  return { ...fault, form, retryAfter: says ? seconds : undefined };
}

/** The answer; `quoted` is added to what it says. */
export function httpError(fault: HttpFault, quoted: string): Answer {
  const { code, reason, form, retryAfter } = fault;
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  const title = `${fault.title}${quoted}`;
  switch (form) {
    case 'text':
      return plain(code, `${title}\n`, headers);
    case 'html': {
      const text = `<html>\r\n<head><title>${code} ${title}</title></head>\r\n<body>\r\n<center><h1>${code} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
      return { status: code, headers: { ...headers, 'content-type': 'text/html' }, body: [{ text }] };
    }
    case 'empty':
      return { status: code, headers, body: [] };
    case 'status': {
      const details = retryAfter === undefined ? {} : { details: `{"retryAfterSeconds":${retryAfter}}` };
      return statusAnswer({ code, reason, message: `${fault.message}${quoted}`, ...details }, headers);
    }
  }
}
