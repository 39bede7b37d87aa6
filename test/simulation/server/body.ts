// The body of an answer on its way: bytes cut into chunks anywhere, a bound on what is read ahead, and the ways in which a
// connection goes wrong once it is open.
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { Dice } from '../random.ts';
import type { Sink, Tells } from './answers.ts';
import type { After } from './timers.ts';

/** What happens to this body, decided when it is opened. */
export interface BodyFate {
  /** After so many bytes… */
  readonly bytes: number;
  /** … it breaks (reset), ends as if it were whole (a proxy that lost its server), or falls silent (half-open). */
  readonly ending: 'breaks' | 'ends' | 'falls silent' | 'goes on';
  /** Between two chunks, milliseconds; 0 for at once. */
  readonly chunkMs: number;
}

export interface BodyOptions {
  readonly server: string;
  /** What the reader allows to be read ahead, bytes. */
  readonly window: number;
  readonly fate: BodyFate;
  readonly dice: Dice;
  readonly after: After;
  readonly onTold: (tells: Tells) => void;
  readonly onOver: () => void;
}

interface Source {
  drained(): void;
  closed(): void;
}

type Batch = IteratorResult<readonly Uint8Array[], undefined>;
const DONE: Batch = { done: true, value: undefined };

export class Body
  implements Sink, AsyncIterable<readonly Uint8Array[]>, AsyncIterator<readonly Uint8Array[], undefined>
{
  readonly #options: BodyOptions;
  #chunks: Uint8Array[] = [];
  /** Behind a slow line: not arrived yet. */
  readonly #underway: Uint8Array[] = [];
  #held = 0;
  #produced = 0;
  #taken = 0;
  #silent = false;
  #end: { readonly error?: unknown } | undefined;
  #finished: { readonly error?: unknown } | undefined;
  #wake: { resolve: (batch: Batch) => void; reject: (error: unknown) => void } | undefined;
  #source: Source | undefined;
  #told: { readonly at: number; readonly tells: Tells }[] = [];
  #cancel: (() => void) | undefined;
  #wasOver = false;
  #chunkMs: number;

  constructor(options: BodyOptions) {
    this.#options = options;
    this.#chunkMs = options.fate.chunkMs;
  }

  /** Bytes that were produced and not taken. */
  get held(): number {
    return this.#held;
  }

  get server(): string {
    return this.#options.server;
  }

  get closed(): boolean {
    return this.#finished !== undefined || this.#end !== undefined;
  }

  get writable(): boolean {
    return !this.closed && this.#held < this.#options.window;
  }

  attach(source: Source): void {
    this.#source = source;
    if (this.closed) source.closed();
  }

  send(text: string, tells?: Tells): void {
    if (this.closed || this.#silent) return;
    const { fate, dice } = this.#options;
    let bytes = Buffer.from(text);
    const cut = fate.ending !== 'goes on' && this.#produced + bytes.length > fate.bytes;
    if (cut) bytes = bytes.subarray(0, fate.bytes - this.#produced);
    this.#produced += bytes.length;
    if (tells !== undefined && !cut) this.#told.push({ at: this.#produced, tells });
    this.#push(bytes, dice);
    if (!cut) return;
    if (fate.ending === 'falls silent') this.#silent = true;
    else if (fate.ending === 'breaks') this.break();
    else this.end();
  }

  end(): void {
    if (!this.#silent) this.#close({});
  }

  break(): void {
    if (!this.#silent) this.#close({ error: interrupted(this.#options.server) });
  }

  /** The way that it came is closed. */
  cut(how: 'refused' | 'silent'): void {
    if (how === 'silent') this.fallSilent();
    else this.break();
  }

  /** Nothing more arrives, and nobody says so. */
  fallSilent(): void {
    this.#silent = true;
  }

  /** A slow line is fast again. */
  quicken(): void {
    this.#chunkMs = 0;
  }

  /** The reader's signal: what arrived and was not taken is gone. */
  abort(reason: unknown): void {
    this.#drop();
    this.#finished ??= { error: reason };
    this.#close({ error: reason });
    this.#over();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Batch> {
    if (this.#chunks.length > 0) return Promise.resolve(this.#take());
    if (this.#finished !== undefined) {
      const { error } = this.#finished;
      return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#wake = { resolve, reject };
    });
  }

  return(): Promise<Batch> {
    this.#drop();
    this.#finished = {};
    this.#close({});
    this.#over();
    return Promise.resolve(DONE);
  }

  #take(): Batch {
    const value = this.#chunks;
    this.#chunks = [];
    const full = !this.writable;
    for (const chunk of value) {
      this.#held -= chunk.length;
      this.#taken += chunk.length;
    }
    let told = 0;
    while (told < this.#told.length && (this.#told[told] as { at: number }).at <= this.#taken) told += 1;
    for (const { tells } of this.#told.splice(0, told)) this.#options.onTold(tells);
    if (full && this.writable) this.#source?.drained();
    if (this.#finished !== undefined && this.#chunks.length === 0) this.#over();
    return { done: false, value };
  }

  /** Cuts anywhere: inside a line, an escape, or a UTF-8 sequence. */
  #push(bytes: Buffer, dice: Dice): void {
    this.#held += bytes.length;
    let start = 0;
    while (start < bytes.length) {
      const rest = bytes.length - start;
      const length = dice.chance(0.7) ? rest : 1 + dice.int(rest);
      this.#deliver(bytes.subarray(start, start + length));
      start += length;
    }
  }

  #deliver(chunk: Uint8Array): void {
    if (this.#chunkMs === 0 && this.#underway.length === 0) {
      this.#chunks.push(chunk);
      this.#wakeReader();
      return;
    }
    this.#underway.push(chunk);
    this.#cancel ??= this.#arriveLater();
  }

  #arriveLater(): () => void {
    return this.#options.after(this.#chunkMs, () => {
      this.#cancel = undefined;
      const chunk = this.#underway.shift();
      if (chunk !== undefined) this.#chunks.push(chunk);
      if (this.#underway.length > 0) this.#cancel = this.#arriveLater();
      else if (this.#end !== undefined) this.#finish(this.#end);
      this.#wakeReader();
    });
  }

  #close(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#source?.closed();
    if (this.#underway.length === 0) this.#finish(end);
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#finished ??= end;
    this.#wakeReader();
    if (this.#chunks.length === 0) this.#over();
  }

  #drop(): void {
    this.#chunks = [];
    this.#underway.length = 0;
    this.#held = 0;
    this.#cancel?.();
  }

  /** Nothing is left to read. */
  #over(): void {
    if (this.#wasOver) return;
    this.#wasOver = true;
    this.#wakeReader();
    this.#options.onOver();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    if (wake === undefined || (this.#chunks.length === 0 && this.#finished === undefined)) return;
    this.#wake = undefined;
    if (this.#chunks.length > 0) wake.resolve(this.#take());
    else if (this.#finished?.error === undefined) wake.resolve(DONE);
    else wake.reject(this.#finished.error);
  }
}

/** As the transport tells it (lib/adapters/kubernetes/transport-errors.ts). */
function interrupted(server: string): Mk8sError {
  return new Mk8sError(`The answer of ${server} ended in the middle: the connection closed.`, {
    code: 'interrupted',
    retryable: true,
  });
}
