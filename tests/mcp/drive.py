"""Drives `lockkeeper mcp` over stdio with the official SDK, and prints what happened as JSON lines.

    drive.py PROGRAM PROJECT MIGRATION MODE

MODE is `legacy` (initialize, elicitation as a request), `modern` (2026-07-28, input-required results), or either with
`-silent` behind it: a client that cannot ask its human. Every scenario has a fresh copy of PROJECT and a fresh server.
What is right is not decided here: `tests/src/mcp/gates.rs` compares the lines.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult, InputRequiredResult

VERSIONS = {"legacy": "legacy", "modern": "2026-07-28"}


class World:
    """A fresh copy of the project, a server in it, and the human who is asked."""

    def __init__(self, program, project, migration, mode):
        self.program = program
        self.migration = migration
        self.era, _, silent = mode.partition("-")
        self.silent = bool(silent)
        self.folder = Path(tempfile.mkdtemp(prefix="lockkeeper-mcp-"))
        shutil.copytree(project, self.folder, dirs_exist_ok=True)
        self.files_before = self.files()
        self.questions = []
        self.human = None

    def client(self):
        server = StdioServerParameters(command=self.program, args=["mcp"], cwd=self.folder)
        callback = None if self.silent else self.ask
        return Client(server, mode=VERSIONS[self.era], elicitation_callback=callback, read_timeout_seconds=30)

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
        shutil.rmtree(self.folder)


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


async def write(world, client):
    return await call(client, "write_migrations", file=world.migration)


async def tools(_world, client):
    listed = (await client.list_tools()).tools
    read_only = [tool.name for tool in listed if tool.annotations and tool.annotations.read_only_hint]
    without_schema = [tool.name for tool in listed if not tool.output_schema]
    return {
        "names": sorted(tool.name for tool in listed),
        "read_only": sorted(read_only),
        "without_output_schema": sorted(without_schema),
    }


async def reading(world, client):
    """The read-only tools answer without any gate."""
    signals = await call(client, "gather_signals")
    analysis = await call(client, "analyze_migration", file=world.migration)
    return {"signals": "error" not in signals, "analysis": "error" not in analysis}


async def closed(world, client):
    """Nothing is written and the answer says how a human opens the gate."""
    return {"answer": await write(world, client)}


async def answered(world, client, human):
    """Closed, asked, answered, tried again, and once more."""
    first = await write(world, client)
    world.human = human(short(first))
    asked = await call(client, "request_approval", plan=first["plan"])
    second = await write(world, client)
    created = world.created()
    third = await write(world, client)
    return {
        "typed": short(first),
        "approval": asked,
        "second": second.get("status", second),
        "created_by_second": created,
        "third": third.get("status", third),
    }


async def stale(world, client):
    """The file changes after the approval."""
    first = await write(world, client)
    world.human = accept(short(first))
    asked = await call(client, "request_approval", plan=first["plan"])
    path = world.folder / world.migration
    path.write_text(path.read_text() + "\n-- One more thing.\n")
    return {"approval": asked, "second": await write(world, client)}


async def tampered(world, client):
    """The ledger is edited after the approval."""
    first = await write(world, client)
    world.human = accept(short(first))
    await call(client, "request_approval", plan=first["plan"])
    ledger = world.folder / ".lockkeeper" / "ledger.jsonl"
    if not ledger.exists():  # A client that cannot ask never gets so far.
        return {"second": await write(world, client)}
    ledger.write_text(ledger.read_text().replace('"sequence":2', '"sequence":3'))
    return {"second": await write(world, client)}


async def other_plan(_world, client):
    """Ids that are no plans, one of them a path."""
    unknown = await call(client, "request_approval", plan="0123456789abcdef")
    path = await call(client, "request_approval", plan="../../../etc/passwd")
    return {"unknown": unknown, "path": path}


async def replay(world, client):
    """The same answer with the same state a second time, by hand; and a changed state. Modern only."""
    first = await write(world, client)
    arguments = {"plan": first["plan"]}
    question = await client.session.call_tool("request_approval", arguments, allow_input_required=True)
    if not isinstance(question, InputRequiredResult):
        return {"question": structured(question)}
    answer = ElicitResult(action="accept", content={"digest": short(first)})
    responses = {key: answer for key in question.input_requests}

    async def again(state):
        try:
            result = await client.session.call_tool(
                "request_approval", arguments, input_responses=responses, request_state=state, allow_input_required=True
            )
        except Exception as error:
            return {"error": str(error)}
        return {"asked_again": True} if isinstance(result, InputRequiredResult) else structured(result)

    changed = await again(question.request_state[:-2] + ("AA" if question.request_state[-2:] != "AA" else "BB"))
    answered_once = await again(question.request_state)
    used = await write(world, client)
    return {
        "changed_state": changed,
        "first": answered_once,
        "used": used.get("status", used),
        "replayed": await again(question.request_state),
        "after_replay": (await write(world, client)).get("status"),
    }


SCENARIOS = {
    "tools": tools,
    "reading": reading,
    "closed": closed,
    "accepted": lambda world, client: answered(world, client, accept),
    "wrong_digest": lambda world, client: answered(world, client, lambda _short: accept("0000-0000-0000")),
    "yes": lambda world, client: answered(world, client, lambda _short: accept("yes")),
    "declined": lambda world, client: answered(world, client, lambda _short: refuse("decline")),
    "cancelled": lambda world, client: answered(world, client, lambda _short: refuse("cancel")),
    "stale": stale,
    "tampered": tampered,
    "other_plan": other_plan,
}


async def play(name, scenario, arguments):
    world = World(*arguments)
    try:
        async with world.client() as client:
            outcome = await asyncio.wait_for(scenario(world, client), 60)
    except Exception as error:
        outcome = {"broken": innermost(error)}
    line = {
        "mode": arguments[3],
        "scenario": name,
        "outcome": outcome,
        "questions": world.questions,
        "created": world.created(),
    }
    world.close()
    print(json.dumps(line, sort_keys=True), flush=True)


def innermost(error):
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return repr(error)


async def main():
    arguments = [os.path.abspath(sys.argv[1]), *sys.argv[2:]]
    scenarios = dict(SCENARIOS)
    if arguments[3] == "modern":
        scenarios["replay"] = replay
    for name, scenario in scenarios.items():
        await play(name, scenario, arguments)


asyncio.run(main())
