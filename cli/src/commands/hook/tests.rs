//! Command lines and what the hook says of them, in a project of its own.

use std::fs;
use std::path::Path;

use super::host::{Call, Deed};
use super::judge::judge;
use super::verdict::Verdict;

/// Each line: a verdict, and a command line with ⏎ for line breaks.
const COMMANDS: &str = include_str!("commands.txt");

const PROJECT: &[(&str, &str)] = &[
    ("db/migrations/0001_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n"),
    ("db/migrations/0002_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n"),
    ("queries/report.sql", "SELECT count(*) FROM users;\n"),
    (
        "lockkeeper.toml",
        "[databases.shop_test]\ndisposable = true\nhosts = [\"db\"]\nenvironment = \"test\"\n\n[databases.shop]\nproduction = true\n",
    ),
    (
        "package.json",
        r#"{"scripts": {"test": "vitest", "build": "tsc", "lint": "eslint .", "db:migrate": "prisma migrate deploy",
            "deploy": "npm run build && npm run db:migrate", "db:reset": "prisma migrate reset"}}"#,
    ),
    (
        "Makefile",
        "NAME := shop\n\ntest:\n\tnpm test\nlint:\n\t@$(NPM) run lint\nmigrate:\n\tnpx prisma migrate deploy\nrelease: lint migrate\n\techo $(NAME)\n\
         reset:\n\tdropdb shop\n",
    ),
    ("scripts/ok.sh", "#!/bin/sh\nset -e\ncase $1 in a) echo a;; esac\n\"$PYTHON\" -m pytest\n"),
    ("scripts/deploy.sh", "#!/usr/bin/env bash\nset -eu\nnpx prisma migrate deploy\n"),
    ("scripts/migration.sh", "echo 'DROP TABLE a;' > db/migrations/0003_a.sql\n"),
    ("scripts/report.py", "import csv\nprint('CREATE TABLE is a statement')\n"),
    ("scripts/forge.py", "open('.lockkeeper/ledger.jsonl', 'a')\n"),
    (
        "scripts/migrate_by_hand.py",
        "import psycopg\npsycopg.connect().execute('ALTER TABLE users ADD x int')\n",
    ),
    (".env", "A=b\n"),
    (".lockkeeper/ledger.jsonl", ""),
    (".claude/settings.json", "{}"),
    (".codex/hooks.json", "{}"),
    ("src/app.ts", ""),
    ("notes.md", ""),
];

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in PROJECT {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
        fs::write(path, text).expect("is written");
    }
    folder
}

fn verdict(folder: &Path, deed: Deed) -> Verdict {
    judge(&Call { folder: folder.to_owned(), deeds: vec![deed] }).expect("is decided")
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Unread(_) => "unread",
        Verdict::Ask(_) => "ask",
        Verdict::Refuse(_) => "refuse",
    }
}

#[test]
fn command_lines_are_judged() {
    let folder = project();
    let lines = COMMANDS.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let cases: Vec<(&str, String)> = lines
        .map(|line| line.split_once(' ').expect("a verdict and a line"))
        .map(|(expected, text)| (expected, text.replace('⏎', "\n")))
        .collect();
    assert!(cases.len() > 250, "{}", cases.len());
    let wrong = cases.iter().filter_map(|(expected, text)| {
        let found = verdict(folder.path(), Deed::Shell(text.clone()));
        (name(&found) != *expected).then(|| format!("{expected} {text}\n    {found:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_are_judged() {
    let folder = project();
    let write = |path: &str| {
        name(&verdict(
            folder.path(),
            Deed::Write { path: path.to_owned(), text: Some("SELECT 1;\n".to_owned()) },
        ))
    };
    for path in ["src/app.ts", "README.md", "db/seeds.txt", "/tmp/x.sql", "lockkeeper.toml", "docs/x.sql.md"]
    {
        assert_eq!(write(path), "pass", "{path}");
    }
    for path in [
        "db/migrations/0003_x.sql",
        "db/migrations/0001_users.sql",
        "db/../db/migrations/x.sql",
        ".claude/settings.json",
    ] {
        assert_eq!(write(path), "ask", "{path}");
    }
    let absolute = folder.path().join("db/migrations/9.sql");
    assert_eq!(write(&absolute.to_string_lossy()), "ask");
    for path in [".lockkeeper/ledger.jsonl", ".lockkeeper/new", "src/../.lockkeeper/x"] {
        assert_eq!(write(path), "refuse", "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_where_it_leads() {
    let folder = project();
    std::os::unix::fs::symlink(folder.path().join("db/migrations"), folder.path().join("link"))
        .expect("is linked");
    std::os::unix::fs::symlink(folder.path().join(".lockkeeper"), folder.path().join("other"))
        .expect("is linked");
    let said = |text: &str| name(&verdict(folder.path(), Deed::Shell(text.to_owned())));
    assert_eq!(said("echo x > link/0003_x.sql"), "ask");
    assert_eq!(said("echo x > other/ledger.jsonl"), "refuse");
}

/// A project's first migration has no folder yet that could be recognised.
#[test]
fn a_first_migration_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("lockkeeper.toml"), "").expect("is written");
    let said = |path: &str| name(&verdict(folder.path(), Deed::Write { path: path.to_owned(), text: None }));
    assert_eq!((said("migrations/1_a.sql"), said("queries/a.sql")), ("ask", "pass"));
}

#[test]
fn a_broken_configuration_lets_nothing_through() {
    let folder = project();
    fs::write(folder.path().join("lockkeeper.toml"), "no = [").expect("is written");
    let said = |text: &str| name(&verdict(folder.path(), Deed::Shell(text.to_owned())));
    assert_eq!(said("echo x > db/migrations/0003_x.sql"), "refuse");
    assert_eq!(said("dropdb shop_test"), "refuse");
    assert_eq!(said("ls"), "pass");
}

/// Commands put together of parts are as strict as their strictest part, wherever that stands.
#[test]
fn a_command_is_as_strict_as_its_parts() {
    let folder = project();
    let bad =
        ["npx prisma migrate deploy", "psql -c 'DROP TABLE users'", "echo x > db/migrations/0003_x.sql"];
    let around = [
        "{}",
        "ls && {}",
        "ls; {}",
        "{} || true",
        "true | {}",
        "( {} )",
        "{ {}; }",
        "if {}; then ls; fi",
        "while {}; do ls; done",
        "echo \"$( {} )\"",
        "echo `{}`",
        "! {}",
        "ls\n{}\nls",
        "for x in a; do {}; done",
        "x=$( {} )",
        "f() { {}; }; f",
        "cat <<E\n$( {} )\nE",
        "echo ${x:-$( {} )}",
        "diff <( {} ) b",
        "[[ -n $( {} ) ]]",
        "ls & {} &",
        "A=1 ls && {}",
    ];
    for bad in bad {
        for around in around {
            let text = around.replace("{}", bad);
            assert_ne!(name(&verdict(folder.path(), Deed::Shell(text.clone()))), "pass", "{text}");
        }
    }
}
