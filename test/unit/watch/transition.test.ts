// The watch's transition function as a table: every state × every input, the next state written out. The types make the
// compiler fail where a kind of state or of input has no row or column.
import { describe, expect, test } from 'vitest';
import { compareResourceVersions, resourceVersion } from '../../../lib/model/resource-version.ts';
import {
  type ActiveState,
  initialState,
  type Memory,
  type WaitReason,
  type WatchInput,
  type WatchState,
} from '../../../lib/watch/state.ts';
import { transition } from '../../../lib/watch/transition.ts';
import { pick, seededRandom, testSeed } from '../../support/seeded-random.ts';

const rv = resourceVersion;
const memory: Memory = { epoch: 3, failures: 2, streamingLists: true, renewed: false };
const settled: Memory = { ...memory, failures: 0 };
const failed: Memory = { ...memory, failures: 3 };
const unfitted: Memory = { ...memory, streamingLists: false };

type Bare<S = ActiveState> = S extends ActiveState ? Omit<S, 'memory'> : never;

const probing = { kind: 'probing', resourceVersion: rv('50') } as const satisfies Bare;
const streaming = { kind: 'streaming', reason: 'gap' } as const satisfies Bare;
const firstPage = { kind: 'paging', reason: 'gap', continueToken: '', consistent: true } as const satisfies Bare;
const laterPage = { ...firstPage, continueToken: 'c1', first: rv('40') } as const satisfies Bare;
const mixedPage = { ...laterPage, consistent: false } as const satisfies Bare;
const watching = { kind: 'watching', resourceVersion: rv('50') } as const satisfies Bare;

const states = {
  probing: { ...probing, memory },
  streaming: { ...streaming, memory },
  'paging, first page': { ...firstPage, memory },
  'paging, later page': { ...laterPage, memory },
  'paging, not one snapshot': { ...mixedPage, memory },
  watching: { ...watching, memory },
  waiting: { kind: 'waiting', why: 'backoff', problem: 'before', next: { ...watching, memory } },
  ended: { kind: 'ended' },
} as const satisfies Record<string, WatchState>;
type StateName = keyof typeof states;

const status = (code: number, more: Partial<WatchInput & { kind: 'status' }> = {}): WatchInput => ({
  kind: 'status',
  code,
  reason: 'Why',
  message: 'because',
  ...more,
});

const inputs = {
  objects: { kind: 'objects', resourceVersion: rv('60') },
  'older objects': { kind: 'objects', resourceVersion: rv('45') },
  bookmark: { kind: 'bookmark', resourceVersion: rv('60') },
  'the same bookmark': { kind: 'bookmark', resourceVersion: rv('50') },
  'older bookmark': { kind: 'bookmark', resourceVersion: rv('45') },
  listed: { kind: 'listed', resourceVersion: rv('60') },
  'page, more to come': { kind: 'page', resourceVersion: rv('60'), continueToken: 'c2' },
  'last page': { kind: 'page', resourceVersion: rv('60'), continueToken: '' },
  'proof: same': { kind: 'proof', verdict: 'same', resourceVersion: rv('48') },
  'proof: restored': { kind: 'proof', verdict: 'restored', resourceVersion: rv('50') },
  'proof: unproven': { kind: 'proof', verdict: 'unproven', resourceVersion: rv('50') },
  'clean end': { kind: 'ended', productive: true },
  'clean end at once': { kind: 'ended', productive: false },
  broken: { kind: 'broken', problem: 'reset' },
  'broken for good': { kind: 'broken', problem: 'reset', denied: true },
  unfit: { kind: 'unfit' },
  lapsed: { kind: 'lapsed' },
  elapsed: { kind: 'elapsed' },
  removed: { kind: 'removed' },
  '401': status(401),
  // The same, in a state that has renewed its credentials already.
  '401 again': status(401),
  '403': status(403),
  '404': status(404),
  '410': status(410),
  '410 with a fresh continue token': status(410, { continueToken: 'fresh' }),
  '422': status(422),
  '429': status(429),
  '429 with Retry-After': status(429, { retryAfterMs: 7_000 }),
  '500': status(500),
  '503 with Retry-After': status(503, { retryAfterMs: 9_000 }),
  '504': status(504),
} as const satisfies Record<string, WatchInput>;
type InputName = keyof typeof inputs;

