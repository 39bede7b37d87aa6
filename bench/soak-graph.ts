// The graph of a soak as SVG: memory of bridge and tail, the data folder, and the rate, over time; faults as thin lines.
import type { SoakRun } from './soak-report.ts';
import type { Sample } from './soak-samples.ts';

interface Line {
  readonly name: string;
  readonly color: string;
  readonly value: (sample: Sample) => number | undefined;
}

interface Panel {
  readonly title: string;
  readonly height: number;
  readonly lines: readonly Line[];
}

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 172;
const GAP = 46;

const mebibyte = 1_048_576;

const panels: readonly Panel[] = [
  {
    title: 'Memory, MiB',
    height: 260,
    lines: [
      { name: 'bridge, RSS', color: '#c2410c', value: ({ bridge }) => bridge.rss },
      { name: 'bridge, V8 heap used', color: '#f59e0b', value: ({ bridge }) => over(bridge.heap?.heapUsed) },
      { name: 'tail, RSS', color: '#1d4ed8', value: ({ tail }) => tail.rss },
      { name: 'tail, V8 heap used', color: '#60a5fa', value: ({ tail }) => over(tail.heap?.heapUsed) },
    ],
  },
  {
    title: 'Data folder, MiB',
    height: 90,
    lines: [{ name: 'data folder', color: '#15803d', value: ({ data }) => data }],
  },
];

/** Text of an SVG document. */
export function drawSoak(run: SoakRun, samples: readonly Sample[]): string {
  const rates = perSecond(samples);
  const all: readonly Panel[] = [
    ...panels,
    {
      title: 'Changes a second',
      height: 90,
      lines: [{ name: 'tailed', color: '#6d28d9', value: (sample) => rates.get(sample) }],
    },
  ];
  const end = Math.max(...samples.map(({ seconds }) => seconds), 1);
  const x = (seconds: number): number => LEFT + (seconds / end) * (WIDTH - LEFT - RIGHT);
  let top = 56;
  const parts: string[] = [];
  for (const panel of all) {
    parts.push(drawPanel(panel, samples, run, top, x));
    top += panel.height + GAP;
  }
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 240].find((minutes) => end / 60 / minutes <= 12) ?? 480;
  for (let minutes = 0; minutes * 60 <= end; minutes += step)
    parts.push(label(x(minutes * 60), top - GAP + 18, `${minutes} min`, 'middle'));
  top += 14;
  const caption =
    'Dotted lines: a history gone (410), a server restarted, connections reset, the webhook down for a minute.';
  const heading = `${(end / 3600).toFixed(1)} hours at ${run.rate} changes/s, ${run.clusters} clusters, commit ${run.commit.slice(0, 7)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" font-family="Helvetica, Arial, sans-serif">`,
    `<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="26" font-size="16" fill="#111111">${heading}</text>`,
    ...parts,
    label(LEFT, top - 12, caption, 'start'),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(panel: Panel, samples: readonly Sample[], run: SoakRun, top: number, x: (s: number) => number) {
  const { title, height, lines } = panel;
  const highest = Math.max(...lines.flatMap(({ value }) => samples.map((sample) => value(sample) ?? 0)), 1);
  const step = niceStep(highest);
  const most = Math.ceil(highest / step) * step;
  const y = (value: number): number => top + height - (value / most) * height;
  const right = WIDTH - RIGHT;
  const parts = [label(LEFT, top - 8, title, 'start')];
  for (let value = 0; value <= most; value += step) {
    parts.push(`<path d="M${LEFT} ${y(value).toFixed(1)}H${right}" stroke="#e5e7eb"/>`);
    parts.push(label(LEFT - 8, y(value) + 4, String(value), 'end'));
  }
  for (const { seconds } of run.faults)
    parts.push(`<path d="M${x(seconds).toFixed(1)} ${top}V${top + height}" stroke="#d1d5db" stroke-dasharray="2 3"/>`);
  lines.forEach(({ name, color, value }, index) => {
    const points = samples.flatMap((sample) => {
      const found = value(sample);
      return found === undefined ? [] : [`${x(sample.seconds).toFixed(1)},${y(found).toFixed(1)}`];
    });
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="1.5"/>`);
    parts.push(`<path d="M${right + 12} ${top + 10 + index * 18}h16" stroke="${color}" stroke-width="3"/>`);
    parts.push(label(right + 34, top + 14 + index * 18, name, 'start'));
  });
  return parts.join('\n');
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="11" fill="#374151" text-anchor="${anchor}">${text}</text>`;
}

function niceStep(highest: number): number {
  const rough = highest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

function perSecond(samples: readonly Sample[]): Map<Sample, number> {
  const rates = new Map<Sample, number>();
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1];
    // The first ones are the first sync.
    if (before !== undefined && index > 2)
      rates.set(sample, (sample.tailed - before.tailed) / (sample.seconds - before.seconds));
  }
  return rates;
}

function over(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / mebibyte;
}
