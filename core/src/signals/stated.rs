//! The facts that a person can state, under `[facts]` in `lockkeeper.toml` or with `--fact`, and those that a server told of itself.

use super::answer::Kind;
use super::{Evidence, Signal, is_no};

/// A fact that can be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedFact {
    /// Its name. One of a table is followed by a point and the table: `rows.users`.
    pub id: &'static str,
    /// Whether it is about one table.
    pub of_table: bool,
    /// What can be said.
    pub kind: Kind,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// What it is.
    pub meaning: &'static str,
    /// What it decides.
    pub implication: &'static str,
}

/// A fact as somebody stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// Its name.
    pub id: String,
    /// What was said.
    pub value: String,
    /// Where: `lockkeeper.toml:12`, `command line`.
    pub source: String,
}

/// A fact as a server told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Its name.
    pub id: String,
    /// What it told.
    pub value: String,
    /// Where that is written down.
    pub evidence: Evidence,
}

const fn text(id: &'static str, meaning: &'static str, implication: &'static str) -> StatedFact {
    StatedFact { id, of_table: false, kind: Kind::Text, unit: None, meaning, implication }
}

const fn text_of_table(id: &'static str, meaning: &'static str, implication: &'static str) -> StatedFact {
    StatedFact { of_table: true, ..text(id, meaning, implication) }
}

const fn number(
    id: &'static str,
    of_table: bool,
    unit: &'static str,
    meaning: &'static str,
    implication: &'static str,
) -> StatedFact {
    StatedFact { id, of_table, kind: Kind::Count, unit: Some(unit), meaning, implication }
}

/// All of them.
pub static STATED: &[StatedFact] = &[
    number(
        "rows",
        true,
        "rows",
        "rows of a table",
        "decides how long scans, rewrites and backfills of it take",
    ),
    number(
        "row-bytes",
        true,
        "bytes",
        "bytes of a row of a table",
        "decides how long rewrites of it take, and how much WAL they write",
    ),
    number(
        "writes",
        true,
        "writes a second",
        "rows of a table that are written in a second, on average",
        "decides what a trigger on every write costs, until somebody states the rate at the busiest time (write-rate)",
    ),
    text_of_table(
        "publications",
        "what publishes the rows of a table to subscribers",
        "subscribers get no change of the schema: they have to be changed too, and a backfill reaches them",
    ),
    text_of_table(
        "unfinished",
        "indexes and constraints of a table that somebody began and did not finish",
        "they are finished or dropped before this begins",
    ),
    number(
        "write-rate",
        false,
        "writes a second",
        "writes a second at the busiest time",
        "decides what a lock of a second and a trigger on every write cost",
    ),
    StatedFact {
        id: "longest-transaction",
        of_table: false,
        kind: Kind::Duration,
        unit: Some("time"),
        meaning: "the longest transaction that is seen on these tables",
        implication: "decides how often a lock is not granted before its timeout",
    },
    number(
        "replicas",
        false,
        "replicas",
        "replicas that read the WAL",
        "decides whether a backfill must watch their lag",
    ),
    text(
        "feature-flags",
        "what turns features on for a share of the users, or `none`",
        "decides whether reads can move step by step and back without a release",
    ),
    text("backups", "what makes backups, or `none`", "decides how much reversibility weighs"),
    text("monitoring", "what watches the database, or `none`", "decides whether locks and lag are seen"),
    text(
        "application-monitoring",
        "what measures errors and latencies of the application, or `none`",
        "decides whether a threshold can be a number",
    ),
    text("hosting", "where the database runs", "decides which rights and settings there are"),
    text(
        "datastores",
        "everything that holds data, with commas between",
        "decides what has to follow a change",
    ),
    text(
        "connection-pooler",
        "the pooler in front of the database, or `none`",
        "decides how long a switch in a window takes, and where migrations connect",
    ),
    text(
        "ci-runs-migrations",
        "what runs the migrations in continuous integration, or `none`",
        "decides whether a migration that cannot run is found before it is deployed",
    ),
    text(
        "tests-on-engine",
        "what runs the tests on the real engine, or `none`",
        "decides how far code that writes old and new is trusted",
    ),
    text("owner", "who signs for the data", "names who approves steps that lose something"),
];

/// The fact of that name, with the table where it is about one.
fn of(id: &str) -> Option<&'static StatedFact> {
    let (name, table) = id.split_once('.').map_or((id, None), |(name, table)| (name, Some(table)));
    STATED.iter().find(|it| it.id == name && it.of_table == table.is_some_and(|it| !it.is_empty()))
}

