//! What the file may say, and what is refused.

use super::*;

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = parse(Path::new("lockkeeper.toml"), text).expect_err("is refused");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_full_file_is_read() {
    let text = "dialect = \"postgres\"\ntarget-version = 15\ntime-zone = \"UTC\"\nignore = [\"vendor/**\"]\n\
                [[migrations]]\npath = \"db\"\nframework = \"goose\"\n[answers]\ntable-rows = 1200\n\
                every-writer-is-here = true\n[limits]\nlock-seconds = 2\n[severity]\ndropped-column = \"off\"\n";
    let config = parse(Path::new("lockkeeper.toml"), text).expect("is valid");
    assert_eq!(config.target_version, Some(Scalar::Number(15)));
    assert_eq!(config.limits, Limits { lock_seconds: 2, ..Limits::default() });
    let answers: Vec<_> =
        config.answers().into_iter().map(|(id, it)| format!("{id} {} {}", it.value, it.source)).collect();
    assert_eq!(answers, ["every-writer-is-here yes lockkeeper.toml:10", "table-rows 1200 lockkeeper.toml:9"]);
}

#[test]
fn facts_have_their_lines_and_are_read_strictly() {
    let text = "[facts]\nreplicas = 2\n[facts.rows]\nusers = \"5M\"\n";
    let config = parse(Path::new("lockkeeper.toml"), text).expect("is valid");
    let facts: Vec<_> =
        config.facts().into_iter().map(|it| format!("{} {} {}", it.id, it.value, it.source)).collect();
    assert_eq!(facts, ["replicas 2 lockkeeper.toml:2", "rows.users 5M lockkeeper.toml:4"]);
    refused(
        "[facts.rows]\nusers = \"many\"",
        "lockkeeper.toml:2: rows.users cannot be `many`: `many` is not a number that can be read: say 4000000, 4,000,000, 5M or 1.5 million",
    );
}

#[test]
fn wrong_words_name_the_line_and_the_nearest_right_one() {
    refused(
        "\ndialct = \"postgres\"",
        "lockkeeper.toml:2: there is no key `dialct`; did you mean `dialect`?",
    );
    refused(
        "dialect = \"postgrs\"",
        "lockkeeper.toml:1: there is no dialect `postgrs`; did you mean `postgres`?",
    );
    refused(
        "[answers]\ndowntime = \"none\"",
        "lockkeeper.toml:2: there is no question `downtime`; there are downtime-allowed, releases-between-steps, \
         every-writer-is-here, table-rows, rollback-window, verified-backup, engine-version, acceptable-loss, critical-data, \
         compliance, other-consumers, write-rate, availability, quiet-hours, narrowing",
    );
    refused(
        "[answers]\ndowntime-allowed = \"nune\"",
        "lockkeeper.toml:2: downtime-allowed cannot be `nune`: `nune` is not a span of time that can be read: say 30 s, 10 min, 1 h or 2 days, or one of none, seconds, window",
    );
    refused(
        "[answers]\ntable-rows = \"four million\"",
        "lockkeeper.toml:2: table-rows cannot be `four million`: `four million` is not a number that can be read: say 4000000, 4,000,000, 5M or 1.5 million",
    );
    refused(
        "target-version = \"latest\"",
        "lockkeeper.toml:1: `latest` is no version: say target-version = 15",
    );
    refused("target-version = 9.6", "lockkeeper.toml:1: PostgreSQL 9.6 is not known: only 11 to 19 are");
    refused(
        "[severity]\nno-lock-timeot = \"note\"",
        "lockkeeper.toml:2: there is no rule `no-lock-timeot`; did you mean `no-lock-timeout`?",
    );
    refused(
        "[severity]\nx = \"warn\"",
        "lockkeeper.toml:2: there is no value `warn`; there are off, note, warning, danger",
    );
}

#[test]
fn broken_toml_names_its_line() {
    let error = parse(Path::new("lockkeeper.toml"), "a = 1\nb = ").expect_err("is refused").to_string();
    assert!(error.starts_with("lockkeeper.toml:2: "), "{error}");
}

