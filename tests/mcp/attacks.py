"""What must not come through: scenarios that attack the gates from inside the workspace."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from world import approve, call, refuse, write


async def in_any_order(world, client):
    """Migrations and report under one approval, each once, the report behind the migrations."""
    await approve(world, client)
    tools = ["write_migrations", "write_report", "write_report", "write_migrations"]
    answers = [await write(world, client, tool) for tool in tools]
    return [answer.get("status", "error") for answer in answers]


async def report_first(world, client):
    await approve(world, client)
    answers = [await write(world, client, tool) for tool in ["write_report", "write_migrations", "write_report"]]
    return [answer.get("status", "error") for answer in answers]


async def plan_only(world, client):
    """What an agent adds to the plan's id is refused."""
    await approve(world, client)
    extra = {"file": world.migration, "strategy": "maintenance-window", "approved": True, "digest": "0" * 64}
    answers = [await call(client, "write_migrations", plan=world.plan, **{key: extra[key]}) for key in extra]
    without = await call(client, "write_migrations", file=world.migration)
    return {"refused": ["error" in answer for answer in [*answers, without]], "created": world.created()}


async def failed_write(world, client):
    """Something stands in the way of the report and of the migrations; without it, the same approval is good."""
    await approve(world, client)
    outside = world.base / "outside"
    outside.mkdir()
    (world.folder / "docs").symlink_to(outside)
    report = await write(world, client, "write_report")
    (world.folder / "docs").unlink()
    blockers = in_the_way(world)
    blocked = await write(world, client)
    for blocker in blockers:
        blocker.unlink()
    created = world.created()
    left = sorted(str(path) for path in outside.rglob("*"))
    after = [(await write(world, client, tool)).get("status") for tool in ["write_report", "write_migrations"]]
    failed = ["error" in report, "error" in blocked]
    return {"failed": failed, "outside": left, "created_by_failures": created, "after": after}


def in_the_way(world):
    """Links in the place of the last file that would be written within the next minute: names begin with the time."""
    migrations = (world.folder / world.migration).parent
    now = datetime.now(timezone.utc)
    times = (now + timedelta(seconds=seconds) for seconds in range(60))
    links = [migrations / f"{time:%Y%m%d%H%M%S}_users_full_name_views.sql" for time in times]
    for link in links:
        link.symlink_to(world.base / "nowhere")
    return links


async def nagging(world, client):
    """A human who always says no, and an agent that never stops asking."""
    first = await write(world, client)
    world.human = refuse("decline")
    answers = [await call(client, "request_approval", plan=first["plan"]) for _ in range(100)]
    path = world.folder / world.migration
    text = path.read_text()
    for turn in range(20):
        path.write_text(f"{text}-- {turn}\n")
        proposed = await call(client, "propose_strategies", file=world.migration)
        answers.append(await call(client, "request_approval", plan=proposed["plan_id"]))
    return {
        "statuses": sorted({answer.get("status", "error") for answer in answers}),
        "retry_after": all(answer.get("retry_after") for answer in answers[1:100]),
    }


def forge(lines, events):
    """What twenty lines of a script write: a chain with all its hashes right."""
    entry = json.loads(lines[-1])
    for event in events:
        entry = {**entry, "sequence": entry["sequence"] + 1, "previous": entry["hash"], "event": event}
        entry["question"] = {**entry["question"], "nonce": "0" * 32, "channel": "terminal", "tier": "attended"}
        del entry["hash"]
        entry["hash"] = hashlib.sha256(canonical(entry).encode()).hexdigest()
        lines = [*lines, canonical(entry)]
    return lines


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def rechained(lines, change):
    """The ledger with each line changed and all hashes made right again."""
    previous, chained = "0" * 64, []
    for number, line in enumerate(lines):
        entry = change(json.loads(line))
        entry.update(sequence=number + 1, previous=previous)
        del entry["hash"]
        previous = entry["hash"] = hashlib.sha256(canonical(entry).encode()).hexdigest()
        chained.append(canonical(entry))
    return chained


def approved_instead(entry):
    return {**entry, "event": "approved" if entry["event"] in ("declined", "used") else entry["event"]}


def without_authentication(entry):
    return {key: value for key, value in entry.items() if key != "authentication"}


