import { describe, expect, test } from 'vitest';
import type { Client } from '../../../lib/adapters/kubernetes/client.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import {
  type FakeAnswer,
  fakeApiServer,
  jsonAnswer,
  recordedAnswer,
  statusAnswer,
} from '../../support/fake-api-server.ts';
import { failure, fakeClient, widgets } from '../../support/fake-client.ts';
import { recordings } from '../../support/recordings.ts';

const stored = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w-1', resourceVersion: '5' } };
const object = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w-1' }, spec: { size: 1 } };

/** Serves the discovery of example.com, and `answer` for the rest. */
function exampleCom(answer: FakeAnswer | ((request: ApiRequest) => FakeAnswer)) {
  return fakeApiServer((request) => {
    if (request.path === '/apis/example.com') {
      return jsonAnswer({ kind: 'APIGroup', name: 'example.com', versions: [{ version: 'v1' }] });
    }
    if (request.path === '/apis/example.com/v1') {
      const resource = { name: 'widgets', kind: 'Widget', namespaced: true, verbs: ['get'] };
      const status = { ...resource, name: 'widgets/status' };
      return jsonAnswer({ kind: 'APIResourceList', resources: [resource, status] });
    }
    return typeof answer === 'function' ? answer(request) : answer;
  });
}

async function lastRequest(answer: FakeAnswer, call: (client: Client) => Promise<unknown>): Promise<ApiRequest> {
  const api = exampleCom(answer);
  await call(fakeClient(api));
  return api.requests.at(-1) as ApiRequest;
}

describe('a single object', () => {
  test('is read from the namespace of the call, else of the context', async () => {
    const paths = async (namespace?: string): Promise<string> =>
      (
        await lastRequest(jsonAnswer(stored), (client) =>
          client.get('widgets.example.com', 'w-1', namespace === undefined ? {} : { namespace }),
        )
      ).path;
    expect(await paths()).toBe('/apis/example.com/v1/namespaces/team-a/widgets/w-1');
    expect(await paths('b')).toBe('/apis/example.com/v1/namespaces/b/widgets/w-1');
  });

  test.each(['', '.', '..'])('is not asked for by the name "%s", whose path would be another one', async (name) => {
    const api = exampleCom(jsonAnswer(stored));
    const client = fakeClient(api);
    expect(await failure(client.delete(widgets, name))).toMatchObject({ code: 'config' });
    expect(await failure(client.get(widgets, name))).toMatchObject({ code: 'config' });
    expect(await failure(client.get(widgets, 'w-1', { namespace: name || '..' }))).toMatchObject({ code: 'config' });
    expect(api.requests).toEqual([]);
  });

  test('with an odd name stays one segment of the path', async () => {
    const request = await lastRequest(jsonAnswer(stored), (client) => client.get(widgets, 'a/../../b?c#d%2f'));
    expect(request.path).toBe('/apis/example.com/v1/namespaces/team-a/widgets/a%2F..%2F..%2Fb%3Fc%23d%252f');
  });

  test('that the server answers with other JSON is an error', async () => {
    const error = await failure(fakeClient(fakeApiServer(() => jsonAnswer(['x']))).get(widgets, 'w-1'));
    expect(error).toMatchObject({ code: 'protocol' });
    expect(error.message).toContain('is not a Kubernetes object');
  });
});