// A kind that is missing above is missing here, and the other way round.
const kindsOfStates: Record<WatchState['kind'], StateName> = {
  probing: 'probing',
  streaming: 'streaming',
  paging: 'paging, first page',
  watching: 'watching',
  waiting: 'waiting',
  ended: 'ended',
};
const kindsOfInputs: Record<WatchInput['kind'], InputName> = {
  objects: 'objects',
  bookmark: 'bookmark',
  listed: 'listed',
  page: 'last page',
  proof: 'proof: same',
  status: '500',
  ended: 'clean end',
  broken: 'broken',
  unfit: 'unfit',
  lapsed: 'lapsed',
  elapsed: 'elapsed',
  removed: 'removed',
};

const same = 'same';
const ended: WatchState = { kind: 'ended' };
const go = (bare: Bare, remembered: Memory = memory): WatchState => ({ ...bare, memory: remembered });
const wait = (why: WaitReason, next: Bare, retryAfterMs?: number): WatchState => ({
  kind: 'waiting',
  why,
  problem: 'PROBLEM',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  next: { ...next, memory: failed } as ActiveState,
});
const renewed: Memory = { ...memory, renewed: true };
const restored: Memory = { ...memory, epoch: 4 };

/** What each paging state does alike. */
const paging = (page: Bare): Omit<Record<InputName, WatchState | typeof same>, PagesOwn> => ({
  objects: same,
  'older objects': same,
  bookmark: same,
  'the same bookmark': same,
  'older bookmark': same,
  listed: same,
  'proof: same': same,
  'proof: restored': same,
  'proof: unproven': same,
  'clean end': same,
  'clean end at once': same,
  broken: wait('backoff', page),
  'broken for good': wait('denied', page),
  unfit: same,
  elapsed: same,
  removed: ended,
  '401': go(page, renewed),
  '401 again': wait('denied', page),
  '403': wait('denied', page),
  '404': wait('absent', page),
  '422': wait('denied', page),
  '429': wait('throttled', page),
  '429 with Retry-After': wait('throttled', page, 7_000),
  '500': wait('backoff', page),
  '503 with Retry-After': wait('throttled', page, 9_000),
  '504': wait('backoff', page),
});
type PagesOwn = 'lapsed' | 'page, more to come' | 'last page' | '410' | '410 with a fresh continue token';

