// The built-in resources that a config database cannot do without. They are stored as they come: no schema.
import { ageColumn, type Column, type Resource } from './resource.ts';

export const namespaces = builtin({ plural: 'namespaces', kind: 'Namespace', namespaced: false, shortNames: ['ns'] }, [
  column('Status', '.status.phase'),
  ageColumn,
]);
const configMaps = builtin({ plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'] }, [
  { ...column('Data', '.data'), type: 'count' },
  ageColumn,
]);
const secrets = builtin({ plural: 'secrets', kind: 'Secret' }, [
  column('Type', '.type'),
  { ...column('Data', '.data'), type: 'count' },
  ageColumn,
]);
export const serviceAccounts = builtin({ plural: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'] }, [
  { ...column('Secrets', '.secrets'), type: 'count' },
  ageColumn,
]);
const services = builtin({ plural: 'services', kind: 'Service', shortNames: ['svc'], categories: ['all'] }, [
  column('Type', '.spec.type'),
  column('Cluster-IP', '.spec.clusterIP'),
  ageColumn,
]);
const deployments = builtin(
  { group: 'apps', plural: 'deployments', kind: 'Deployment', shortNames: ['deploy'], categories: ['all'] },
  [{ ...column('Up-to-date', '.status.updatedReplicas'), type: 'integer' }, ageColumn],
);
export const customResourceDefinitions = builtin(
  {
    group: 'apiextensions.k8s.io',
    plural: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    namespaced: false,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
  },
  [column('Created At', '.metadata.creationTimestamp')],
);

export const builtins: readonly Resource[] = [
  configMaps,
  namespaces,
  secrets,
  serviceAccounts,
  services,
  deployments,
  customResourceDefinitions,
];

interface Names {
  readonly group?: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced?: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

function builtin(names: Names, columns: readonly Column[]): Resource {
  const { group = '', plural, kind, namespaced = true, shortNames = [], categories = [] } = names;
  return {
    group,
    plural,
    singular: kind.toLowerCase(),
    kind,
    listKind: `${kind}List`,
    shortNames,
    categories,
    namespaced,
    custom: false,
    terminating: false,
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        deprecation: undefined,
        schema: undefined,
        columns,
        selectable: plural === 'secrets' ? ['type'] : plural === 'namespaces' ? ['status.phase'] : [],
        statusSubresource: ['namespaces', 'services', 'deployments', 'customresourcedefinitions'].includes(plural),
      },
    ],
  };
}

function column(name: string, jsonPath: string): Column {
  return { name, type: 'string', format: '', description: '', priority: 0, jsonPath };
}