def attacks(lines):
    """Each way to write the ledger anew: its name, and the lines."""
    yield "deleted", None
    yield "emptied", []
    yield "forged approval", forge(lines, ["requested", "approved"])
    yield "forged from nothing", rechained(forge(lines[:1], ["requested", "approved"])[1:], dict)
    yield "rechained", rechained(lines, approved_instead)
    yield "without authentication", rechained(lines, without_authentication)
    for number in range(len(lines)):
        yield f"without line {number}", [*lines[:number], *lines[number + 1 :]]
        yield f"without line {number}, rechained", rechained([*lines[:number], *lines[number + 1 :]], dict)
        yield f"line {number} twice", [*lines[: number + 1], *lines[number:]]
        yield f"only {number} lines", lines[:number]
        for other in range(number):
            swapped = list(lines)
            swapped[number], swapped[other] = swapped[other], swapped[number]
            yield f"lines {other} and {number} swapped", swapped


async def ledger_attacked(world, client, prepare):
    """Every attack on the ledger that `prepare` leaves; what came through, and how many were tried."""
    await prepare(world, client)
    ledger = world.folder / ".lockkeeper" / "ledger.jsonl"
    original = ledger.read_text()
    open_before = (await call(client, "gate_status", plan=world.plan))["status"]
    through, tried = [], 0
    for name, lines in attacks(original.splitlines()):
        if lines == original.splitlines():
            continue
        if lines is None:
            ledger.unlink()
        else:
            ledger.write_text("".join(line + "\n" for line in lines))
        tried += 1
        status = await call(client, "gate_status", plan=world.plan)
        written = await write(world, client)
        verified = subprocess.run(
            [world.program, "ledger", "verify"],
            cwd=world.folder,
            env={**os.environ, "LOCKKEEPER_STATE_DIR": str(world.base / "state")},
            capture_output=True,
        )
        if status.get("status") == "open" or written.get("status") == "written" or verified.returncode != 4:
            through.append(name)
        ledger.write_text(original)
    open_after = (await call(client, "gate_status", plan=world.plan))["status"]
    return {"through": through, "tried": tried, "before": open_before, "after": open_after}


async def declined(world, client):
    await write(world, client)
    world.human = refuse("decline")
    await call(client, "request_approval", plan=world.plan)


async def used(world, client):
    await approve(world, client)
    path = world.folder / world.migration
    before = path.read_text()
    await write(world, client)
    for name in world.created():
        (world.folder / name).unlink()
    path.write_text(before)


async def linked(world, client):
    """Everything in `.lockkeeper`, and the folder, as a link to something outside, a folder, a pipe, or unreadable."""
    await approve(world, client)
    folder = world.folder / ".lockkeeper"
    ledger = folder / "ledger.jsonl"
    outside = world.base / "outside"
    through, tried = [], 0
    for target in [folder, ledger]:
        for kind in ["link to a copy", "link to another", "dangling link", "folder or file", "pipe"]:
            shutil.copytree(folder, outside, symlinks=True)
            kept = world.base / "kept"
            target.rename(kept)
            if kind == "link to a copy":
                target.symlink_to(outside if target == folder else outside / "ledger.jsonl")
            elif kind == "link to another":
                (world.base / "another").write_text("another\n")
                target.symlink_to(world.base / "another")
            elif kind == "dangling link":
                target.symlink_to(world.base / "nowhere")
            elif kind == "pipe":
                os.mkfifo(target)
            elif target == folder:
                target.write_text("")
            else:
                target.mkdir()
            tried += 1
            before = (outside / "ledger.jsonl").read_bytes()
            status = await call(client, "gate_status", plan=world.plan)
            answers = [status, await write(world, client), await write(world, client, "write_report")]
            if any(answer.get("status") in ("open", "written") for answer in answers):
                through.append(f"{target.name}: {kind}")
            if (outside / "ledger.jsonl").read_bytes() != before or (world.base / "nowhere").exists():
                through.append(f"{target.name}: {kind}: written outside")
            if target.is_dir() and not target.is_symlink():
                target.rmdir()
            else:
                target.unlink()
            kept.rename(target)
            shutil.rmtree(outside)
    after = (await call(client, "gate_status", plan=world.plan))["status"]
    return {"through": through, "tried": tried, "after": after}


async def copied(world, client):
    """The project with its approvals in another place; and another folder in its place."""
    await approve(world, client)
    copy = world.base / "copy"
    shutil.copytree(world.folder, copy)
    plan = world.plan
    async with world.client(copy) as other:
        elsewhere = await call(other, "gate_status", plan=plan)
        del world.plan
        answer = await write(world, other)
    world.folder.rename(world.base / "away")
    copy.rename(world.folder)
    async with world.client() as other:
        replaced = await call(other, "write_migrations", plan=plan)
    shutil.rmtree(world.folder)
    (world.base / "away").rename(world.folder)
    async with world.client() as other:
        back = await call(other, "gate_status", plan=plan)
    return {
        "elsewhere": elsewhere.get("status", "error"),
        "written": answer.get("status", "error"),
        "replaced": replaced.get("status", "error"),
        "back": back.get("status", "error"),
    }


