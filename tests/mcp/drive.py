"""Drives `lockkeeper mcp` over stdio with the official SDK, and prints what happened as JSON lines.

    drive.py PROGRAM PROJECT MIGRATION MODE

MODE is `legacy` (initialize, elicitation as a request), `modern` (2026-07-28, input-required results), or either with
`-silent` behind it: a client that cannot ask its human; with `-http`: on HTTP instead; or with `-attacks`: what must not come through. Every scenario
has a fresh copy of PROJECT and a fresh server.
What is right is not decided here: `tests/src/mcp.rs` compares the lines.
"""

import asyncio
import json
import os
import sys

from attacks import ATTACKS
from mcp_types import ElicitResult, InputRequiredResult, ResourceTemplateReference
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
    unknown = await call(client, "find_references", table="userz")
    written = await call(client, "find_references", table="public.users", column="name")
    return {
        "signals": "error" not in signals,
        "analysis": "error" not in analysis,
        "unknown": "the nearest are users" in unknown.get("error", ""),
        "written": "error" not in written and written["untrusted"],
        "next": bool(signals.get("next") and analysis.get("next") and written.get("next")),
    }


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


async def drafted(world, client):
    """From a sentence of SQL to files and report, with no migration in the project before."""
    sql = "ALTER TABLE orders RENAME COLUMN status TO state;"
    proposed = await call(client, "draft_plan", sql=sql, name="rename order status")
    plan = proposed["plan_id"]
    shown = await call(client, "get_plan", plan=plan)
    world.plan = plan
    before = world.created()
    first, approval = await approve(world, client)
    written = await write(world, client)
    report = await write(world, client, "write_report")
    again = await write(world, client)
    return {
        "before": before,
        "first": first["status"],
        "approval": approval.get("status"),
        "written": written.get("status"),
        "releases": [must for release in written.get("releases", []) for must in release["must"]],
        "report": report.get("status"),
        "again": again.get("status"),
        "as_shown": all((world.folder / it["path"]).exists() and (world.folder / it["path"]).read_text() == it["text"] for it in shown["files"]),
        "count": sum(not it["path"].startswith(".lockkeeper/held/") for it in shown["files"]),
        "held": sum(it["path"].startswith(".lockkeeper/held/") for it in shown["files"]),
        "listed": [it["plan"] for it in (await call(client, "get_plan"))["plans"]] == [plan],
        "next": all(answer.get("next") for answer in [proposed, shown, first, written, report]),
    }


async def questions(world, client):
    """Only what the human typed is an answer, and a closed form leaves them alone."""
    configuration = world.folder / "lockkeeper.toml"
    before = configuration.read_text()
    by_agent = await call(client, "answer_questions", answers={"acceptable-loss": "any"})
    unknown = await call(client, "answer_questions", ids=["no-such-question"])
    untouched = configuration.read_text() == before
    ids = ["acceptable-loss", "write-rate"]
    world.human = lambda _message: ElicitResult(action="accept", content={"acceptable-loss": "minutes", "write-rate": "many", "table-rows": "1"})
    answered = await call(client, "answer_questions", ids=ids)
    after = configuration.read_text()
    world.human = refuse("decline")
    declined = await call(client, "answer_questions")
    quiet = await call(client, "answer_questions")
    return {
        "by_agent": "error" in by_agent,
        "unknown": "error" in unknown,
        "untouched": untouched,
        "answered": answered,
        "kept": 'acceptable-loss = "minutes"' in after,
        "not_asked": "table-rows = \"1\"" in after,
        "declined": declined.get("status"),
        "quiet": quiet.get("status"),
        "listed": "error" not in await call(client, "list_questions"),
    }


async def offered(world, client):
    """Resources, templates, prompts and completions; and addresses that are none of ours."""
    before = {str(it.uri) for it in (await client.list_resources()).resources}
    plan = (await call(client, "propose_strategies", file=world.migration))["plan_id"]
    resources = {str(it.uri) for it in (await client.list_resources()).resources}
    templates = sorted(it.uri_template for it in (await client.list_resource_templates()).resource_templates)

    async def length(uri):
        try:
            return len((await client.read_resource(uri)).contents[0].text)
        except Exception as error:
            return str(error)

    pages = ["lockkeeper://rule/renamed-column", "lockkeeper://recipe/expand-contract-rename"]
    hostile = [
        "file:///etc/passwd", "lockkeeper://plan/../../secret", "lockkeeper://catalog/../..", "lockkeeper://report/0123456789abcdef",
        "lockkeeper://rule/no-such-rule", "lockkeeper://other/x", "lockkeeper://", "lockkeeper://plan/" + "x" * 100_000,
    ]
    prompts = (await client.list_prompts()).prompts
    filled = await client.get_prompt("review_migration", {"file": world.migration})
    try:
        missing = (await client.get_prompt("review_migration", {})) is None
    except Exception:
        missing = True
    reference = ResourceTemplateReference(type="ref/resource", uri="lockkeeper://rule/{name}")
    completed = await client.complete(reference, {"name": "name", "value": "renamed-c"})
    return {
        "new": sorted(uri.replace(plan, "PLAN") for uri in resources - before),
        "templates": templates,
        "read": {uri.replace(plan, "PLAN"): await length(uri) for uri in sorted(resources) + pages},
        "hostile": [isinstance(await length(uri), int) for uri in hostile],
        "prompts": sorted(it.name for it in prompts),
        "filled": world.migration in filled.messages[0].content.text,
        "missing": missing,
        "completed": completed.completion.values,
    }


async def rehearsed(world, client):
    """An operation that is waited for, and one that is stopped."""
    answer = await call(client, "rehearse", file=world.migration, rows=50)
    while answer.get("status") == "running":
        answer = await call(client, "operation_status", operation=answer["operation"])
    wrong = await call(client, "rehearse", file="src/users.ts")
    outside = await call(client, "rehearse", file="../../etc/passwd")
    running = asyncio.create_task(call(client, "rehearse", file=world.migration, rows=500_000))
    await asyncio.sleep(3)
    stopped = await call(client, "operation_status", operation=answer["operation"] + 2, cancel=True)
    return {
        "status": answer.get("status"),
        "steps": len((answer.get("result") or {}).get("steps", [])),
        "wrong": wrong.get("status"),
        "outside": "error" in outside,
        "stopped": stopped.get("status", stopped),
        "started": (await running).get("status"),
        "unknown": "error" in await call(client, "operation_status", operation=99),
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
    "drafted": drafted,
    "questions": questions,
    "offered": offered,
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
    if arguments[3] == "legacy" and not attacking:
        scenarios["rehearsed"] = rehearsed
    for name, scenario in scenarios.items():
        await play(name, scenario, arguments)


asyncio.run(main())
