// Waiting for whichever comes first: being woken, or a moment in time.

export class Waker {
  #woken = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /** Resolves at the next `wake()` (at once if one came since the last wait), or after `milliseconds`. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#woken && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        // Node's timers hold 31 bits of milliseconds.
        const timer = setTimeout(resolve, Math.min(milliseconds, 2 ** 31 - 1));
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#woken = false;
    this.#resolve = undefined;
  }
}
