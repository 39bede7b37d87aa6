// Colours by meaning, not by name; none where they are not wanted.

export type Tone = 'plain' | 'bold' | 'dim' | 'good' | 'busy' | 'bad';

const codes: Readonly<Record<Exclude<Tone, 'plain'>, string>> = {
  bold: '1',
  dim: '2',
  good: '32',
  busy: '33',
  bad: '31',
};

export type Paint = (tone: Tone, text: string) => string;

export function painter(color: boolean): Paint {
  return (tone, text) => (!color || tone === 'plain' || text === '' ? text : `\u001b[${codes[tone]}m${text}\u001b[0m`);
}

/** True where colours are wanted: a terminal that has them, and no NO_COLOR (https://no-color.org). */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
