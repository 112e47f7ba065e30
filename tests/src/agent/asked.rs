//! The tools that look at a database: what they count on a server, who may let them, and what they never do or tell.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Agent, Era};
use super::workspace::{CANARY, Workspace, plan};
use crate::cluster::cluster;
use crate::database::Database;

const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text);
    INSERT INTO users SELECT n, 'canary-7c1b9e', 'x' FROM generate_series(1, 1000) n;";

fn database() -> Database {
    cluster().database_from("asked", |it| it.run(SCHEMA))
}

/// A server of tools whose human has set the variable.
fn agent(workspace: &Workspace, url: &str) -> Agent {
    Agent::start(workspace.command(&["mcp"]).env("SHOP_DATABASE", url), Era::Stateless)
}

fn configure(workspace: &Workspace, more: &str) {
    let path = workspace.project().join("lockkeeper.toml");
    let text = fs::read_to_string(&path).expect("is there");
    fs::write(path, format!("{text}\n{more}\n")).expect("can be written");
}

const READABLE: &str = "[databases.shop]\nurl-env = \"SHOP_DATABASE\"";

fn condition<'a>(answer: &'a Value, text: &str) -> &'a Value {
    let all = answer["conditions"].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter().find(|it| it["text"] == text).unwrap_or_else(|| panic!("{text}: {answer}"))
}

const AGREE: &str = "old and new agree in every row";

#[test]
fn what_a_plan_needs_is_counted_on_the_server() {
    let (workspace, database) = (Workspace::new(), database());
    configure(&workspace, READABLE);
    let mut agent = agent(&workspace, &cluster().url(database.name()));
    let plan = plan(&mut agent);
    let mut verify = || {
        let answer = agent.call("verify_integrity", json!({"plan": plan}));
        assert!(!answer.to_string().contains(CANARY), "rows are not for agents: {answer}");
        answer
    };
    let before = verify();
    assert_eq!((&before["database"], &before["untrusted"]), (&json!("shop"), &json!(true)), "{before}");
    let early = condition(&before, AGREE);
    assert_eq!(early["holds"], Value::Null, "{early}");
    assert!(early["problem"].as_str().is_some_and(|it| it.contains("full_name")), "{early}");
    let idle = condition(&before, "no transaction on these tables is older than the lock timeout");
    // The server's own cleaning may be at work there.
    let seconds = idle["counted"].as_f64().unwrap_or_else(|| panic!("{idle}"));
    assert_eq!(idle["holds"], seconds < 2.0, "{idle}");
    database
        .run("ALTER TABLE users ADD COLUMN full_name text; UPDATE users SET full_name = name WHERE id > 7");
    let half = verify();
    let half = condition(&half, AGREE);
    assert_eq!((&half["counted"], &half["holds"]), (&json!(7.0), &json!(false)), "{half}");
    database.run("UPDATE users SET full_name = name; ALTER TABLE users ADD CHECK (id > 0) NOT VALID");
    let whole = verify();
    assert_eq!(condition(&whole, AGREE)["holds"], true, "{whole}");
    let open = condition(&whole, "no index is half built and no constraint is left unvalidated");
    assert_eq!((&open["counted"], &open["holds"]), (&json!(1.0), &json!(false)), "{open}");
    let one = agent.call("verify_integrity", json!({"plan": plan, "phase": 3}));
    let phases = one["conditions"].as_array().expect("a list");
    assert!(
        phases.len() == 2 && phases.iter().all(|it| it["phase"].to_string().starts_with("\"3 ")),
        "{one}"
    );
}

#[test]
fn what_is_used_is_counted_and_not_told() {
    let (workspace, database) = (Workspace::new(), database());
    configure(&workspace, READABLE);
    let mut agent = agent(&workspace, &cluster().url(database.name()));
    let reads = |answer: &Value| answer["reads"].as_f64().unwrap_or_else(|| panic!("{answer}"));
    let begun = reads(&agent.call("check_usage", json!({"table": "users", "column": "name"})));
    // Counters come from other sessions a little later.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        database.run("SELECT count(*) FROM users WHERE name = 'canary-7c1b9e'");
        let answer = agent.call("check_usage", json!({"table": "public.users", "column": "name"}));
        assert!(!answer.to_string().contains(CANARY), "{answer}");
        if reads(&answer) > begun {
            assert_eq!(answer["statements"], Value::Null, "{answer}");
            assert!(answer["problems"].to_string().contains("not counted"), "{answer}");
            break;
        }
        assert!(Instant::now() < deadline, "{answer}");
    }
    // What counts statements has to be loaded when a server starts: here a table stands in for it.
    database.run(&format!(
        "CREATE TABLE pg_stat_statements (query text); INSERT INTO pg_stat_statements VALUES
         ('SELECT name FROM users -- {CANARY}'), ('SELECT username FROM users'), ('SELECT Name, id FROM public.\"users\"')"
    ));
    let answer = agent.call("check_usage", json!({"table": "users", "column": "name"}));
    assert_eq!((&answer["statements"], &answer["problems"]), (&json!(2.0), &json!([])), "{answer}");
    assert!(!answer.to_string().contains(CANARY), "{answer}");
    for unknown in [json!({"table": "userz"}), json!({"table": "users", "column": "nam"})] {
        let answer = agent.call("check_usage", unknown);
        assert!(answer["error"].as_str().is_some_and(|it| it.contains("the nearest are")), "{answer}");
    }
}

