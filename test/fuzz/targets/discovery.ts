// What a cluster says of its resources, in either form of discovery: the resources are complete and of the right types,
// or it is an error; nothing else is thrown, and a word of the server's can't reach into JavaScript's objects.
import { discoverResources } from '../../../lib/adapters/kubernetes/discovery.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { collectionPath } from '../../../lib/model/resource.ts';
import { fakeApiServer } from '../../support/fake-api-server.ts';
import { pick } from '../../support/seeded-random.ts';
import type { Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';
import { wildValue } from '../wild-json.ts';

export const discovery: FuzzTarget = {
  name: 'discovery',
  cases: 2500,
  words: [
    '"items":[',
    '"groups":[',
    '"versions":[',
    '"resources":[',
    '"kind":"APIGroupDiscoveryList"',
    '"freshness":"Stale"',
    '"../../x"',
    '"__proto__":{',
    'null',
    '{',
    '}',
    ']',
  ],
  generate,
  check,
};

/** The input is what `/apis` answers, and a group version too. */
async function check(input: Buffer): Promise<string> {
  const text = input.toString('utf8');
  const api = fakeApiServer(({ path }) =>
    path === '/api'
      ? { body: '{"kind":"APIVersions","versions":["v1"]}' }
      : path.includes('customresourcedefinitions')
        ? { status: 404, body: '{}' }
        : { body: text },
  );
  try {
    const { resources, failed } = await discoverResources(api, {});
    for (const { group, version, plural, kind, namespaced, verbs, custom } of resources) {
      must(
        [group, version, plural, kind].every((each) => typeof each === 'string'),
        'a name is no text',
      );
      must(plural !== '' && kind !== '' && !plural.includes('/'), 'a resource has no name, or is a subresource');
      must(typeof namespaced === 'boolean' && typeof custom === 'boolean', 'a flag is none');
      must(
        verbs.every((verb) => typeof verb === 'string'),
        'a verb is no text',
      );
      const path = collectionPath({ group, version, plural });
      must(!path.includes('?') && !path.includes('#') && !path.includes('..'), `a resource leads elsewhere: ${path}`);
    }
    for (const { groupVersion, message } of failed)
      must(typeof groupVersion === 'string' && message !== '', 'a failure says nothing');
    const seen = new Set(resources.map(({ group, plural }) => `${plural}.${group}`));
    must(seen.size === resources.length, 'a resource is there twice');
    return resources.length > 0 ? 'read' : 'empty';
  } catch (error) {
    must(error instanceof Mk8sError, `it failed otherwise: ${String(error)}`);
    return 'refused';
  } finally {
    must(({} as Record<string, unknown>)['polluted'] === undefined, 'a prototype was changed');
  }
}

function generate(random: Random): Buffer {
  const name = (): string =>
    random() < 0.85
      ? pick(random, ['"widgets"', '"gateways"', '"example.com"', '"v1"', '"v1beta1"'])
      : wildValue(random, 1);
  const resource = (): string =>
    `{"resource":${name()},"name":${name()},"kind":${name()},"namespaced":true,"responseKind":{"kind":${name()}},"scope":"Namespaced","verbs":${random() < 0.8 ? '["list","watch"]' : wildValue(random, 2)}}`;
  const some = (part: () => string): string =>
    `[${Array.from({ length: 1 + Math.floor(random() * 3) }, part).join(',')}]`;
  const version = (): string =>
    `{"version":${name()},"freshness":${pick(random, ['"Current"', '"Stale"', 'null'])},"resources":${some(resource)}}`;
  const texts = [
    () =>
      `{"kind":"APIGroupDiscoveryList","items":${some(() => `{"metadata":{"name":${name()}},"versions":${some(version)}}`)}}`,
    () =>
      `{"kind":"APIGroupList","groups":${some(() => `{"name":${name()},"versions":${some(() => `{"version":${name()},"groupVersion":${name()}}`)},"preferredVersion":{"version":${name()}}}`)},"resources":${some(resource)}}`,
    () => wildValue(random),
    () =>
      '{"__proto__":{"polluted":1},"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"__proto__"},"versions":[]}]}',
  ];
  return Buffer.from(pick(random, texts)());
}
