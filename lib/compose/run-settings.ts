// What the stages want to know of a configuration.
import type { Config } from '../config/options.ts';
import { type RedactionRule, secretsRule } from '../history/redact.ts';
import { resourcePattern } from '../plan/resource-pattern.ts';
import type { Wanted } from '../plan/streams.ts';
import type { RetentionPolicy } from '../ports/retention.ts';
import { defaultWatchPolicy, type WatchPolicy } from '../watch/watch-context.ts';

/** A quiet watch of a catch-up, seconds: servers send a bookmark about 2 s before its end. */
const CATCH_UP_SECONDS = 15;

export function wantedOf(config: Config): Wanted {
  const { resources, excludeResources, namespaces, labelSelector, shard } = config;
  return { resources, excludeResources, namespaces, shard, ...(labelSelector === undefined ? {} : { labelSelector }) };
}

/** The configured rules, and always the one for core Secrets. */
export function redactionRules(config: Config): readonly RedactionRule[] {
  const configured = config.redact.map(({ resources, fields }): RedactionRule => {
    const patterns = resources.map(resourcePattern);
    return { fields, matches: (resource) => patterns.some((matches) => matches(resource)) };
  });
  return [secretsRule, ...configured];
}

export function watchPolicy({ mode }: Config): WatchPolicy {
  return mode === 'follow' ? defaultWatchPolicy : { ...defaultWatchPolicy, timeoutSeconds: () => CATCH_UP_SECONDS };
}

/** Undefined where everything is kept. */
export function retentionPolicy({ retention: { age, revisions } }: Config): RetentionPolicy | undefined {
  if (age === undefined && revisions === undefined) return undefined;
  return {
    ...(age === undefined ? {} : { maxAgeMs: age }),
    ...(revisions === undefined ? {} : { maxRevisionsPerObject: revisions }),
  };
}
