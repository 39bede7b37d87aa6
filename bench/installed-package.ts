// The command as `npm install` leaves it: compiled, and the functions bundled, so that no benchmark pays for stripping types, as nobody's production does.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Makes `folder` with bin, dist, package.json and the dependencies. Returns it. */
export function installPackage(folder: string): string {
  mkdirSync(folder);
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(root, 'tsconfig.build.json'),
    '--outDir',
    join(folder, 'dist'),
  ]);
  const bundler = [join(root, 'node_modules/rolldown/bin/cli.mjs'), '-c', 'rolldown.config.ts'];
  execFileSync(process.execPath, [...bundler, '--dir', join(folder, 'dist/bundle')], { cwd: root });
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
