// What is wrong with a Terraform module, as sentences; nothing where it is right.
import type { Definition, TerraformModule } from './terraform-module.ts';

/** Resource type, or the beginning of it → the API that it is made through. The longest that fits counts. */
const apiOf: Readonly<Record<string, string>> = {
  google_artifact_registry_: 'artifactregistry',
  google_cloud_run_v2_: 'run',
  google_cloud_scheduler_: 'cloudscheduler',
  google_firestore_: 'firestore',
  google_logging_: 'logging',
  google_monitoring_: 'monitoring',
  google_project: 'cloudresourcemanager',
  google_project_iam_custom_role: 'iam',
  google_project_service: 'serviceusage',
  google_pubsub_: 'pubsub',
  google_secret_manager_: 'secretmanager',
  google_service_account: 'iam',
  google_storage_: 'storage',
};

export function undefinedReferences({ definitions }: TerraformModule): string[] {
  const known = new Set(definitions.map(({ address }) => address));
  return definitions.flatMap(({ address, refersTo }) =>
    refersTo.filter((to) => !known.has(to)).map((to) => `${address} refers to ${to}, which is not defined`),
  );
}

export function unusedDefinitions({ definitions }: TerraformModule): string[] {
  // A variable's validation refers to the variable: that is no use of it.
  const used = new Set(definitions.flatMap(({ address, refersTo }) => refersTo.filter((to) => to !== address)));
  return definitions
    .filter(({ address }) => /^(?:var|local|data)\./.test(address) && !used.has(address))
    .map(({ address }) => `${address} is not used`);
}

export function undescribed({ definitions }: TerraformModule): string[] {
  return definitions.flatMap(({ address, body }) => {
    const wanted = address.startsWith('var.')
      ? ['description', 'type']
      : address.startsWith('output.')
        ? ['description']
        : [];
    const given = (body as Record<string, unknown>[])[0] ?? {};
    return wanted.filter((key) => given[key] === undefined).map((key) => `${address} has no ${key}`);
  });
}

/** `enabled`: the local that lists the APIs. */
export function disabledApis({ definitions }: TerraformModule, enabled: string): string[] {
  const list = JSON.stringify(definitions.find(({ address }) => address === enabled)?.body ?? '');
  return definitions.filter(isGoogles).flatMap(({ address }) => {
    const type = address.replace(/^data\./, '').split('.')[0] ?? '';
    const prefix = Object.keys(apiOf)
      .filter((each) => type.startsWith(each))
      .reduce((longest, each) => (each.length > longest.length ? each : longest), '');
    const api = apiOf[prefix];
    if (api === undefined) return [`${address} is made through an API that this check does not know`];
    return list.includes(`${api}.googleapis.com`)
      ? []
      : [`${address} needs ${api}.googleapis.com, which is not enabled`];
  });
}

/** Things that could be made before the APIs are enabled, because nothing leads from them to `enabling`. */
export function notWaiting({ definitions }: TerraformModule, enabling: string): string[] {
  const byAddress = new Map(definitions.map((each) => [each.address, each]));
  const waits = (address: string, seen: Set<string>): boolean => {
    if (address === enabling) return true;
    if (seen.has(address)) return false;
    seen.add(address);
    return (byAddress.get(address)?.refersTo ?? []).some((to) => waits(to, seen));
  };
  return definitions
    .filter(isGoogles)
    .filter(({ address }) => !waits(address, new Set()))
    .map(({ address }) => `${address} may be made before its API is enabled: nothing leads from it to ${enabling}`);
}

/** A role's reason stands behind it, or on the line above. */
export function rolesWithoutReason({ files }: TerraformModule): string[] {
  return Object.entries(files).flatMap(([name, text]) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const [role] = /roles\/[\w.]+/.exec(line.replace(/#.*$/, '')) ?? [];
      const explained = /#\s*\S/.test(line) || /^\s*#\s*\S/.test(lines[index - 1] ?? '');
      return role === undefined || explained ? [] : [`${name}:${index + 1} grants ${role} and does not say why`];
    });
  });
}

/** `MK8S_…` in the texts that is no option. */
export function unknownOptions(files: Readonly<Record<string, string>>, known: ReadonlySet<string>): string[] {
  return Object.entries(files).flatMap(([name, text]) =>
    [...new Set(text.match(/\bMK8S_[A-Z_]*[A-Z]/g) ?? [])]
      .filter((variable) => !known.has(variable))
      .map((variable) => `${name} sets ${variable}, which is no option of lib/config/options.ts`),
  );
}

function isGoogles({ address }: Definition): boolean {
  return /^(?:data\.)?google_/.test(address);
}
