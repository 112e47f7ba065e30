//! The parts of a file that run: which way, where, and in what transaction.

use super::{Direction, Framework, Halves, OptOut, Part, Transaction, parse, pieces};
use crate::dialect::Dialect;
use crate::statement::Script;
use crate::text::Span;

/// A part of a migration file that the runner executes as one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Section {
    /// Which way it goes.
    pub direction: Direction,
    /// Where its SQL stands in the file.
    pub span: Span,
    /// How its statements reach the server.
    pub transaction: Transaction,
    /// Whether settings beside the file say how it runs.
    pub is_stated: bool,
}

/// Whether the text holds what only files of this framework hold.
pub fn is_marked(framework: &Framework, text: &str) -> bool {
    match framework.halves {
        // Its words are those of prose too: only at the start they say something.
        Halves::Markers { prefix: "" } => {
            let first = text.lines().find(|line| !line.trim().is_empty());
            first.is_some_and(|line| !marked(framework, "", line).is_empty())
        }
        Halves::Markers { prefix } => !marked(framework, prefix, text).is_empty(),
        Halves::Changesets => !changesets(framework, text).is_empty(),
        _ => framework.id == "graphile-migrate" && text.starts_with("--! Previous:"),
    }
}

/// The sections of one file. `file_name` may be a path; `sidecar` is the text of the settings file beside it. A file
/// without the markers that its framework needs has none.
pub fn sections(framework: &Framework, file_name: &str, text: &str, sidecar: Option<&str>) -> Vec<Section> {
    match framework.halves {
        Halves::Changesets => return changesets(framework, text),
        Halves::Markers { prefix } => {
            let sections = in_strings(framework, text, marked(framework, prefix, text));
            // Without markers node-pg-migrate takes all of it; the others refuse the file.
            if framework.id != "node-pg-migrate" || !sections.is_empty() {
                return sections;
            }
        }
        _ => {}
    }
    let span = Span::new(0, text.len());
    let said = |setting: &str| sidecar.is_some_and(|it| says(it, setting).is_some());
    let is_stated = match framework.opt_out {
        OptOut::Sidecar { setting, .. } => {
            said(setting) || sidecar.is_some_and(|it| says(it, "mixed") == Some("true"))
        }
        _ => false,
    };
    vec![Section {
        direction: direction(framework, file_name),
        span,
        transaction: unit(framework, text, sidecar),
        is_stated,
    }]
}

/// Statements that a runner sends one by one, but for those between its marks, which are one string.
fn in_strings(framework: &Framework, text: &str, sections: Vec<Section>) -> Vec<Section> {
    let mut found = Vec::new();
    for section in sections {
        if section.transaction != Transaction::Autocommit {
            found.push(section);
            continue;
        }
        let mut from = section.span.start;
        for piece in pieces(framework, text, section.span).iter().filter(|it| it.marked) {
            found.push(Section { span: Span::new(from, piece.span.start), ..section });
            found.push(Section { span: piece.span, transaction: Transaction::Implicit, ..section });
            from = piece.span.end;
        }
        found.push(Section { span: Span::new(from, section.span.end), ..section });
    }
    let is_empty =
        |section: &Section| Script::read_part(text, section.span, Dialect::Postgres).tokens.is_empty();
    let only = |all: &[Section], it: &Section| {
        all.iter().filter(|other| other.direction == it.direction).count() == 1
    };
    found.iter().filter(|it| only(&found, it) || !is_empty(it)).copied().collect()
}

fn direction(framework: &Framework, file_name: &str) -> Direction {
    let last = |count: usize| {
        let start = file_name.rmatch_indices('/').nth(count - 1).map_or(0, |(at, _)| at + 1);
        &file_name[start..]
    };
    let named = parse(framework, last(1)).or_else(|| parse(framework, last(2)));
    // A folder's name may be missing where only the file is at hand.
    let bare = || parse(framework, &format!("0_/{}", last(1)));
    match named.or_else(bare) {
        Some(name) if name.part == Part::Down => Direction::Down,
        _ => Direction::Up,
    }
}

