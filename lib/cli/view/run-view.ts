// Drives the view of a run on a terminal: redraws about four times a second until it is closed.

import type { RunHandle } from '../../compose.ts';
import type { ReportEntry } from '../../ports/reporter.ts';
import type { Output } from '../output.ts';
import { printable } from '../text/width.ts';
import { sampleOf, sampleWindow } from './rates.ts';
import { renderRun } from './render-run.ts';
import { screenOn } from './screen.ts';
import { withName } from './troubles.ts';

export interface RunViewOptions {
  readonly output: Output;
  readonly color: boolean;
  /** The data folder as the user would type it. */
  readonly data: string;
  /** The user did not ask for the sandbox, should it run. */
  readonly isFallback: boolean;
  readonly now: () => number;
  /** Where an exit handler can be hung: `process`. */
  readonly process: {
    prependListener(event: 'exit', listener: () => void): unknown;
    off(event: 'exit', listener: () => void): unknown;
  };
}

export interface RunView {
  /** Shows warnings and errors below the streams for a while. */
  readonly report: (entry: ReportEntry) => void;
  start(run: RunHandle): void;
  /** Gives the terminal back. */
  close(): void;
}

// Fast enough to look alive, slow enough to cost nothing.
const frameMs = 250;
const messageMs = 60_000;
const messagesKept = 4;

export function runView({ output, color, data, isFallback, now, process }: RunViewOptions): RunView {
  const screen = screenOn(output);
  const samples = sampleWindow();
  let messages: { readonly at: number; readonly text: string }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let draw = (): void => {};
  const redraw = (): void => draw();
  const restore = (): void => screen.restore();
  const stopListening = output.onResize(redraw);
  process.prependListener('exit', restore);
  return {
    report({ severity, message, cluster }) {
      if (severity !== 'WARNING' && severity !== 'ERROR') return;
      const text = printable(withName(cluster ?? '', message));
      messages = [...messages.filter((other) => other.text !== text), { at: now(), text }].slice(-messagesKept);
    },
    start(run) {
      draw = () => {
        const snapshot = run.snapshot();
        const at = now();
        samples.add(sampleOf(snapshot, at));
        messages = messages.filter((message) => at - message.at < messageMs);
        const texts = messages.map(({ text }) => text);
        screen.draw(
          renderRun(snapshot, samples.before(), {
            ...output.size(),
            now: at,
            color,
            data,
            isFallback,
            messages: texts,
          }),
        );
      };
      draw();
      timer = setInterval(redraw, frameMs);
    },
    close() {
      clearInterval(timer);
      stopListening();
      process.off('exit', restore);
      screen.restore();
    },
  };
}
