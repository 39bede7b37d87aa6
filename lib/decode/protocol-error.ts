// What is wrong with bytes that a server sent. Messages hold positions and sizes, never content: it may be a Secret's.
import { Mk8sError } from '../model/errors.ts';

/** The bytes are not what the protocol allows; the same request may bring better ones only by chance. */
export function protocolError(message: string, cause?: unknown): Mk8sError {
  return new Mk8sError(message, { code: 'protocol', cause });
}

/** The body ended, by HTTP's own rules, in the middle of what it carried: a kind of interruption, so worth another attempt. */
export function truncatedError(message: string): Mk8sError {
  return new Mk8sError(message, { code: 'protocol', retryable: true });
}
