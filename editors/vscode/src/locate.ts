// Where the `lockkeeper` program is. Knows nothing of VS Code, so that it can be read and tested alone.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What may be looked at. */
export interface Places {
  /** The setting `lockkeeper.path`. */
  setting: string;
  environment: NodeJS.ProcessEnv;
  /** The workspace's folders: only when the workspace is trusted, since a program in it is somebody else's. */
  trustedFolders: string[];
  /** The extension's own folder: the one for a platform carries the program. */
  extension: string;
}

/** The program, or the sentence that tells the user what to do. */
export type Located = { program: string } | { missing: string };

const NAME = process.platform === 'win32' ? 'lockkeeper.exe' : 'lockkeeper';

export function locate(places: Places): Located {
  for (const [told, by] of [
    [places.setting, 'The setting lockkeeper.path'],
    [places.environment.LOCKKEEPER_BIN ?? '', 'The environment variable LOCKKEEPER_BIN'],
  ]) {
    // Told where it is, nothing else is tried: another version would only confuse.
    if (told) return isProgram(told) ? { program: told } : { missing: `${by} names ${told}, which is not a program.` };
  }
  const built = places.trustedFolders.flatMap((folder) =>
    ['release', 'debug'].map((profile) => join(folder, 'target', profile, NAME)),
  );
  const carried = join(places.extension, 'server', NAME);
  const onPath = (places.environment.PATH ?? '').split(delimiter).map((folder) => join(folder, NAME));
  const program = [...built, carried, ...onPath].find(isProgram);
  if (program) return { program };
  return {
    missing:
      'The lockkeeper program was not found. This extension is the one without a server: take the one for your platform, install the program, or set lockkeeper.path to where it is.',
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
