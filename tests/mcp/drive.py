"""Drives `lockkeeper mcp` over stdio with the official SDK, and prints what happened as JSON lines.

    drive.py PROGRAM PROJECT MIGRATION MODE

MODE is `legacy` (initialize, elicitation as a request), `modern` (2026-07-28, input-required results), or either with
`-silent` behind it: a client that cannot ask its human; or with `-attacks`: what must not come through. Every scenario
has a fresh copy of PROJECT and a fresh server.
What is right is not decided here: `tests/src/mcp.rs` compares the lines.
"""

import asyncio
import json
import os
import sys

from attacks import ATTACKS
from mcp_types import ElicitResult, InputRequiredResult
from world import World, accept, approve, call, refuse, short, structured, write


async def tools(_world, client):
    listed = (await client.list_tools()).tools
    read_only = [tool.name for tool in listed if tool.annotations and tool.annotations.read_only_hint]
    without_schema = [tool.name for tool in listed if not tool.output_schema]
    return {
        "names": sorted(tool.name for tool in listed),
        "read_only": sorted(read_only),
        "without_output_schema": sorted(without_schema),
        "bytes": len(json.dumps([tool.model_dump(by_alias=True, exclude_none=True) for tool in listed], separators=(",", ":"))),
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
    _, asked = await approve(world, client)
    path = world.folder / world.migration
    path.write_text(path.read_text() + "\n-- One more thing.\n")
    return {"approval": asked, "second": await write(world, client)}


async def tampered(world, client):
    """The ledger is edited after the approval."""
    await approve(world, client)
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
            outcome = await asyncio.wait_for(scenario(world, client), 120)
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
    attacking = arguments[3].endswith("-attacks")
    arguments[3] = arguments[3].removesuffix("-attacks")
    scenarios = dict(ATTACKS if attacking else SCENARIOS)
    if arguments[3] == "modern" and not attacking:
        scenarios["replay"] = replay
    for name, scenario in scenarios.items():
        await play(name, scenario, arguments)


asyncio.run(main())
