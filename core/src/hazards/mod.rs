//! Rules: what can go wrong, one `.rs` and one `.md` each.
//!
//! A rule asks the effect, the catalog and the session; it knows no engine and no syntax. Its page is its
//! documentation, its hover, its `explain` text and its tests at once.

mod context;
pub mod page;
mod whole;

pub mod compatibility;
pub mod data;
pub mod deploy;
pub mod locking;
pub mod reversal;
pub mod runner;
pub mod schema;
pub mod transaction;

use crate::dialect::Dialect;
use crate::framework::Direction;
use crate::operation::Operation;
use crate::text::{Edit, Span};

pub use context::Context;
pub use whole::{Back, Deploy, End, Found, Pending, PendingStatement, Sent};

/// How bad a hazard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Think before you run it.
    Warning,
    /// It stops traffic, breaks the running release, loses data, or fails.
    Danger,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Danger];

    /// The severity of that word.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }

    /// The word in JSON and configuration.
    pub fn id(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

/// A detector of one hazard.
#[derive(Debug)]
pub struct Rule {
    /// Its name: the danger, readable after "allow".
    pub id: &'static str,
    /// How bad it is unless policy says otherwise.
    pub severity: Severity,
    /// The engines that it knows.
    pub dialects: &'static [Dialect],
    /// Its page.
    pub page: &'static str,
    /// What it looks at.
    pub trigger: Trigger,
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Trigger {
    /// One operation in its place.
    Operation(fn(&Operation, &Context<'_>) -> Option<Hazard>),
    /// What is left when the text has ended.
    End(fn(&End<'_>) -> Option<Hazard>),
    /// A migration together with its way back.
    Back(fn(&Back<'_>) -> Vec<Hazard>),
    /// A part of a migration in the hands of its runner.
    Runner(fn(&Sent<'_>) -> Vec<Hazard>),
    /// The migrations of one deploy together.
    Deploy(fn(&Deploy<'_>) -> Vec<Found>),
}

/// One occurrence of a hazard.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// The rule that found it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub span: Span,
    /// The consequence, with the object's name.
    pub message: String,
    /// The statement, counted from 0 in the part at hand.
    pub statement: usize,
    /// Edits of the file that cure it.
    pub fixes: Vec<Fix>,
    /// The recipes that carry it out safely, best first.
    pub recipes: Vec<&'static str>,
    /// What the running release may use and loses.
    pub subject: Option<Subject>,
    /// A query that counts the rows that stand in the way.
    pub preflight: Option<String>,
    /// Whether the migration meets it on its way up, or back.
    pub direction: Direction,
}

/// A table or column that the running release may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The table as the running release calls it, without the default schema.
    pub table: String,
    /// The column, unless it is about the whole table.
    pub column: Option<String>,
}

/// How far a fix can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applicability {
    /// Same meaning: apply at will.
    Safe,
    /// The right shape, but it changes how the migration must be run.
    NeedsReview,
    /// Words only.
    DisplayOnly,
}

impl Applicability {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::NeedsReview => "needs-review",
            Self::DisplayOnly => "display-only",
        }
    }
}

/// A titled set of edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order.
    pub title: String,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// The edits; all or none.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix that keeps the meaning.
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), applicability: Applicability::Safe, edits }
    }

    /// A fix that changes how the migration must be run.
    pub fn needs_review(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), applicability: Applicability::NeedsReview, edits }
    }
}

impl Hazard {
    /// A hazard of `rule` at `span`.
    pub fn new(rule: &'static Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule: rule.id,
            severity: rule.severity,
            span,
            message: message.into(),
            statement: 0,
            fixes: Vec::new(),
            recipes: Vec::new(),
            subject: None,
            preflight: None,
            direction: Direction::Up,
        }
    }

    /// As a hazard of the way back: it does not run in this deploy, so that a danger is a warning, and no recipe writes
    /// it anew.
    #[must_use]
    pub fn on_the_way_back(mut self) -> Self {
        self.direction = Direction::Down;
        self.severity = self.severity.min(Severity::Warning);
        self.recipes.clear();
        self
    }

    /// With a fix.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// With a recipe that cures it.
    #[must_use]
    pub fn with_recipe(mut self, recipe: &'static str) -> Self {
        self.recipes.push(recipe);
        self
    }

    /// With what the running release loses.
    #[must_use]
    pub fn with_subject(mut self, table: String, column: Option<&str>) -> Self {
        self.subject = Some(Subject { table, column: column.map(str::to_owned) });
        self
    }

    /// With the query that counts the rows in the way.
    #[must_use]
    pub fn with_preflight(mut self, query: impl Into<Option<String>>) -> Self {
        self.preflight = query.into();
        self
    }

    /// With another severity than its rule's.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// All rules, in the order of the documentation.
pub static RULES: &[&Rule] = &[
    &locking::blocking_index_build::RULE,
    &locking::blocking_index_drop::RULE,
    &locking::not_null_scan::RULE,
    &locking::volatile_default_rewrite::RULE,
    &locking::stored_column_rewrite::RULE,
    &locking::type_change_rewrite::RULE,
    &locking::lost_statistics::RULE,
    &locking::validating_constraint::RULE,
    &locking::inline_unique_build::RULE,
    &locking::partitioned_index_build::RULE,
    &locking::locked_partition_parent::RULE,
    &locking::default_partition_scan::RULE,
    &locking::attached_partition_scan::RULE,
    &locking::blocking_reindex::RULE,
    &locking::storage_rewrite::RULE,
    &locking::blocking_refresh::RULE,
    &locking::domain_constraint_scan::RULE,
    &locking::exclusion_build::RULE,
    &locking::nullable_key_scan::RULE,
    &locking::unindexed_foreign_key::RULE,
    &compatibility::renamed_column::RULE,
    &compatibility::renamed_table::RULE,
    &compatibility::dropped_column::RULE,
    &compatibility::dropped_table::RULE,
    &compatibility::required_column::RULE,
    &compatibility::dropped_default::RULE,
    &compatibility::lost_conflict_target::RULE,
    &compatibility::dropped_replica_identity::RULE,
    &compatibility::silenced_trigger::RULE,
    &compatibility::narrow_sequence::RULE,
    &compatibility::row_security_lockout::RULE,
    &compatibility::dropped_view::RULE,
    &compatibility::reshaped_view::RULE,
    &compatibility::renamed_schema::RULE,
    &compatibility::renamed_object::RULE,
    &compatibility::dropped_object::RULE,
    &compatibility::dropped_attribute::RULE,
    &compatibility::renamed_enum_value::RULE,
    &compatibility::added_enum_value::RULE,
    &compatibility::refused_ids::RULE,
    &compatibility::revoked_right::RULE,
    &compatibility::refused_null::RULE,
    &data::unbounded_data_change::RULE,
    &data::uncommitted_batches::RULE,
    &data::data_change_under_lock::RULE,
    &data::truncated_table::RULE,
    &data::lossy_type_change::RULE,
    &data::shifted_times::RULE,
    &data::dropped_and_added::RULE,
    &data::cascading_drop::RULE,
    &data::discarding_conversion::RULE,
    &data::dropped_database::RULE,
    &data::possible_duplicates::RULE,
    &transaction::lock_outside_transaction::RULE,
    &transaction::concurrent_in_transaction::RULE,
    &transaction::no_lock_timeout::RULE,
    &transaction::failing_statement::RULE,
    &transaction::many_tables_locked::RULE,
    &transaction::work_under_lock::RULE,
    &transaction::validation_under_lock::RULE,
    &transaction::ineffective_local_setting::RULE,
    &transaction::long_lock_timeout::RULE,
    &transaction::useless_lock_timeout::RULE,
    &transaction::timed_out_build::RULE,
    &transaction::skipped_invalid_index::RULE,
    &transaction::unusable_enum_value::RULE,
    &transaction::pending_check::RULE,
    &transaction::stray_transaction::RULE,
    &transaction::unclosed_transaction::RULE,
    &transaction::emptied_search_path::RULE,
    &schema::stale_sequence::RULE,
    &schema::mismatched_key::RULE,
    &schema::duplicate_index::RULE,
    &schema::skipped_change::RULE,
    &schema::moving_check::RULE,
    &schema::cut_name::RULE,
    &schema::open_definer::RULE,
    &schema::public_grant::RULE,
    &schema::disabled_autovacuum::RULE,
    &runner::refused_by_runner::RULE,
    &runner::half_applied::RULE,
    &runner::late_migration::RULE,
    &reversal::irreversible_change::RULE,
    &reversal::incomplete_down::RULE,
    &reversal::missing_down::RULE,
    &deploy::contract_with_expand::RULE,
    &deploy::discarded_work::RULE,
    &deploy::repeated_lock::RULE,
    &deploy::unvalidated_constraint::RULE,
];

/// Whether a name is one of those that rewrites make for the time of a change.
pub(crate) fn is_of_rewrite(name: &str) -> bool {
    name.starts_with("lockkeeper_")
}

/// The rule with this name.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// By their places; what is worse comes before what is about the statement around it.
pub(crate) fn in_order(hazards: &mut [Hazard]) {
    hazards.sort_by_key(|hazard| (hazard.span, hazard.rule));
    for last in 1..hazards.len() {
        let mut at = last;
        while at > 0
            && hazards[at - 1].span.contains(hazards[at].span)
            && hazards[at - 1].severity < hazards[at].severity
        {
            hazards.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// The hazards of one operation in its place.
pub fn check(operation: &Operation, ctx: &Context<'_>) -> Vec<Hazard> {
    let found = known(ctx.target.dialect).filter_map(|rule| match rule.trigger {
        Trigger::Operation(check) => check(operation, ctx),
        _ => None,
    });
    found.map(|hazard| Hazard { statement: ctx.statement, ..hazard }).collect()
}

/// The hazards of what is left when the text has ended.
pub fn check_end(end: &End<'_>, dialect: Dialect) -> Vec<Hazard> {
    let found = known(dialect).filter_map(|rule| match rule.trigger {
        Trigger::End(check) => check(end),
        _ => None,
    });
    found.collect()
}

/// The hazards of a part of a migration in the hands of its runner.
pub fn check_runner(sent: &Sent<'_>) -> Vec<Hazard> {
    let found = known(sent.script.dialect).filter_map(|rule| match rule.trigger {
        Trigger::Runner(check) => Some(check(sent)),
        _ => None,
    });
    found.flatten().collect()
}

/// The hazards of a migration together with its way back.
pub fn check_back(back: &Back<'_>, dialect: Dialect) -> Vec<Hazard> {
    let found = known(dialect).filter_map(|rule| match rule.trigger {
        Trigger::Back(check) => Some(check(back)),
        _ => None,
    });
    found.flatten().collect()
}

/// The hazards of the migrations of one deploy together.
pub fn check_deploy(deploy: &Deploy<'_>, dialect: Dialect) -> Vec<Found> {
    let found = known(dialect).filter_map(|rule| match rule.trigger {
        Trigger::Deploy(check) => Some(check(deploy)),
        _ => None,
    });
    found.flatten().collect()
}

fn known(dialect: Dialect) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().filter(move |rule| rule.dialects.contains(&dialect))
}
