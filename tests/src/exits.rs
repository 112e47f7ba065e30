//! The exit code of every command in every mode: each row is run, and the table in the docs is made of the rows.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Stdio;

use expect_test::expect_file;

use crate::binaries::root;
use crate::desk::Desk;

/// A call in the example project, how it ends, and what that means. PLAN stands for the id of a stored plan.
type Row = (&'static str, i32, &'static str);

const ROWS: &[Row] = &[
    (
        "check db/migrations/20250310091500_create_users.sql",
        0,
        "everything was read, and nothing reaches the threshold",
    ),
    ("check", 1, "a hazard reaches the threshold (`--fail-on`, danger unless stated)"),
    ("check --fail-on note --rule no-lock-timeout", 1, "the same with another threshold"),
    ("check no.sql", 2, "the call or the configuration is wrong"),
    ("check --fix", 2, "the call does not say which migrations may be changed"),
    ("check --baseline no.toml", 2, "there is no such baseline"),
    ("check --since no-such-revision", 3, "git, the database or a file failed"),
    ("check src/users.ts", 5, "something that was named could not be read"),
    ("check --allow-unread src/users.ts", 0, "the same, where the call lets it pass"),
    ("check --format sarif", 1, "every format ends as text does"),
    ("check --diff", 1, "what `--fix` would change does not count: as without `--diff`"),
    ("effect db/migrations/20260114100000_rename_user_name.sql", 0, "the effects are shown, known or not"),
    ("effect no.sql", 2, "the call is wrong"),
    ("explain renamed-column", 0, "the page is shown"),
    ("explain no-such-name", 2, "nothing has that name"),
    ("references users.name", 0, "the places are listed, also when there are none"),
    ("references a.b.c.d", 2, "that names no table or column"),
    ("schema", 0, "the schema is shown"),
    ("schema --at no-such-migration", 2, "there is no such migration"),
    ("signals", 0, "the signals are listed, also while questions are open"),
    ("signals no-such-folder", 2, "there is no such project"),
    (
        "plan db/migrations/20260114100000_rename_user_name.sql",
        0,
        "the ways are compared, also while questions are open",
    ),
    ("plan no.sql", 2, "the call is wrong"),
    ("plan src/users.ts", 5, "the migration is of a kind that is not analysed"),
    (
        "rewrite db/migrations/20260114100000_rename_user_name.sql",
        0,
        "the files are shown, or written with `--write`",
    ),
    ("rewrite --diff db/migrations/20260114100000_rename_user_name.sql", 0, "the files are shown as a diff"),
    (
        "rewrite db/migrations/20250310091500_create_users.sql",
        2,
        "there is nothing to rewrite, or it is refused",
    ),
    ("rewrite src/users.ts", 5, "the migration is of a kind that is not analysed"),
    (
        "review db/migrations/20250310091500_create_users.sql",
        0,
        "the application can be released beside the steps",
    ),
    ("review db/migrations/20260114100000_rename_user_name.sql", 1, "it cannot, or a step is dangerous"),
    ("review", 2, "the call does not say which steps"),
    (
        "rehearse --rows 50 db/migrations/20260114100000_rename_user_name.sql",
        1,
        "a release fails, somebody waits too long, or something differs",
    ),
    ("rehearse no.sql", 2, "the call is wrong, or it cannot be rehearsed"),
    ("rehearse src/users.ts", 5, "the migration is of a kind that is not analysed"),
    ("gates", 0, "the gates are explained"),
    ("gates PLAN", 4, "a gate of the plan is closed"),
    ("gates nonsense", 2, "there is no such plan"),
    ("approve PLAN no-such-gate", 2, "the call is wrong, or nobody is at a terminal"),
    ("reject PLAN strategy", 0, "the gate is refused for a while"),
    ("reject nonsense strategy", 2, "there is no such plan"),
    ("revoke nonsense strategy", 2, "there is no such plan"),
    ("ledger verify", 0, "the ledger is whole"),
    ("lsp", 1, "the editor went away without saying so; 0 after `shutdown` and `exit`"),
    ("mcp", 3, "the client went away before it began"),
    ("init", 0, "what would be written is shown, or written with `--yes`"),
    ("init src", 0, "the project around the folder is taken"),
    ("init --undo", 2, "nothing is known of an earlier `init`"),
    (
        "hook claude-code",
        2,
        "nothing is let through: the call cannot be read; 0 where it can, and the answer says what follows",
    ),
    ("completions bash", 0, "the script is printed"),
    ("completions no-such-shell", 2, "there is no such shell"),
    ("man", 0, "the manual page is printed"),
    ("no-such-command", 2, "there is no such command"),
];

/// Run one after the other: a stored plan is the same one for all.
#[test]
fn every_command_ends_as_the_table_says() {
    let desk = Desk::new();
    let plan = desk.plan();
    for (line, code, _) in ROWS {
        let line = line.replace("PLAN", &plan);
        let arguments: Vec<&str> = line.split(' ').collect();
        let output = desk.command(&arguments).stdin(Stdio::null()).output().expect("it can be started");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(*code), "lockkeeper {line}: {told}");
    }
}

#[test]
fn every_command_stands_in_the_table() {
    let output = Desk::new().run(&["--help"]);
    let help = String::from_utf8(output.stdout).expect("is text");
    let list = help.split("Commands:\n").nth(1).and_then(|it| it.split("\n\n").next()).expect(&help);
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: BTreeSet<&str> = names.filter(|it| !it.is_empty() && *it != "help").collect();
    let told: BTreeSet<&str> = ROWS.iter().filter_map(|(line, ..)| line.split(' ').next()).collect();
    assert!(names.len() > 15, "{names:?}");
    assert_eq!(names.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn the_table_is_fresh() {
    let mut text = String::from(
        "# Exit codes\n\n\
         0 success, 1 hazards, 2 the call or the configuration is wrong, 3 the environment failed, 4 a gate is closed, 5 something could \
         not be read.\nIn every case the answer is on standard output and everything else on standard error. The table is made by a test \
         that runs each call in `examples/shop`.\n\n| call | code | meaning |\n| --- | --- | --- |\n",
    );
    for (line, code, meaning) in ROWS {
        writeln!(text, "| `lockkeeper {line}` | {code} | {meaning} |").expect("a string");
    }
    expect_file![root().join("docs/exit-codes.md")].assert_eq(&text);
}
