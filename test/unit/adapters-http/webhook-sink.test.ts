import { describe, expect, test } from 'vitest';
import { type WebhookOptions, webhookSink } from '../../../lib/adapters/http/webhook-sink.ts';
import { systemClock } from '../../../lib/async/system-clock.ts';
import type { EventSink } from '../../../lib/ports/event-sink.ts';
import { serveTcp } from '../../support/loopback-server.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { memoryDeadLetters } from '../../support/memory-tables.ts';
import { widgetRevision } from '../../support/sink-revision.ts';
import { type Answering, eventOf, startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';

const never = new AbortController().signal;

function open(url: string, options: Partial<WebhookOptions> = {}): EventSink & AsyncDisposable {
  const sink = webhookSink({ url, deadLetters: memoryDeadLetters(), clock: systemClock, ...options });
  return { ...sink, [Symbol.asyncDispose]: () => sink.close() };
}

function answerWith(status: number, headers: Record<string, string> = {}): Answering {
  return (_, response) => void response.writeHead(status, headers).end();
}

/** Names of the objects in the order in which their changes arrived, with the resourceVersion. */
function arrivals({ requests }: WebhookReceiver, name: string): unknown[] {
  return requests
    .filter(({ headers }) => headers['ce-name'] === name)
    .map(({ headers }) => headers['ce-resourceversion']);
}

describe('a change at a webhook', () => {
  test('is a POST in binary mode whose body is the bytes of the object, as they are', async () => {
    await using receiver = await startWebhookReceiver();
    await using sink = open(`${receiver.url}/hook?key=k1`, { headers: { 'X-Team': 'a' } });
    const object = '{ "metadata":{"name":"é"},\u2028"n":1.0,"\\\\":"\\u003c" }';
    await sink.publish([widgetRevision(1, 'é', { object })], never);
    const [request] = receiver.requests;
    expect(request?.method).toBe('POST');
    expect(request?.path).toBe('/hook?key=k1');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(request?.headers['ce-name']).toBe('%C3%A9');
    expect(request?.headers['x-team']).toBe('a');
    expect(request?.body.toString('utf8')).toBe(object);
  });

  test('carries the credentials of the URL as basic authentication and not in the path', async () => {
    await using receiver = await startWebhookReceiver();
    const url = `${receiver.url.replace('http://', 'http://us%40er:p%3Aw@')}/hook`;
    await using sink = open(url, { headers: { 'x-other': '1' } });
    await sink.publish([widgetRevision(1, 'a')], never);
    expect(receiver.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
  });

  test('goes over a connection that is kept for the next one', async () => {
    await using receiver = await startWebhookReceiver();
    await using sink = open(receiver.url);
    for (const sequence of [1, 2, 3]) await sink.publish([widgetRevision(sequence, 'a')], never);
    expect(receiver.requests.map(({ connection }) => connection)).toEqual([1, 1, 1]);
  });
});

describe('order and concurrency at a webhook', () => {
  test('promise 2: changes of one object arrive one after the other, in order, while other objects overtake them', async () => {
    const held = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    let seen = 0;
    await using receiver = await startWebhookReceiver(async ({ headers }, response) => {
      if (headers['ce-name'] === 'slow') await held.promise;
      else if (++seen === 3) others.resolve();
      response.writeHead(200).end();
    });
    await using sink = open(receiver.url, { concurrency: 4 });
    const publishing = sink.publish(
      [
        widgetRevision(1, 'slow'),
        widgetRevision(2, 'slow'),
        widgetRevision(3, 'b'),
        widgetRevision(4, 'c'),
        widgetRevision(5, 'slow'),
        widgetRevision(6, 'b'),
      ],
      never,
    );
    await others.promise;
    expect(arrivals(receiver, 'slow')).toEqual(['101']);
    expect(arrivals(receiver, 'b')).toEqual(['103', '106']);
    held.resolve();
    await publishing;
    expect(arrivals(receiver, 'slow')).toEqual(['101', '102', '105']);
  });

  test('never opens more requests than its concurrency, over all batches together', async () => {
    const waiting: (() => void)[] = [];
    const full = Promise.withResolvers<void>();
    await using receiver = await startWebhookReceiver(async (_, response) => {
      if (waiting.length < 3) {
        const gate = Promise.withResolvers<void>();
        waiting.push(gate.resolve);
        if (waiting.length === 3) full.resolve();
        await gate.promise;
      }
      response.writeHead(200).end();
    });
    await using sink = open(receiver.url, { concurrency: 3 });
    const batch = (first: number) => Array.from({ length: 5 }, (_, n) => widgetRevision(first + n, `o-${first + n}`));
    const publishing = Promise.all([sink.publish(batch(1), never), sink.publish(batch(10), never)]);
    await full.promise;
    for (const go of waiting) go();
    await publishing;
    expect(receiver.requests).toHaveLength(10);
    expect(receiver.busiest()).toBe(3);
  });

  test('promise 2: after a failure what is under way is waited for and nothing else is sent', async () => {
    const failing = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    await using receiver = await startWebhookReceiver(async ({ headers }, response) => {
      if (headers['ce-name'] === 'bad') {
        await failing.promise;
        response.writeHead(503).end();
        return;
      }
      failing.resolve();
      await held.promise;
      response.writeHead(200).end();
    });
    await using sink = open(receiver.url, { concurrency: 2 });
    let settled = false;
    const publishing = sink
      .publish(
        [widgetRevision(1, 'bad'), widgetRevision(2, 'good'), widgetRevision(3, 'good'), widgetRevision(4, 'late')],
        never,
      )
      .catch((error: unknown) => error)
      .finally(() => {
        settled = true;
      });
    await failing.promise;
    // By the time that another exchange is over, so is the failed one.
    await fetch(receiver.url, { method: 'POST', headers: { 'ce-name': 'bad' } });
    expect(settled).toBe(false);
    held.resolve();
    expect(await publishing).toMatchObject({ code: 'http', status: 503, retryable: true });
    expect(arrivals(receiver, 'good')).toEqual(['102']);
    expect(arrivals(receiver, 'late')).toEqual([]);
  });
});

describe('a batch that failed', () => {
  test('goes on where it failed when it comes again, so that a webhook with a limited rate sees its end', async () => {
    let budget = 0;
    await using receiver = await startWebhookReceiver((_, response) => {
      budget -= 1;
      response.writeHead(budget < 0 ? 429 : 200).end();
    });
    await using sink = open(receiver.url, { concurrency: 1 });
    const batch = Array.from({ length: 25 }, (_, n) => widgetRevision(n + 1, `o-${n % 3}`));
    let attempts = 0;
    for (let done = false; !done && attempts < 10; attempts += 1) {
      budget = 10;
      done = await sink.publish(batch, never).then(
        () => true,
        () => false,
      );
    }
    expect(attempts).toBe(3);
    // Once it is through, the same batch is a new one: a restarted bridge repeats what was not checkpointed.
    budget = 100;
    const before = receiver.requests.length;
    await sink.publish(batch, never);
    expect(receiver.requests.length - before).toBe(25);
  });

  test('does not stand for another stream: the same sequence numbers there are other changes', async () => {
    let status = 200;
    await using receiver = await startWebhookReceiver(({ headers }, response) => {
      response.writeHead(headers['ce-name'] === 'b' ? status : 200).end();
    });
    await using sink = open(receiver.url, { concurrency: 1 });
    const here = [widgetRevision(1, 'a'), widgetRevision(2, 'b')];
    const there = here.map((revision) => ({ ...revision, stream: { ...revision.stream, plural: 'others' } }));
    status = 500;
    await expect(sink.publish(here, never)).rejects.toThrow('500');
    status = 200;
    await sink.publish(there, never);
    await sink.publish(here, never);
    expect(receiver.requests.map(eventOf).map(({ resource, name }) => `${resource} ${name}`)).toEqual([
      'widgets.example.com a',
      'widgets.example.com b',
      'others.example.com a',
      'others.example.com b',
      'widgets.example.com b',
    ]);
  });
});

describe('what a webhook answers', () => {
  test.each([408, 425, 429, 500, 502, 503, 504])('%i fails the batch for another attempt', async (status) => {
    await using receiver = await startWebhookReceiver(answerWith(status, { 'retry-after': '7' }));
    await using sink = open(receiver.url);
    await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
      code: 'http',
      status,
      retryable: true,
      retryAfterMs: 7000,
    });
  });

  test.each([0, 101, 999])('%i, which is no end of a request, fails the batch for another attempt', async (status) => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () =>
        socket.end(`HTTP/1.1 ${String(status).padStart(3, '0')} x\r\nConnection: close\r\n\r\n`),
      );
    });
    await using sink = open(server.url.href);
    await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({ retryable: true });
  });

  test.each([401, 407])(
    '%i refuses our credentials, not the change: it blocks, and nothing is a dead letter',
    async (status) => {
      await using receiver = await startWebhookReceiver(answerWith(status));
      const deadLetters = memoryDeadLetters();
      await using sink = open(receiver.url, { deadLetters });
      await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
        code: 'credentials',
        status,
        retryable: false,
      });
      expect(await deadLetters.count()).toBe(0);
    },
  );

  test.each([400, 403, 404, 410, 413, 422])(
    '%i stores a dead letter and goes on with the next change',
    async (status) => {
      await using receiver = await startWebhookReceiver(({ headers }, response) => {
        response.writeHead(headers['ce-resourceversion'] === '101' ? status : 202).end();
      });
      const deadLetters = memoryDeadLetters();
      const clock = createManualClock(42);
      await using sink = open(`${receiver.url}/hook?key=k1`, { deadLetters, clock });
      await sink.publish([widgetRevision(1, 'a'), widgetRevision(2, 'a')], never);
      expect(arrivals(receiver, 'a')).toEqual(['101', '102']);
      expect(await deadLetters.list(9)).toEqual([
        {
          sink: `${receiver.url}/hook`,
          stream: 'c-1/widgets.example.com',
          sequence: 1,
          id: receiver.requests[0]?.headers['ce-id'],
          reason: `answered ${status}`,
          at: 42,
        },
      ]);
    },
  );

  test.each([301, 302, 304, 307, 308])(
    '%i is a mistake of configuration: redirects are not followed',
    async (status) => {
      await using receiver = await startWebhookReceiver(answerWith(status, { location: '/elsewhere' }));
      await using sink = open(receiver.url);
      await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
        code: 'config',
        retryable: false,
      });
      expect(receiver.requests.map(({ path }) => path)).toEqual(['/']);
    },
  );

  test('a long answer does not fill the memory and counts by its status', async () => {
    await using receiver = await startWebhookReceiver((_, response) => {
      response.writeHead(200);
      response.on('error', () => undefined);
      const fill = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', fill);
      fill();
    });
    await using sink = open(receiver.url);
    await sink.publish([widgetRevision(1, 'a')], never);
  });
});

