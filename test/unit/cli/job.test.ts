import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type JobOptions, job } from '../../../lib/cli/job.ts';
import type { LogEntry } from '../../../lib/cli/log-lines.ts';
import type { RunSummary } from '../../../lib/compose.ts';
import type { Config } from '../../../lib/config/options.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { testNow } from '../../support/command-line.ts';

const summary: RunSummary = {
  exitCode: 0,
  clusters: 3,
  streams: 18,
  recorded: { add: 100, update: 15, delete: 1 },
  published: 116,
  caughtUp: 4,
  replayed: 0,
  resumed: 18,
  gaps: 1,
  maxLagMs: 2_600,
  neverCurrent: 0,
  progressed: true,
  durationMs: 192_000,
  failures: [],
};

const taken = new Mk8sError('Store "firestore://p/d" is in use by another run (here, pid 1).', { code: 'fenced' });

/** Runs a job whose attempts end as listed; time passes only where it waits. */
async function runJob(
  attempts: readonly (RunSummary | Error)[],
  { env = {}, onWait }: { env?: NodeJS.ProcessEnv; onWait?: (process: EventEmitter) => void } = {},
) {
  const log: LogEntry[] = [];
  const configs: Config[] = [];
  const process = Object.assign(new EventEmitter(), { exit: () => undefined });
  let now = testNow;
  const options: JobOptions = {
    env: { MK8S_SOURCE: 'sandbox', ...env },
    cwd: '/',
    process,
    engine: async () => ({
      startRun: (config) => {
        const end = attempts[configs.length] ?? new Error('one attempt too many');
        configs.push(config);
        const finished = end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
        return { snapshot: () => ({}) as never, finished };
      },
    }),
    openLog: () => (entry) => log.push(entry),
    now: () => now,
    async sleep(ms, signal) {
      onWait?.(process);
      signal.throwIfAborted();
      now += ms;
    },
  };
  return { exitCode: await job(options), log, configs };
}

describe('the scheduled job', () => {
  test('promise 10: ends with one line that metrics can be made from', async () => {
    const { exitCode, log } = await runJob([summary]);
    expect(exitCode).toBe(0);
    expect(log.filter(({ run }) => run !== undefined)).toHaveLength(1);
    expect(log.at(-1)).toMatchObject({
      severity: 'INFO',
      message: expect.stringMatching(/^Ran for 3m12s with 18 streams of 3 clusters\./),
      run: { exitCode: 0, clusters: 3, streams: 18, recorded: 116, published: 116, gaps: 1, maxLagSeconds: 3 },
    });
  });

  test('fails where no stream got anywhere, although nothing else went wrong', async () => {
    const { exitCode, log } = await runJob([{ ...summary, progressed: false }]);
    expect(exitCode).toBe(1);
    expect(log.at(-1)).toMatchObject({ severity: 'ERROR', run: { exitCode: 1 } });
    expect(log.at(-1)?.message).toContain('No stream reached');
  });

  test('keeps the exit code of the run', async () => {
    expect((await runJob([{ ...summary, exitCode: 5, failures: ['late'] }])).exitCode).toBe(5);
    expect((await runJob([new Mk8sError('no cluster', { code: 'unreachable' })])).exitCode).toBe(3);
  });

  test('says what is wrong with its environment, and what was meant', async () => {
    const wrong = await runJob([], { env: { MK8S_MODE: 'catchup' } });
    expect(wrong).toMatchObject({ exitCode: 2, configs: [] });
    expect(wrong.log.at(-1)?.message).toContain('MK8S_MODE');
    const { log } = await runJob([summary], { env: { MK8S_SINK: 'stdout:' } });
    expect(log[0]).toMatchObject({ severity: 'WARNING', message: expect.stringContaining('MK8S_SINKS') });
  });

  describe('beside another execution', () => {
    test('promise 6: a catch-up has nothing to do, and says so', async () => {
      const { exitCode, log } = await runJob([taken], { env: { MK8S_MODE: 'catch-up' } });
      expect(exitCode).toBe(0);
      expect(log.at(-1)).toMatchObject({ run: { busy: true } });
    });

    test('promise 6: one that follows waits until the other has ended, and then has what is left of its time', async () => {
      const { exitCode, log, configs } = await runJob([taken, taken, summary], { env: { MK8S_DEADLINE: '10s' } });
      expect(exitCode).toBe(0);
      expect(configs.map(({ deadline }) => deadline)).toEqual([10_000, 8_000, 6_000]);
      expect(log.filter(({ message }) => message.includes('Waiting to take over'))).toHaveLength(1);
    });

    test('one that never got its turn fails', async () => {
      const { exitCode } = await runJob([taken, taken, taken, taken], { env: { MK8S_DEADLINE: '6s' } });
      expect(exitCode).toBe(4);
    });

    test('ends when told to while it waits', async () => {
      const { exitCode, configs } = await runJob([taken, summary], { onWait: (process) => process.emit('SIGTERM') });
      expect(configs).toHaveLength(1);
      expect(exitCode).toBe(4);
    });
  });
});
