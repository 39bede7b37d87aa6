// Promise 9: no token and no data of a Secret is in anything that leaves: records, events, reports, status, dead letters.
import { messageOf } from '../../../lib/model/errors.ts';
import type { Model } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

/** Both begin like this; the data of Secrets is base64, which begins the same for the same beginning. */
const PLANTED = 'PLANTED-';
const PLANTED_BASE64 = Buffer.from('PLANTED-SECRET-').toString('base64').slice(0, 16);

export function secrets(model: Model): Check {
  function check(where: string, what: unknown): void {
    const text = typeof what === 'string' ? what : JSON.stringify(what);
    if (hasPlanted(text)) model.fail(9, `${where} holds a secret: ${text}`);
  }
  return {
    onAppend(process, _stream, _batch, revisions) {
      for (const { object, namespace, name } of revisions) {
        const bytes = Buffer.from(object.buffer, object.byteOffset, object.byteLength);
        if (bytes.includes(PLANTED) || bytes.includes(PLANTED_BASE64)) {
          model.fail(9, `the record of ${namespace}/${name} by ${process.name} holds a secret: ${bytes.toString()}`);
        }
      }
    },
    onArrival: (who, _process, { attributes }) => check(`what ${who} got`, attributes),
    onReport: (process, entry) => check(`a report of ${process.name}`, entry),
    onStatus: (process, run, streams) => check(`the status that ${process.name} wrote`, { run, streams }),
    onInventory: (process, clusters, problems) => check(`the inventory of ${process.name}`, { clusters, problems }),
    onBridgeEnd: ({ process, ended }) => check(`how ${process.name} ended`, messageOf(ended?.error ?? '')),
    onDeadLetter: (process, letter) => check(`a dead letter of ${process.name}`, letter),
  };
}

function hasPlanted(text: string): boolean {
  return text.includes(PLANTED) || text.includes(PLANTED_BASE64);
}