async def loosened(world, client):
    """The committed policy decides: what the working copy loosens is shown and raises the tier, and switches no rule off."""
    git = ["git", "-C", world.folder, "-c", "user.name=x", "-c", "user.email=x@y"]
    for arguments in [["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]]:
        subprocess.run([*git, *arguments], check=True)
    await approve(world, client)
    hazards = await rules(world, client)
    policy = world.folder / "lockkeeper.toml"
    committed = policy.read_text()
    outcome = {}
    for name, text in {
        "severity": "\n[severity]\n" + "".join(f'{rule} = "off"\n' for rule in hazards),
        "limits": "\n[limits]\nlock-seconds = 3600\n",
        "ignore": None,
        "tightened": '\n[gates]\nstrategy = "attended"\n',
    }.items():
        policy.write_text('ignore = ["nothing"]\n' + committed if text is None else committed + text)
        stale = await write(world, client)
        proposed = await call(client, "propose_strategies", file=world.migration)
        asked = len(world.questions)
        answer = await call(client, "request_approval", plan=proposed["plan_id"])
        outcome[name] = {
            "written": stale["status"],
            "tier": answer["tier"],
            "forms": len(world.questions) - asked,
            "shown": len(answer["policy_changes"]) > 0,
            "rules": await rules(world, client) == hazards,
        }
    policy.write_text(committed)
    outcome["back"] = (await write(world, client))["status"]
    return outcome


async def rules(world, client):
    report = await call(client, "analyze_migration", file=world.migration)
    return sorted({hazard["rule"] for file in report["files"] for hazard in file["hazards"]})


SECRET = "hunter2Zx9"


async def secrets(world, client):
    """A secret in every shape and place: in what is configured, coded, migrated and asked for; nothing tells it."""
    shapes = Path("project/src/secret/shapes.txt").read_text().splitlines()
    shapes = [shape.replace("@", SECRET).replace("§", "@") for shape in shapes if shape]
    sql = [shape for shape in shapes if shape.split(" ")[0] in ("CREATE", "ALTER", "SELECT")]
    for place in [".env.example", "docker-compose.yml", ".github/workflows/deploy.yml", "src/config.ts", "ops/notes.md"]:
        path = world.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        mixed = (f"{shape} # postgres users name full_name pg_dump replica" for shape in shapes)
        path.write_text((path.read_text() if path.exists() else "") + "\n" + "\n".join(mixed) + "\n")
    migration = world.folder / world.migration
    before = migration.with_name("20260113000000_secrets.sql")
    defaults = f"CREATE TABLE hooks (id int, url text DEFAULT 'https://u:{SECRET}@h/x');"
    view = f"CREATE VIEW hook AS SELECT id, 'postgres://u:{SECRET}@h/d' AS url FROM hooks;"
    before.write_text("-- migrate:up\n" + "\n".join([defaults, view, *(f"{it};" for it in sql)]) + "\n-- migrate:down\n")
    migration.write_text(migration.read_text().replace("-- migrate:down", f"{sql[0]};\n-- migrate:down"))
    told = []
    for tool, arguments in [
        ("gather_signals", {}),
        ("analyze_migration", {"file": world.migration}),
        ("analyze_migration", {"file": str(before.relative_to(world.folder))}),
        ("analyze_migration", {"file": f"postgres://u:{SECRET}@h/d"}),
        ("describe_schema", {}),
        ("describe_schema", {"folder": f"password={SECRET}"}),
        ("find_references", {"table": "users"}),
        ("find_references", {"table": "users", "column": "name"}),
        ("explain", {"name": f"token={SECRET}"}),
        ("propose_strategies", {"file": world.migration}),
        ("propose_strategies", {"file": world.migration, "strategy": f"--api-key {SECRET}"}),
        ("gate_status", {"plan": f"password: {SECRET}"}),
        ("write_migrations", {"plan": "0" * 16, f"password={SECRET}": 1}),
        ("write_report", {f"PASSWORD '{SECRET}'": 1}),
        ("draft_plan", {"sql": f"ALTER TABLE users ALTER COLUMN name SET DEFAULT 'postgres://u:{SECRET}@h/x';", "name": "x"}),
        ("draft_plan", {"sql": f"{sql[0]};", "name": f"token={SECRET}"}),
        ("draft_plan", {"sql": "SELECT 1;", "name": "x", "folder": f"password={SECRET}"}),
        ("get_plan", {}),
        ("get_plan", {"plan": f"password: {SECRET}"}),
        ("list_questions", {"path": f"password={SECRET}"}),
        ("answer_questions", {"ids": [f"password={SECRET}"]}),
        ("rehearse", {"file": f"password={SECRET}"}),
    ]:
        told.append((f"{tool} {arguments}", await call(client, tool, **arguments)))
    proposed = await call(client, "propose_strategies", file=world.migration)
    if proposed.get("plan_id"):
        world.plan = proposed["plan_id"]
        await approve(world, client)
        told.append(("report", await write(world, client, "write_report")))
        for report in (world.folder / "docs/database-report").glob("*"):
            told.append((report.name, report.read_text()))
    for kept in (await call(client, "get_plan"))["plans"]:
        told.append(("get_plan", await call(client, "get_plan", plan=kept["plan"])))
    for resource in (await client.list_resources()).resources:
        told.append((str(resource.uri), (await client.read_resource(resource.uri)).contents[0].text))
    told.append(("form", world.questions))
    return {
        "leaks": [name for name, answer in told if SECRET in json.dumps(answer)],
        "answers": len(told),
        "planned": bool(proposed.get("plan_id")),
        "long": [name for name, answer in told if len(json.dumps(answer)) > 26_000 and not name.endswith(("json", "md", "html"))],
    }


async def bounded(world, client):
    """Thousands of places and megabytes of input: pages that can be read, and short errors."""
    lines = "\n".join("await db.query('SELECT name FROM users')" for _ in range(3_000))
    (world.folder / "src" / "many.ts").write_text(lines)
    cursor, pages, found = None, 0, 0
    while pages == 0 or cursor:
        page = await call(client, "find_references", table="users", column="name", **({"cursor": cursor} if cursor else {}))
        assert len(json.dumps(page)) < 26_000, len(json.dumps(page))
        pages, found, cursor = pages + 1, found + len(page["references"]), page.get("next_cursor")
        if pages == 3:
            break
    left = page["left_out"]["/references"]
    huge = "x\u001b[31m\u202e" * 100_000
    errors = [
        await call(client, "explain", name=huge),
        await call(client, "propose_strategies", file=world.migration, strategy=huge),
        await call(client, "analyze_migration", file=huge),
        await call(client, "gate_status", plan=huge),
        await call(client, "write_migrations", plan="0" * 16, **{huge: 1}),
        await call(client, "draft_plan", sql=huge, name="x", folder=huge),
        await call(client, "draft_plan", sql=f"DROP TABLE users; -- {huge}" * 3, name=huge),
        await call(client, "get_plan", plan=huge),
        await call(client, "answer_questions", ids=[huge]),
        await call(client, "find_references", table=huge),
        await call(client, "describe_schema", tables=[huge]),
        await call(client, "rehearse", file=huge),
        await call(client, huge),
    ]
    plan = await call(client, "propose_strategies", file=world.migration)
    long = [
        await call(client, "draft_plan", sql="ALTER TABLE users RENAME COLUMN name TO full_name;\n" + "-- x\n" * 100_000, name="x"),
        await call(client, "draft_plan", sql="".join(f"CREATE TABLE t{n} (id int);\n" for n in range(2_000)), name="x"),
    ]
    for kept in (await call(client, "get_plan"))["plans"]:
        long.append(await call(client, "get_plan", plan=kept["plan"]))
    return {
        "long_plans": [len(json.dumps(answer)) for answer in long if len(json.dumps(answer)) > 26_000],
        "pages": pages,
        "all": found + left >= 3_000,
        "long_errors": [len(error["error"]) for error in errors if len(error.get("error", "")) > 2_000],
        "raw": any(sign in error.get("error", "") for error in errors for sign in "\u001b\u202e"),
        "plan": len(json.dumps(plan)) < 26_000,
    }


async def many_servers(world, client):
    """Sixteen servers on one workspace spend one approval."""
    await approve(world, client)

    async def one():
        async with world.client() as other:
            return [(await write(world, other, tool)).get("status", "error") for tool in ["write_report", "write_migrations"]]

    answers = await asyncio.gather(*(one() for _ in range(16)))
    return {
        "reports": sum(report == "written" for report, _ in answers),
        "migrations": sum(migrations == "written" for _, migrations in answers),
    }


ATTACKS = {
    "in_any_order": in_any_order,
    "report_first": report_first,
    "plan_only": plan_only,
    "failed_write": failed_write,
    "nagging": nagging,
    "approved_attacked": lambda world, client: ledger_attacked(world, client, approve),
    "declined_attacked": lambda world, client: ledger_attacked(world, client, declined),
    "used_attacked": lambda world, client: ledger_attacked(world, client, used),
    "linked": linked,
    "copied": copied,
    "loosened": loosened,
    "secrets": secrets,
    "bounded": bounded,
    "many_servers": many_servers,
}
