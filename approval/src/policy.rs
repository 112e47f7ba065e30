//! The tier that a gate needs here: the table's, raised by what the project's people have committed, never lowered.

use crate::content::Content;
use crate::digest::Digest;
use crate::gate::{Gate, Tier};
use crate::signature::{SignatureError, Signers};
use std::collections::BTreeMap;

/// What decides how strong an approval must be, and who signs.
#[derive(Clone, Debug)]
pub struct Policy {
    tiers: BTreeMap<Gate, Tier>,
    databases: BTreeMap<String, BTreeMap<Gate, Tier>>,
    /// What the working copy changes, for people; part of what is approved.
    pub changes: Vec<String>,
    loosened: bool,
    pub signers: Signers,
    /// Configuration and signers, as they were read.
    pub digest: Digest,
}

/// What the configuration says, by name.
#[derive(Clone, Debug, Default)]
pub struct Stated<'a> {
    /// The configuration as it was read.
    pub configuration: &'a str,
    pub tiers: Vec<(&'a str, Tier)>,
    pub databases: BTreeMap<String, Vec<(&'a str, Tier)>>,
    pub changes: Vec<String>,
    /// Whether a change asks or reports less than what is committed.
    pub loosened: bool,
    /// The text of the file of allowed signers.
    pub signers: Option<&'a str>,
}

impl Policy {
    /// The policy that is stated.
    pub fn new(stated: Stated<'_>) -> Result<Policy, SignatureError> {
        Ok(Policy {
            tiers: strictest(&stated.tiers),
            databases: stated.databases.iter().map(|(name, it)| (name.clone(), strictest(it))).collect(),
            loosened: stated.loosened,
            signers: Signers::parse(stated.signers.unwrap_or_default())?,
            digest: Digest::of(&(stated.configuration, stated.signers)),
            changes: stated.changes,
        })
    }

    /// The tier for this content. A policy that was loosened and not committed asks for one more.
    pub fn required(&self, content: &Content) -> Tier {
        let database = content.target.as_ref().and_then(|it| self.databases.get(&it.database));
        let stated = database.and_then(|tiers| tiers.get(&content.gate)).copied();
        self.at(content.gate).max(content.gate.required(stated))
    }

    /// The tier of a gate for whatever database.
    pub fn at(&self, gate: Gate) -> Tier {
        let tier = gate.required(self.tiers.get(&gate).copied());
        if self.loosened { tier.raised() } else { tier }
    }
}

fn strictest(stated: &[(&str, Tier)]) -> BTreeMap<Gate, Tier> {
    let mut tiers = BTreeMap::new();
    let known = stated.iter().filter_map(|(gate, tier)| Some((Gate::named(gate)?, *tier)));
    for (gate, tier) in known {
        let strictest = tiers.entry(gate).or_insert(tier);
        *strictest = tier.max(*strictest);
    }
    tiers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(stated: Stated<'_>) -> Policy {
        Policy::new(stated).unwrap()
    }

    #[test]
    fn a_policy_raises_and_never_lowers() {
        for gate in Gate::ALL {
            for tier in Tier::ALL {
                let stated = Stated { tiers: vec![(gate.name(), tier)], ..Stated::default() };
                assert_eq!(policy(stated.clone()).at(gate), tier.max(gate.least()));
                let loosened = policy(Stated { loosened: true, ..stated }).at(gate);
                assert!(loosened > gate.least() || gate.least() >= Tier::Keyed, "{gate} {tier}");
            }
        }
        let both = vec![("apply", Tier::Keyed), ("apply", Tier::Client)];
        assert_eq!(policy(Stated { tiers: both, ..Stated::default() }).at(Gate::Apply), Tier::Keyed);
    }

    #[test]
    fn a_database_has_its_own_tiers() {
        let databases = BTreeMap::from([("shop".to_owned(), vec![("strategy", Tier::SecondIdentity)])]);
        let policy = policy(Stated { databases, ..Stated::default() });
        let mut content = crate::content::tests::sample();
        assert_eq!(policy.required(&content), Tier::SecondIdentity);
        content.target = None;
        assert_eq!(policy.required(&content), Tier::Client);
    }

    #[test]
    fn configuration_and_signers_are_bound() {
        let digest =
            |configuration, signers| policy(Stated { configuration, signers, ..Stated::default() }).digest;
        assert_ne!(digest("a", None), digest("b", None));
        assert_ne!(digest("a", None), digest("a", Some("# nobody")));
    }
}
