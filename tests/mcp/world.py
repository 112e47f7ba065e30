"""A fresh copy of a project, a server in it, and the human who is asked; what all scenarios call."""

import asyncio
import os
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp_types import ElicitResult

VERSIONS = {"legacy": "legacy", "modern": "2026-07-28"}


class World:
    """A fresh copy of the project, a server in it, and the human who is asked."""

    def __init__(self, program, project, migration, mode):
        self.program = program
        self.migration = migration
        self.era, _, way = mode.partition("-")
        self.silent = way == "silent"
        self.on_http = way == "http"
        self.base = Path(tempfile.mkdtemp(prefix="lockkeeper-mcp-"))
        self.folder = self.base / "project"
        shutil.copytree(project, self.folder)
        self.files_before = self.files()
        self.questions = []
        self.human = None

    def client(self, folder=None):
        # Approvals are kept beside the project, never in it: the machine's own stay as they are.
        state = {"LOCKKEEPER_STATE_DIR": str(self.base / "state")}
        folder = folder or self.folder
        if self.on_http:
            return self.client_on_http(folder, state)
        return self.session(StdioServerParameters(command=self.program, args=["mcp"], cwd=folder, env=state))

    def session(self, server):
        callback = None if self.silent else self.ask
        return Client(server, mode=VERSIONS[self.era], elicitation_callback=callback, read_timeout_seconds=30)

    @asynccontextmanager
    async def client_on_http(self, folder, state):
        """A server on a free port, with the token that it made in the state folder."""
        server = await asyncio.create_subprocess_exec(
            self.program, "mcp", "--http", "0", cwd=folder, env={**os.environ, **state}, stderr=asyncio.subprocess.PIPE
        )
        try:
            told = (await server.stderr.readline()).decode().split()
            url, token = told[2].rstrip(";"), Path(told[-1]).read_text()
            async with create_mcp_http_client(headers={"Authorization": f"Bearer {token}"}) as http:
                async with self.session(streamable_http_client(url, http_client=http)) as client:
                    yield client
        finally:
            server.terminate()
            await server.wait()

    async def ask(self, _context, parameters):
        schema = parameters.requested_schema
        schema = schema if isinstance(schema, dict) else schema.model_dump(by_alias=True)
        self.questions.append({"message": parameters.message, "fields": sorted(schema["properties"])})
        return self.human(parameters.message)

    def files(self):
        found = (path for path in self.folder.rglob("*") if path.is_file() and ".lockkeeper" not in path.parts)
        return {str(path.relative_to(self.folder)) for path in found}

    def created(self):
        return sorted(self.files() - self.files_before)

    def close(self):
        shutil.rmtree(self.base)


def short(answer):
    digits = answer["digest"][:12]
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def accept(text):
    return lambda _message: ElicitResult(action="accept", content={"digest": text})


def refuse(action):
    return lambda _message: ElicitResult(action=action)


async def call(client, tool, **arguments):
    """The structured answer of a tool; errors of the tool and of the protocol as `{"error": ...}`."""
    try:
        result = await client.call_tool(tool, arguments)
    except Exception as error:  # Whatever the SDK makes of a protocol error is one outcome here.
        return {"error": str(error)}
    return structured(result)


def structured(result):
    if result.is_error:
        return {"error": " ".join(getattr(part, "text", "") for part in result.content)}
    return result.structured_content


async def write(world, client, tool="write_migrations"):
    """A closed gate, or what was written of the plan that the first call made."""
    if not hasattr(world, "plan"):
        proposed = await call(client, "propose_strategies", file=world.migration)
        world.plan = proposed["plan_id"]
    return await call(client, tool, plan=world.plan)


async def approve(world, client):
    """The plan made and approved; the closed gate's answer."""
    first = await write(world, client)
    world.human = accept(short(first))
    approval = await call(client, "request_approval", plan=first["plan"])
    return first, approval
