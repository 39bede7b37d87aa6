// The sandbox's watches over real sockets: what clients have to live through, and that it is what they were told.
import { connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { openWatch } from '../unit/sandbox/open-watch.ts';
import { createWidget, defineWidgets, definition, definitions, path, until, widget } from '../unit/sandbox/widgets.ts';

const watchList = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({
    historyLimit: 200,
    futureTimeout: 50,
    bookmarkInterval: 60,
    progressInterval: 20,
    timings: { crdChanged: 30 },
  });
  await defineWidgets(sandbox.client);
});
afterEach(() => sandbox.stop());

const current = (): number => sandbox.client.resourceVersion;
const request = async (target: string, method = 'GET', body?: unknown) => {
  await using client = clusterClient(sandbox);
  return await client.request(method, target, body);
};

describe('a watch', () => {
  test('continues from a resourceVersion and sees each change once', async () => {
    const from = current();
    createWidget(sandbox, 'one');
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } });
    sandbox.client.patch(widget('one'), { spec: { size: 2 } });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED' });
    sandbox.client.patch(widget('one'), { spec: { size: 2 } });
    sandbox.client.delete(widget('one'));
    const deleted = await watch.next();
    expect(deleted).toMatchObject({ type: 'DELETED', object: { metadata: { resourceVersion: String(current()) } } });
    watch.close();
  });

  test('gets bookmarks only where it asked for them, when the store has moved on', async () => {
    createWidget(sandbox, 'one');
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${current()}&allowWatchBookmarks=true`);
    sandbox.client.create(
      { group: '', plural: 'namespaces' },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } },
    );
    expect(await watch.next()).toEqual({
      type: 'BOOKMARK',
      object: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { resourceVersion: String(current()) } },
    });
    watch.close();
  });

  test('that comes after a compaction is told 410 in the stream, and a page of a list by its status', async () => {
    for (const name of ['one', 'two', 'three']) createWidget(sandbox, name);
    const from = current() - 1;
    const first = JSON.parse((await request(`${path}?limit=1`)).text) as { metadata: { continue: string } };
    createWidget(sandbox, 'four');
    sandbox.control.compact();
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    expect(watch.status).toBe(200);
    expect(await watch.rest()).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
    expect(await watch.end).toBe('clean');
    const second = await request(`${path}?limit=1&continue=${first.metadata.continue}`);
    expect(second.status).toBe(410);
    const token = (JSON.parse(second.text) as { metadata: { continue: string } }).metadata.continue;
    const rest = await request(`${path}?limit=10&continue=${token}`);
    const { items } = JSON.parse(rest.text) as { items: { metadata: { name: string } }[] };
    // In key order, after the first page's `one`; `four`, which came later, is before it.
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['three', 'two']);
  });

  test('ends cleanly when the definition changes, and cannot be resumed from before; a label does not end it', async () => {
    const from = current();
    createWidget(sandbox, 'one');
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    await watch.next();
    sandbox.client.patch({ ...definitions, name: 'widgets.example.com' }, { metadata: { labels: { a: 'b' } } });
    createWidget(sandbox, 'two');
    await watch.next();
    sandbox.client.patch({ ...definitions, name: 'widgets.example.com' }, { spec: { names: { shortNames: ['wd'] } } });
    createWidget(sandbox, 'three');
    expect(await watch.rest()).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'three' } } }]);
    expect(await watch.end).toBe('clean');
    const again = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    expect(await again.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  test('sees every object go with its definition, then a clean end, then 404 in plain text', async () => {
    createWidget(sandbox, 'one');
    createWidget(sandbox, 'two');
    const from = current();
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    sandbox.client.delete({ ...definitions, name: 'widgets.example.com' });
    const events = await watch.rest();
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['DELETED', 'one'],
      ['DELETED', 'two'],
    ]);
    expect(await watch.end).toBe('clean');
    expect(await request(path)).toEqual({ status: 404, text: '404 page not found\n' });
    await defineWidgets(sandbox.client);
    const again = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    expect(await again.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  test('by a reader that stops reading is cut off once history has passed it, and costs no memory till then', async () => {
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${current()}`);
    watch.pause();
    const note = 'x'.repeat(40_000);
    for (let index = 0; index < 400; index++) {
      createWidget(sandbox, `w-${index}`, { note });
      if (index % 20 === 0) await new Promise(setImmediate);
    }
    watch.resume();
    const events = await watch.rest();
    expect(events.length).toBeLessThan(400);
    expect(await watch.end).toBe('clean');
  });

  test('of the future is silent; as a streaming list it is told so', async () => {
    const silent = await openWatch(
      sandbox,
      `${path}?watch=true&resourceVersion=99999&timeoutSeconds=1&allowWatchBookmarks=true`,
    );
    createWidget(sandbox, 'one');
    expect(await silent.rest()).toEqual([]);
    const list = await openWatch(sandbox, `${path}?${watchList}&resourceVersion=99999`);
    expect(await list.rest()).toMatchObject([{ type: 'ERROR', object: { code: 504, reason: 'Timeout' } }]);
  });

  test('works over HTTP/2 as over HTTP/1.1', async () => {
    createWidget(sandbox, 'one');
    const session = connect(sandbox.url, { ca: sandbox.ca });
    const stream = session.request({
      ':path': `${path}?${watchList}&timeoutSeconds=1`,
      authorization: `Bearer ${sandbox.token}`,
    });
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    session.close();
    expect(
      text
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line).type),
    ).toEqual(['ADDED', 'BOOKMARK']);
  });
});

