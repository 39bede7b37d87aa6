// What is opened by the first who needs it, and kept.

export interface Lazy<T> {
  /** One that failed is tried again by the next who asks. */
  readonly get: () => Promise<T>;
  /** What was opened, undefined where nothing was. Never rejects: whoever asked has heard of a failure. */
  readonly opened: () => Promise<T | undefined>;
}

export function lazily<T>(open: () => Promise<T>): Lazy<T> {
  let value: Promise<T> | undefined;
  return {
    get() {
      value ??= open().catch((error: unknown) => {
        value = undefined;
        throw error;
      });
      return value;
    },
    opened: async () => await value?.catch(() => undefined),
  };
}
