// The sandbox against what a real API server sent: the same requests to a server that holds the same objects. What
// differs by nature (uids, resourceVersions, times) is replaced by a word; everything else is compared, byte by byte.
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../../lib/sandbox/sandbox.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';
import { normalised, type Replayed, recordedCluster, replay, version } from './recorded-cluster.ts';

/** In this order: later requests name what earlier ones made. */
const inFull = `
  20-list/full 20-list/full-v1beta1-deprecation-warning 20-list/field-selector-color 20-list/field-selector-name
  20-list/get-one 20-list/get-one-metadata-only 20-list/head 20-list/httproutes 20-list/limit-1 20-list/limit-5-rv-0
  20-list/limit-3-label-selector-no-remaining-count 20-list/limit-larger-than-set 20-list/metadata-only
  20-list/metadata-only-with-fallback 20-list/namespace-that-does-not-exist 20-list/empty-namespaced 20-list/pretty
  20-list/table 20-list/table-include-object 20-list/core-namespaces-items-without-kind 20-list/gatewayclasses
  10-discovery/apis-example-v1 10-discovery/apis-example-v1beta1 10-discovery/apis-gateway-v1
  10-discovery/group-example 10-discovery/kube-system 10-discovery/readyz 10-discovery/unknown-group-404
  10-discovery/version 10-discovery/jwks-accept-json-406
  30-error/200-version-anonymous 30-error/201-create-no-content-type 30-error/201-unknown-field-warning
  30-error/400-continue-malformed 30-error/400-continue-with-rv 30-error/400-field-selector-unsupported
  30-error/400-label-selector 30-error/400-limit-malformed 30-error/400-namespace-mismatch
  30-error/400-post-to-object-path-without-kind 30-error/400-put-collection 30-error/400-rv-malformed-list
  30-error/400-unknown-field-strict 30-error/401-bad-token 30-error/401-bad-token-watch
  30-error/403-anonymous-not-401 30-error/404-cluster-scoped-list-by-namespaced-path
  30-error/404-create-in-missing-namespace 30-error/404-delete-missing-object
  30-error/404-get-namespaced-object-by-cluster-path 30-error/404-object 30-error/404-patch-missing-object
  30-error/404-path 30-error/404-post-to-all-namespaces-path 30-error/404-put-missing-object
  30-error/404-put-missing-object-without-rv 30-error/404-resource 30-error/404-unknown-subresource
  30-error/404-version 30-error/404-watch-unknown-resource 30-error/405-delete-collection-of-namespaces
  30-error/409-already-exists 30-error/409-delete-precondition-uid 30-error/415-patch-type
  30-error/415-strategic-merge-on-cr 30-error/422-kind-mismatch 30-error/422-list-sendInitialEvents
  30-error/422-put-without-rv 30-error/422-rvmatch-without-rv 30-error/422-watch-rvmatch-without-sendInitialEvents
  30-error/422-watch-sendInitialEvents-without-rvmatch 30-error/422-watchlist-rvmatch-exact
  30-error/500-create-with-rv-set 30-error/500-rv-malformed-watch 30-error/504-exact-future-rv
  30-error/504-get-future-rv 30-error/504-list-future-rv 30-error/impersonate-403
  60-auth/nobody-create-403 60-auth/nobody-discovery-200 60-auth/nobody-kube-system-403 60-auth/nobody-list-403
  60-auth/nobody-unknown-resource-403-not-404 60-auth/nobody-watch-403 60-auth/reader-all-namespaces-403
  60-auth/reader-other-namespace-403 60-auth/sar-by-nobody-403 60-auth/self-subject-review
  60-auth/token-request-599-seconds-422 60-auth/token-request-missing-sa-404
  70-http/cors-origin-header 70-http/options 70-http/trace-audit-id-given
  40-write/create 40-write/create-dry-run 40-write/create-with-status-dropped 40-write/create-generate-name
  40-write/put-noop-same-rv 40-write/put-spec-status-ignored-generation-2 40-write/put-status-spec-ignored
  40-write/patch-merge-labels-generation-unchanged 40-write/patch-json-test-failed-422 40-write/patch-finalizer
  40-write/delete-with-finalizer-returns-object 40-write/patch-finalizer-removed-object-gone
  40-write/delete-returns-status 40-write/delete-collection 40-write/create-gateway-status-defaulted
  41-apply/dry-run-create 41-apply/create-201 41-apply/same-again-noop 41-apply/conflict-409-dry-run
  41-apply/conflict-409 41-apply/force-200-dry-run 41-apply/force-200 41-apply/alice-drops-her-label
  41-apply/status-subresource 41-apply/json-body 41-apply/unknown-field-500 41-apply/managed-fields-in-body-400
  41-apply/no-field-manager-422 41-apply/uid-of-missing-object-409 41-apply/with-stale-rv-409
  30-error/201-create-with-uid-set-is-replaced`
  .trim()
  .split(/\s+/);

