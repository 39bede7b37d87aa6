// Promise 6: once a new owner of a stream has written, nothing that an earlier one writes has an effect; and nobody is given a
// lease that a living process still holds.
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { SimProcess } from '../process.ts';

interface Owner {
  readonly fence: number;
  readonly process: string;
}

export function oneOwner(model: Model): Check {
  /** By lease name: who was given it last, and until when; 0 where it was given back. */
  const granted = new Map<string, Owner & { readonly by: SimProcess; readonly until: number }>();
  /** By stream: the owner that has begun to work. */
  const working = new Map<string, Owner>();

  function checkWrite(stream: string, what: string, process: string, fence: number): void {
    const owner = working.get(stream);
    if (owner === undefined || fence >= owner.fence) {
      if (owner === undefined || fence > owner.fence) working.set(stream, { fence, process });
      if (owner !== undefined && fence === owner.fence && process !== owner.process) {
        model.fail(6, `${what} by ${process} under fence ${fence}, which ${owner.process} works under`);
      }
      return;
    }
    model.fail(
      6,
      `${what} by ${process} under fence ${fence} took effect after ${owner.process} began under ${owner.fence}`,
    );
  }

  return {
    onLease(process, { name, fence, expiresAt }) {
      const before = granted.get(name);
      granted.set(name, { fence, process: process.name, by: process, until: expiresAt });
      if (before === undefined) return;
      const isSame = before.process === process.name;
      if (!isSame && before.by.alive && before.until > process.clock.now()) {
        model.fail(
          6,
          `${process.name} was given ${name}, which ${before.process} holds for ${before.until - process.clock.now()} ms more`,
        );
      }
      if (fence < before.fence || (fence === before.fence && !isSame)) {
        model.fail(
          6,
          `${process.name} was given ${name} with fence ${fence} after ${before.process} with ${before.fence}`,
        );
      }
    },
    onHeld(process, leases, until) {
      for (const { name, fence } of leases) {
        const holder = granted.get(name);
        if (holder?.by === process && holder.fence === fence) granted.set(name, { ...holder, until: until ?? 0 });
      }
    },
    onAppend(process, stream, { fence }) {
      const { key } = model.record.of(stream);
      checkWrite(key, `an append to ${nameOf(model, stream)}`, process.name, fence);
    },
    onCheckpoint(process, stream, { fence }) {
      const { key } = model.record.of(stream);
      checkWrite(key, `a checkpoint of ${nameOf(model, stream)}`, process.name, fence);
    },
  };
}