describe('a webhook that does not answer', () => {
  test('refused connections fail the batch for another attempt', async () => {
    const gone = await startWebhookReceiver();
    await gone[Symbol.asyncDispose]();
    await using sink = open(gone.url);
    await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('a connection that ends within the answer fails the batch for another attempt', async () => {
    await using receiver = await startWebhookReceiver((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    await using sink = open(receiver.url);
    await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
  });

  test('an answer that switches protocols fails the batch for another attempt, and is not waited for', async () => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'));
    });
    // No time limit is ever over by this clock.
    await using sink = open(server.url.href, { clock: createManualClock() });
    await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
  });

  test('silence ends at the time limit', async () => {
    const asked = Promise.withResolvers<void>();
    await using receiver = await startWebhookReceiver(() => asked.resolve());
    const clock = createManualClock();
    await using sink = open(receiver.url, { clock, timeoutMs: 5000 });
    const publishing = expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
      message: expect.stringContaining('5000 ms'),
    });
    await asked.promise;
    clock.advance(5000);
    await publishing;
  });

  test('an abort ends the wait at once with its own reason', async () => {
    const asked = Promise.withResolvers<void>();
    await using receiver = await startWebhookReceiver(() => asked.resolve());
    await using sink = open(receiver.url, { concurrency: 1 });
    const stop = new AbortController();
    const reason = new Error('stopping');
    const publishing = sink.publish([widgetRevision(1, 'a'), widgetRevision(2, 'b')], stop.signal);
    await asked.promise;
    stop.abort(reason);
    await expect(publishing).rejects.toBe(reason);
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('promise 9: what is secret about a webhook', () => {
  test('appears neither in its name, nor in errors, nor in dead letters', async () => {
    const secrets = ['s3cretuser', 's3cretpass', 's3cretkey', 's3crettoken'];
    const texts: string[] = [];
    for (const status of [302, 404, 503]) {
      await using receiver = await startWebhookReceiver(answerWith(status));
      const deadLetters = memoryDeadLetters();
      const url = `${receiver.url.replace('http://', 'http://s3cretuser:s3cretpass@')}/hook?key=s3cretkey`;
      await using sink = open(url, { deadLetters, headers: { authorization: 'Bearer s3crettoken' } });
      const thrown = await sink.publish([widgetRevision(1, 'a')], never).catch((error: unknown) => error);
      texts.push(sink.name, String(thrown), JSON.stringify(await deadLetters.list(9)));
      expect(receiver.requests[0]?.headers.authorization).toBe('Bearer s3crettoken');
    }
    await using refused = open('http://s3cretuser:s3cretpass@127.0.0.1:1/hook?key=s3cretkey');
    texts.push(String(await refused.publish([widgetRevision(1, 'a')], never).catch((error: unknown) => error)));
    for (const url of ['ftp://s3cretuser:s3cretpass@host/', 'https://s3cretuser:%zz@host', 's3crettoken']) {
      texts.push(messageOfThrown(() => open(url)));
    }
    texts.push(messageOfThrown(() => open('https://host/', { headers: { authorization: 's3cret\ntoken' } })));
    expect(texts).toHaveLength(14);
    expect(texts.join('\n')).toContain('/hook');
    for (const secret of [...secrets, 's3cret']) expect(texts.join('\n')).not.toContain(secret);
  });
});

function messageOfThrown(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String(error);
  }
  throw new Error('nothing was thrown');
}
