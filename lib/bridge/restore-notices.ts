// A cluster is restored as a whole: what one stream notices, the others of the cluster have to act on, too.

export interface RestoreNotices {
  /**
   * Takes part until `leave`: the signal aborts when another stream notices a restore.
   */
  join(): RestoreMember;
}

interface RestoreMember {
  readonly signal: AbortSignal;
  /** This stream noticed a restore that it has not been told of: tells the others, and hears no notices until it comes back. */
  notice(): void;
  /** It is compared anew: what others notice of the same restore is no news to it. */
  leave(): void;
  /** It is compared: what others notice from now on may be the next restore. */
  comeBack(): void;
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
        comeBack: () => void members.add(controller),
        notice() {
          leave();
          // Then it is the same one.
          if (controller.signal.aborted) return;
          for (const member of members) member.abort(new Error('another stream noticed that the cluster was restored'));
        },
      };
    },
  };
}
