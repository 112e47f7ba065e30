// Both SDKs of TypeScript against the server, each with a human who types the digest, over standard input and output and HTTP.
//
//     node typescript.mjs MODULES PROGRAM PROJECT MIGRATION
//
// MODULES is where `@modelcontextprotocol/sdk` (with `initialize`) and `@modelcontextprotocol/client` (2026-07-28) are installed. Prints what
// happened as one JSON line for each; what is right stands in xtask/src/conformance.rs.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, program, project, migration] = process.argv.slice(2);
const require = createRequire(join(modules, "x.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));

const old = {
  ...(await load("@modelcontextprotocol/sdk/client/index.js")),
  ...(await load("@modelcontextprotocol/sdk/client/stdio.js")),
  ...(await load("@modelcontextprotocol/sdk/client/streamableHttp.js")),
  ...(await load("@modelcontextprotocol/sdk/types.js")),
};
const now = { ...(await load("@modelcontextprotocol/client")), ...(await load("@modelcontextprotocol/client/stdio")) };

const human = async (request) => {
  const digest = request.params.message.trim().split(" ").at(-1);
  return { action: "accept", content: { digest } };
};

function clientOf(sdk) {
  const about = { name: "typescript", version: "1" };
  const capabilities = { elicitation: { form: {} } };
  const options = sdk === now ? { capabilities, versionNegotiation: { mode: "auto" } } : { capabilities };
  const client = new sdk.Client(about, options);
  client.setRequestHandler(sdk === now ? "elicitation/create" : sdk.ElicitRequestSchema, human);
  return client;
}

async function journey(client) {
  const call = async (name, args) => (await client.callTool({ name, arguments: args })).structuredContent;
  const tools = (await client.listTools()).tools;
  const planned = await call("propose_strategies", { file: migration });
  const plan = { plan: planned.plan_id };
  const closed = await call("write_migrations", plan);
  const asked = await call("request_approval", plan);
  const written = await call("write_migrations", plan);
  const again = await call("write_migrations", plan);
  const resources = (await client.listResources()).resources;
  const prompts = (await client.listPrompts()).prompts;
  return {
    tools: tools.length,
    statuses: [closed, asked, written, again].map((it) => it.status),
    files: written.files?.length,
    resources: resources.length,
    prompts: prompts.length,
  };
}

for (const [name, sdk] of Object.entries({ sdk: old, client: now })) {
  for (const way of ["stdio", "http"]) {
    const base = mkdtempSync(join(tmpdir(), "lockkeeper-ts-"));
    const folder = join(base, "project");
    cpSync(project, folder, { recursive: true });
    const env = { ...process.env, LOCKKEEPER_STATE_DIR: join(base, "state") };
    let server;
    let outcome;
    try {
      const client = clientOf(sdk);
      if (way === "stdio") {
        await client.connect(new sdk.StdioClientTransport({ command: program, args: ["mcp"], cwd: folder, env }));
      } else {
        server = spawn(program, ["mcp", "--http", "0"], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
        let told = "";
        for await (const part of server.stderr.iterator({ destroyOnReturn: false })) if ((told += part).includes("\n")) break;
        const url = new URL(told.match(/http:[^;]*/)[0]);
        const token = readFileSync(join(base, "state", "mcp-token"), "utf8");
        const requestInit = { headers: { Authorization: `Bearer ${token}` } };
        await client.connect(new sdk.StreamableHTTPClientTransport(url, { requestInit }));
      }
      outcome = await journey(client);
      await client.close();
    } catch (error) {
      outcome = { broken: String(error) };
    }
    server?.kill();
    rmSync(base, { recursive: true });
    console.log(JSON.stringify({ name, way, ...outcome }));
  }
}
