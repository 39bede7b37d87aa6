// Whether a fault strikes now. Each has dice of its own, so that switching one off leaves all others as they were.
import type { Counters } from './counters.ts';
import type { FaultRates } from './faults.ts';
import type { Dice } from './random.ts';

type Area = keyof FaultRates;

export interface Faults {
  /** True where it strikes; then it is counted. */
  strikes<A extends Area>(area: A, fault: keyof FaultRates[A] & string): boolean;
  /** Its rate now: 0 once all is calm. */
  rate<A extends Area>(area: A, fault: keyof FaultRates[A] & string): number;
  /** The fault's dice, for how it strikes. */
  dice<A extends Area>(area: A, fault: keyof FaultRates[A] & string): Dice;
  /** Counts a fault that was decided elsewhere. */
  fired<A extends Area>(area: A, fault: keyof FaultRates[A] & string): void;
  /** From now on no fault strikes. */
  calm(): void;
  readonly isCalm: boolean;
}

export function createFaults(dice: Dice, rates: FaultRates, counters: Counters): Faults {
  const own = new Map<string, Dice>();
  let calm = false;

  const rate = <A extends Area>(area: A, fault: keyof FaultRates[A] & string): number =>
    calm ? 0 : ((rates[area] as Readonly<Record<string, number>>)[fault] ?? 0);

  function diceOf(name: string): Dice {
    let die = own.get(name);
    if (die === undefined) own.set(name, (die = dice.fork(name)));
    return die;
  }

  return {
    rate,
    dice: (area, fault) => diceOf(`${area}.${fault}`),
    fired: (area, fault) => counters.count(`${area}.${fault}`),
    strikes(area, fault) {
      const name = `${area}.${fault}`;
      const chance = rate(area, fault);
      if (chance === 0) return false;
      if (!diceOf(name).chance(chance)) return false;
      counters.count(name);
      return true;
    },
    calm() {
      calm = true;
    },
    get isCalm() {
      return calm;
    },
  };
}
