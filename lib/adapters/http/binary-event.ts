// A change as an HTTP message: the binary content mode of the CloudEvents HTTP protocol binding 1.0.2, where each
// attribute is a header and the body is the object's own bytes.
import { cloudEventAttributes } from '../../model/cloud-event.ts';
import type { Revision } from '../../model/revision.ts';

/**
 * The headers of a change: `content-type` from datacontenttype, everything else as `ce-NAME`, lower case.
 * The body to go with them is `revision.object`, unchanged.
 */
export function binaryEventHeaders(revision: Revision): Record<string, string> {
  const { datacontenttype, ...attributes } = cloudEventAttributes(revision);
  const headers: Record<string, string> = { 'content-type': datacontenttype };
  for (const [name, value] of Object.entries(attributes)) headers[`ce-${name}`] = encodeHeaderValue(String(value));
  return headers;
}

/**
 * Percent-encodes what a header cannot carry: everything but printable ASCII, and space, `"` and `%`
 * (section 3.1.3.2 of the binding). Each byte of the UTF-8 form becomes `%XY`, upper case.
 */
export function encodeHeaderValue(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]+|["%]/gu, (run) =>
    Array.from(Buffer.from(run, 'utf8'), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
