// A cluster is restored as a whole: what one stream notices, the others of the cluster have to act on, too, and those that
// just failed, or are not followed just now, as soon as they are started again.
import type { StreamKey } from '../model/stream.ts';

export interface RestoreNotices {
  /**
   * Takes part until `leave`: for as long as the stream is followed, also between two attempts at it. It is told at once of what
   * was noticed while it was not.
   */
  join(stream: StreamKey): RestoreMember;
}

export interface RestoreMember {
  /** True from the moment at which a restore was noticed, by whomever, until the stream's next epoch has begun. */
  readonly told: boolean;
  /** For one watch: the signal aborts when another stream notices a restore that this one was not told of. */
  listen(): AbortSignal;
  /** This stream noticed a restore: tells the others, unless it was told of it before. */
  notice(): void;
  /** The stream's record is in this epoch. A newer one than before: whoever began it acted on what was noticed. */
  seen(epoch: number): void;
  leave(): void;
}

interface Member {
  told: boolean;
  epoch: number | undefined;
  watch: AbortController | undefined;
}

export function createRestoreNotices(): RestoreNotices {
  const members = new Set<Member>();
  let notices = 0;
  /** How many there had been when a stream left that had acted on all of them. */
  const heard = new Map<StreamKey, number>();

  function tell(member: Member): void {
    // Then it acts on it already, or will.
    if (member.told) return;
    member.told = true;
    member.watch?.abort(new Error('another stream noticed that the cluster was restored'));
  }

  return {
    join(stream) {
      const own: Member = { told: (heard.get(stream) ?? 0) < notices, epoch: undefined, watch: undefined };
      members.add(own);
      return {
        get told() {
          return own.told;
        },
        listen() {
          own.watch = new AbortController();
          return own.watch.signal;
        },
        notice() {
          // Else it is the same one.
          if (own.told) return;
          own.told = true;
          notices += 1;
          for (const member of members) tell(member);
        },
        seen(epoch) {
          // Nothing recorded: nothing to compare anew.
          if (epoch === 0 || epoch > (own.epoch ?? epoch)) own.told = false;
          own.epoch = epoch;
        },
        leave() {
          members.delete(own);
          if (!own.told) heard.set(stream, notices);
        },
      };
    },
  };
}
