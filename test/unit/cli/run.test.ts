import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../../lib/cli/engine.ts';
import { logTo } from '../../../lib/cli/log-lines.ts';
import { summarySentences } from '../../../lib/cli/run-summary.ts';
import type { RunSnapshot, RunSummary } from '../../../lib/compose.ts';
import { recordedOutput, runCommand, streamStatus, testNow } from '../../support/command-line.ts';

const summary: RunSummary = {
  exitCode: 0,
  clusters: 3,
  streams: 18,
  recorded: { add: 100, update: 15, delete: 1 },
  published: 116,
  caughtUp: 0,
  replayed: 0,
  resumed: 0,
  gaps: 0,
  maxLagMs: 0,
  neverCurrent: 0,
  progressed: true,
  durationMs: 192_000,
  failures: [],
};
const snapshot: RunSnapshot = {
  phase: 'running',
  sandbox: false,
  startedAt: testNow,
  clusters: [],
  streams: [streamStatus('widgets', 'prod')],
  problems: [],
  recorded: 1,
  published: 1,
  caughtUp: 0,
};

/** A run that ends when its signal aborts, or at once. */
function engine(ends: 'at once' | 'when told', result = summary): Pick<Engine, 'startRun'> {
  return {
    startRun: (_, { signal }) => ({
      snapshot: () => snapshot,
      finished:
        ends === 'at once'
          ? Promise.resolve(result)
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve(result), { once: true })),
    }),
  };
}

describe('mk8s run', () => {
  test('on a terminal it draws, gives the terminal back, and ends with a summary', async () => {
    const stdout = recordedOutput({ isTerminal: true });
    const { code } = await runCommand('run', { engine: engine('at once'), stdout });
    const [drawn = '', after = ''] = stdout.text().split('\u001b[?25h\u001b[?1049l');
    expect(drawn).toContain('widgets.example.com');
    expect(after).toBe(`${summarySentences(summary).join('\n')}\n`);
    expect(code).toBe(0);
  });

  test('the first Ctrl-C lets it end in order; its exit code is the summary’s', async () => {
    const signals = new EventEmitter();
    const ended = runCommand('run --view none', { engine: engine('when told', { ...summary, exitCode: 5 }), signals });
    while (signals.listenerCount('SIGINT') === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    signals.emit('SIGINT');
    expect((await ended).code).toBe(5);
  });

  test('--view none says only what failed', async () => {
    const failures = ['Cannot reach any cluster: connection refused.'];
    const result = await runCommand('run --view none', {
      engine: engine('at once', { ...summary, exitCode: 3, failures }),
    });
    expect(result).toEqual({ code: 3, stdout: '', stderr: `${failures[0]}\n` });
  });
});

describe('the summary', () => {
  test('says in sentences how long, how much, and of what kind', () => {
    expect(summarySentences(summary)).toEqual([
      'Ran for 3m12s with 18 streams of 3 clusters.',
      'Recorded 116 changes: 100 objects added, 15 objects updated, 1 object deleted.',
    ]);
  });

  test('a second start says how many changes it caught up with, and what it published first', () => {
    const sentences = summarySentences({
      ...summary,
      caughtUp: 42,
      resumed: 18,
      replayed: 3,
      published: 119,
      failures: ['It broke'],
    });
    expect(sentences[1]).toBe('18 streams resumed where an earlier run had come, without listing.');
    expect(sentences.slice(3)).toEqual([
      '42 changes of these had happened before this run and were caught up with.',
      'Published 119 changes.',
      '3 changes that an earlier run had recorded were published first.',
      'It broke.',
    ]);
  });

  test('of many failures the first few are told, and how many more there are', () => {
    const failures = Array.from({ length: 20 }, (_, i) => `Stream ${i} failed`);
    const sentences = summarySentences({ ...summary, failures }).slice(2);
    expect(sentences).toHaveLength(9);
    expect([sentences[0], sentences[8]]).toEqual(['Stream 0 failed.', '12 more failures: see mk8s status.']);
  });

  test('a run that had nothing to do says so', () => {
    const idle = { ...summary, recorded: { add: 0, update: 0, delete: 0 }, published: 0 };
    expect(summarySentences(idle)[1]).toBe('Recorded no change.');
  });
});

describe('log lines', () => {
  function logged(level: Parameters<typeof logTo>[1] = 'info') {
    const lines: string[] = [];
    const log = logTo({ write: (line) => void lines.push(line) }, level);
    return { log, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  }

  test('have the field names of Cloud Logging and nothing else', () => {
    const { log, parsed } = logged();
    log({ severity: 'WARNING', message: 'relisting', cluster: 'prod', resource: 'a.b', details: { status: 410 } });
    expect(parsed()).toEqual([
      {
        severity: 'WARNING',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        'logging.googleapis.com/labels': { cluster: 'prod', resource: 'a.b' },
        details: { status: 410 },
        message: 'relisting',
      },
    ]);
  });

  test.each([
    ['debug', 4],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
  ] as const)('level %s lets %d severities through', (level, number) => {
    const { log, parsed } = logged(level);
    for (const severity of ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const) log({ severity, message: 'x' });
    expect(parsed()).toHaveLength(number);
  });
});
