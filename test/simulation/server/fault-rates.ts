// The faults of clusters and of the way to them, each with the highest rate that a seed may give it, and where it was seen.
// "Recorded" means the wire recordings of kube-apiserver 1.36.2 and 1.20.2; docs/kubernetes.md has the facts.

/**
 * What a rate is a share of: connection and http faults of requests, list faults of pages after the first, watch faults of
 * watches opened, of bookmarks (`bookmark…`) or of clusters (`streaming…`), cluster faults of steps.
 */
export const serverFaults = {
  connection: {
    /** Nobody listens (recorded: 80-restart/startup). */
    refused: 0.2,
    /** Closed before the headers, or in the middle of a body without its 0-chunk (recorded: 80-restart/kill-9). */
    reset: 0.1,
    /** Silence for ever: load balancers drop idle connections without a word. */
    halfOpen: 0.05,
    /** Chunks come up to 20 s apart. */
    slow: 0.2,
    /** Cut off after any byte; where a proxy lost its server, also with a proper end. */
    truncated: 0.1,
    /** Requests and answers overtake each other by up to 2 s. */
    reordered: 0.2,
  },
  http: {
    /** Although the token is valid: the webhook that checks it is down (recorded: 30-error/401). */
    unauthorized: 0.1,
    /** Recorded: 60-auth; a role was taken away for a moment. */
    forbidden: 0.05,
    /** Text from a process that does not serve the resource yet, a Status from one that does not know it (recorded). */
    notFound: 0.05,
    /** Only writes conflict at an API server; proxies use it as they like. */
    conflict: 0.05,
    /** On a list recorded (25-expired); on a watch where it is served without a cache. */
    gone: 0.1,
    /** Recorded: 55-watchlist-off, and 1.20.2's. */
    unprocessable: 0.1,
    /** Recorded: 30-error/429, as text with Retry-After; as Status while starting (80-restart/startup/2). */
    throttled: 0.1,
    /** etcd changed its leader, a request timed out, a bug. */
    internal: 0.1,
    /** Recorded while stopping (80-restart/sigterm), without Retry-After; proxies send one. */
    unavailable: 0.1,
    /** Recorded: 30-error/504; proxies too. */
    timeout: 0.1,
    /** A share of answers with an error: a proxy that quotes the token it refuses. Nothing of it may be repeated (promise 9). */
    quotesToken: 0.5,
  },
  watch: {
    /** The first line is 410 (recorded: 25-expired/watch-410), although the cache might know the rv: another replica does not. */
    goneEvent: 0.2,
    /** 500, 503, 504 or 429 as an ERROR event: etcd is in trouble while the watch is open. */
    errorEvent: 0.2,
    /** A clean end before timeoutSeconds: the watch cache was filled anew (recorded: 05-crd), or a load balancer drains. */
    endsEarly: 0.2,
    /** Among the initial events of a streaming list: kube-apiserver holds it back until the mark, others need not. */
    bookmarkEarly: 0.2,
    bookmarkLate: 0.5,
    bookmarkMissing: 0.5,
    /** Twice the same (recorded: 50-watch/watch-from-rv-65s-bookmarks). */
    bookmarkRepeated: 0.3,
    /** 422 (recorded: 55-watchlist-off, v1.20.2/watchlist-422). */
    streamingRefused: 1,
    /** Initial events in no order and no mark (recorded: v1.20.2/sendInitialEvents-without-rvmatch-ignored). */
    streamingIgnored: 1,
    /** Initial events, then nothing (recorded: 30-error/watch-sendInitialEvents-without-bookmarks). */
    endMarkMissing: 0.5,
  },
  list: {
    /** 410 with a token to go on, inconsistently (recorded: 25-expired/page-2). */
    continueExpired: 0.8,
    /** 410 without one: the list has to begin anew. */
    continueLost: 0.5,
  },
  cluster: {
    /** Killed, or told to stop (recorded: 80-restart), and started again: new watch caches that know nothing older. */
    restartFresh: 0.15,
    /** The same, and then its watch caches stay behind etcd for a while. */
    restartStale: 0.15,
    /** Watch caches stay behind for up to 30 s: lists are newer than what watches tell. */
    cacheBehind: 0.12,
    /** etcd forgets: continue tokens expire, and lists as of then. */
    compaction: 0.15,
    /** Restored from a backup: resourceVersions go back (kubernetes#107457). */
    restoreBack: 0.1,
    /** The same, and they are past the old mark before anybody can ask; some objects are written again at the very same rv. */
    restorePast: 0.1,
    /** Another spec, same versions: watches end, nothing older is known (recorded: 05-crd/schema-update). */
    definitionChanged: 0.1,
    /** A label: nobody is disturbed (recorded: 05-crd/crd-label-change). */
    definitionLabelled: 0.03,
    /** Each object is deleted, watches end, then 404 (recorded: 05-crd/delete). It is made again some steps later. */
    definitionDeleted: 0.1,
    /** Deleted and made again within moments (recorded: 05-crd/recreate). */
    definitionRemade: 0.1,
    /** Another version is served, or one no longer (recorded: 05-crd/version-unserved). */
    versionChanged: 0.15,
    /** Old tokens are refused from now on. */
    credentialsRotated: 0.06,
    /** A share of rotations: the fresh token is refused too, for up to a minute (the issuer's clock is ahead of the cluster's). */
    freshRefused: 1,
    /** A share of requests for a fresh credential: the exec plugin fails. */
    issuerFails: 1,
    /** One resource is forbidden for up to 5 minutes: a role was taken away (recorded: 60-auth/nobody-list-403). */
    denied: 0.03,
    /** The API server behind an APIService is down: discovery says Stale, its resources answer 503. */
    aggregatedDown: 0.08,
    /** Nothing is reachable for up to 2 minutes: refused, or silence. */
    outage: 0.1,
    /** Deleted and created again under the same name, with another uid. */
    recreated: 0.1,
  },
} as const;

type Table = typeof serverFaults;

/** Area → fault → rate; 0 is off. */
export type ServerFaultRates = { readonly [Area in keyof Table]: { readonly [Fault in keyof Table[Area]]: number } };

export type ServerFault<Area extends keyof Table> = keyof Table[Area] & string;

/** Nothing goes wrong. */
export const noFaults: ServerFaultRates = Object.fromEntries(
  Object.entries(serverFaults).map(([area, faults]) => [
    area,
    Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0])),
  ]),
) as ServerFaultRates;