fn unit(framework: &Framework, text: &str, sidecar: Option<&str>) -> Transaction {
    let left = match framework.opt_out {
        OptOut::FirstLine(comment) => text.starts_with(comment),
        OptOut::Header { comment, apart } => starts_with_comment(text, comment, apart),
        OptOut::Sidecar { setting, .. } => sidecar.is_some_and(|sidecar| says_false(sidecar, setting)),
        OptOut::Never | OptOut::Marker(_) | OptOut::Option(_) => false,
    };
    if left || leaves_by_itself(framework, text) { framework.outside } else { framework.transaction }
}

/// Whether the comment is among those that the text starts with.
fn starts_with_comment(text: &str, comment: &str, apart: bool) -> bool {
    let is_head = |line: &&str| line.starts_with("--") || !apart && line.trim().is_empty();
    let head: Vec<&str> = text.lines().take_while(is_head).collect();
    let divided = !apart || text.lines().nth(head.len()).is_none_or(|line| line.trim().is_empty());
    divided && head.iter().any(|line| line.trim_end() == comment)
}

/// One section per change set of Liquibase's formatted SQL, whose first line says what it is.
fn changesets(framework: &Framework, text: &str) -> Vec<Section> {
    let words = |line: &str| {
        let comment = line.trim().trim_start_matches('\u{feff}').strip_prefix("--").unwrap_or("");
        comment.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = text.lines().next().map(words).unwrap_or_default();
    if !first.join(" ").eq_ignore_ascii_case("liquibase formatted sql") {
        return Vec::new();
    }
    let mut found: Vec<Section> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let words = words(line);
        if words.first().is_none_or(|word| !word.eq_ignore_ascii_case("changeset")) {
            continue;
        }
        if let Some(previous) = found.last_mut() {
            previous.span.end = start;
        }
        let left = matches!(framework.opt_out, OptOut::Option(it) if words.iter().any(|word| word == it));
        let whole = words.iter().any(|word| word == "splitStatements:false");
        let transaction = match (left, whole) {
            (true, true) => Transaction::Implicit,
            (true, false) => framework.outside,
            (false, _) => framework.transaction,
        };
        let span = Span::new(offset, text.len());
        found.push(Section { direction: Direction::Up, span, transaction, is_stated: false });
    }
    found
}

fn says_false(sidecar: &str, setting: &str) -> bool {
    says(sidecar, setting).is_some_and(|value| value.starts_with("false"))
}

/// What a file of settings says of one.
fn says<'t>(sidecar: &'t str, setting: &str) -> Option<&'t str> {
    let mut values =
        sidecar.lines().filter_map(|line| line.trim().strip_prefix(setting)?.trim().strip_prefix('='));
    values.next_back().map(str::trim)
}

/// The statements that a runner leaves its transaction for are all PostgreSQL's.
fn leaves_by_itself(framework: &Framework, text: &str) -> bool {
    if framework.leaves_for.is_empty() {
        return false;
    }
    let script = Script::read(text, Dialect::Postgres);
    script.statements.iter().any(|statement| {
        let mut cursor = script.cursor(statement);
        framework.leaves_for.iter().any(|words| cursor.eat_all(words))
    })
}

/// One section per marker; a file without an up marker has none, as its runner refuses it.
fn marked(framework: &Framework, prefix: &str, text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut whole_file_left = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let Some(words) = marker(line, prefix) else {
            continue;
        };
        // A line feed ends the runner's line. A carriage return ends the server's comment before: the rest of the line runs.
        let behind = start + line.find(['\r', '\n']).map_or(line.len(), |end| end + 1);
        whole_file_left |= matches!(framework.opt_out, OptOut::Marker(it) if it.eq_ignore_ascii_case(&words));
        let (verb, options) = words.split_once(' ').unwrap_or((&words, ""));
        // Where no word of the runner's own stands before it, one must stand behind: `-- Up Migration`.
        let is_own = !prefix.is_empty() || options.to_ascii_lowercase().starts_with("migration");
        let Some(direction) = direction_of(verb).filter(|_| is_own) else {
            continue;
        };
        if let Some(previous) = found.last_mut() {
            previous.span.end = start;
        }
        let left =
            matches!(framework.opt_out, OptOut::Option(it) if options.split(' ').any(|word| word == it));
        let transaction = if left { framework.outside } else { framework.transaction };
        found.push(Section { direction, span: Span::new(behind, text.len()), transaction, is_stated: false });
    }
    if whole_file_left {
        found.iter_mut().for_each(|section| section.transaction = framework.outside);
    }
    found
}

