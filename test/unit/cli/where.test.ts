import { describe, expect, test } from 'vitest';
import { filterOf, parseWhere } from '../../../lib/cli/tail/where.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { change, testStream } from '../../support/changes.ts';

function revisionOf(name: string, options: Parameters<typeof change>[2] = {}): Revision {
  return { ...change(name, 5, options), stream: testStream(), epoch: 1, sequence: 1, position: 1, previous: 0 };
}

function passes(where: string, revision = revisionOf('a'), clusterName = 'prod'): boolean {
  const filter = filterOf(parseWhere([where]), () => clusterName);
  return filter.wants(revision.stream) && filter.accepts(revision);
}

describe('--where', () => {
  test.each([
    ['', true],
    ['cluster=c-1', true],
    ['cluster=prod', true],
    ['cluster=other', false],
    ['cluster!=prod', false],
    ['cluster!=other', true],
    ['resource=widgets.example.com', true],
    ['resource=widgets', false],
    ['resource=*.example.com', true],
    ['group=example.com', true],
    ['kind=Widget', true],
    ['namespace=ns', true],
    ['namespace=', false],
    ['name=a|b', true],
    ['name!=a|b', false],
    ['type=update', true],
    ['type!=update|delete', false],
    ['origin=watch', true],
    ['type=update,name=zzz', false],
    [' type = update , name = a ', true],
    ['name==a', true],
  ])('%s', (where, expected) => {
    expect(passes(where)).toBe(expected);
  });

  test('cluster-scoped objects have the empty namespace', () => {
    expect(passes('namespace=', revisionOf('a', { namespace: '' }))).toBe(true);
  });

  test('a pattern is no regular expression', () => {
    expect(passes('name=a.c', revisionOf('abc'))).toBe(false);
    expect(passes('name=a.*', revisionOf('abc'))).toBe(false);
  });

  test('conditions on streams are asked without reading a revision', () => {
    const filter = filterOf(parseWhere(['resource=gadgets.example.com']), () => undefined);
    expect(filter.wants(testStream('widgets'))).toBe(false);
    expect(filter.wants(testStream('gadgets'))).toBe(true);
  });

  test.each([
    ['colour=red', 'unknown key "colour"; the keys are cluster'],
    ['resorce=x', 'unknown key "resorce"; did you mean "resource"?'],
    ['type=deleted', 'type must be one of add, update, delete, not "deleted"'],
    ['origin=list', 'origin must be one of watch, snapshot, relist, replay, not "list"'],
    ['delete', '"delete" is not KEY=VALUE'],
  ])('%s is refused with what is wrong', (where, expected) => {
    expect(() => parseWhere([where])).toThrow(expected);
  });
});
