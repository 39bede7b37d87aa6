// JSON log lines as Cloud Logging reads them: https://cloud.google.com/logging/docs/structured-logging
import pino from 'pino';
import type { ReportEntry } from '../ports/reporter.ts';

const levels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;
const severities: Readonly<Record<string, string>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' };

/** An entry, and in the last one of a job what metrics are made from. */
export interface LogEntry extends ReportEntry {
  readonly run?: Readonly<Record<string, string | number | boolean>>;
}

/** Writes lines to a file descriptor, each before `log` returns, so that none is lost when the process ends. */
export function logLines(
  fileDescriptor: number,
  level: 'debug' | 'info' | 'warning' | 'error',
): (entry: LogEntry) => void {
  return logTo(pino.destination({ fd: fileDescriptor, sync: true }), level);
}

/** `{"severity","time","logging.googleapis.com/labels":{"cluster","resource"},"details":{…},"run":{…},"message"}` a line. */
export function logTo(
  destination: { write(line: string): void },
  level: 'debug' | 'info' | 'warning' | 'error',
): (entry: LogEntry) => void {
  const logger = pino(
    {
      level: level === 'warning' ? 'warn' : level,
      messageKey: 'message',
      // No pid and hostname: the platform labels lines with what ran.
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ severity: severities[label] ?? 'DEFAULT' }) },
    },
    destination,
  );
  return ({ severity, message, cluster, resource, details, run }) => {
    const labels = { ...(cluster === undefined ? {} : { cluster }), ...(resource === undefined ? {} : { resource }) };
    logger[levels[severity]](
      {
        ...(Object.keys(labels).length === 0 ? {} : { 'logging.googleapis.com/labels': labels }),
        ...(details === undefined ? {} : { details }),
        ...(run === undefined ? {} : { run }),
      },
      message,
    );
  };
}
