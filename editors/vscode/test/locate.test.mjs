// Which program is started, for each way of saying where it is.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { locate } from '../dist/locate.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lockkeeper-locate-'));
after(() => rmSync(folder, { recursive: true }));

function program(...parts) {
  const path = join(folder, ...parts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

const told = program('told', 'lockkeeper');
const variable = program('variable', 'lockkeeper');
const built = program('workspace', 'target', 'debug', 'lockkeeper');
const carried = program('extension', 'server', 'lockkeeper');
const installed = program('path', 'lockkeeper');
const everywhere = {
  setting: told,
  environment: { LOCKKEEPER_BIN: variable, PATH: dirname(installed) },
  trustedFolders: [join(folder, 'workspace')],
  extension: join(folder, 'extension'),
};

test('the setting, the variable, the trusted workspace, the extension, the path: in this order', () => {
  const { environment } = everywhere;
  const onlyPath = { PATH: environment.PATH };
  assert.deepEqual(locate(everywhere), { program: told });
  assert.deepEqual(locate({ ...everywhere, setting: '' }), { program: variable });
  assert.deepEqual(locate({ ...everywhere, setting: '', environment: onlyPath }), { program: built });
  const untrusted = { ...everywhere, setting: '', environment: onlyPath, trustedFolders: [] };
  assert.deepEqual(locate(untrusted), { program: carried });
  assert.deepEqual(locate({ ...untrusted, extension: folder }), { program: installed });
});

test('a wrong setting is said and not worked around', () => {
  const { missing } = locate({ ...everywhere, setting: join(folder, 'nothing') });
  assert.match(missing, /^The setting lockkeeper\.path names .*nothing, which is not a program\.$/);
  assert.match(locate({ ...everywhere, setting: folder }).missing, /not a program/);
});

test('found nowhere, the user learns what to do', () => {
  const { missing } = locate({ setting: '', environment: {}, trustedFolders: [folder], extension: folder });
  assert.match(missing, /install the program.*lockkeeper\.path/);
});
