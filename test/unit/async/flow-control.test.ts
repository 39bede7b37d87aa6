import { describe, expect, test } from 'vitest';
import { createFlowControl } from '../../../lib/async/flow-control.ts';

const never = new AbortController().signal;

/** Whether it has been let in by now. */
async function entered(place: Promise<unknown>): Promise<boolean> {
  const late = Symbol('late');
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return (await Promise.race([place, Promise.resolve(late)])) !== late;
}

describe('flow control', () => {
  test('lets in what fits by messages and by bytes, and the next when room is given back', async () => {
    const flow = createFlowControl({ messages: 3, bytes: 100 });
    const giveBack = await flow.acquire({ messages: 2, bytes: 10 }, never);
    const many = flow.acquire({ messages: 2, bytes: 10 }, never);
    expect(await entered(many)).toBe(false);
    giveBack();
    const giveManyBack = await many;
    const large = flow.acquire({ messages: 1, bytes: 91 }, never);
    expect(await entered(large)).toBe(false);
    giveManyBack();
    expect(await entered(large)).toBe(true);
  });

  test('lets in what is larger than the limit when nothing else is on its way, and nothing beside it', async () => {
    const flow = createFlowControl({ messages: 3, bytes: 100 });
    const small = await flow.acquire({ messages: 1, bytes: 1 }, never);
    const huge = flow.acquire({ messages: 1, bytes: 1_000 }, never);
    const later = flow.acquire({ messages: 1, bytes: 1 }, never);
    expect(await entered(huge)).toBe(false);
    expect(await entered(later)).toBe(false);
    small();
    const giveBack = await huge;
    expect(await entered(later)).toBe(false);
    giveBack();
    expect(await entered(later)).toBe(true);
  });

  test('counts room once that is given back twice', async () => {
    const flow = createFlowControl({ messages: 1, bytes: 100 });
    const first = await flow.acquire({ messages: 1, bytes: 1 }, never);
    first();
    first();
    await flow.acquire({ messages: 1, bytes: 1 }, never);
    expect(await entered(flow.acquire({ messages: 1, bytes: 1 }, never))).toBe(false);
  });

  test('stops waiting with the reason of the signal, and makes way for those behind', async () => {
    const flow = createFlowControl({ messages: 2, bytes: 100 });
    await flow.acquire({ messages: 1, bytes: 1 }, never);
    const stop = new AbortController();
    const large = flow.acquire({ messages: 2, bytes: 1 }, stop.signal);
    const small = flow.acquire({ messages: 1, bytes: 1 }, never);
    expect(await entered(small)).toBe(false);
    const reason = new Error('stopping');
    stop.abort(reason);
    await expect(large).rejects.toBe(reason);
    expect(await entered(small)).toBe(true);
    await expect(flow.acquire({ messages: 1, bytes: 1 }, stop.signal)).rejects.toBe(reason);
  });
});
