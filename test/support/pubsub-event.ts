// A Pub/Sub message as the CloudEvent that it carries, in either content mode of the binding.
import type { FeedEvent } from './materialise.ts';

export function pubsubEvent({
  data,
  attributes,
}: {
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
}): FeedEvent {
  const text = Buffer.from(data).toString('utf8');
  if (attributes['content-type']?.startsWith('application/cloudevents') === true) return JSON.parse(text) as FeedEvent;
  const context = Object.entries(attributes).filter(([name]) => name.startsWith('ce-'));
  return {
    ...Object.fromEntries(context.map(([name, value]) => [name.slice(3), value])),
    ...(text === '' ? {} : { data: JSON.parse(text) as unknown }),
  } as unknown as FeedEvent;
}
