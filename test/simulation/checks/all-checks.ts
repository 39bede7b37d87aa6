// One check a promise, or a part of one.
import type { Model } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import { catchingUp } from './catching-up.ts';
import { checkpoints } from './checkpoints.ts';
import { ids } from './ids.ts';
import { isolation } from './isolation.ts';
import { memory } from './memory.ts';
import { nothingLost } from './nothing-lost.ts';
import { oneOwner } from './one-owner.ts';
import { order } from './order.ts';
import { readable } from './readable.ts';
import { secrets } from './secrets.ts';
import { visible } from './visible.ts';

export function allChecks(model: Model): readonly Check[] {
  return [
    nothingLost,
    order,
    readable,
    checkpoints,
    ids,
    oneOwner,
    memory,
    isolation,
    secrets,
    visible,
    catchingUp,
  ].map((create) => create(model));
}
