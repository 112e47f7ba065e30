// A real VS Code (code-server) with the packaged extension, clicked through in Chromium. `cargo xtask editors` runs it.
//
//     node run.mjs [missing] [rewrite]
//
// missing: no server is there, and the user is told what to do. rewrite: diagnostics, the code action, the files it makes.
// Screenshots and logs stay in LOCKKEEPER_TEST_DIR.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const EXTENSION = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLS = process.env.LOCKKEEPER_TOOLS;
const OUT = process.env.LOCKKEEPER_TEST_DIR;
const BIN = process.env.LOCKKEEPER_BIN;
const SHOP = join(EXTENSION, '../../examples/shop');
const MIGRATION = 'db/migrations/20260114100000_rename_user_name.sql';
const ACTION = 'Rewrite as expand-contract';
const PATIENCE = 60_000;

assert(TOOLS && OUT && BIN, 'LOCKKEEPER_TOOLS, LOCKKEEPER_TEST_DIR and LOCKKEEPER_BIN are set by `cargo xtask editors`');
const { chromium } = createRequire(join(TOOLS, 'package.json'))('playwright-core');
const entry = join(TOOLS, 'node_modules/code-server/out/node/entry.js');

const scenarios = { missing, rewrite };
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios);

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const folders = ['--user-data-dir', join(OUT, 'user'), '--extensions-dir', join(OUT, 'extensions')];
execFileSync(process.execPath, [entry, ...folders, '--install-extension', join(EXTENSION, 'lockkeeper.vsix')]);
for (const name of chosen) {
  const start = Date.now();
  await scenarios[name]();
  console.log(`vscode ${name}: ok, ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Nothing is at the place that the variable names: one message, which names the place. */
async function missing() {
  const project = copyProject('missing');
  await inVsCode('missing', project, { LOCKKEEPER_BIN: '/nowhere/lockkeeper' }, async (page) => {
    await openFile(page, MIGRATION);
    const message = page.locator('.notification-list-item', { hasText: '/nowhere/lockkeeper, which is not a program' });
    await message.waitFor({ timeout: PATIENCE });
    await message.getByRole('button', { name: 'Open settings' }).waitFor();
  });
}

/** The whole way of a developer: squiggles, the light bulb, new files on disk. */
async function rewrite() {
  const project = copyProject('rewrite');
  const folder = join(project, dirname(MIGRATION));
  const before = readdirSync(folder);
  const created = () => readdirSync(folder).filter((file) => !before.includes(file));
  await inVsCode('rewrite', project, { LOCKKEEPER_BIN: BIN }, async (page, screenshot) => {
    await openFile(page, MIGRATION);
    const squiggle = page.locator('.squiggly-error, .squiggly-warning').first();
    await squiggle.waitFor({ timeout: PATIENCE });
    await screenshot('diagnostics');
    await squiggle.click({ force: true });
    const action = page.locator('.action-widget .action', { hasText: ACTION }).first();
    // On a busy machine the key comes before the editor has the focus.
    await until(async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+.');
      await action.waitFor({ timeout: 5_000 });
      return true;
    }, 'the actions are offered');
    await screenshot('actions');
    const promised = Number((await action.textContent()).match(/creates (\d+) files/)[1]);
    assert(promised >= 2, 'expand-contract is at least two files');
    await action.click();
    const written = (file) => readFileSync(join(folder, file), 'utf8').includes('migrate:up');
    const all = () => created().length === promised && created().every(written);
    await until(all, `the rewrite writes ${promised} files`);
    await page.keyboard.press('Control+k');
    await page.keyboard.press('s');
    await sleep(2_000);
    const held = readdirSync(join(project, '.lockkeeper/held', MIGRATION.replace('.sql', '')));
    assert(held.some((file) => file.endsWith('_contract.up.sql')), `the contract waits: ${held.join(', ')}`);
  });
  console.log(`created: ${created().join(', ')}`);
}

function copyProject(name) {
  assert(existsSync(join(SHOP, MIGRATION)), `${join(SHOP, MIGRATION)} is the migration of this test`);
  const project = join(OUT, name);
  cpSync(SHOP, project, { recursive: true });
  return project;
}

async function inVsCode(name, project, environment, use) {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const options = ['--auth', 'none', '--bind-addr', address, '--disable-workspace-trust', '--disable-telemetry'];
  const server = spawn(process.execPath, [entry, ...options, '--disable-update-check', ...folders], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(OUT, `${name}.log`));
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const settings = { 'workbench.secondarySideBar.defaultVisibility': 'hidden', 'editor.minimap.enabled': false };
  mkdirSync(join(OUT, 'user/User'), { recursive: true });
  writeFileSync(join(OUT, 'user/User/settings.json'), JSON.stringify(settings));
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const screenshot = (what) => page.screenshot({ path: join(OUT, `${name}-${what}.png`) });
  try {
    await until(() => fetch(`http://${address}/healthz`).then((answer) => answer.ok, () => false), 'code-server answers');
    await page.goto(`http://${address}/?folder=${project}`);
    await page.locator('.monaco-workbench').waitFor({ timeout: PATIENCE });
    await use(page, screenshot);
    await screenshot('end');
  } catch (error) {
    await screenshot('failed');
    throw error;
  } finally {
    await browser.close();
    server.kill();
  }
}

/** Through the quick open box, as a person would. The workbench takes keys only some time after it is drawn. */
async function openFile(page, path) {
  const box = page.locator('.quick-input-widget input[type=text]').first();
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: path.split('/').pop() }).first();
  await until(async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+p');
    await box.fill(path, { timeout: 2_000 });
    await row.click({ timeout: 3_000 });
    return true;
  }, 'the file opens');
  await page.locator('.monaco-editor .view-lines').first().waitFor({ timeout: PATIENCE });
}

async function until(condition, what) {
  const deadline = Date.now() + PATIENCE;
  let last;
  while (Date.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await sleep(200);
  }
  throw new Error(`not in time: ${what}`, { cause: last });
}

function chromiumPath() {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  assert(found, 'Chromium is installed: `cargo xtask editors` does it');
  return found;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
