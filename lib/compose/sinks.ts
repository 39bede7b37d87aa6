// Where changes go besides the data folder, as the configuration says. SDKs are loaded only for what is used.
import type { DataFolder } from '../adapters/disk/data-folder.ts';
import { systemClock } from '../async/system-clock.ts';
import { fanOut } from '../bridge/fan-out.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { Context } from './context.ts';
import type { SharedGoogle } from './shared-google.ts';

/** The sinks as one, undefined for none. `over` aborts when a sink is gone for good. */
export async function openSinks(
  config: Config,
  folder: Pick<DataFolder, 'deadLetters'>,
  over: AbortController,
  context: Context,
  google: SharedGoogle,
): Promise<EventSink | undefined> {
  const sinks = await Promise.all(
    config.sinks.map(async (target): Promise<EventSink> => {
      if (target.startsWith('pubsub:')) {
        const { openPubsub } = await import('./pubsub.ts');
        return await openPubsub(target, context, google);
      }
      if (target !== 'stdout:') {
        const { webhookSink } = await import('../adapters/http/webhook-sink.ts');
        return webhookSink({ url: target, deadLetters: folder.deadLetters, clock: systemClock });
      }
      const { stdoutSink } = await import('../adapters/stdout/stdout-sink.ts');
      // Nobody reads any more (`| head`): that ends the run, as it ends other programs.
      return endingWhenGone(stdoutSink(process.stdout), over);
    }),
  );
  return sinks.length > 1 ? fanOut(sinks) : sinks[0];
}

function endingWhenGone(sink: EventSink, over: AbortController): EventSink {
  return {
    ...sink,
    async publish(batch, signal, onProgress) {
      try {
        await sink.publish(batch, signal, onProgress);
      } catch (error) {
        if (error instanceof Mk8sError && !error.retryable) over.abort(error);
        throw error;
      }
    },
  };
}