const table: Record<StateName, Record<InputName, WatchState | typeof same>> = {
  probing: {
    objects: same,
    'older objects': same,
    bookmark: same,
    'the same bookmark': same,
    'older bookmark': same,
    listed: same,
    'page, more to come': same,
    'last page': same,
    // From the change that was told again: what came between it and our position is told once more.
    'proof: same': go({ kind: 'watching', resourceVersion: rv('48') }),
    'proof: restored': go({ kind: 'streaming', reason: 'restored' }, restored),
    'proof: unproven': go({ kind: 'streaming', reason: 'unproven' }),
    'clean end': same,
    'clean end at once': same,
    broken: wait('backoff', probing),
    'broken for good': wait('denied', probing),
    unfit: same,
    lapsed: same,
    elapsed: same,
    removed: ended,
    '401': go(probing, renewed),
    '401 again': wait('denied', probing),
    '403': wait('denied', probing),
    '404': wait('absent', probing),
    '410': wait('backoff', probing),
    '410 with a fresh continue token': wait('backoff', probing),
    '422': wait('denied', probing),
    '429': wait('throttled', probing),
    '429 with Retry-After': wait('throttled', probing, 7_000),
    '500': wait('backoff', probing),
    '503 with Retry-After': wait('throttled', probing, 9_000),
    '504': wait('backoff', probing),
  },
  streaming: {
    objects: same,
    'older objects': same,
    bookmark: same,
    'the same bookmark': same,
    'older bookmark': same,
    listed: go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    'page, more to come': same,
    'last page': same,
    'proof: same': same,
    'proof: restored': same,
    'proof: unproven': same,
    'clean end': go(firstPage, unfitted),
    'clean end at once': go(firstPage, unfitted),
    broken: wait('backoff', streaming),
    'broken for good': wait('denied', streaming),
    unfit: go(firstPage, unfitted),
    lapsed: same,
    elapsed: same,
    removed: ended,
    '401': go(streaming, renewed),
    '401 again': wait('denied', streaming),
    '403': wait('denied', streaming),
    '404': wait('absent', streaming),
    '410': wait('backoff', streaming),
    '410 with a fresh continue token': wait('backoff', streaming),
    '422': go(firstPage, unfitted),
    '429': wait('throttled', streaming),
    '429 with Retry-After': wait('throttled', streaming, 7_000),
    '500': wait('backoff', streaming),
    '503 with Retry-After': wait('throttled', streaming, 9_000),
    '504': wait('backoff', streaming),
  },
  'paging, first page': {
    ...paging(firstPage),
    lapsed: same,
    'page, more to come': go({ ...firstPage, continueToken: 'c2', first: rv('60') }, settled),
    'last page': go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    '410': wait('backoff', streaming),
    '410 with a fresh continue token': wait('backoff', streaming),
  },
  'paging, later page': {
    ...paging(laterPage),
    lapsed: go(streaming),
    'page, more to come': go({ ...laterPage, continueToken: 'c2' }, settled),
    'last page': go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    '410': wait('backoff', streaming),
    '410 with a fresh continue token': go({ ...mixedPage, continueToken: 'fresh' }),
  },
  'paging, not one snapshot': {
    ...paging(mixedPage),
    lapsed: go(streaming),
    'page, more to come': go({ ...mixedPage, continueToken: 'c2' }, settled),
    // Not the last page's 60: what changed between the pages is told by a watch from the first page's.
    'last page': go({ kind: 'watching', resourceVersion: rv('40') }, settled),
    '410': wait('backoff', streaming),
    '410 with a fresh continue token': go({ ...mixedPage, continueToken: 'fresh' }),
  },
  watching: {
    objects: go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    'older objects': go({ kind: 'streaming', reason: 'unproven' }),
    bookmark: go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    'the same bookmark': go(watching, settled),
    'older bookmark': go({ kind: 'streaming', reason: 'unproven' }),
    listed: go({ kind: 'watching', resourceVersion: rv('60') }, settled),
    'page, more to come': same,
    'last page': same,
    'proof: same': same,
    'proof: restored': same,
    'proof: unproven': same,
    'clean end': go(watching, settled),
    'clean end at once': wait('backoff', watching),
    broken: wait('backoff', probing),
    'broken for good': wait('denied', probing),
    unfit: same,
    lapsed: go(probing),
    elapsed: same,
    removed: ended,
    '401': go(watching, renewed),
    '401 again': wait('denied', watching),
    '403': wait('denied', watching),
    '404': wait('absent', watching),
    '410': go(streaming),
    '410 with a fresh continue token': go(streaming),
    '422': wait('denied', watching),
    '429': wait('throttled', watching),
    '429 with Retry-After': wait('throttled', watching, 7_000),
    '500': wait('backoff', probing),
    '503 with Retry-After': wait('throttled', probing, 9_000),
    '504': wait('backoff', probing),
  },
  waiting: {
    objects: same,
    'older objects': same,
    bookmark: same,
    'the same bookmark': same,
    'older bookmark': same,
    listed: same,
    'page, more to come': same,
    'last page': same,
    'proof: same': same,
    'proof: restored': same,
    'proof: unproven': same,
    'clean end': same,
    'clean end at once': same,
    broken: same,
    'broken for good': same,
    unfit: same,
    lapsed: same,
    elapsed: go(watching),
    removed: ended,
    '401': same,
    '401 again': same,
    '403': same,
    '404': same,
    '410': same,
    '410 with a fresh continue token': same,
    '422': same,
    '429': same,
    '429 with Retry-After': same,
    '500': same,
    '503 with Retry-After': same,
    '504': same,
  },
  ended: Object.fromEntries(Object.keys(inputs).map((name) => [name, ended])) as Record<InputName, WatchState>,
};

