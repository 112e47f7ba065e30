//! Recipes proved on a running server: the steps as they are written to files.
//!
//! Each fixture is proved twice. *Busy* (`busy.rs`): beside clients of the releases that may be live, with the backfill killed and continued;
//! no statement of theirs fails or waits longer than the lock timeout, old and new agree, each way down leads back. *Quiet* (`quiet.rs`): alone,
//! so that all rows can be compared: the end is what the original migration makes of the same rows, and from every phase the way down leads back
//! to the schema and the rows of the start. In a *window* (`window.rs`) nobody is connected: there each change runs as it was written. What was measured is kept in `docs/proofs.json` (`record.rs`).

mod awkward;
mod backfills;
mod busy;
mod exclusive;
pub(crate) mod files;
mod fixtures;
mod followers;
mod kill;
mod partitions;
mod quiet;
mod record;
mod swapped;
mod verified;
mod shop;
mod spelled;
mod whole;
mod window;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lockkeeper_core::plan::{Phase, PhaseKind, Way};
use lockkeeper_core::recipes::{RECIPES, Recipe};

use crate::cluster::cluster;

/// A change with the releases that live around it. What most fixtures have in common is in [`Fixture::PLAIN`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixture {
    name: &'static str,
    way: Way,
    /// The schema with its rows.
    schema: &'static str,
    /// The change as somebody wrote it.
    migration: &'static str,
    /// What is run instead to know the end, where the plan does more than was asked, as its page says.
    direct: Option<&'static str>,
    /// What a person does where the plan says that rows come from a backup: right after the last step of the contract phase was undone, or
    /// instead, where it has no way back.
    restore: Option<&'static str>,
    /// It does so behind each step of a contract phase, as several take something away.
    restores_each: bool,
    /// The statements of each release: the one that runs before, one for each release of the plan, and where there is one more, that which
    /// comes once the cutover is done: it writes what only the new schema can hold.
    releases: &'static [&'static [&'static str]],
    /// The first version on which it is possible; before, the recipe says no in words.
    since: u32,
    /// Columns, and sequences, that may differ from what the original migration leaves: a trigger of the user writes them for each row that is
    /// touched, or their values are drawn anew each time.
    touched: &'static [&'static str],
    /// A way back goes further than its step, as its page says: the schema is compared only when all is undone.
    leaps: bool,
    /// What the developer answered, as lines of `lockkeeper.toml`.
    answers: &'static str,
    /// The recipe; else the one for the first statement of the migration.
    recipe: Option<&'static str>,
}

impl Fixture {
    /// Triggers, every version, nothing lost.
    const PLAIN: Fixture = Fixture {
        name: "",
        way: Way::Triggers,
        schema: "",
        migration: "",
        direct: None,
        restore: None,
        restores_each: false,
        releases: &[],
        since: 11,
        touched: &[],
        leaps: false,
        answers: "",
        recipe: None,
    };

    /// What makes the end without a plan.
    fn direct(&self) -> &'static str {
        self.direct.unwrap_or(self.migration)
    }

    /// The recipe that rewrites it.
    fn recipe(&self) -> &'static Recipe {
        let named = self.recipe.and_then(lockkeeper_core::recipes::by_id);
        named.unwrap_or_else(|| files::recipe(self.migration))
    }
}

/// What a proof showed.
#[derive(Clone, Copy, Debug, Default)]
struct Proof {
    files: usize,
    releases: usize,
    /// The longest time for which a relation was held against everybody.
    exclusive: Duration,
    /// The longest statement of a client.
    client: Duration,
    kills: usize,
}

/// After this a client's statement gives up: the same time for which a step waits for its lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// No lock against everybody may be held longer on tables of this size.
const EXCLUSIVE: Duration = Duration::from_secs(1);

#[test]
fn every_recipe_ends_in_the_same_schema_and_rows_and_stops_nobody() {
    let version = cluster().version();
    let results = each(&chosen(), |fixture| match files::phases(fixture) {
        _ if fixture.way == Way::Window => window::prove(fixture),
        Err(reason) => {
            assert!(version < fixture.since, "{} ({}): {reason}", fixture.name, fixture.way.id());
            Err(reason)
        }
        Ok(phases) => {
            assert!(version >= fixture.since, "{} is possible on {version}: mend `since`", fixture.name);
            Ok(prove(fixture, &phases))
        }
    });
    record::keep(version, chosen().into_iter().zip(results));
}

