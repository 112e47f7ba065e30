#!/usr/bin/env node
// Starts the program of this platform's package. Nothing is downloaded: npm installed it with this package.

'use strict';

const { spawnSync } = require('node:child_process');

const name = `@lockkeeper/${process.platform}-${process.arch}`;
const file = process.platform === 'win32' ? 'lockkeeper.exe' : 'lockkeeper';

function program() {
  if (process.env.LOCKKEEPER_BIN) return process.env.LOCKKEEPER_BIN;
  try {
    return require.resolve(`${name}/bin/${file}`);
  } catch {
    console.error(
      `lockkeeper: the package ${name} is not installed. Either Lockkeeper is not built for this platform, or npm was told to leave ` +
        'optional packages out (--omit=optional): install again without that, or set LOCKKEEPER_BIN to a lockkeeper that you built.',
    );
    process.exit(3);
  }
}

const { status, signal, error } = spawnSync(program(), process.argv.slice(2), { stdio: 'inherit' });
if (error) {
  console.error(`lockkeeper: it cannot be started: ${error.message}`);
  process.exit(3);
}
// As the program ended, so does this: by the same signal, so that shells and editors see it.
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 3);