const names = <T extends object>(of: T): (keyof T)[] => Object.keys(of) as (keyof T)[];

describe.each(names(states))('in the state %s', (stateName) => {
  test.each(names(inputs))('the input %s leads to the next state of the table', (inputName) => {
    const before: WatchState = states[stateName];
    const state = inputName === '401 again' && 'memory' in before ? { ...before, memory: renewed } : before;
    const expected = table[stateName][inputName];
    const next = transition(state, inputs[inputName]);
    const told = next.kind === 'waiting' && next !== state ? { ...next, problem: 'PROBLEM' } : next;
    expect(told).toEqual(expected === same ? state : expected);
  });
});

describe('the transition', () => {
  test('has a row for every kind of state and a column for every kind of input', () => {
    for (const [kind, name] of Object.entries(kindsOfStates)) expect(states[name].kind).toBe(kind);
    for (const [kind, name] of Object.entries(kindsOfInputs)) expect(inputs[name].kind).toBe(kind);
  });

  test('says what was wrong while it waits', () => {
    expect(transition(states.watching, status(503))).toMatchObject({ problem: '503 Why: because' });
    expect(transition(states.watching, inputs.broken)).toMatchObject({ problem: 'reset' });
  });

  test('promise 10: waits a bounded time where a server asks for one without end, and says so', () => {
    for (const code of [429, 503]) {
      expect(transition(states.watching, status(code, { retryAfterMs: 1e12 }))).toMatchObject({
        why: 'throttled',
        retryAfterMs: 300_000,
        problem: `${code} Why: because (Retry-After asks for 1000000000 s; trying again after 300 s)`,
      });
    }
  });

  test('pages where the server is known not to stream lists', () => {
    expect(transition({ ...watching, memory: unfitted }, status(410))).toEqual({ ...firstPage, memory: unfitted });
    const next = { kind: 'paging', reason: 'restored', continueToken: '', consistent: true };
    const remembered = { ...unfitted, epoch: 4 };
    expect(transition({ ...probing, memory: unfitted }, inputs['proof: restored'])).toEqual({
      ...next,
      memory: remembered,
    });
  });

  test('asks for smaller pages where one took too long, of one object at least, and as usual where the server was away', () => {
    const later: ActiveState = { ...laterPage, memory: unfitted };
    const slow: WatchInput = { kind: 'lapsed', slowPage: true };
    expect(transition(later, slow)).toEqual({ ...firstPage, limit: 125, memory: unfitted });
    expect(transition({ ...later, limit: 3 }, slow)).toMatchObject({ continueToken: '', limit: 1 });
    expect(transition(later, inputs.lapsed)).toEqual({ ...firstPage, memory: unfitted });
    expect(transition({ ...firstPage, memory: unfitted }, slow)).toEqual({ ...firstPage, memory: unfitted });
  });

  test('forgets a renewed credential once something succeeded, so that the next 401 renews again', () => {
    const after = [
      transition({ ...watching, memory: renewed }, inputs.objects),
      transition({ ...watching, memory: renewed }, inputs['clean end']),
      transition({ ...streaming, memory: renewed }, inputs.listed),
      transition({ ...laterPage, memory: renewed }, inputs['page, more to come']),
      transition({ ...probing, memory: renewed }, inputs['proof: same']),
    ];
    for (const state of after) expect(state).toMatchObject({ memory: { renewed: false } });
  });

  test('starts by a streaming list, and resumes by a proof that the resourceVersion still means the same', () => {
    const fresh = { epoch: 1, failures: 0, streamingLists: true, renewed: false };
    expect(initialState({ epoch: 0 })).toEqual({ kind: 'streaming', reason: 'first', memory: fresh });
    expect(initialState({ epoch: 4, resourceVersion: rv('9') })).toEqual({
      kind: 'probing',
      resourceVersion: '9',
      memory: { ...fresh, epoch: 4 },
    });
  });
});