/// What is wrong with a fact that somebody states, and what would be right.
pub fn fact_refusal(id: &str, value: &str) -> Option<String> {
    let Some(fact) = of(id) else {
        let known =
            STATED.iter().map(|it| if it.of_table { format!("{}.TABLE", it.id) } else { it.id.to_owned() });
        let known: Vec<String> = known.collect();
        return Some(format!("there is no fact `{id}` that can be stated; there are {}", known.join(", ")));
    };
    if is_no(value) && !fact.of_table {
        return None;
    }
    fact.kind.refusal(value, &[]).map(|reason| format!("{id} cannot be `{value}`: {reason}"))
}

/// The signals with what was stated; stated ones that nothing was looked for stand at the end.
pub fn with_stated(mut signals: Vec<Signal>, stated: &[Stated]) -> Vec<Signal> {
    for it in stated {
        let Some(fact) = of(&it.id) else { continue };
        match signals.iter_mut().find(|signal| signal.id == it.id) {
            Some(signal) => *signal = signal.clone().stated(&it.value, &it.source),
            None => {
                let blank = Signal::unknown(&it.id, fact.implication);
                signals.push(Signal { unit: fact.unit, ..blank.stated(&it.value, &it.source) });
            }
        }
    }
    signals
}

/// The signals with what a server told of itself, which knows it better than files do.
pub fn with_measured(mut signals: Vec<Signal>, measured: &[Measured]) -> Vec<Signal> {
    for it in measured {
        // What a version decides is decided with all other places that name one.
        let Some(fact) = of(&it.id) else { continue };
        let told = Signal::observed(&it.id, &it.value, vec![it.evidence.clone()], fact.implication);
        let told = Signal { unit: fact.unit, ..told };
        match signals.iter_mut().find(|signal| signal.id == it.id) {
            Some(seen) => {
                let implication = std::mem::take(&mut seen.implication);
                let evidence = [told.evidence, std::mem::take(&mut seen.evidence)].concat();
                *seen = Signal { evidence, implication, ..told };
            }
            None => signals.push(told),
        }
    }
    signals
}

impl Signal {
    /// The table that it is a fact of.
    pub fn table(&self) -> Option<&str> {
        let (_, table) = self.id.split_once('.')?;
        of(&self.id).map(|_| table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_stays_beside_what_was_stated() {
        let seen = Signal::observed("feature-flags", "Unleash", Vec::new(), "");
        let stated = |id: &str, value: &str| Stated {
            id: id.to_owned(),
            value: value.to_owned(),
            source: "lockkeeper.toml:4".to_owned(),
        };
        let all = with_stated(vec![seen], &[stated("feature-flags", "none"), stated("rows.users", "5M")]);
        assert_eq!((all[0].value.known(), all[0].observed.as_deref()), (Some("none"), Some("Unleash")));
        assert_eq!((all[0].confidence(), all[0].is_there()), ("stated", false));
        assert_eq!((all[1].id.as_str(), all[1].unit), ("rows.users", Some("rows")));
    }

    #[test]
    fn a_server_knows_better_than_files() {
        let evidence = |path: &str| Evidence { path: path.to_owned(), line: 3, excerpt: String::new() };
        let seen = Signal::observed("replicas", "1", vec![evidence("compose.yaml")], "implied");
        let told = |id: &str, value: &str| Measured {
            id: id.to_owned(),
            value: value.to_owned(),
            evidence: evidence("facts.toml"),
        };
        let told =
            [told("replicas", "2"), told("hosting", "Neon"), told("rows.users", "7"), told("colour", "red")];
        let all = with_measured(vec![seen, Signal::unknown("hosting", "h")], &told);
        assert_eq!(all.len(), 3, "what nobody reads is no fact");
        assert_eq!(
            (all[0].value.known(), all[0].evidence.len(), &*all[0].implication),
            (Some("2"), 2, "implied")
        );
        assert_eq!((all[1].value.known(), &*all[1].implication), (Some("Neon"), "h"));
        assert_eq!((all[2].table(), all[2].unit), (Some("users"), Some("rows")));
    }

    #[test]
    fn facts_that_nobody_reads_are_refused() {
        for (id, value) in
            [("rows.users", "5M"), ("replicas", "none"), ("replicas", "2"), ("longest-transaction", "30 s")]
        {
            assert_eq!(fact_refusal(id, value), None, "{id} = {value}");
        }
        for (id, value) in [
            ("rows", "5M"),
            ("rows.users", "many"),
            ("replicas", "some"),
            ("colour", "red"),
            ("backups.users", "x"),
        ] {
            assert!(fact_refusal(id, value).is_some(), "{id} = {value}");
        }
    }
}
