// The parameters of list and watch, checked as the server checks them (apimachinery's ValidateListOptions).
import { badRequest, type Cause, failure, invalidOptions } from './status.ts';

export interface ListOptions {
  /** 0 for no limit. */
  readonly limit: number;
  readonly continue: string;
  /** undefined where not given; 0 means any. */
  readonly revision: number | undefined;
  readonly match: '' | 'Exact' | 'NotOlderThan';
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

export interface WatchOptions {
  readonly revision: number | undefined;
  readonly initialEvents: boolean | undefined;
  readonly bookmarks: boolean;
  /** Milliseconds; undefined where not given. */
  readonly timeout: number | undefined;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/**
 * How the server takes `sendInitialEvents`: 'on'; 'off' as with its feature gate off (422); 'old' as a server that
 * predates it (ignored, but 422 with resourceVersionMatch); 'ignore' as something in between that drops it silently.
 */
export type WatchListMode = 'on' | 'off' | 'old' | 'ignore';

export function listOptions(query: URLSearchParams): ListOptions {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const token = query.get('continue') ?? '';
  const limit = integer(query, 'limit') ?? 0;
  const causes: Cause[] = [];
  if (query.has('sendInitialEvents')) {
    causes.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (match !== '') causes.push(...matchCauses(match, text, token));
  if (causes.length > 0) throw invalidOptions('ListOptions', causes);
  if (token !== '' && text !== '' && text !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  if (text !== '' && !/^\d+$/.test(text)) throw badRequest(`invalid resource version: ${malformed(text)}`);
  return {
    limit,
    continue: token,
    revision: text === '' ? undefined : Number(text),
    match: match as ListOptions['match'],
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
}

export function watchOptions(query: URLSearchParams, mode: WatchListMode): WatchOptions {
  const text = query.get('resourceVersion') ?? '';
  const asked = query.get('sendInitialEvents');
  const causes = watchCauses(asked, query.get('resourceVersionMatch') ?? '', text, mode);
  if (causes.length > 0) throw invalidOptions('ListOptions', causes);
  if (text !== '' && !/^\d+$/.test(text)) throw failure(500, undefined, malformed(text));
  const seconds = integer(query, 'timeoutSeconds');
  const bookmarks = flag(query.get('allowWatchBookmarks'));
  return {
    revision: text === '' ? undefined : Number(text),
    initialEvents: asked === null || mode === 'old' || mode === 'ignore' ? undefined : flag(asked),
    bookmarks,
    timeout: seconds === undefined || seconds === 0 ? undefined : seconds * 1000,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
}

export function flag(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}

const unlessRevision = forbiddenField(
  'resourceVersionMatch',
  'resourceVersionMatch is forbidden unless resourceVersion is provided',
);

function matchCauses(match: string, revision: string, token: string): Cause[] {
  const causes: Cause[] = [];
  if (revision === '') causes.push(unlessRevision);
  if (token !== '') {
    causes.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    const supported = 'supported values: "Exact", "NotOlderThan", ""';
    causes.push(unsupported('resourceVersionMatch', match, supported));
  }
  if (match === 'Exact' && revision === '0') {
    const rule = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    causes.push(forbiddenField('resourceVersionMatch', rule));
  }
  return causes;
}

function watchCauses(asked: string | null, match: string, revision: string, mode: WatchListMode): Cause[] {
  if (mode === 'ignore') return [];
  if (mode === 'old') {
    if (match === '') return [];
    const causes = [forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch')];
    if (revision === '') causes.push(unlessRevision);
    return causes;
  }
  if (asked === null) {
    if (match === '') return [];
    const rule = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    return [forbiddenField('resourceVersionMatch', rule)];
  }
  if (mode === 'off') {
    const rule = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
    return [forbiddenField('sendInitialEvents', rule)];
  }
  if (match === 'NotOlderThan') return [];
  const rule = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  const causes = [forbiddenField('resourceVersionMatch', rule)];
  if (match !== '') causes.push(unsupported('resourceVersionMatch', match, 'supported values: "NotOlderThan"'));
  return causes;
}

function forbiddenField(field: string, rule: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${rule}`, field };
}

function unsupported(field: string, value: string, supported: string): Cause {
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: ${supported}`,
    field,
  };
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function malformed(text: string): string {
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
}
