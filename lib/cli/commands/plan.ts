// `mk8s plan`: what following the fleet would amount to, before anything is followed: streams, turns, freshness, requests.
import type { PlannedRun, WayPlan } from '../../compose.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { parseSimulation } from '../simulation.ts';
import { columns } from '../text/columns.ts';
import { count, span } from '../text/numbers.ts';
import { printable } from '../text/width.ts';

export interface PlanFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly simulate?: string;
}

/** Exits with 0 where there is something to plan for, else with 3. That it does not fit is a warning. */
export async function plan(flags: PlanFlags, invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout, stderr } = invocation;
  const simulation = flags.simulate === undefined ? undefined : parseSimulation(flags.simulate, config.shard.count);
  const planned = await engine.planRun(config, { env, signal, report: () => {} }, simulation);
  const isEmpty = planned.clusters.length === 0;
  if (!isEmpty || flags.output !== 'table') {
    await stdout.write(await formatted(planned, flags.output, simulation === undefined));
  }
  const warnings = [...planned.problems.map(({ message }) => message), ...planned.warnings];
  for (const message of warnings) await stderr.write(`Warning: ${printable(message)}\n`);
  if (!isEmpty) return exitCodes.ok;
  await stderr.write(
    'No cluster could be planned for. See mk8s clusters for what is found, name files by --kubeconfig, or try --simulate clusters=1000,resources=40.\n',
  );
  return exitCodes.noCluster;
}

async function formatted(planned: PlannedRun, output: PlanFlags['output'], isReal: boolean): Promise<string> {
  const { ways, clusters, warnings } = planned;
  switch (output) {
    case 'json':
      return `${JSON.stringify({ ways, clusters, warnings }, undefined, 2)}\n`;
    case 'yaml':
      return (await import('yaml')).stringify({ ways, clusters, warnings });
    case 'table':
      return `${columns(wayHeadings, ways.map(wayRow))}${isReal ? `\n${clusterTable(planned)}` : ''}`;
  }
}

const wayHeadings = [
  'WAY',
  'CLUSTERS',
  'STREAMS',
  'PER TASK',
  'OPEN',
  'WATCH',
  'TURN EVERY',
  'LAG',
  'CATCH-UP',
  'REQUESTS/MIN',
  'FITS',
];

function wayRow(way: WayPlan): string[] {
  const { name, clusters, streams, shards, limits, open, watchSeconds, turnSeconds, catchUpSeconds } = way;
  const [least, most] = [Math.min(...shards), Math.max(...shards)];
  const { least: shortest, most: longest } = watchSeconds;
  const requests = count(Math.ceil(way.requestsPerMinute));
  return [
    name,
    count(clusters),
    count(streams),
    least === most ? count(most) : `${count(least)}-${count(most)}`,
    limits === undefined ? count(open) : `${count(open)} of ${count(limits.streams)}`,
    shortest === longest ? time(shortest) : `${time(shortest)}-${time(longest)}`,
    turnSeconds === undefined ? '-' : time(turnSeconds),
    lag(way.lagSeconds),
    time(catchUpSeconds),
    limits === undefined ? requests : `${requests} of ${count(limits.requestsPerMinute)}`,
    way.fits ? 'yes' : 'no',
  ];
}

function clusterTable({ clusters }: PlannedRun): string {
  const rows = clusters.map(({ name, way, resources, streams, lagSeconds }) => [
    name,
    way,
    count(resources),
    count(streams),
    lag(lagSeconds),
  ]);
  return columns(['CLUSTER', 'WAY', 'RESOURCES', 'STREAMS', 'LAG'], rows);
}

/** On average, and at most. */
function lag({ mean, most }: WayPlan['lagSeconds']): string {
  return most === 0 ? 'none' : `${time(mean)}, at most ${time(most)}`;
}

/** Whole seconds, rounded up. */
function time(seconds: number): string {
  return span(Math.ceil(seconds) * 1000);
}
