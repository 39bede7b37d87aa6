import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { stdoutSink } from '../../../lib/adapters/stdout/stdout-sink.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

const never = new AbortController().signal;

test('each change is one line of JSON: a structured CloudEvent with the object as data', async () => {
  const out = new PassThrough();
  const sink = stdoutSink(out);
  await sink.publish([widgetRevision(1, 'a'), widgetRevision(2, 'a\nb', { type: 'delete' })], never);
  const lines = String(out.read()).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ specversion: '1.0', name: 'a', data: { metadata: { name: 'a' } } }),
    expect.objectContaining({ type: 'dev.knative.apiserver.resource.delete', data: { metadata: { name: 'a\nb' } } }),
  ]);
});

test('promise 7: a reader that stops reading holds the batch back', async () => {
  const taken: string[] = [];
  let go: (() => void) | undefined;
  const out = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      taken.push(chunk.toString());
      go = done;
    },
  });
  let settled = false;
  const publishing = stdoutSink(out)
    .publish([widgetRevision(1, 'a'), widgetRevision(2, 'b')], never)
    .finally(() => {
      settled = true;
    });
  expect(taken).toHaveLength(1);
  expect(out.writableLength).toBe(taken[0]?.length);
  go?.();
  while (taken.length < 2) await new Promise(setImmediate);
  expect(settled).toBe(false);
  go?.();
  await publishing;
});

test('an abort ends the wait for a slow reader with its own reason', async () => {
  const out = new Writable({ write: () => undefined });
  const stop = new AbortController();
  const publishing = stdoutSink(out).publish([widgetRevision(1, 'a')], stop.signal);
  stop.abort(new Error('stopping'));
  await expect(publishing).rejects.toThrow('stopping');
});

test('a reader that has gone is said in plain words, also for later batches, and does not crash the process', async () => {
  // Closes its end and lives on: Node knows of no reason not to write.
  const child = spawn('sh', ['-c', 'exec 0<&-; echo closed; exec sleep 60'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const sink = stdoutSink(child.stdin);
  const batch = [widgetRevision(1, 'a', { object: `{"x":"${'y'.repeat(200_000)}"}` })];
  const expected = { code: 'unreachable', retryable: false, message: expect.stringContaining('EPIPE') };
  await expect(sink.publish(batch, never)).rejects.toMatchObject(expected);
  await expect(sink.publish(batch, never)).rejects.toMatchObject(expected);
});
