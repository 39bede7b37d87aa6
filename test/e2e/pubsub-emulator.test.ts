// Pub/Sub on Google's emulator: the sink's contract, a bridge whose connections break in the middle, and the real command.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/async/system-clock.ts';
import { createByteBudget } from '../../lib/bridge/byte-budget.ts';
import { createPublisher } from '../../lib/bridge/publisher.ts';
import { describeEventSink } from '../contract/event-sink.ts';
import { change, testStream } from '../support/changes.ts';
import { readFeed } from '../support/feed-commands.ts';
import { serveTcp } from '../support/loopback-server.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { runMk8s } from '../support/process.ts';
import { noPubsubEmulator, type PubsubEmulator, startPubsubEmulator } from '../support/pubsub-emulator.ts';
import { openSinkOn } from '../support/pubsub-sink.ts';
import { subscribeOnEmulator } from '../support/pubsub-subscriber.ts';
import { seededRandom, testSeed } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const seed = testSeed();
const skipped = noPubsubEmulator === undefined ? '' : `, skipped: ${noPubsubEmulator}`;

describe.skipIf(noPubsubEmulator !== undefined)(`Google's Pub/Sub emulator, seed ${seed}${skipped}`, () => {
  let emulator: PubsubEmulator;
  let topics = 0;
  const newTopic = (): string => `topic-${(topics += 1)}`;
  beforeAll(async () => {
    emulator = await startPubsubEmulator();
  }, 120_000);
  afterAll(() => emulator?.[Symbol.asyncDispose]());

  describeEventSink("Pub/Sub (Google's emulator)", async () => {
    const subscriber = await subscribeOnEmulator(emulator.host, newTopic());
    const sink = await openSinkOn(emulator, { target: subscriber.target });
    return {
      sink: {
        ...sink,
        // What is acknowledged is on its way to subscribers.
        async publish(batch, signal) {
          const arrived = subscriber.events.length + batch.length;
          await sink.publish(batch, signal);
          await subscriber.arrivals.until(`at ${arrived}`, () =>
            subscriber.events.length < arrived ? [`${subscriber.events.length} have come`] : [],
          );
        },
      },
      received: () => subscriber.events,
      async close() {
        await sink.close();
        await subscriber[Symbol.asyncDispose]();
      },
    };
  });

  test('promises 1, 2, 4: connections that break in the middle of batches lose nothing and reorder no object', async () => {
    const random = seededRandom(seed);
    await using subscriber = await subscribeOnEmulator(emulator.host, newTopic());
    const [hostname, port] = emulator.host.split(':');
    let connections = 0;
    // Each of the first connections breaks after some bytes, in a request or before its answer.
    await using between = await serveTcp((socket) => {
      const server = connect(Number(port), hostname);
      const most = (connections += 1) > 6 ? Number.POSITIVE_INFINITY : 50_000 + random() * 500_000;
      let bytes = 0;
      const end = (): void => {
        socket.destroy();
        server.destroy();
      };
      socket.on('data', (data) => {
        bytes += data.byteLength;
        if (bytes > most) setImmediate(end);
        server.write(data);
      });
      server.on('data', (data) => socket.write(data));
      for (const side of [socket, server]) side.on('error', end).on('close', end);
    });
    const sink = await openSinkOn({ host: `127.0.0.1:${between.port}` }, { target: subscriber.target });
    const stream = testStream();
    const store = createMemoryStore(systemClock);
    const problems: string[] = [];
    const stop = new AbortController();
    const publisher = createPublisher({
      stream,
      fence: 1,
      epoch: 1,
      ...store,
      sink,
      budget: createByteBudget(1024 * 1024),
      // The library waits a second before it connects again; more than that need not be waited for.
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 200), signal) },
      random,
      checkpoint: undefined,
      recorded: { sequence: 0 },
      onProgress: () => undefined,
      onProblem: (problem) => void (problem === undefined || problems.push(problem)),
    });
    const running = publisher.run(stop.signal).catch(() => undefined);
    const names = Array.from({ length: 50 }, (_, n) => `widget-${n}`);
    const total = 3_000;
    for (let at = 1; at <= total; at += 100) {
      const changes = Array.from({ length: 100 }, (_, n) =>
        change(names[Math.floor(random() * names.length)] ?? '', at + n, { type: 'update' }),
      );
      publisher.offer(await store.log.append(stream, { fence: 1, epoch: 1, changes }), undefined);
    }
    await publisher.drained(stop.signal);
    stop.abort(new Error('done'));
    await running;
    await sink.close();
    const { result } = subscriber.arrivals;
    await subscriber.arrivals.until('complete', () =>
      result.ids.size < total ? [`${result.ids.size} of ${total}`] : [],
    );
    expect(problems.length).toBeGreaterThan(0);
    expect(result.faults).toEqual([]);
    expect(result.ids.size).toBe(total);
    expect((await store.checkpoints.get(stream))?.published).toBe(total);
  }, 120_000);

  test('the real command publishes every change that it records', async () => {
    await using folder = await temporaryFolder();
    await using subscriber = await subscribeOnEmulator(emulator.host, newTopic());
    const flags = ['--source', 'sandbox', '--mode', 'catch-up', '--data', folder.path, '--view', 'none'];
    const env = { PUBSUB_EMULATOR_HOST: emulator.host };
    const { code, stderr } = await runMk8s(['run', ...flags, '--sink', subscriber.target], { env });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const recorded = new Set((await readFeed(folder.path)).map(({ id }) => id));
    const { result } = subscriber.arrivals;
    await subscriber.arrivals.until('complete', () =>
      result.ids.size < recorded.size ? [`${result.ids.size} of ${recorded.size}`] : [],
    );
    expect(recorded.size).toBeGreaterThan(100);
    expect(new Set(result.ids.keys())).toEqual(recorded);
    expect(result.faults).toEqual([]);
  }, 120_000);

  test('a topic that does not exist ends the real command before it begins, with the command that makes it', async () => {
    await using folder = await temporaryFolder();
    const flags = ['--source', 'sandbox', '--data', folder.path, '--sink', 'pubsub://project-1/nowhere'];
    const { code, stderr, stdout } = await runMk8s(['run', ...flags], {
      env: { PUBSUB_EMULATOR_HOST: emulator.host },
    });
    expect(stderr + stdout).toContain('Create it: gcloud pubsub topics create nowhere --project project-1');
    expect(code).toBe(1);
  }, 60_000);
});
