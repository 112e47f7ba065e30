// Starts the language server and shows what it says. Everything clever is in the server, so that every editor has it.

import * as vscode from 'vscode';
import { LanguageClient, Trace } from 'vscode-languageclient/node';
import type { LanguageClientOptions, ServerOptions } from 'vscode-languageclient/node';
import { locate } from './locate';

/** SQL anywhere, and the places where code frameworks keep their migrations. */
const DOCUMENTS: LanguageClientOptions['documentSelector'] = [
  { scheme: 'file', language: 'sql' },
  { scheme: 'file', pattern: '**/*.sql' },
  { scheme: 'file', pattern: '**/db/migrate/*.rb' },
  { scheme: 'file', pattern: '**/{migrations,versions}/*.py' },
  { scheme: 'file', pattern: '**/migrations/**/*.{js,ts}' },
  { scheme: 'file', pattern: '**/migrations/*.exs' },
];

const OPEN_SETTINGS = 'Open settings';
const SHOW_OUTPUT = 'Show output';

let own = '';
let client: LanguageClient | undefined;
let output: vscode.LogOutputChannel;
const status = vscode.window.createStatusBarItem('lockkeeper.verdict', vscode.StatusBarAlignment.Right);

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  own = context.extensionPath;
  output = vscode.window.createOutputChannel('Lockkeeper', { log: true });
  context.subscriptions.push(
    output,
    vscode.commands.registerCommand('lockkeeper.restart', restart),
    vscode.commands.registerCommand('lockkeeper.showOutput', () => output.show()),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration('lockkeeper.path')) await restart();
      if (change.affectsConfiguration('lockkeeper.trace')) await client?.setTrace(trace());
    }),
  );
  context.subscriptions.push(
    status,
    vscode.languages.onDidChangeDiagnostics(showVerdict),
    vscode.window.onDidChangeActiveTextEditor(showVerdict),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  // A server that never came up cannot be stopped, and that is fine.
  await running?.dispose().catch((error) => output.debug(String(error)));
}

async function start(): Promise<void> {
  const located = locate({
    setting: settings().get('path', ''),
    environment: process.env,
    trustedFolders: vscode.workspace.isTrusted ? folders() : [],
    extension: own,
  });
  if ('missing' in located) return tellMissing(located.missing);
  output.info(`starting ${located.program} lsp`);
  const server: ServerOptions = { command: located.program, args: ['lsp'] };
  const options: LanguageClientOptions = {
    documentSelector: DOCUMENTS,
    outputChannel: output,
    initializationOptions: { trusted: vscode.workspace.isTrusted, hints: settings().get('hints', 'up') },
    synchronize: { configurationSection: 'lockkeeper' },
  };
  client = new LanguageClient('lockkeeper', 'Lockkeeper', server, options);
  try {
    await client.start();
    await client.setTrace(trace());
  } catch (error) {
    await tellBroken(located.program, error);
  }
}

/** The verdict of the open migration, which leads to its problems. */
function showVerdict(): void {
  const document = vscode.window.activeTextEditor?.document;
  if (!client || !document || vscode.languages.match(DOCUMENTS as vscode.DocumentSelector, document) === 0) {
    status.hide();
    return;
  }
  const own = vscode.languages.getDiagnostics(document.uri).filter((it) => it.source === 'lockkeeper');
  const count = (severity: vscode.DiagnosticSeverity) => own.filter((it) => it.severity === severity).length;
  const dangers = count(vscode.DiagnosticSeverity.Error);
  const warnings = count(vscode.DiagnosticSeverity.Warning);
  status.name = 'Lockkeeper';
  status.text = dangers > 0 ? `$(error) Lockkeeper ${dangers}` : warnings > 0 ? `$(warning) Lockkeeper ${warnings}` : '$(pass) Lockkeeper';
  status.tooltip = `${dangers} dangers, ${warnings} warnings in this migration`;
  status.command = 'workbench.actions.view.problems';
  status.show();
}

async function tellMissing(message: string): Promise<void> {
  output.error(message);
  const choice = await vscode.window.showErrorMessage(message, OPEN_SETTINGS);
  if (choice) await vscode.commands.executeCommand('workbench.action.openSettings', 'lockkeeper.path');
}

async function tellBroken(program: string, error: unknown): Promise<void> {
  output.error(String(error));
  const choice = await vscode.window.showErrorMessage(`${program} does not start. The output says why.`, SHOW_OUTPUT);
  if (choice) output.show();
}

function settings(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration('lockkeeper');
}

function folders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
}

function trace(): Trace {
  return Trace.fromString(settings().get('trace', 'off'));
}