describe('a write', () => {
  test('applies as field manager mk8s, without managedFields, which a server refuses', async () => {
    const read = { ...object, metadata: { ...object.metadata, managedFields: [{ manager: 'x' }] } };
    const request = await lastRequest(jsonAnswer(stored), (client) => client.apply(read));
    expect(request).toMatchObject({
      method: 'PATCH',
      path: '/apis/example.com/v1/namespaces/team-a/widgets/w-1',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      query: { fieldManager: 'mk8s', force: undefined, dryRun: undefined },
    });
    expect(JSON.parse(request.body as string)).toEqual(object);
  });

  test('passes on force, dry run, manager and subresource', async () => {
    const options = { force: true, dryRun: true, fieldManager: 'me', subresource: 'status', namespace: 'b' };
    const request = await lastRequest(jsonAnswer(stored), (client) => client.apply(object, options));
    expect(request.query).toEqual({ fieldManager: 'me', force: true, dryRun: 'All' });
    expect(request.path).toBe('/apis/example.com/v1/namespaces/b/widgets/w-1/status');
  });

  test.each<[string, (client: Client) => Promise<unknown>, object]>([
    [
      'create',
      (client) => client.create(object),
      { method: 'POST', path: '/apis/example.com/v1/namespaces/team-a/widgets' },
    ],
    ['replace', (client) => client.replace(object), { method: 'PUT', body: JSON.stringify(object) }],
    [
      'merge patch',
      (client) => client.patch(widgets, 'w-1', { spec: {} }),
      { headers: { accept: 'application/json', 'content-type': 'application/merge-patch+json' } },
    ],
    [
      'JSON patch',
      (client) => client.patch(widgets, 'w-1', []),
      { headers: { accept: 'application/json', 'content-type': 'application/json-patch+json' } },
    ],
  ])('sends a %s', async (_, call, expected) => {
    expect(await lastRequest(jsonAnswer(stored), call)).toMatchObject(expected);
  });

  test('of an object without a name or kind is refused before anything is sent', async () => {
    const api = exampleCom(jsonAnswer(stored));
    const error = await failure(fakeClient(api).apply({ apiVersion: 'example.com/v1', metadata: { name: 'x' } }));
    expect(error.message).toBe(
      'Cannot apply an object "x" in cluster "a": apiVersion, kind and metadata.name are needed',
    );
    expect(api.requests).toEqual([]);
  });

  test('of a kind that the server does not have says so', async () => {
    const error = await failure(fakeClient(exampleCom({})).apply({ ...object, kind: 'Gizmo' }));
    expect(error).toMatchObject({ status: 404, reason: 'NotFound' });
    expect(error.message).toContain('the server has no resource of kind Gizmo in version v1');
  });

  test('deletes with preconditions and propagation', async () => {
    const options = { preconditions: { uid: 'u' }, propagationPolicy: 'Foreground', dryRun: true } as const;
    const request = await lastRequest(jsonAnswer({ kind: 'Status' }), (client) =>
      client.delete(widgets, 'w-1', options),
    );
    expect(JSON.parse(request.body as string)).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
      dryRun: ['All'],
    });
  });

  test.skipIf(!recordings)('tells a deleted object from one that waits for its finalizers', async () => {
    const answered = async (name: string) =>
      fakeClient(fakeApiServer(() => recordedAnswer(`v1.36.2/40-write/${name}`))).delete(widgets, 'fresh');
    expect(await answered('delete-returns-status')).toEqual({ gone: true });
    expect(await answered('delete-with-finalizer-returns-object')).toMatchObject({
      gone: false,
      object: { metadata: { name: 'fresh', finalizers: ['example.com/hold'] } },
    });
  });
});

describe('a credential that was refused', () => {
  const unauthorized = statusAnswer(401, 'Unauthorized', 'Unauthorized');

  test('is renewed once, and the request sent again', async () => {
    const api = fakeApiServer((request) => (request.freshCredentials === true ? jsonAnswer(stored) : unauthorized));
    expect(await fakeClient(api).get(widgets, 'w-1')).toEqual(stored);
    expect(api.requests.map((request) => request.freshCredentials)).toEqual([undefined, true]);
    expect(api.open()).toBe(0);
  });

  test('and refused again is an error of credentials that says what to check', async () => {
    const api = fakeApiServer(() => unauthorized);
    const error = await failure(fakeClient(api).get(widgets, 'w-1', { namespace: 'shop' }));
    expect(error).toMatchObject({ code: 'credentials', status: 401, retryable: false });
    expect(error.message).toBe(
      'Cannot get widgets.example.com "shop/w-1" in cluster "a": Unauthorized (401 Unauthorized); a fresh credential was tried too: check the user of this context',
    );
    expect(api.requests).toHaveLength(2);
  });

  test('of a raw request is renewed too, and a second 401 is an answer', async () => {
    const api = fakeApiServer(() => unauthorized);
    const response = await fakeClient(api).request({ path: '/version' });
    expect(response.status).toBe(401);
    expect(api.requests).toHaveLength(2);
  });
});