/** Status and headers only, and why the bodies differ. */
const inOutline: Readonly<Record<string, string>> = {
  '10-discovery/api-aggregated': 'fewer built-in kinds',
  '10-discovery/api-legacy': 'its own address',
  '10-discovery/apis-aggregated': 'fewer built-in kinds',
  '10-discovery/apis-aggregated-profile-nopeer': 'fewer built-in kinds',
  '10-discovery/apis-legacy': 'fewer built-in kinds',
  '10-discovery/jwks-accept-any': 'its own key, ES256',
  '10-discovery/openapi-v3-index': 'fewer documents',
  '10-discovery/openid-configuration': 'ES256',
  '20-list/accept-yaml': 'other quotes around strings',
  '30-error/200-trailing-slash': 'recorded with other objects',
  '30-error/400-json-syntax': "JavaScript's parser does not say which character was unexpected",
  '30-error/406-accept-xml': 'not pretty-printed',
  '30-error/422-httproute': 'CEL rules are not run',
  '30-error/422-invalid': 'the order of causes',
  '41-apply/invalid-422': 'CEL rules are not run',
  '60-auth/reader-list-200': 'recorded with other objects',
  '60-auth/sar-denied': 'no managedFields in reviews',
  '60-auth/ssar-admin': 'no managedFields in reviews',
  '60-auth/ssar-allowed': 'no managedFields in reviews',
  '60-auth/ssar-denied': 'no managedFields in reviews',
  '60-auth/token-request-audience-foo': 'no managedFields in reviews',
  '60-auth/token-request-defaults': 'no managedFields in reviews',
  '60-auth/token-request-ten-years': 'no managedFields in reviews',
  '60-auth/token-review-garbage': 'no managedFields in reviews',
};

const comparedHeaders = [
  'content-type',
  'content-encoding',
  'vary',
  'warning',
  'retry-after',
  'cache-control',
  'x-content-type-options',
  'access-control-allow-origin',
];

describe.skipIf(recordings === undefined)('the sandbox answers as the recorded server did (MK8S_RECORDINGS)', () => {
  let sandbox: Sandbox;
  let tokens: Record<string, string>;
  /** What the recorded server called it → what the sandbox calls it. */
  const names = new Map<string, string>();

  beforeAll(async () => {
    sandbox = await recordedCluster();
    tokens = { admin: sandbox.token };
    tokens['jwt-of-reader'] = await tokenOf('team-a', 'reader');
    tokens['jwt-of-nobody'] = await tokenOf('team-b', 'nobody');
  });
  afterAll(() => sandbox?.stop());

  async function tokenOf(namespace: string, name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const { body } = await replay(sandbox, '60-auth/token-request-defaults', tokens, undefined, path);
    return (JSON.parse(body) as { status: { token: string } }).status.token;
  }

  async function replayed(name: string): Promise<{ recorded: Replayed; got: Replayed }> {
    const { response } = recordedExchange(`${version}/${name}`);
    const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(response.body) : response.body;
    const got = await replay(sandbox, name, tokens, (text) => {
      for (const [from, to] of names) text = text.replaceAll(from, to);
      return text;
    });
    const recorded = { status: response.status, headers: response.headers, body: body.toString('utf8') };
    learn(parsed(recorded.body), parsed(got.body), names);
    return { recorded, got };
  }

  test.each(inFull)('%s', async (name) => {
    const { recorded, got } = await replayed(name);
    expect(outline(got)).toEqual(outline(recorded));
    expect(ownersInOrder(normalised(got.body))).toBe(ownersInOrder(normalised(recorded.body)));
  });

  test.each(Object.entries(inOutline))('%s, apart from its body: %s', async (name) => {
    const { recorded, got } = await replayed(name);
    expect(outline(got)).toEqual(outline(recorded));
    const [was, is] = [parsed(recorded.body), parsed(got.body)] as { kind?: string; reason?: string }[];
    expect({ kind: is?.kind, reason: is?.reason }).toEqual({ kind: was?.kind, reason: was?.reason });
  });
});

function outline({ status, headers }: Replayed): object {
  return { status, ...Object.fromEntries(comparedHeaders.map((name) => [name, headers[name]])) };
}

/** With several owners, their order depends on whether a second ended between their writes. */
function ownersInOrder(body: string): string {
  if (!body.includes('"subresource":"status"')) return body;
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    key === 'managedFields' && Array.isArray(value) ? value.map((entry) => JSON.stringify(entry)).sort() : value,
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Two answers to one request, side by side: which uid and resourceVersion correspond to which. */
function learn(recorded: unknown, got: unknown, names: Map<string, string>): void {
  if (!isObject(recorded) || !isObject(got)) return;
  const [was, is] = [recorded['metadata'], got['metadata']];
  if (isObject(was) && isObject(is) && typeof was['uid'] === 'string' && typeof is['uid'] === 'string') {
    names.set(was['uid'], is['uid']);
    const version = (metadata: Record<string, unknown>): string =>
      `"resourceVersion":${JSON.stringify(metadata['resourceVersion'])}`;
    names.set(version(was), version(is));
  }
  for (const key of Object.keys(recorded)) learn(recorded[key], got[key], names);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
