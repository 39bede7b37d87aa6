// Where Google's APIs are, for private endpoints and tests. In a file of its own, so that who needs nothing else loads nothing else.
import { Mk8sError } from '../model/errors.ts';

/** Where Google's APIs are; for tests and private endpoints. Undefined: their own hosts. */
export interface GoogleHosts {
  readonly container?: URL;
  readonly hub?: URL;
  readonly resourceManager?: URL;
  readonly gateway?: URL;
  readonly credentials?: string;
  readonly sts?: string;
}

/** Google's SDKs call these variables so: https://cloud.google.com/sdk/gcloud/reference/config/set (api_endpoint_overrides). */
export function hostsOf(env: NodeJS.ProcessEnv): GoogleHosts {
  const url = (name: string): URL | undefined => {
    const text = env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`];
    if (text === undefined || text === '') return undefined;
    if (URL.canParse(text)) return new URL(text);
    throw new Mk8sError(`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name} must be a URL, not "${text}"`, { code: 'config' });
  };
  const [container, hub, resourceManager] = [url('CONTAINER'), url('GKEHUB'), url('CLOUDRESOURCEMANAGER')];
  const [gateway, credentials, sts] = [url('CONNECTGATEWAY'), url('IAMCREDENTIALS'), url('STS')];
  return {
    ...(container === undefined ? {} : { container }),
    ...(hub === undefined ? {} : { hub }),
    ...(resourceManager === undefined ? {} : { resourceManager }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(credentials === undefined ? {} : { credentials: credentials.href.replace(/\/$/, '') }),
    ...(sts === undefined ? {} : { sts: new URL('/v1/token', sts).href }),
  };
}