fn direction_of(verb: &str) -> Option<Direction> {
    match verb.to_ascii_lowercase().as_str() {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}

/// The words behind the prefix, with single blanks, where the line is a comment with a marker.
fn marker(line: &str, prefix: &str) -> Option<String> {
    let line = line.split(['\r', '\n']).next().unwrap_or(line);
    let comment = line.trim_start_matches('\u{feff}').trim().strip_prefix("--")?;
    let comment =
        comment.trim_start_matches(if prefix.is_empty() { &[' ', '\t', '-'][..] } else { &[' ', '\t'] });
    let words = comment.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix))?;
    let words = &comment[words.len()..];
    Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Down, Up};
    use Transaction::{Autocommit, Implicit, Wrapped};

    #[track_caller]
    fn check(
        id: &str,
        file: &str,
        text: &str,
        sidecar: Option<&str>,
        expected: &[(Direction, &str, Transaction)],
    ) {
        let framework = Framework::by_id(id).expect("is in the table");
        let found = sections(framework, file, text, sidecar);
        let found: Vec<_> =
            found.iter().map(|it| (it.direction, it.span.of(text).trim(), it.transaction)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn goose_divides_by_markers() {
        let text = "-- +goose Up\nSELECT 1;\r\n-- +goose Down\nSELECT 2;";
        check("goose", "1_x.sql", text, None, &[(Up, "SELECT 1;", Wrapped), (Down, "SELECT 2;", Wrapped)]);
        check("goose", "1_x.sql", "SELECT 1;", None, &[]);
    }

    #[test]
    fn goose_leaves_the_transaction_for_the_whole_file() {
        let text = "-- +goose no transaction\n-- +goose Up\na;\n-- +goose Down\nb;\n";
        check("goose", "1_x.sql", text, None, &[(Up, "a;", Autocommit), (Down, "b;", Autocommit)]);
    }

    #[test]
    fn goose_statement_markers_stay_in_their_section() {
        let text = "-- +goose Up\n-- +goose StatementBegin\nDO $$;$$;\n-- +goose StatementEnd";
        let sql = "-- +goose StatementBegin\nDO $$;$$;\n-- +goose StatementEnd";
        check("goose", "1_x.sql", text, None, &[(Up, sql, Wrapped)]);
    }

    #[test]
    fn dbmate_leaves_the_transaction_per_section() {
        let text = "-- migrate:up transaction:false\na;\n\n-- migrate:down\nb;\n";
        check("dbmate", "1_x.sql", text, None, &[(Up, "a;", Implicit), (Down, "b;", Wrapped)]);
    }

    /// dbmate sends the marker's line with its section, and PostgreSQL runs what stands behind the carriage return.
    #[test]
    fn what_stands_behind_a_carriage_return_is_part_of_the_section() {
        let text = "-- migrate:up\rDROP TABLE a;\n-- migrate:down\r\nb;\n";
        check("dbmate", "1_x.sql", text, None, &[(Up, "DROP TABLE a;", Wrapped), (Down, "b;", Wrapped)]);
    }

    #[test]
    fn sqlx_wants_its_comment_first() {
        check("sqlx", "1_x.up.sql", "-- no-transaction\na", None, &[(Up, "-- no-transaction\na", Implicit)]);
        check("sqlx", "1_x.down.sql", "\n-- no-transaction", None, &[(Down, "-- no-transaction", Wrapped)]);
    }

    #[test]
    fn diesel_reads_its_metadata() {
        let metadata = Some("# why\nrun_in_transaction = false # CONCURRENTLY\n");
        check("diesel", "migrations/1_x/up.sql", "a", metadata, &[(Up, "a", Implicit)]);
        check("diesel", "1_x/down.sql", "b", None, &[(Down, "b", Wrapped)]);
        check("diesel", "down.sql", "b", Some("run_in_transaction = true"), &[(Down, "b", Wrapped)]);
    }

    #[test]
    fn flyway_leaves_by_configuration_or_by_itself() {
        check("flyway", "V1__x.sql", "a", None, &[(Up, "a", Wrapped)]);
        check("flyway", "U1__x.sql", "a", Some("executeInTransaction=false"), &[(Down, "a", Autocommit)]);
        let text = "/* why */ create  unique index concurrently a on b (c);";
        check("flyway", "V1__x.sql", text, None, &[(Up, text, Autocommit)]);
        check("flyway", "V1__x.sql", "-- VACUUM\nSELECT 1", None, &[(Up, "-- VACUUM\nSELECT 1", Wrapped)]);
    }

    #[test]
    fn sql_migrate_leaves_per_section() {
        let text = "-- +migrate Up notransaction\na;\n-- +migrate Down\nb;\n";
        check("sql-migrate", "1-x.sql", text, None, &[(Up, "a;", Autocommit), (Down, "b;", Wrapped)]);
        check("sql-migrate", "1-x.sql", "a;", None, &[]);
    }

    #[test]
    fn node_pg_migrate_takes_a_file_without_markers_whole() {
        let text = "-- Up Migration\na;\n---- down migration\nb;\n";
        check("node-pg-migrate", "1_x.sql", text, None, &[(Up, "a;", Wrapped), (Down, "b;", Wrapped)]);
        let prose = "-- up and running\na;";
        check("node-pg-migrate", "1_x.sql", prose, None, &[(Up, prose, Wrapped)]);
    }

    #[test]
    fn liquibase_runs_each_change_set_by_itself() {
        let text = "--liquibase formatted sql\n\n--changeset a:1\na;\n--rollback b;\n\
                    -- changeset a:2 runInTransaction:false\nc;\n";
        check(
            "liquibase",
            "x.sql",
            text,
            None,
            &[(Up, "a;\n--rollback b;", Wrapped), (Up, "c;", Autocommit)],
        );
        check("liquibase", "x.sql", "--changeset a:1\na;", None, &[]);
    }

    #[test]
    fn atlas_and_graphile_migrate_read_the_comments_at_the_start() {
        let atlas = "-- why\n-- atlas:txmode none\n\na;";
        check("atlas", "1_x.sql", atlas, None, &[(Up, atlas, Autocommit)]);
        // What stands directly above a statement is about that one.
        let above = "-- atlas:txmode none\na;";
        check("atlas", "1_x.sql", above, None, &[(Up, above, Wrapped)]);
        let graphile = "--! Previous: -\n--! Hash: sha1:0\n\n--! no-transaction\na;";
        check("graphile-migrate", "000001.sql", graphile, None, &[(Up, graphile, Implicit)]);
    }

    #[test]
    fn files_sent_as_one_string_say_so() {
        check("prisma", "20240101_x/migration.sql", "a", None, &[(Up, "a", Implicit)]);
        check("golang-migrate", "db/1_x.down.sql", "a", None, &[(Down, "a", Implicit)]);
        check("plain", "1_x.sql", "a", None, &[(Up, "a", Autocommit)]);
        check("plain", "stdin", "a", None, &[(Up, "a", Autocommit)]);
    }

    /// Any bytes give an answer.
    #[test]
    fn odd_names_and_texts_are_no_reason_to_panic() {
        for framework in super::super::FRAMEWORKS {
            for odd in ["", "é", "/", "-- +goose", "-- migrate:", "V", "_.sql", "-- é", "$", "'"] {
                sections(framework, odd, odd, Some(odd));
            }
        }
    }
}
