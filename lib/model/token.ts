// A short-lived token. It is in `token` and nowhere else: not in errors, and not in what console.log or JSON.stringify
// show (promise 9).
import { inspect } from 'node:util';

export class Token {
  readonly #token: string;
  /** As whoever issued it says. */
  readonly expiresAt: Date;

  constructor(token: string, expiresAt: Date) {
    this.#token = token;
    this.expiresAt = expiresAt;
  }

  /** The secret itself. */
  get token(): string {
    return this.#token;
  }

  toJSON(): unknown {
    return { token: 'REDACTED', expiresAt: this.expiresAt };
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { expiresAt: ${this.expiresAt.toISOString()} }`;
  }
}
