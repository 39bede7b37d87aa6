// The faults of clusters and of the way to them, each with the highest rate that a seed may give it.

/** What a rate is a share of: connection, http and list faults of requests, watch faults of watch events, cluster faults of steps. */
export const serverFaults = {
  connection: {
    refused: 0.2,
    reset: 0.1,
    halfOpen: 0.05,
    slow: 0.2,
    truncated: 0.1,
    reordered: 0.2,
  },
  http: {
    unauthorized: 0.1,
    forbidden: 0.05,
    notFound: 0.05,
    conflict: 0.05,
    gone: 0.1,
    unprocessable: 0.1,
    throttled: 0.1,
    internal: 0.1,
    unavailable: 0.1,
    timeout: 0.1,
  },
  watch: {
    goneEvent: 0.05,
    errorEvent: 0.05,
    bookmarkLate: 0.5,
    bookmarkMissing: 0.5,
    bookmarkRepeated: 0.3,
    streamingRefused: 0.3,
    streamingIgnored: 0.3,
    endMarkMissing: 0.2,
  },
  list: {
    continueExpired: 0.2,
    continueInconsistent: 0.3,
  },
  cluster: {
    restartFresh: 0.02,
    restartStale: 0.02,
    compaction: 0.05,
    restoreBack: 0.01,
    restorePast: 0.01,
    definitionChanged: 0.03,
    definitionDeleted: 0.01,
    definitionRemade: 0.01,
    versionChanged: 0.01,
    credentialsRotated: 0.02,
    outage: 0.01,
    recreated: 0.1,
    moved: 0.01,
  },
} as const;
