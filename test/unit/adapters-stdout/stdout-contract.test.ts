import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { stdoutSink } from '../../../lib/adapters/stdout/stdout-sink.ts';
import { describeEventSink } from '../../contract/event-sink.ts';
import type { FeedEvent } from '../../support/materialise.ts';

// The reader is a process at the end of a real pipe; what it has taken it says at its end.
describeEventSink('stdout', async () => {
  const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const sink = stdoutSink(reader.stdin);
  let text = '';
  reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  let written = '';
  const write = reader.stdin.write.bind(reader.stdin);
  reader.stdin.write = ((line: string, done: (error?: Error | null) => void) =>
    write(line, (error) => {
      if (!error) written += line;
      done(error);
    })) as typeof reader.stdin.write;
  return {
    sink,
    received: () => parse(written),
    async close() {
      await sink.close();
      reader.stdin.end();
      await once(reader, 'close');
      expect(text).toBe(written);
    },
  };
});

function parse(text: string): FeedEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FeedEvent);
}
