// How `mk8s tail` prints changes. Objects are copied as the bytes they are, not parsed.
import { cloudEventJson } from '../../model/cloud-event.ts';
import { formatGroupResource } from '../../model/resource.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import { pad, printable, widthOf } from '../text/width.ts';

export const outputNames = ['table', 'json', 'cloudevents'] as const;
export type OutputName = (typeof outputNames)[number];

/** Formats a batch; called once per page, in order. */
export type Format = (revisions: readonly Revision[]) => string | Uint8Array;

export function formatOf(name: OutputName, clusterName: (stream: StreamRef) => string | undefined): Format {
  if (name === 'cloudevents')
    return (revisions) => revisions.map((revision) => `${cloudEventJson(revision)}\n`).join('');
  return name === 'json' ? jsonLines(clusterName) : tableRows(clusterName);
}

/**
 * One JSON object a line: a small envelope, then the object as recorded.
 * `{"position","sequence","previous","epoch","time","type","origin","cluster","clusterName","resource","resourceVersion","manager","object"}`
 */
function jsonLines(clusterName: (stream: StreamRef) => string | undefined): Format {
  return (revisions) => {
    const heads = revisions.map((revision) => {
      const { position, sequence, previous, epoch, observedAt, type, origin, stream, resourceVersion, manager } =
        revision;
      const envelope = JSON.stringify({
        position,
        sequence,
        previous,
        epoch,
        time: new Date(observedAt).toISOString(),
        type,
        origin,
        cluster: stream.cluster,
        clusterName: clusterName(stream),
        resource: formatGroupResource(stream),
        resourceVersion,
        manager: manager === '' ? undefined : manager,
      });
      return Buffer.from(`${envelope.slice(0, -1)},"object":`);
    });
    const end = Buffer.from('}\n');
    return Buffer.concat(revisions.flatMap((revision, i) => [heads[i] ?? end, revision.object, end]));
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
