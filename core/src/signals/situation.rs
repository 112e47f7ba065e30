//! What decides between strategies, as values: facts and answers together, each with what is taken until it is known.

use std::collections::BTreeMap;

use super::answer::{Downtime, Restored, WayBack, downtime, restored, way_back};
use super::{Question, Signal};
use crate::quantity::{Seconds, count, duration, percentage};

use crate::estimate::{Size, Sizes};

/// What decides between strategies.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// How long the application may be away.
    pub downtime: Downtime,
    /// How many releases are possible between the steps; `None`: as many as wanted.
    pub releases: Option<u64>,
    /// Whether programs elsewhere use these tables.
    pub other_writers: bool,
    /// How large the tables are.
    pub sizes: Option<Sizes>,
    /// Writes a second at the busiest time.
    pub writes: f64,
    /// For how long it must be possible to go back.
    pub way_back: WayBack,
    /// What may be lost by going back.
    pub loss: Loss,
    /// What is known of those who carry it out.
    pub maturity: Maturity,
    /// What turns features on for a share of the users.
    pub flags: Option<String>,
    /// Whether replicas or subscribers read the WAL.
    pub replicas: bool,
    /// What publishes rows to subscribers, by table.
    pub published: Vec<(String, String)>,
    /// What somebody began and did not finish, by table.
    pub unfinished: Vec<(String, String)>,
    /// What stands between the application and the server.
    pub pooler: Option<String>,
    /// The longest transaction that is seen on these tables.
    pub longest_transaction: Option<Seconds>,
    /// The share of time that is promised, in percent; `None` where nothing is.
    pub availability: Option<f64>,
    /// When the traffic is low.
    pub quiet_hours: Option<String>,
    /// What must not be lost, in the words of who answered.
    pub critical: Option<String>,
    /// The rules that bind the data.
    pub compliance: Vec<String>,
    /// Who else carries the names or values.
    pub consumers: Vec<String>,
    /// Who signs for the data.
    pub owner: Option<String>,
}

/// What may be lost by going back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    None,
    /// What was written during the change.
    Minutes,
    /// Anything: it can be made again.
    Any,
    /// Nobody has said.
    Unknown,
}

/// What is known of those who carry it out: what they could notice, and undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maturity {
    /// When a backup was restored and checked, in the words of who answered.
    pub restored: Option<String>,
    /// Backups are made.
    pub backups: bool,
    /// Something watches the database.
    pub monitoring: bool,
    /// Errors and latencies of the application are measured.
    pub errors_measured: bool,
    /// Tests run on the real engine.
    pub tests: bool,
    /// Migrations run in continuous integration.
    pub ci: bool,
}

impl Maturity {
    /// How much weight what cannot be taken back has: 1 where a mistake is noticed and can be undone.
    pub fn weight_of_loss(&self) -> f64 {
        let restored = if self.restored.is_some() { 1.0 } else { 2.0 };
        let backups = if self.backups || self.restored.is_some() { 1.0 } else { 1.5 };
        let monitoring = if self.monitoring || self.errors_measured { 1.0 } else { 1.5 };
        restored * backups * monitoring
    }
}

/// Writes a second where nobody has said.
const WRITES: f64 = 10.0;
/// Writes at the busiest time for each of the average: load differs two to four times over a day.
const PEAK: f64 = 4.0;
/// What is taken to be promised where nobody has said.
const AVAILABILITY: f64 = 99.9;

impl Situation {
    /// The situation that signals and answers describe.
    pub fn of(signals: &[Signal], questions: &[Question]) -> Self {
        let facts = Facts { signals, questions };
        let consumers = facts.list("other-consumers");
        Self {
            downtime: facts
                .answer("downtime-allowed")
                .and_then(|it| downtime(it).ok())
                .unwrap_or(Downtime::None),
            releases: facts.answer("releases-between-steps").and_then(|it| count(it).ok()),
            other_writers: facts.answer("every-writer-is-here") == Some("no"),
            sizes: facts.sizes(),
            writes: facts.writes(),
            way_back: facts.answer("rollback-window").and_then(way_back).unwrap_or(WayBack::Release),
            loss: facts.loss(),
            maturity: facts.maturity(),
            flags: facts.there("feature-flags"),
            replicas: facts.there("replicas").is_some() || facts.has_any("publications."),
            published: facts.all_of("publications."),
            unfinished: facts.all_of("unfinished."),
            pooler: facts.there("connection-pooler"),
            longest_transaction: facts.known("longest-transaction").and_then(|it| duration(it).ok()),
            availability: facts.availability(),
            quiet_hours: facts.answer("quiet-hours").map(ToOwned::to_owned),
            critical: facts.answer("critical-data").filter(|it| *it != "none").map(ToOwned::to_owned),
            compliance: facts.list("compliance"),
            consumers,
            owner: facts.there("owner"),
        }
    }

