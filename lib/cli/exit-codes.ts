// What the exit code of a command says.
import { Mk8sError } from '../model/errors.ts';

export const exitCodes = {
  ok: 0,
  error: 1,
  usage: 2,
  noCluster: 3,
  inUse: 4,
  incomplete: 5,
} as const;

/** For --help; the README says the same. */
export const exitCodesHelp = `Exit codes:
  0    done; also when a signal ended it and everything was flushed
  1    failed, or could not flush within 8 s of a signal
  2    wrong flag, environment variable or configuration file
  3    no cluster was found or none could be reached
  4    the data folder is in use by another run
  5    a catch-up did not reach the present before its deadline
  130  a second Ctrl-C ended it at once (143: a second SIGTERM)`;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Mk8sError)) return exitCodes.error;
  if (error.code === 'config') return exitCodes.usage;
  if (error.code === 'unreachable') return exitCodes.noCluster;
  return error.code === 'fenced' ? exitCodes.inUse : exitCodes.error;
}
