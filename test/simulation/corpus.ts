// Worlds in which something was once broken, each with what it was. They are kept whole, not as seeds: what a seed means
// changes with the drawing of profiles.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultNames, ratesOf } from './faults.ts';
import type { Profile } from './profile.ts';

export interface CorpusEntry {
  /** What was broken, in a sentence. */
  readonly why: string;
  readonly profile: Profile;
}

const file = join(import.meta.dirname, 'corpus.json');

/** Faults that are not named are off. */
type Kept = Omit<Profile, 'rates'> & { readonly rates: Readonly<Record<string, number>> };

export function readCorpus(): readonly CorpusEntry[] {
  const kept = JSON.parse(readFileSync(file, 'utf8')) as readonly { readonly why: string; readonly profile: Kept }[];
  return kept.map(({ why, profile }) => ({ why, profile: { ...profile, rates: ratesOf(profile.rates) } }));
}

export function keepInCorpus(entry: CorpusEntry): void {
  const all = [...readCorpus(), entry].map(({ why, profile }) => {
    const kept: Kept = { ...profile, rates: Object.fromEntries(faultNames(profile.rates)) };
    return { why, profile: kept };
  });
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
}
