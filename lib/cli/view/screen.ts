// Draws frames on a terminal without flicker: the alternate screen, only lines that changed, one write per frame.
import type { Output } from '../output.ts';

export interface Screen {
  /** Draws the frame; skipped while the terminal still has the last one to show. */
  draw(frame: string): void;
  /** Gives the terminal back as it was. Synchronous and safe to call twice, so that an exit handler can. */
  restore(): void;
}

const escape = '\u001b[';
const enter = `${escape}?1049h${escape}?25l`;
const leave = `${escape}?25h${escape}?1049l`;
// Synchronized output: terminals that know it show the frame at once; others ignore it.
const [begin, end] = [`${escape}?2026h`, `${escape}?2026l`];

export function screenOn(output: Output): Screen {
  let shown: readonly string[] = [];
  let size = '';
  let entered = false;
  const send = (text: string): void => {
    // A terminal that is gone needs no frames; the run itself goes on until its signal comes.
    void output.write(text).catch(() => {});
  };
  return {
    draw(frame) {
      if (output.isBehind()) return;
      const { width, height } = output.size();
      const lines = frame.split('\n');
      const resized = size !== `${width}x${height}`;
      const changed = lines
        .map((line, row) =>
          resized || shown[row] !== line ? `${escape}${row + 1};1H${line}${escape}0m${escape}K` : '',
        )
        .join('');
      const shorter = lines.length < shown.length ? `${escape}${lines.length + 1};1H${escape}J` : '';
      const clear = resized ? `${escape}2J` : '';
      if (changed === '' && shorter === '' && entered) return;
      send(`${entered ? '' : enter}${begin}${clear}${changed}${shorter}${end}`);
      [shown, size, entered] = [lines, `${width}x${height}`, true];
    },
    restore() {
      if (entered) send(leave);
      [shown, size, entered] = [[], '', false];
    },
  };
}
