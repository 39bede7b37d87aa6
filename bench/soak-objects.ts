// Objects of the soak: custom resources of about 3.4 KB, half of it text that does not compress, each carrying when it
// was written, so that whoever receives a change knows how old it is.

export interface SoakResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

export const soakResources: readonly SoakResource[] = ['Route', 'Policy', 'Gateway', 'Certificate'].map((kind) => ({
  group: 'soak.example.com',
  plural: kind === 'Policy' ? 'policies' : `${kind.toLowerCase()}s`,
  kind,
}));

type Random = () => number;

/** `at`: milliseconds since 1970, the time of the write. */
export function soakSpec(random: Random, at: number): { at: number } & Record<string, never> {
  const rules = Array.from({ length: 12 }, (_, index) => ({
    matches: [{ path: { type: 'PathPrefix', value: `/service-${index}/${hex(random, 24)}` } }],
    headers: [{ name: 'x-tenant', value: hex(random, 40) }],
    backendRefs: [{ name: `backend-${hex(random, 8)}`, port: 8080 + index, weight: Math.floor(random() * 100) }],
    timeouts: { request: '10s' },
  }));
  return { at, hostnames: [`${hex(random, 12)}.example.com`], rules } as never;
}

export function soakStatus(random: Random, at: number): { at: number } & Record<string, never> {
  const conditions = ['Accepted', 'ResolvedRefs', 'Programmed'].map((type) => ({
    type,
    status: random() < 0.9 ? 'True' : 'False',
    reason: type,
    message: `Observed by controller ${hex(random, 40)}`,
    lastTransitionTime: new Date(at).toISOString(),
  }));
  return { at, conditions } as never;
}

/** The definition of a resource: any fields, a status of its own. */
export function soakDefinition({ group, plural, kind }: SoakResource): Record<string, never> {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: anything },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [version],
    },
  } as never;
}

function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
  return text.slice(0, digits);
}