/// All fixtures.
fn fixtures() -> impl Iterator<Item = &'static Fixture> {
    beside_clients().chain(window::FIXTURES.iter())
}

/// Those that are proved beside clients, each with its releases.
fn beside_clients() -> impl Iterator<Item = &'static Fixture> {
    let fixtures = fixtures::FIXTURES.iter().copied();
    fixtures.chain(swapped::FIXTURES).chain(partitions::FIXTURES)
}

/// All fixtures; while one is being written, those with `LOCKKEEPER_PROOF_ONLY` in the names of them, their ways or their recipes.
fn chosen() -> Vec<&'static Fixture> {
    let only = only();
    let chosen: Vec<_> = fixtures()
        .filter(|it| [it.name, it.way.id(), it.recipe().id].iter().any(|it| it.contains(&only)))
        .collect();
    assert!(!chosen.is_empty(), "no fixture has {only} in its name");
    chosen
}

/// What a run is limited to.
fn only() -> String {
    std::env::var("LOCKKEEPER_PROOF_ONLY").unwrap_or_default()
}

/// The phases of a whole migration; `None` before PostgreSQL 12, where what is required is read under a lock, and refused.
fn phases_of_whole(fixture: &Fixture) -> Option<Vec<Phase>> {
    let phases = files::phases(fixture);
    if let Err(reason) = &phases {
        assert!(cluster().version() < 12, "{}: {reason}", fixture.name);
    }
    phases.ok()
}

/// Proves whole migrations, those with `LOCKKEEPER_PROOF_ONLY` in their names.
fn prove_whole(fixtures: &[Fixture]) {
    let only = only();
    let chosen: Vec<&Fixture> = fixtures.iter().filter(|it| it.name.contains(&only)).collect();
    each(&chosen, |fixture| {
        if let Some(phases) = phases_of_whole(fixture) {
            prove(fixture, &phases);
        }
    });
}

fn prove(fixture: &Fixture, phases: &[Phase]) -> Proof {
    let busy = busy::prove(fixture, phases);
    let kills = quiet::prove(fixture, phases);
    Proof { kills: busy.kills + kills, ..busy }
}

/// Runs all of them, some at a time.
fn each<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const WORKERS: usize = 3;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((number, item)) = next_of(items, &next) {
                    // Its message is out already; the others go on, so that one run tells everything.
                    let result = catch_unwind(AssertUnwindSafe(|| run(item))).ok();
                    results.lock().expect("no worker panicked").push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no worker panicked");
    results.sort_by_key(|(number, _)| *number);
    let failed = results.iter().filter(|(_, result)| result.is_none()).count();
    assert!(failed == 0, "{failed} of {} failed; what each said is above", items.len());
    results.into_iter().filter_map(|(_, result)| result).collect()
}

fn next_of<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    items.get(number).map(|item| (number, item))
}

#[test]
fn contract_comes_last_and_nothing_is_dropped_before() {
    for fixture in fixtures() {
        let Ok(phases) = files::phases(fixture) else { continue };
        let drops = |phase: &Phase| phase.migrations().any(|it| it.up().contains(" DROP COLUMN "));
        for phase in phases.iter().filter(|phase| drops(phase)) {
            assert_eq!(phase.kind, PhaseKind::Contract, "{}", fixture.name);
        }
    }
}

#[test]
fn every_recipe_has_a_fixture_in_every_way() {
    let there: BTreeSet<_> = fixtures().map(|it| (it.recipe().id, it.way)).collect();
    for recipe in RECIPES {
        for way in recipe.ways.iter().chain([&Way::Window]) {
            let id = recipe.id;
            assert!(
                there.contains(&(id, *way)),
                "{id} has no fixture for {}: add one to fixtures.rs",
                way.id()
            );
        }
    }
}

#[test]
fn fixtures_differ_in_name_or_way() {
    let names: BTreeSet<_> = fixtures().map(|it| (it.name, it.way)).collect();
    assert_eq!(names.len(), fixtures().count());
}
