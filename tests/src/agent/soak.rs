//! Servers for long: many calls in flat memory, killed at random moments, many at a time on one workspace.
//!
//! The gate runs a small version; `cargo xtask soak` the whole one, with the figures of docs/measurements.md.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::MIGRATION;
use super::client::{Agent, Era, Human};
use super::workspace::{Workspace, plan, status};

/// How much is done.
struct Size {
    calls: usize,
    kills: usize,
    rounds: usize,
}

fn size() -> Size {
    match is_whole() {
        true => Size { calls: 100_000, kills: 500, rounds: 50 },
        false => Size { calls: 1_000, kills: 30, rounds: 2 },
    }
}

/// Whether all is to be done that there is, however long it takes.
pub(crate) fn is_whole() -> bool {
    std::env::var_os("LOCKKEEPER_SOAK").is_some()
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What an agent asks for, over and over: what answers at once more often than what takes long.
fn some_call(turn: usize, plan: &str) -> (&'static str, Value) {
    match turn % 50 {
        0 => ("propose_strategies", json!({"file": MIGRATION})),
        1 => ("draft_plan", json!({"sql": "ALTER TABLE users ADD note text;", "name": "note"})),
        2 => ("analyze_migration", json!({"file": MIGRATION})),
        3 => ("gather_signals", json!({})),
        4 => ("list_questions", json!({"all": true})),
        5 => ("write_migrations", json!({"plan": plan})),
        6 => ("rehearse", json!({"file": "src/users.ts"})),
        7 => ("find_references", json!({"table": "users", "column": "name"})),
        8..=14 => ("gate_status", json!({"plan": plan})),
        15..=19 => ("describe_schema", json!({"tables": ["users"]})),
        20..=22 => ("get_plan", json!({})),
        23..=30 => ("no_such_tool", json!({"x": "y"})),
        _ => ("explain", json!({"name": "renamed-column"})),
    }
}

#[test]
fn memory_stays_flat() {
    let workspace = Workspace::new();
    let mut agent = workspace.agent(Era::Stateless);
    let plan = plan(&mut agent);
    let calls = size().calls;
    let begun = Instant::now();
    let mut seen = Vec::new();
    for turn in 0..calls {
        let (tool, arguments) = some_call(turn, &plan);
        let answer = agent.call(tool, arguments);
        assert!(!matches!(status(&answer), "written" | "approved" | "open"), "{tool}: {answer}");
        if turn % (calls / 10) == calls / 10 - 1 {
            seen.push(resident(agent.process()));
        }
    }
    let per_second = calls as f64 / begun.elapsed().as_secs_f64();
    println!("{calls} calls, {per_second:.0} a second; memory in MB after each tenth: {seen:.1?}");
    // Plans are made on several threads, so that it goes up and down by a quarter; what is lost in each call goes up alone.
    let most = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
    let (first, last) = seen.split_at(seen.len() / 2);
    assert!(most(last) < most(first) * 1.25 + 10.0, "it grows: {seen:?}");
}

/// The memory that a process holds, in MB.
fn resident(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    let kilobytes: f64 = line.split_whitespace().next().and_then(|it| it.parse().ok()).expect("a number");
    kilobytes / 1_000.0
}

/// What a client saw of a server before it was killed.
#[derive(Debug, Default)]
struct Seen {
    /// Forms that the human filled in with the digest.
    typed: usize,
    approved: usize,
    written: usize,
}

#[test]
fn a_kill_at_any_moment_loses_and_invents_nothing() {
    let workspace = Workspace::new();
    let before = workspace.files();
    let mut random = Random(20_261_127);
    let mut seen = Seen::default();
    let mut agent = workspace.agent(Era::Initialize);
    let plan = plan(&mut agent);
    // How long a whole turn takes tells which moments there are.
    let begun = Instant::now();
    turn(&mut agent, &plan, &mut seen);
    let whole = begun.elapsed();
    let kills = size().kills;
    let mut killed = 0;
    for _ in 0..kills {
        clean(&workspace, &before);
        let era = [Era::Initialize, Era::Stateless][random.below(2) as usize];
        let mut agent = workspace.agent(era);
        let process = agent.process().to_string();
        let moment = Duration::from_micros(random.below(whole.as_micros() as u64 * 11 / 10));
        let was_killed = std::thread::scope(|scope| {
            let worker = scope.spawn(|| turn(&mut agent, &plan, &mut seen));
            std::thread::sleep(moment);
            let is_working = !worker.is_finished();
            let end = std::process::Command::new("kill").args(["-9", &process]).status();
            assert!(end.expect("is there").success());
            worker.join().expect("a client lives on");
            is_working
        });
        killed += usize::from(was_killed);
        drop(agent);
        holds(&workspace, &seen);
    }
    println!(
        "{kills} servers killed, {killed} of them while they answered: {} approvals given, {} in the ledger, {} writes told of",
        seen.approved,
        workspace.told("approved"),
        seen.written,
    );
    assert!(killed * 5 > kills, "{killed} of {kills} were killed at work: too few");
    let mut agent = workspace.agent(Era::Initialize);
    // Something of the last approval may be left.
    clean(&workspace, &before);
    turn(&mut agent, &plan, &mut Seen::default());
    clean(&workspace, &before);
    let mut after = Seen::default();
    turn(&mut agent, &plan, &mut after);
    assert_eq!((after.approved, after.written), (1, 2), "and it all works after that");
}

/// Approve and write, as far as the server lives.
fn turn(agent: &mut Agent, plan: &str, seen: &mut Seen) {
    let call = json!({"plan": plan});
    for tool in ["write_report", "write_migrations"] {
        let open = agent.try_call("gate_status", call.clone());
        if open.is_ok_and(|it| status(&it) == "approval_required") {
            agent.human = Human::Approves;
            let forms = agent.forms.len();
            let answer = agent.try_call("request_approval", call.clone());
            seen.typed += agent.forms.len() - forms;
            seen.approved += usize::from(answer.is_ok_and(|it| status(&it) == "approved"));
        }
        let written = agent.try_call(tool, call.clone());
        seen.written += usize::from(written.is_ok_and(|it| status(&it) == "written"));
    }
}

/// The ledger is whole, and tells what the client saw: nothing less, and no more than was typed.
#[track_caller]
fn holds(workspace: &Workspace, seen: &Seen) {
    assert!(workspace.verifies(), "{seen:?}");
    let approved = workspace.told("approved");
    assert!(approved >= seen.approved, "lost: {approved} of {seen:?}");
    assert!(approved <= seen.typed, "invented: {approved} of {seen:?}");
    let lines = workspace.ledger();
    let used = |nonce: &Value, action: &str| {
        let of = |event: &str| {
            let own = lines.iter().filter(|it| it["question"]["nonce"] == *nonce && it["action"] == action);
            own.filter(|it| it["event"] == event).count()
        };
        of("used") - of("returned")
    };
    for line in lines.iter().filter(|it| it["event"] == "approved") {
        for action in ["write_migrations", "write_report"] {
            assert!(used(&line["question"]["nonce"], action) <= 1, "used twice: {line}");
        }
    }
    let uses = lines.iter().filter(|it| it["event"] == "used").count();
    assert!(uses >= seen.written, "{uses} uses of {seen:?}");
}

/// What a person does after a crash: the project as it was before the plan was written.
fn clean(workspace: &Workspace, before: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>) {
    for path in workspace.files().keys().filter(|path| !before.contains_key(*path)) {
        fs::remove_file(path).expect("is there");
    }
    for (path, text) in before {
        fs::write(path, text).expect("can be written");
    }
}

#[test]
fn sixteen_servers_share_one_workspace() {
    let workspace = Workspace::new();
    let before = workspace.files();
    let eras = [Era::Initialize, Era::Stateless];
    let mut agents: Vec<Agent> = (0..16).map(|it| workspace.agent(eras[it % 2])).collect();
    let rounds = size().rounds;
    let (mut approvals, mut calls) = (0, 0);
    for round in 0..rounds {
        clean(&workspace, &before);
        let sql = format!("ALTER TABLE users ADD note_{round} text NOT NULL DEFAULT 'x', DROP COLUMN email;");
        let draft = json!({"sql": sql, "name": format!("note {round}")});
        // Each plans the same at the same time: it is one plan.
        let planned = at_once(&mut agents, |agent| {
            [
                plan(agent),
                agent.call("draft_plan", draft.clone())["plan_id"].as_str().unwrap_or("none").to_owned(),
            ]
        });
        assert!(planned.iter().all(|it| *it == planned[0] && it[1] != "none"), "round {round}: {planned:?}");
        let [plan, _] = &planned[0];
        agents[round % 16].human = Human::Approves;
        let answer = agents[round % 16].call("request_approval", json!({"plan": plan}));
        assert_eq!(status(&answer), "approved", "round {round}: {answer}");
        agents[round % 16].human = Human::IsAway;
        approvals += 1;
        let told = at_once(&mut agents, |agent| {
            let call = json!({"plan": plan});
            ["write_report", "write_migrations", "gate_status"]
                .map(|tool| status(&agent.call(tool, call.clone())).to_owned())
        });
        for (index, tool) in ["write_report", "write_migrations"].iter().enumerate() {
            let written = told.iter().filter(|it| it[index] == "written").count();
            assert_eq!(written, 1, "round {round}: {tool} of {told:?}");
        }
        calls += 16 * 5;
    }
    assert_eq!(workspace.told("approved"), approvals);
    assert!(workspace.verifies());
    println!("16 servers, {calls} calls at once, {approvals} approvals, each used once for each action");
}

fn at_once<T: Send>(agents: &mut [Agent], run: impl Fn(&mut Agent) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let all: Vec<_> = agents.iter_mut().map(|agent| scope.spawn(|| run(agent))).collect();
        all.into_iter().map(|it| it.join().expect("it answers")).collect()
    })
}
