import { expect, test } from 'vitest';
import { type Screen, screenOn } from '../../../lib/cli/view/screen.ts';
import { recordedOutput } from '../../support/command-line.ts';

/** Draws on a fake terminal and gives what each step wrote. */
function drawing(size = { width: 80, height: 24 }, isBehind = (): boolean => false) {
  const output = recordedOutput({ isTerminal: true });
  const screen = screenOn({ ...output, size: () => size, isBehind });
  let seen = 0;
  return (act: (screen: Screen) => void): string => {
    act(screen);
    const written = output.text().slice(seen);
    seen += written.length;
    return written;
  };
}

test('the first frame enters the alternate screen and hides the cursor; restoring undoes both', () => {
  const step = drawing();
  const first = step((screen) => screen.draw('a'));
  expect(first).toContain('\u001b[?1049h');
  expect(first).toContain('\u001b[?25l');
  const last = step((screen) => screen.restore());
  expect(last).toContain('\u001b[?25h');
  expect(last).toContain('\u001b[?1049l');
  expect(step((screen) => screen.restore())).toBe('');
});

test('only lines that changed are written', () => {
  const step = drawing();
  step((screen) => screen.draw('one\ntwo\nthree'));
  const next = step((screen) => screen.draw('one\nTWO\nthree'));
  expect(next).toContain('\u001b[2;1HTWO');
  expect(next).not.toContain('one');
  expect(step((screen) => screen.draw('one\nTWO\nthree'))).toBe('');
});

test('what a shorter frame leaves below is cleared', () => {
  const step = drawing();
  step((screen) => screen.draw('one\ntwo\nthree'));
  expect(step((screen) => screen.draw('one'))).toContain('\u001b[2;1H\u001b[J');
});

test('after a resize everything is drawn anew', () => {
  const size = { width: 80, height: 24 };
  const step = drawing(size);
  step((screen) => screen.draw('one\ntwo'));
  size.width = 60;
  const next = step((screen) => screen.draw('one\ntwo'));
  expect(next).toContain('\u001b[2J');
  expect(next).toContain('one');
  expect(next).toContain('two');
});

test('a terminal that has not taken the last frame gets no new one', () => {
  let behind = false;
  const step = drawing(undefined, () => behind);
  step((screen) => screen.draw('one'));
  behind = true;
  expect(step((screen) => screen.draw('two'))).toBe('');
  behind = false;
  expect(step((screen) => screen.draw('three'))).toContain('three');
});