    /// Whether a rule of this name binds the data.
    pub fn is_bound_by(&self, rule: &str) -> bool {
        self.compliance.iter().any(|it| it == rule)
    }
}

struct Facts<'a> {
    signals: &'a [Signal],
    questions: &'a [Question],
}

impl<'a> Facts<'a> {
    fn answer(&self, id: &str) -> Option<&'a str> {
        self.questions.iter().find(|it| it.id() == id)?.value()
    }

    fn signal(&self, id: &str) -> Option<&'a Signal> {
        self.signals.iter().find(|it| it.id == id)
    }

    fn known(&self, id: &str) -> Option<&'a str> {
        self.signal(id)?.value.known()
    }

    /// The value of a fact that is there: known, and no no.
    fn there(&self, id: &str) -> Option<String> {
        self.signal(id).filter(|it| it.is_there())?.value.known().map(ToOwned::to_owned)
    }

    /// The facts of tables of this kind that are there.
    fn all_of(&self, prefix: &str) -> Vec<(String, String)> {
        let of_table = |it: &Signal| {
            let table = it.id.strip_prefix(prefix)?;
            Some((table.to_owned(), it.value.known().filter(|_| it.is_there())?.to_owned()))
        };
        self.signals.iter().filter_map(of_table).collect()
    }

    fn has_any(&self, prefix: &str) -> bool {
        !self.all_of(prefix).is_empty()
    }

    /// As somebody said, else as the servers count them.
    fn writes(&self) -> f64 {
        let counted: Vec<u64> =
            self.signals.iter().filter_map(|it| of_table(it, "writes.")).map(|(_, writes)| writes).collect();
        let average = || (!counted.is_empty()).then(|| counted.iter().sum::<u64>() as f64 * PEAK);
        let said = self.answer("write-rate").and_then(|it| count(it).ok()).map(|it| it as f64);
        said.or_else(average).unwrap_or(WRITES)
    }

    fn list(&self, id: &str) -> Vec<String> {
        let words = self.answer(id).unwrap_or_default().split(',').map(str::trim);
        words.filter(|it| !it.is_empty() && *it != "none").map(ToOwned::to_owned).collect()
    }

    fn sizes(&self) -> Option<Sizes> {
        let said = self.questions.iter().find(|it| it.id() == "table-rows").and_then(|it| it.answer.as_ref());
        let others = said.and_then(|answer| {
            let rows = count(&answer.value).ok()?;
            Some(Size { rows, row_bytes: None, source: answer.source.clone() })
        });
        let mut tables: BTreeMap<String, Size> = BTreeMap::new();
        for signal in self.signals {
            let Some((table, rows)) = of_table(signal, "rows.") else { continue };
            tables.insert(table.to_owned(), Size { rows, row_bytes: None, source: signal.source() });
        }
        for signal in self.signals {
            let Some((table, bytes)) = of_table(signal, "row-bytes.") else { continue };
            let of_all = || others.clone();
            if let Some(size) = tables.get_mut(table) {
                size.row_bytes = Some(bytes);
            } else if let Some(size) = of_all() {
                tables.insert(table.to_owned(), Size { row_bytes: Some(bytes), ..size });
            }
        }
        let sizes = Sizes { others, tables };
        (sizes != Sizes::default()).then_some(sizes)
    }

    fn loss(&self) -> Loss {
        match self.answer("acceptable-loss") {
            Some("none") => Loss::None,
            Some("minutes") => Loss::Minutes,
            Some("any") => Loss::Any,
            _ => Loss::Unknown,
        }
    }

    fn maturity(&self) -> Maturity {
        let restored = match self.answer("verified-backup").map(restored) {
            Some(Restored::Yes(when)) => Some(when),
            Some(Restored::Never) | None => None,
        };
        Maturity {
            restored,
            backups: self.there("backups").is_some(),
            monitoring: self.there("monitoring").is_some(),
            errors_measured: self.there("application-monitoring").is_some(),
            tests: self.there("tests-on-engine").is_some(),
            ci: self.there("ci-runs-migrations").is_some(),
        }
    }

    fn availability(&self) -> Option<f64> {
        match self.answer("availability") {
            Some("none") => None,
            Some(text) => percentage(text).ok(),
            None => Some(AVAILABILITY),
        }
    }
}

/// The table and the number of a fact of this kind.
fn of_table<'a>(signal: &'a Signal, prefix: &str) -> Option<(&'a str, u64)> {
    Some((signal.id.strip_prefix(prefix)?, count(signal.value.known()?).ok()?))
}