describe('a server that misbehaves on request', () => {
  test('resets connections', async () => {
    const watch = await openWatch(sandbox, `${path}?${watchList}`);
    await watch.next();
    sandbox.control.drop();
    expect(await watch.end).toBe('broken');
    expect((await request('/version')).status).toBe(200);
  });

  test('breaks off in the middle of a line', async () => {
    const watch = await openWatch(sandbox, `${path}?${watchList}`);
    await watch.next();
    sandbox.control.truncate();
    createWidget(sandbox, 'one');
    expect(await watch.end).toBe('broken');
    expect(watch.remainder()).toMatch(/^\{"type":"ADDED"/);
  });

  test('hangs: nothing comes until it resumes', async () => {
    const watch = await openWatch(sandbox, `${path}?${watchList}`);
    await watch.next();
    sandbox.control.hang();
    createWidget(sandbox, 'one');
    const answer = request('/version');
    const winner = await Promise.race([answer.then(() => 'answered'), watch.next().then(() => 'event'), silence()]);
    expect(winner).toBe('silence');
    sandbox.control.resume();
    expect((await answer).status).toBe(200);
    watch.close();
  });

  test('goes down and comes back: refused, then 429 for watches and 500 for readyz, and no history', async () => {
    createWidget(sandbox, 'one');
    const from = current() - 1;
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${current()}`);
    const back = sandbox.control.restart({ down: 30, initializing: 100_000 });
    expect(await watch.end).toBe('broken');
    await expect(request('/version')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    await back;
    expect((await request('/readyz')).status).toBe(500);
    expect((await request(path)).status).toBe(200);
    const early = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${current()}`);
    expect([early.status, early.headers['retry-after']]).toEqual([429, '1']);
    sandbox.control.reset();
    const late = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${from}`);
    expect(await late.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  test('goes back in time as a restored etcd does: the identity stays, newer watches are silent', async () => {
    createWidget(sandbox, 'one');
    const backup = sandbox.control.snapshot();
    createWidget(sandbox, 'two');
    sandbox.client.create(definitions, { ...definition, metadata: { name: 'gadgets.example.com' }, spec: gadgets });
    await until(() => sandbox.client.serves('example.com', 'gadgets'));
    const newest = current();
    sandbox.control.rewind(backup);
    expect(current()).toBe(backup.revision);
    expect(sandbox.client.list(widget('')).map(({ metadata }) => metadata.name)).toEqual(['one']);
    expect((await request('/apis/example.com/v1/gadgets')).status).toBe(404);
    const identity = JSON.parse((await request('/api/v1/namespaces/kube-system')).text) as {
      metadata: { uid: string };
    };
    expect(identity.metadata.uid).toBe(sandbox.uid);
    const watch = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${newest}&timeoutSeconds=1`);
    createWidget(sandbox, 'three');
    expect(await watch.rest()).toEqual([]);
    const now = await openWatch(sandbox, `${path}?watch=true&resourceVersion=${backup.revision}`);
    expect(await now.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'three' } } });
    now.close();
  });

  test.each([
    ['off', 422],
    ['old', 422],
    ['ignore', 200],
    ['on', 200],
  ] as const)('takes a streaming list with WatchList %s by %i', async (mode, status) => {
    createWidget(sandbox, 'one');
    sandbox.control.watchList(mode);
    const watch = await openWatch(sandbox, `${path}?${watchList}&timeoutSeconds=1`);
    expect(watch.status).toBe(status);
    const marked = (await watch.end.then(() => (status === 200 ? watch.rest() : []))).some(
      ({ object }) => object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
    );
    expect(marked).toBe(mode === 'on');
  });

  test('fails requests as told: 429 with Retry-After, 500, and 401 for a revoked token', async () => {
    sandbox.control.fail({ code: 429, retryAfter: 7, path: '/widgets' });
    sandbox.control.fail({ code: 500, times: 2, path: '/widgets' });
    const refused = await openWatch(sandbox, `${path}?watch=true`);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '7']);
    const statuses = [await request(path), await request(path), await request(path)].map(({ status }) => status);
    expect(statuses).toEqual([500, 500, 200]);
    sandbox.control.revoke(sandbox.token);
    expect((await request(path)).status).toBe(401);
  });

  test('takes the same orders over HTTP from the admin, and from nobody else', async () => {
    expect((await request('/_sandbox/compact', 'POST', {})).status).toBe(200);
    expect((await request('/_sandbox/nonsense', 'POST', {})).text).toContain('there are drop, hang');
    await using stranger = clusterClient({ ...sandbox, token: '' });
    expect((await stranger.request('POST', '/_sandbox/drop', {})).status).toBe(403);
  });
});

const gadgets = {
  group: 'example.com',
  scope: 'Cluster',
  names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget' },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
};

/** Long enough for an answer to have come if one were coming: what is awaited has been on its way since before. */
async function silence(): Promise<string> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  return 'silence';
}
