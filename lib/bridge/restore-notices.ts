// A cluster is restored as a whole: what one stream notices, the others of the cluster have to act on, too.

export interface RestoreNotices {
  /**
   * Takes part until `leave`: the signal aborts when another stream notices a restore.
   */
  join(): RestoreMember;
}

interface RestoreMember {
  readonly signal: AbortSignal;
  /** This stream noticed a restore: tells the others, and hears no notices any more. */
  notice(): void;
  leave(): void;
}

export function createRestoreNotices(): RestoreNotices {
  const members = new Set<AbortController>();
  return {
    join() {
      const controller = new AbortController();
      members.add(controller);
      const leave = (): void => void members.delete(controller);
      return {
        signal: controller.signal,
        leave,
        notice() {
          leave();
          for (const member of members) member.abort(new Error('another stream noticed that the cluster was restored'));
        },
      };
    },
  };
}
