//! The points that only a human's approval opens, and how strong that approval must be (the design's table).

pub use lockkeeper_project::tier::Tier;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A point that only a human's approval opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Generating strategies on these signals.
    Signals,
    /// Generating strategies for this scope: tables, records, indexes, application paths.
    Scope,
    /// Drafting runbooks, scripts and migration files.
    Strategy,
    /// A downtime window.
    Window,
    /// Running a backfill.
    Backfill,
    /// Applying schema changes.
    Apply,
    /// One step that loses data or cannot be undone.
    Destructive,
    /// Any run against a database declared production.
    Production,
}

impl Gate {
    /// Every gate, in the order of the design's table.
    pub const ALL: [Gate; 8] = [
        Gate::Signals,
        Gate::Scope,
        Gate::Strategy,
        Gate::Window,
        Gate::Backfill,
        Gate::Apply,
        Gate::Destructive,
        Gate::Production,
    ];

    /// The name in files, answers and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Gate::Signals => "signals",
            Gate::Scope => "scope",
            Gate::Strategy => "strategy",
            Gate::Window => "window",
            Gate::Backfill => "backfill",
            Gate::Apply => "apply",
            Gate::Destructive => "destructive",
            Gate::Production => "production",
        }
    }

    /// The gate of that name.
    pub fn named(name: &str) -> Option<Gate> {
        Gate::ALL.into_iter().find(|gate| gate.name() == name)
    }

    /// What opening it allows, to be read after "approve".
    pub fn allows(self) -> &'static str {
        match self {
            Gate::Signals => "generating strategies on these signals",
            Gate::Scope => "generating strategies for this scope",
            Gate::Strategy => "drafting migration files, scripts and runbooks by this strategy",
            Gate::Window => "a downtime window",
            Gate::Backfill => "running this backfill",
            Gate::Apply => "applying these schema changes",
            Gate::Destructive => "a step that loses data or cannot be undone",
            Gate::Production => "a run against a production database",
        }
    }

    /// The least tier that opens it.
    pub fn least(self) -> Tier {
        match self {
            Gate::Signals | Gate::Scope | Gate::Strategy => Tier::Client,
            Gate::Window | Gate::Backfill | Gate::Apply => Tier::Attended,
            Gate::Destructive | Gate::Production => Tier::Keyed,
        }
    }

    /// The tier that opens it under a policy, which can raise the table's tier and never lower it.
    pub fn required(self, policy: Option<Tier>) -> Tier {
        policy.map_or(self.least(), |tier| tier.max(self.least()))
    }

    /// How long an approval stays good, in seconds: hours for drafting, minutes for running.
    pub fn lifetime(self) -> u64 {
        match self {
            Gate::Signals | Gate::Scope | Gate::Strategy => 8 * 3600,
            Gate::Window | Gate::Backfill | Gate::Apply => 30 * 60,
            Gate::Destructive | Gate::Production => 15 * 60,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_designs() {
        let table: Vec<_> = Gate::ALL.iter().map(|gate| format!("{gate} {}", gate.least())).collect();
        let expected = [
            "signals client",
            "scope client",
            "strategy client",
            "window attended",
            "backfill attended",
            "apply attended",
            "destructive keyed",
            "production keyed",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn policy_raises_and_never_lowers() {
        for gate in Gate::ALL {
            assert_eq!(gate.required(None), gate.least());
            assert_eq!(gate.required(Some(Tier::Client)), gate.least());
            assert_eq!(gate.required(Some(Tier::SecondIdentity)), Tier::SecondIdentity);
        }
        assert_eq!(Gate::Strategy.required(Some(Tier::Attended)), Tier::Attended);
    }

    #[test]
    fn names_are_the_wire_names() {
        for gate in Gate::ALL {
            assert_eq!(serde_json::to_value(gate).unwrap(), gate.name());
            assert_eq!(Gate::named(gate.name()), Some(gate));
        }
        assert_eq!(Gate::named("approved"), None);
        assert_eq!(serde_json::to_value(Tier::SecondIdentity).unwrap(), Tier::SecondIdentity.name());
    }
}
