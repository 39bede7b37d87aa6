// A run whose store is damaged, or may no longer be written, ends and says so: to start its streams again and again would
// only find the same.
import { Mk8sError } from '../model/errors.ts';

/** `store` as it is, but `over` aborts with the error when one of its methods rejects with Mk8sError `storage` that is not retryable. */
export function endingOnDamage<T extends object>(store: T, over: AbortController): T {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, given);
        if (result instanceof Promise) {
          // Who called hears of it too.
          result.catch((error: unknown) => {
            if (error instanceof Mk8sError && error.code === 'storage' && !error.retryable) over.abort(error);
          });
        }
        return result;
      };
    },
  });
}