#[test]
fn only_a_committed_name_of_a_variable_lets_them_look() {
    let (workspace, database) = (Workspace::new(), database());
    let url = cluster().url(database.name());
    let call = json!({"table": "users"});
    let mut nothing = agent(&workspace, &url);
    let told = nothing.call("check_usage", call.clone());
    assert!(told["error"].as_str().is_some_and(|it| it.contains("no database may be looked at")), "{told}");
    let git = |arguments: &[&str]| {
        let names = ["-c", "user.name=x", "-c", "user.email=x@y"];
        let git = Command::new("git").arg("-C").arg(workspace.project()).args(names).args(arguments).status();
        assert!(git.expect("is there").success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "x"]);
    configure(&workspace, READABLE);
    let told = nothing.call("check_usage", call.clone());
    assert!(
        told["error"].as_str().is_some_and(|it| it.contains("no database may be looked at")),
        "an agent wrote it: {told}"
    );
    git(&["commit", "-q", "-a", "-m", "y"]);
    let told = nothing.call("check_usage", call.clone());
    assert!(told["reads"].is_number(), "{told}");
    // Another variable, which nobody committed.
    let path = workspace.project().join("lockkeeper.toml");
    let text = fs::read_to_string(&path).expect("is there");
    fs::write(&path, text.replace("SHOP_DATABASE", "OTHER")).expect("can be written");
    assert!(nothing.call("check_usage", call.clone())["error"].is_string());
    fs::write(&path, text.replace("SHOP_DATABASE", "postgres://u:hunter2@h/x")).expect("can be written");
    let told = nothing.call("check_usage", call.clone());
    assert!(told["error"].is_string() && !told.to_string().contains("hunter2"), "{told}");
    fs::write(&path, &text).expect("can be written");
    // A server that is not there, and a variable that is not set.
    let mut away = agent(&workspace, "postgres://u:hunter2@127.0.0.1:1/shop?connect_timeout=2");
    let told = away.call("check_usage", call.clone());
    assert!(told["problems"].as_array().is_some_and(|it| it.len() == 2), "{told}");
    assert!(!told.to_string().contains("hunter2"), "{told}");
    let mut unset = agent(&workspace, "");
    let told = unset.call("check_usage", call);
    assert!(told["error"].as_str().is_some_and(|it| it.contains("SHOP_DATABASE")), "{told}");
}

/// Names that would end a text, a lock that nobody gives back, and a table that takes long: nothing is changed, and an answer comes.
#[test]
fn nothing_is_written_and_nobody_is_waited_for() {
    let (workspace, database) = (Workspace::new(), database());
    configure(&workspace, READABLE);
    let hostile = "x\"\"; DROP TABLE users; --'; DROP TABLE users; \\! touch made";
    fs::write(
        workspace.project().join("db/migrations/20260113000000_hostile.sql"),
        format!("-- migrate:up\nCREATE TABLE \"{hostile}\" (id int, \"{hostile}\" text);\n-- migrate:down\nSELECT 1;\n"),
    )
    .expect("can be written");
    database.run(&format!("CREATE TABLE \"{hostile}\" (id int, \"{hostile}\" text)"));
    let mut agent = agent(&workspace, &cluster().url(database.name()));
    let sql = format!("ALTER TABLE \"{hostile}\" RENAME COLUMN \"{hostile}\" TO y;");
    let drafted = agent.call("draft_plan", json!({"sql": sql, "name": "hostile"}));
    if let Some(plan) = drafted["plan_id"].as_str() {
        let answer = agent.call("verify_integrity", json!({"plan": plan}));
        assert!(answer["conditions"].is_array(), "{answer}");
    }
    let name = hostile.replace("\"\"", "\"");
    for call in
        [json!({"table": name}), json!({"table": "users", "column": hostile}), json!({"table": hostile})]
    {
        agent.call("check_usage", call);
    }
    let count = |query: &str| database.value(query);
    assert_eq!(count("SELECT count(*) FROM users"), "1000");
    assert!(!workspace.project().join("made").exists());
    let plan = plan(&mut agent);
    database.run("ALTER TABLE users ADD COLUMN full_name text");
    let begun = Instant::now();
    let mut other = database.connect();
    other.batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE").expect("it is free");
    let answer = agent.call("verify_integrity", json!({"plan": plan, "phase": 3}));
    drop(other);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let problem = condition(&answer, AGREE)["problem"].as_str().unwrap_or_default();
    assert!(problem.contains("lock timeout"), "{answer}");
}
