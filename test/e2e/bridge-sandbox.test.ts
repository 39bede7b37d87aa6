// The end-to-end cases on two sandbox clusters, which answer streaming lists as today's servers do.
import { sandboxPair } from '../support/sandbox-pair.ts';
import { describeBridge } from './bridge-suite.ts';

describeBridge('the bridge on the sandbox', sandboxPair);