describe('an error', () => {
  test.skipIf(!recordings).each<[string, object, RegExp]>([
    [
      'v1.36.2/30-error/404-object',
      { code: 'http', status: 404, reason: 'NotFound', retryable: false },
      /"nope" not found \(404 NotFound\)$/,
    ],
    ['v1.36.2/30-error/404-resource', { code: 'http', status: 404, reason: '' }, /: 404 page not found \(404\)$/],
    [
      'v1.36.2/60-auth/nobody-list-403',
      { code: 'http', status: 403, reason: 'Forbidden', retryable: false },
      /cannot list resource/,
    ],
    ['v1.36.2/30-error/409-conflict-stale-put', { status: 409, reason: 'Conflict' }, /the object has been modified/],
    ['v1.36.2/30-error/409-already-exists', { status: 409, reason: 'AlreadyExists' }, /already exists/],
    [
      'v1.36.2/41-apply/conflict-409',
      { status: 409, reason: 'Conflict' },
      /with 2 conflicts: conflicts with "alice": \.spec\.color, \.spec\.size \(409 Conflict\)$/,
    ],
    ['v1.36.2/30-error/422-invalid', { status: 422, reason: 'Invalid' }, /spec\.color: Unsupported value: "pink"/],
    [
      'v1.36.2/30-error/429-too-many-requests',
      { status: 429, retryable: true, retryAfterMs: 1000 },
      /Too many requests, please try again later \(429\)$/,
    ],
    [
      'v1.36.2/30-error/504-get-future-rv',
      { status: 504, retryable: true, retryAfterMs: 1000 },
      /Too large resource version/,
    ],
    ['v1.36.2/30-error/500-create-with-rv-set', { status: 500, reason: '' }, /\(500\)$/],
  ])('of %s is classified and reads as one sentence', async (recording, details, message) => {
    const error = await failure(fakeClient(fakeApiServer(() => recordedAnswer(recording))).get(widgets, 'x'));
    expect(error).toMatchObject(details);
    expect(error.message).toMatch(/^Cannot get widgets\.example\.com "x" in cluster "a": /);
    expect(error.message).toMatch(message);
  });

  test('names causes that the message leaves out, and no others', async () => {
    const causes = [
      { field: 'spec.size', message: 'must be positive', reason: 'FieldValueInvalid' },
      { field: 'spec.color', message: 'unknown', reason: 'FieldValueInvalid' },
    ];
    const answer = statusAnswer(422, 'Invalid', 'invalid: unknown.', { details: { causes } });
    const error = await failure(fakeClient(fakeApiServer(() => answer)).get(widgets, 'x'));
    expect(error.message).toMatch(/: invalid: unknown; spec\.size: must be positive \(422 Invalid\)$/);
  });

  test('of a proxy that answers HTML says what came instead of JSON, without quoting it', async () => {
    const body = '<html>secret</html>';
    const api = fakeApiServer(() => ({ headers: { 'content-type': 'text/html' }, body }));
    const error = await failure(fakeClient(api).get(widgets, 'x'));
    expect(error).toMatchObject({ code: 'protocol' });
    expect(error.message).toContain('is not JSON (text/html, 19 characters); is it a Kubernetes API server?');
    expect(error.message).not.toContain('secret');
  });

  test('of the connection keeps its class and cause', async () => {
    const cause = new Mk8sError('Cannot reach cluster "a" (https://fake:6443): refused.', {
      code: 'unreachable',
      retryable: true,
    });
    const error = await failure(fakeClient(fakeApiServer(() => Promise.reject(cause))).get(widgets, 'x'));
    expect(error).toMatchObject({ code: 'unreachable', retryable: true, cause });
    expect(error.message).toBe(
      'Cannot get widgets.example.com "x" in cluster "a": cannot reach cluster "a" (https://fake:6443): refused.',
    );
  });
});
