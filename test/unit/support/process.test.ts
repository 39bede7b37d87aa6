// Waiting for a process must end in every case, else a broken command looks like a slow one.
import { expect, test } from 'vitest';
import { startProcess } from '../../support/process.ts';

test('a wait ends with what was found, as soon as it is there', async () => {
  await using running = startProcess('sh', ['-c', 'echo ready on port 4711; exec sleep 60']);
  expect(await running.waitFor('a port', ({ stdout }) => /port (\d+)/.exec(stdout)?.[1])).toBe('4711');
});

test('a wait fails with the output where the process ends first', async () => {
  await using running = startProcess('sh', ['-c', 'echo out; echo no such file >&2; exit 3']);
  const waiting = running.waitFor('a port', ({ stdout }) => stdout.includes('port'));
  await expect(waiting).rejects.toThrow(/a port of sh .* it ended \(3\)[^]*out[^]*no such file/);
});

test('a wait fails where the time is over', async () => {
  await using running = startProcess('sleep', ['60']);
  await expect(running.waitFor('a port', () => false, 1)).rejects.toThrow('1 ms passed');
});

test('a command that is not there is said, and counts as ended', async () => {
  await using running = startProcess('mk8s-no-such-command', []);
  expect((await running.exit).code).toBe(127);
  expect(running.stderr()).toContain('mk8s-no-such-command');
});

test('disposing kills', async () => {
  const running = startProcess('sleep', ['60']);
  await running[Symbol.asyncDispose]();
  expect(await running.exit).toEqual({ code: null, signal: 'SIGKILL' });
});

test('lines come one by one, and only whole ones', async () => {
  const lines: string[] = [];
  await using running = startProcess('printf', ['one\\ntwo\\n\\nhal'], { onLine: (line) => lines.push(line) });
  await running.exit;
  expect(lines).toEqual(['one', 'two', '']);
});
