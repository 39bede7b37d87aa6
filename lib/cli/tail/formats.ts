// How `mk8s tail` prints changes. Objects are copied as the bytes they are, not parsed.
import { cloudEventAttributes } from '../../model/cloud-event.ts';
import { formatGroupResource } from '../../model/resource.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import { lines } from '../text/columns.ts';
import { printable, widthOf } from '../text/width.ts';

export type OutputName = 'table' | 'json' | 'cloudevents';

/** Formats a batch; called once per page, in order. What it returned is valid until the next call. */
export type Format = (revisions: readonly Revision[]) => string | Uint8Array;

export function formatOf(name: OutputName, clusterName: (stream: StreamRef) => string | undefined): Format {
  if (name === 'table') return tableRows(clusterName);
  return name === 'json'
    ? jsonLines(envelope(clusterName), 'object')
    : jsonLines((revision) => JSON.stringify(cloudEventAttributes(revision)).slice(0, -1), 'data');
}

/**
 * One JSON object a line: what `head` gives (without its closing brace), then the object as recorded under `key`. One
 * buffer for all pages: a new one of a megabyte for each keeps the garbage collector busy.
 */
function jsonLines(head: (revision: Revision) => string, key: string): Format {
  let page = Buffer.alloc(0);
  return (revisions) => {
    const heads = revisions.map((revision) => `${head(revision)},"${key}":`);
    // A UTF-16 unit takes at most three bytes as UTF-8.
    const room = revisions.reduce((sum, { object }, i) => sum + (heads[i] ?? '').length * 3 + object.length + 2, 0);
    if (page.length < room) page = Buffer.allocUnsafeSlow(room);
    let at = 0;
    for (const [i, { object }] of revisions.entries()) {
      at += page.write(heads[i] ?? '', at);
      page.set(object, at);
      at += object.length;
      page[at++] = CLOSING_BRACE;
      page[at++] = NEWLINE;
    }
    return page.subarray(0, at);
  };
}

const CLOSING_BRACE = 0x7d;
const NEWLINE = 0x0a;

/**
 * What `-o json` says of a change beside its object. Written piece by piece, and what neighbours share only once:
 * JSON.stringify of the whole took a fifth of the time of a tail.
 */
function envelope(clusterName: (stream: StreamRef) => string | undefined): (revision: Revision) => string {
  let of: { stream: StreamRef; name: string | undefined; text: string } | undefined;
  let time = { at: Number.NaN, text: '' };
  let manager = { name: '', text: '' };
  return (revision) => {
    const { position, sequence, previous, epoch, observedAt, type, origin, stream, resourceVersion } = revision;
    const name = clusterName(stream);
    if (of?.stream !== stream || of.name !== name) of = { stream, name, text: streamMembers(stream, name) };
    if (time.at !== observedAt) time = { at: observedAt, text: new Date(observedAt).toISOString() };
    if (manager.name !== revision.manager) {
      manager = { name: revision.manager, text: `,"manager":${JSON.stringify(revision.manager)}` };
    }
    const by = revision.manager === '' ? '' : manager.text;
    return `{"position":${position},"sequence":${sequence},"previous":${previous},"epoch":${epoch},"time":"${time.text}","type":"${type}","origin":"${origin}",${of.text},"resourceVersion":${JSON.stringify(resourceVersion)}${by}`;
  };
}

function streamMembers(stream: StreamRef, clusterName: string | undefined): string {
  const members = { cluster: stream.cluster, clusterName, resource: formatGroupResource(stream) };
  return JSON.stringify(members).slice(1, -1);
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
    const table = headed || rows.length === 0 ? rows : [headings, ...rows];
    headed ||= rows.length > 0;
    return lines(table, widths);
  };
}
