// How `mk8s tail` prints changes. Objects are copied as the bytes they are, not parsed.
import { cloudEventAttributes } from '../../model/cloud-event.ts';
import { formatGroupResource } from '../../model/resource.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import { pad, printable, widthOf } from '../text/width.ts';

export type OutputName = 'table' | 'json' | 'cloudevents';

/** Formats a batch; called once per page, in order. */
export type Format = (revisions: readonly Revision[]) => string | Uint8Array;

export function formatOf(name: OutputName, clusterName: (stream: StreamRef) => string | undefined): Format {
  if (name === 'table') return tableRows(clusterName);
  return name === 'json'
    ? jsonLines((revision) => envelope(revision, clusterName(revision.stream)), 'object')
    : jsonLines(cloudEventAttributes, 'data');
}

/** One JSON object a line: what `head` gives, then the object as recorded under `key`. One buffer a page. */
function jsonLines(head: (revision: Revision) => object, key: string): Format {
  return (revisions) => {
    const heads = revisions.map((revision) => `${JSON.stringify(head(revision)).slice(0, -1)},"${key}":`);
    // A UTF-16 unit takes at most three bytes as UTF-8.
    const room = revisions.reduce((sum, { object }, i) => sum + (heads[i] ?? '').length * 3 + object.length + 2, 0);
    const page = Buffer.allocUnsafe(room);
    let at = 0;
    for (const [i, { object }] of revisions.entries()) {
      at += page.write(heads[i] ?? '', at);
      page.set(object, at);
      at += object.length;
      at += page.write('}\n', at);
    }
    return page.subarray(0, at);
  };
}

/** What `-o json` says of a change beside its object. */
function envelope(revision: Revision, clusterName: string | undefined): object {
  const { position, sequence, previous, epoch, observedAt, type, origin, stream, resourceVersion, manager } = revision;
  return {
    position,
    sequence,
    previous,
    epoch,
    time: new Date(observedAt).toISOString(),
    type,
    origin,
    cluster: stream.cluster,
    clusterName,
    resource: formatGroupResource(stream),
    resourceVersion,
    manager: manager === '' ? undefined : manager,
  };
}

/** Columns that grow when something longer comes, as in `kubectl get -w`; the heading comes once. */
function tableRows(clusterName: (stream: StreamRef) => string | undefined): Format {
  const headings = ['TIME', 'CLUSTER', 'TYPE', 'RESOURCE', 'NAMESPACE', 'NAME', 'BY'];
  const widths = headings.map(widthOf);
  let headed = false;
  return (revisions) => {
    const rows = revisions.map((revision) =>
      [
        new Date(revision.observedAt).toISOString(),
        clusterName(revision.stream) ?? revision.stream.cluster,
        revision.origin === 'watch' ? revision.type : `${revision.type} (${revision.origin})`,
        formatGroupResource(revision.stream),
        revision.namespace === '' ? '-' : revision.namespace,
        revision.name,
        revision.manager,
      ].map(printable),
    );
    for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))));
    const lines = headed || rows.length === 0 ? rows : [headings, ...rows];
    headed ||= rows.length > 0;
    return lines
      .map(
        (row) =>
          `${row
            .map((cell, i) => pad(cell, widths[i] ?? 0))
            .join('   ')
            .trimEnd()}\n`,
      )
      .join('');
  };
}
