// Lines of a watch and small objects, for tests that play a server.

export function widget(name: string, resourceVersion: string, spec: object = {}): object {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name, uid: `uid-${name}`, resourceVersion },
    spec,
  };
}

export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmark(resourceVersion: string): string {
  return line('BOOKMARK', { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { resourceVersion } });
}

/** The bookmark after the initial events of a streaming list. */
export function initialEnd(resourceVersion: string): string {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  return line('BOOKMARK', { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { resourceVersion, annotations } });
}

export function errorLine(code: number, reason: string, message: string): string {
  return line('ERROR', { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
