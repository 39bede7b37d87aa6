// What to do about a refused call of a Google API, by the command that mends it.
import type { TokenSource } from '../../ports/token-source.ts';
import type { Refusal } from './google-error.ts';

/** What a call needs. */
export interface Access {
  /** The API's short name: `container`, `gkehub`. */
  readonly api: string;
  /** The least role that allows the call, without `roles/`. */
  readonly role: string;
  readonly project: string;
}

/** A sentence without its full stop, undefined where nothing is known to help. `asker` is read when there is something to say. */
export function accessAdvice(
  { api, role, project }: Access,
  asker: Pick<TokenSource, 'principal'>,
): (refusal: Refusal) => string | undefined {
  const service = `${api}.googleapis.com`;
  return ({ status, disabled, consumer }) => {
    const { principal } = asker;
    if (disabled) return `Enable it: gcloud services enable ${service} --project ${consumer ?? project}`;
    switch (status) {
      case 401:
        return `A fresh token was refused, too. Check ${enabled(principal)}, and that the clock of this machine is right`;
      case 403:
        return `Grant it: gcloud projects add-iam-policy-binding ${project} --role roles/${role} --member ${member(principal)}`;
      case 404:
        return `Check the project id: gcloud projects describe ${project}`;
      case 429:
        return `It is asked again later. See its quota: gcloud beta quotas info list --service ${service} --project ${project}`;
      case undefined:
      default:
        return undefined;
    }
  };
}

/** For a command line: members of workload identity pools have brackets, which shells take for patterns. */
export function member(principal: string | undefined): string {
  if (principal === undefined) return 'PRINCIPAL';
  return /[^\w@.:/-]/.test(principal) ? `'${principal}'` : principal;
}

function enabled(principal: string | undefined): string {
  const account = /^serviceAccount:([^[]+@[^[]+)$/.exec(principal ?? '')?.[1];
  return account === undefined
    ? 'that the identity still exists'
    : `that the service account still exists and is enabled: gcloud iam service-accounts describe ${account}`;
}
