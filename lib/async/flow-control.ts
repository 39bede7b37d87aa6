// At most so many messages and bytes on their way at once, first come first served.

export interface Load {
  readonly messages: number;
  readonly bytes: number;
}

export interface FlowControl {
  /**
   * Waits until `load` fits beside what is on its way, and returns the function that gives its room back (safe to call
   * twice). What is larger than the limit goes alone. Rejects with the signal's reason.
   */
  acquire(load: Load, signal: AbortSignal): Promise<() => void>;
}

export function createFlowControl(limit: Load): FlowControl {
  let outstanding: Load = { messages: 0, bytes: 0 };
  const waiting: { readonly load: Load; readonly enter: () => void }[] = [];

  function fits({ messages, bytes }: Load): boolean {
    if (outstanding.messages === 0) return true;
    return outstanding.messages + messages <= limit.messages && outstanding.bytes + bytes <= limit.bytes;
  }

  function take({ messages, bytes }: Load): () => void {
    outstanding = { messages: outstanding.messages + messages, bytes: outstanding.bytes + bytes };
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      outstanding = { messages: outstanding.messages - messages, bytes: outstanding.bytes - bytes };
      letIn();
    };
  }

  function letIn(): void {
    for (let next = waiting[0]; next !== undefined && fits(next.load); next = waiting[0]) {
      waiting.shift();
      next.enter();
    }
  }

  async function acquire(load: Load, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    // Who comes later does not overtake: a large one would wait for ever.
    if (waiting.length === 0 && fits(load)) return take(load);
    return await new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(take(load));
      };
      const entry = { load, enter };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
        letIn();
      };
      waiting.push(entry);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  return { acquire };
}
