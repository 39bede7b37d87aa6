// Objects in namespaces of clusters that tell of more clusters: read as a whole, then followed by watch, so that clusters join
// and leave while running.
import type { ApiServer } from '../../ports/api-server.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import { type Collection, listPages } from './client-list.ts';
import { watchCollection } from './client-watch.ts';

/** A cluster that holds such objects. */
export interface Home {
  /** For messages. */
  readonly name: string;
  readonly api: ApiServer;
}

interface Place extends Home {
  readonly namespace: string;
}

export interface FollowedOptions {
  /** Asked at each reading. */
  readonly homes: (signal?: AbortSignal) => Promise<readonly Home[]>;
  readonly namespaces: readonly string[];
  readonly collection: (namespace: string) => Collection;
  readonly clock: Clock;
  readonly random: Random;
}

/** An object as it was read. */
export interface FoundObject {
  readonly place: Place;
  readonly name: string;
  /** Its JSON. */
  readonly object: unknown;
}

export interface FollowedPlaces {
  /** All objects of all places. Throws where a place cannot be read: what it has is not known then. */
  read(signal?: AbortSignal): Promise<readonly FoundObject[]>;
  /** Resolves when something changed since `read`; rejects when the signal aborts, or where that cannot be told. */
  changed(signal: AbortSignal): Promise<void>;
}

export function followPlaces({ homes, namespaces, collection, clock, random }: FollowedOptions): FollowedPlaces {
  /** Where each place's last list ended: a watch from there misses nothing. */
  let positions: readonly { readonly place: Place; readonly resourceVersion: string }[] = [];

  async function readPlace(
    place: Place,
    signal: AbortSignal | undefined,
  ): Promise<{ objects: readonly FoundObject[]; resourceVersion: string }> {
    const objects: FoundObject[] = [];
    const settings = { ...collection(place.namespace), ...(signal === undefined ? {} : { signal }) };
    const pages = listPages({ api: place.api, name: place.name }, settings);
    for (;;) {
      const page = await pages.next();
      if (page.done === true) return { objects, resourceVersion: page.value.resourceVersion };
      for (const { name, object } of page.value) {
        objects.push({ place, name, object: JSON.parse(Buffer.from(object).toString('utf8')) });
      }
    }
  }

  return {
    async read(signal) {
      const places = (await homes(signal)).flatMap((home) => namespaces.map((namespace) => ({ ...home, namespace })));
      const found: FoundObject[] = [];
      const read: (typeof positions)[number][] = [];
      for (const place of places) {
        const { objects, resourceVersion } = await readPlace(place, signal);
        found.push(...objects);
        read.push({ place, resourceVersion });
      }
      positions = read;
      return found;
    },
    async changed(signal) {
      const over = new AbortController();
      const settings = { clock, random, signal: AbortSignal.any([signal, over.signal]) };
      const watches = positions.map(async ({ place, resourceVersion }) => {
        const support = { streaming: true };
        const all = {
          ...collection(place.namespace),
          metadataOnly: true,
          resourceVersion,
          onGap: 'relist',
          support,
        } as const;
        for await (const event of watchCollection({ api: place.api, name: place.name }, { ...all, ...settings })) {
          if (event.type !== 'BOOKMARK') return;
        }
      });
      try {
        await (watches.length === 0 ? new Promise((_, reject) => onAbort(signal, reject)) : Promise.race(watches));
      } finally {
        over.abort(new Error('a change was seen'));
        await Promise.allSettled(watches);
      }
    },
  };
}

function onAbort(signal: AbortSignal, reject: (reason: unknown) => void): void {
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
}