#[test]
fn a_wrong_entry_of_a_path_names_its_line() {
    let entry = |text: &str| {
        format!("dialect = \"postgres\"\n[[paths]]\npath = \"a\"\n[[paths]]\npath = \"b\"\n{text}")
    };
    refused(
        &entry("dialect = \"postgrs\""),
        "lockkeeper.toml:6: there is no dialect `postgrs`; did you mean `postgres`?",
    );
    refused(
        &entry("framework = \"gose\""),
        "lockkeeper.toml:6: there is no framework `gose`; did you mean `goose`?",
    );
    refused(
        &entry("target-version = 9.6"),
        "lockkeeper.toml:6: PostgreSQL 9.6 is not known: only 11 to 19 are",
    );
    refused(
        &entry("[paths.answers]\ndowntime-allowed = \"nune\""),
        "lockkeeper.toml:7: downtime-allowed cannot be `nune`: `nune` is not a span of time that can be read: say 30 s, 10 min, 1 h or 2 days, or one of none, seconds, window",
    );
    refused(
        &entry("severity = { no-lock-timeot = \"note\" }"),
        "lockkeeper.toml:6: there is no rule `no-lock-timeot`; did you mean `no-lock-timeout`?",
    );
    refused(
        &entry("[paths.limits]\nsoak-hour = 1"),
        "lockkeeper.toml:7: there is no key `soak-hour`; did you mean `soak-hours`?",
    );
    refused(
        &entry("ignore = []"),
        "lockkeeper.toml:6: there is no key `ignore`; there are path, framework, dialect, \
         target-version, time-zone, answers, limits, severity",
    );
    refused(&entry("[[paths]]\npath = \"./a/\""), "lockkeeper.toml:7: `./a/` has an entry already");
    refused(
        &entry("[[paths]]\npath = \"../x\""),
        "lockkeeper.toml:7: `../x` is not relative to the root of the project",
    );
    refused(
        &entry("[[paths]]\npath = \".\""),
        "lockkeeper.toml:7: `path` is the whole project: state this outside of `[[paths]]`",
    );
}

#[test]
fn the_innermost_entry_wins_key_by_key() {
    let text = "target-version = 16\ntime-zone = \"UTC\"\n[answers]\ntable-rows = 10\ndowntime-allowed = \"none\"\n\
                [[paths]]\npath = \"services/billing\"\ntarget-version = 12\nanswers = { table-rows = 30 }\n\
                [[paths]]\npath = \"services\"\ntarget-version = 13\nlimits = { soak-hours = 1 }\n\
                [paths.answers]\ntable-rows = 20\n\
                [[paths]]\npath = \"services/old\"\ndialect = \"mysql\"\n";
    let config = parse(Path::new("lockkeeper.toml"), text).expect("is valid");
    let at = |path: &str| {
        let config = config.at(path);
        let answers: Vec<_> =
            config.answers().into_iter().map(|(id, it)| format!("{id} {} {}", it.value, it.source)).collect();
        let version = config.target_version.as_ref().map(ToString::to_string);
        format!(
            "{version:?} {} {:?} {} {}",
            config.place_of_version(),
            config.time_zone,
            config.limits.soak_hours,
            answers.join(", ")
        )
    };
    assert_eq!(
        at("web/1.sql"),
        "Some(\"16\") lockkeeper.toml:1 Some(\"UTC\") 24 downtime-allowed none lockkeeper.toml:5, table-rows 10 lockkeeper.toml:4"
    );
    assert_eq!(
        at("services/web/1.sql"),
        "Some(\"13\") lockkeeper.toml:12 Some(\"UTC\") 1 downtime-allowed none lockkeeper.toml:5, table-rows 20 lockkeeper.toml:15"
    );
    assert_eq!(
        at("services/billing/1.sql"),
        "Some(\"12\") lockkeeper.toml:8 Some(\"UTC\") 1 downtime-allowed none lockkeeper.toml:5, table-rows 30 lockkeeper.toml:9"
    );
    // A folder that only begins with the same letters is another one.
    assert!(at("services/billing-2/1.sql").starts_with("Some(\"13\") lockkeeper.toml:12"));
    // The version around it is one of another engine, where the entries around name one; here none does.
    assert!(at("services/old/1.sql").starts_with("Some(\"13\")"));
}

#[test]
fn the_version_of_another_engine_is_not_taken() {
    let text =
        "dialect = \"postgres\"\ntarget-version = 16\n[[paths]]\npath = \"old\"\ndialect = \"mysql\"\n";
    let config = parse(Path::new("lockkeeper.toml"), text).expect("is valid");
    assert_eq!(config.at("old/1.sql").target_version, None);
    assert_eq!(config.at("new/1.sql").target_version, Some(Scalar::Number(16)));
}

#[test]
fn committed_severities_hold_where_they_are_stricter() {
    let parsed = |text: &str| parse(Path::new("lockkeeper.toml"), text).expect("is valid");
    let entry = |severity: &str| {
        format!("[[paths]]\npath = \"a\"\nseverity = {{ no-lock-timeout = \"{severity}\" }}\n")
    };
    let at = |now: &str, committed: &str, path: &str| {
        parsed(now).no_looser_than(parsed(committed)).severities_at(path).get("no-lock-timeout").copied()
    };
    assert_eq!(at(&entry("off"), &entry("danger"), "a/1.sql"), Some(Severity::Danger));
    assert_eq!(at("", &entry("danger"), "a/1.sql"), Some(Severity::Danger));
    assert_eq!(at(&entry("danger"), &entry("off"), "a/1.sql"), Some(Severity::Danger));
    assert_eq!(at(&entry("off"), "", "a/1.sql"), Some(Severity::Warning));
    assert_eq!(at(&entry("off"), "", "b/1.sql"), None);
    assert_eq!(at("[severity]\nno-lock-timeout = \"off\"", "", "a/1.sql"), Some(Severity::Warning));
}
