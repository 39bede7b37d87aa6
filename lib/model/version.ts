// Which version this is: what the package's own package.json says, from wherever in the package this was compiled or bundled to.

/** E.g. `0.1.0`. */
export function packageVersion(): string {
  // Loaded when it is asked for: few starts ask.
  const { createRequire, findPackageJSON } = process.getBuiltinModule('node:module');
  const require = createRequire(import.meta.url);
  return (require(findPackageJSON(import.meta.url) ?? '') as { version: string }).version;
}
