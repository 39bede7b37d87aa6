// Which version this is: what the package's own package.json says, from wherever in the package this was compiled or bundled to.
import { createRequire, findPackageJSON } from 'node:module';

/** E.g. `0.1.0`. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return (require(findPackageJSON(import.meta.url) ?? '') as { version: string }).version;
}
