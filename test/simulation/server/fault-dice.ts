// Whether a fault strikes now: each has dice of its own, so that switching one off leaves all others as they were.
import type { Dice } from '../random.ts';
import type { ServerFault, ServerFaultRates } from './fault-rates.ts';

export interface FaultDice {
  /** The fault's own dice where it strikes (and is counted), else undefined. */
  readonly strikes: <Area extends keyof ServerFaultRates>(area: Area, fault: ServerFault<Area>) => Dice | undefined;
  /** No fault strikes any more. */
  calm(): void;
}

export type Count = (what: string) => void;

export function createFaultDice(dice: Dice, rates: ServerFaultRates, count: Count): FaultDice {
  const own = new Map<string, Dice>();
  let calm = false;
  return {
    strikes(area, fault) {
      const rate = (rates[area] as Readonly<Record<string, number>>)[fault] ?? 0;
      if (rate === 0 || calm) return undefined;
      const name = `${area}.${fault}`;
      let die = own.get(name);
      if (die === undefined) own.set(name, (die = dice.fork(name)));
      if (!die.chance(rate)) return undefined;
      count(name);
      return die;
    },
    calm() {
      calm = true;
    },
  };
}