describe('over random inputs', () => {
  const seed = testSeed();
  const MOVERS = new Set<WatchInput['kind']>(['objects', 'bookmark', 'listed', 'page']);

  function* walk(random: () => number): Generator<{ before: WatchState; input: WatchInput; after: WatchState }> {
    let state: WatchState = initialState(random() < 0.5 ? { epoch: 0 } : { epoch: 2, resourceVersion: rv('50') });
    const usual = names(inputs).filter((name) => name !== 'removed');
    for (let step = 0; step < 60; step += 1) {
      const chosen: WatchInput = random() < 0.005 ? inputs.removed : inputs[pick(random, usual)];
      const some = chosen.kind === 'proof' ? (position(state) ?? '50') : String(30 + Math.floor(random() * 60));
      const moved = 'resourceVersion' in chosen ? { resourceVersion: rv(some) } : {};
      const input = { ...chosen, ...moved };
      const after = transition(state, input);
      yield { before: state, input, after };
      state = after;
    }
  }

  const active = (state: WatchState): ActiveState | undefined =>
    state.kind === 'ended' ? undefined : state.kind === 'waiting' ? state.next : state;
  const position = (state: WatchState): string | undefined => {
    const now = active(state);
    return now !== undefined && 'resourceVersion' in now ? now.resourceVersion : undefined;
  };

  function everyStep(check: (step: { before: WatchState; input: WatchInput; after: WatchState }) => void): void {
    const random = seededRandom(seed);
    for (let run = 0; run < 300; run += 1) {
      for (const step of walk(random)) {
        try {
          check(step);
        } catch (error) {
          throw new Error(`TEST_SEED=${seed}: ${JSON.stringify(step)}`, { cause: error });
        }
      }
    }
  }

  test('promise 1: the resourceVersion moves only by what was fully processed, and only forward', () => {
    everyStep(({ before, input, after }) => {
      const [from, to] = [position(before), position(after)];
      if (to === undefined || from === to) return;
      expect(MOVERS).toContain(input.kind);
      if (from !== undefined) expect(compareResourceVersions(rv(to), rv(from))).toBeGreaterThan(0);
    });
  });

  test('promise 1: during a streaming list nothing moves but its end mark', () => {
    everyStep(({ before, input, after }) => {
      if (before.kind !== 'streaming' || after.kind !== 'watching') return;
      expect(input.kind).toBe('listed');
    });
  });

  test('promise 10: the epoch never goes back, and a new one begins only where the cluster was restored', () => {
    everyStep(({ before, input, after }) => {
      const [from, to] = [active(before)?.memory.epoch, active(after)?.memory.epoch];
      if (from === undefined || to === undefined) return;
      const restores = before.kind === 'probing' && input.kind === 'proof' && input.verdict === 'restored';
      expect(to).toBe(restores ? from + 1 : from);
    });
  });

  test('the end is final, and comes only where the resource is gone', () => {
    everyStep(({ before, input, after }) => {
      if (before.kind === 'ended') expect(after.kind).toBe('ended');
      else expect(after.kind === 'ended').toBe(input.kind === 'removed');
    });
  });

  test('failures count up with every wait and start again at zero with progress', () => {
    everyStep(({ before, input, after }) => {
      const [from, to] = [active(before)?.memory.failures, active(after)?.memory.failures];
      if (from === undefined || to === undefined) return;
      const waits = after.kind === 'waiting' && before.kind !== 'waiting';
      expect([from, 0, from + 1]).toContain(to);
      if (to === from + 1) expect(waits).toBe(true);
      if (waits) expect(to).toBe(from + 1);
      if (before.kind === 'watching' && after.kind === 'watching' && MOVERS.has(input.kind) && input.kind !== 'page') {
        expect(to).toBe(0);
      }
    });
  });
});
