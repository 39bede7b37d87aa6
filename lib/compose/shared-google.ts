// Google's identity of this process: found out once, by the first who needs it, and shared by the sources, the store and the
// sinks, who then share its tokens, too.
import { lazily } from '../async/lazily.ts';
import type { Config } from '../config/options.ts';
import type { Context } from './context.ts';
import type { GoogleIdentity } from './google-identity.ts';

export interface SharedGoogle {
  readonly get: () => Promise<GoogleIdentity>;
  /** Whoever made it closes it, after those who share it. */
  close(): Promise<void>;
}

/** Nothing is loaded or asked before the first `get`. */
export function sharedGoogle(config: Config, context: Pick<Context, 'env'>): SharedGoogle {
  const identity = lazily(async () => (await import('./google-identity.ts')).openGoogleIdentity(config, context));
  return {
    get: identity.get,
    close: async () => await (await identity.opened())?.close(),
  };
}

/** For what shares it with nobody: closed with what `open` gives, or where it gives nothing. */
export async function withOwnGoogle<T extends { close(): Promise<void> }>(
  config: Config,
  context: Pick<Context, 'env'>,
  open: (google: SharedGoogle) => Promise<T>,
): Promise<T> {
  const google = sharedGoogle(config, context);
  try {
    const opened = await open(google);
    return {
      ...opened,
      async close() {
        await opened.close();
        await google.close();
      },
    };
  } catch (error) {
    await google.close();
    throw error;
  }
}
