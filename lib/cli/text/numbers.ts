// Numbers and times for people.

/** `1,234,567` */
export function count(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 change`, `1,200 changes` */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A rate per second: `0`, `0.4`, `12.5`, `1,204` */
export function rate(perSecond: number): string {
  return perSecond < 0.05 ? '0' : perSecond < 100 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

/** A length of time as kubectl's AGE column shows it: `0s`, `42s`, `3m12s`, `15m`, `2h5m`, `26h`, `5d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (seconds < 60) return `${seconds}s`;
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (hours < 1) return `${minutes}m`;
  if (hours < 10) return pair(hours, 'h', minutes % 60, 'm');
  return hours < 48 ? `${hours}h` : `${days}d`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
