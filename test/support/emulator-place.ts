// Where gcloud has installed an emulator of Google's: beside it, `platform/` in the folder of the SDK.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export type EmulatorPlace = { readonly jar: string } | { readonly missing: string };

/** The jar of a component, `FOLDER/lib` or `FOLDER` in `platform/`; or, in a phrase, what is missing. */
export function emulatorPlace(component: string, name: RegExp): EmulatorPlace {
  const gcloud = onPath('gcloud');
  if (gcloud === undefined) return { missing: 'gcloud is not installed' };
  const home = join(dirname(dirname(realpathSync(gcloud))), 'platform', component);
  const jar = [join(home, 'lib'), home]
    .flatMap((folder) => listed(folder).map((file) => join(folder, file)))
    .find((file) => name.test(file.slice(file.lastIndexOf('/') + 1)));
  if (jar === undefined) return { missing: `gcloud has no ${component}: gcloud components install ${component}` };
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
  } catch {
    // Absent, or a stub that only says how to install it.
    return { missing: 'java is not installed' };
  }
  return { jar };
}

function onPath(command: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us.
    return false;
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there: the component is not installed.
    return [];
  }
}
