//! A change in several steps that somebody else wrote, as files or in the words of a plan, judged as our own plans are.

use std::collections::BTreeSet;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Checked, NotAnalysed, Part, check, replay};
use lockkeeper_core::dialect::Target;
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::hazards::{Hazard, Severity};
use lockkeeper_core::operation::Kind;
use lockkeeper_core::plan::{Phase, PhaseKind, SqlStep, Step, Written};
use lockkeeper_core::policy::{self, Policy, Verdict, judge};
use lockkeeper_core::report::{
    ReviewFinding, ReviewObjection, ReviewPoint, ReviewReport, ReviewUnread, ReviewedRelease, ReviewedStep,
    TargetReport,
};
use lockkeeper_core::text::{LineIndex, Span};
use lockkeeper_core::verify::{self, Change, Kind as Of, Releases, Review, Traffic};

use crate::analysis::{CheckedFile, Policies, check_path};
use crate::discover::Project;
use crate::rewrite::down_migration;
use document::Document;

mod document;

/// The rule that says that a statement fails: the course of the steps says it too.
const FAILS: &str = "failing-statement";

/// A step of somebody else.
struct Own {
    name: String,
    /// What goes up.
    text: String,
    down: Option<String>,
    /// Whether it reaches the server in one transaction.
    transactional: bool,
    findings: Vec<ReviewFinding>,
    unread: Vec<ReviewUnread>,
    /// Whether it loses what cannot be made again.
    loses: bool,
}

/// Reviews migration files, in the order in which they are given.
///
/// # Errors
/// In words, where there is nothing to review, or a file is not a migration.
pub fn of_files(project: &Project, paths: &[String], policies: &Policies) -> Result<ReviewReport, String> {
    let mut steps = Vec::new();
    let mut first: Option<CheckedFile> = None;
    for path in paths {
        let file = check_path(project, &project.root.join(path), None, policies)
            .ok_or_else(|| format!("{path} cannot be read as a migration"))?;
        // A file of its own for the way back belongs to the step that it takes back.
        if file.is_up() {
            steps.push(of_file(project, &file));
            first.get_or_insert(file);
        }
    }
    let Some(first) = first else {
        return Err("none of these files has a statement that goes up".to_owned());
    };
    Ok(reviewed(&first.before, &first.target, steps, Vec::new()))
}

/// Reviews a plan in Markdown: its SQL, on the schema that the migrations make, and its words.
///
/// # Errors
/// In words, where it holds no SQL that changes anything.
pub fn of_document(text: &str, target: &Target, before: &Catalog) -> Result<ReviewReport, String> {
    let document = Document::read(text);
    let mut catalog = before.clone();
    let mut steps: Vec<Own> = Vec::new();
    for block in &document.blocks {
        let checked = check(whole(&block.sql), target, &catalog);
        let mut operations = checked.statements.iter().flat_map(|it| &it.operations);
        if !operations.any(|it| changes(&it.kind)) {
            continue;
        }
        if block.takes_back {
            // It belongs to the nearest step before it.
            if let Some(step) = steps.last_mut() {
                step.down.get_or_insert_default().push_str(&block.sql);
            }
            continue;
        }
        let judged = judge(&block.sql, &checked, &Policy::default());
        let name = match &block.heading {
            Some(heading) => format!("line {}: {heading}", block.line),
            None => format!("line {}", block.line),
        };
        steps.push(Own {
            down: None,
            transactional: fails(&block.sql, target, &catalog) == failing(&checked),
            loses: checked.hazards.iter().any(|it| verify::loses(it.rule)),
            findings: findings(&block.sql, &judged.hazards, block.line - 1),
            unread: unread(&name, &block.sql, &judged.unread, block.line - 1),
            name,
            text: block.sql.clone(),
        });
        catalog = checked.after;
        catalog.end_session();
    }
    if steps.is_empty() {
        return Err(
            "no block of SQL in it changes anything: mark the statements of each step as ```sql".to_owned()
        );
    }
    Ok(reviewed(before, target, steps, document.checklist()))
}

fn whole(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

/// How many statements fail where all run in one transaction.
fn fails(text: &str, target: &Target, before: &Catalog) -> usize {
    failing(&check(Part { transaction: Transaction::Wrapped, ..whole(text) }, target, before))
}

fn failing(checked: &Checked) -> usize {
    checked.hazards.iter().filter(|it| it.rule == FAILS).count()
}

fn changes(kind: &Kind) -> bool {
    !matches!(kind, Kind::Set(_) | Kind::Transaction(_) | Kind::Query(_))
}

fn of_file(project: &Project, file: &CheckedFile) -> Own {
    let up = file.parts.iter().flat_map(|(checked, _)| &checked.statements);
    let text: String = up.map(|it| it.span.of(&file.text).to_owned() + ";\n").collect();
    let hazards: Vec<Hazard> = file.hazards().cloned().collect();
    let down = down_migration(project, file);
    let unread = file.parts.iter().flat_map(|(_, judged)| &judged.unread);
    Own {
        name: file.path.clone(),
        text,
        down: Some(down).filter(|it| !it.trim().is_empty()),
        transactional: file.parts.iter().all(|(it, _)| it.transaction.is_one(it.statements.len())),
        // What a comment allows is lost all the same.
        loses: file.parts.iter().flat_map(|(it, _)| &it.hazards).any(|it| verify::loses(it.rule)),
        findings: findings(&file.text, &hazards, 0),
        unread: self::unread(&file.path, &file.text, unread, 0),
    }
}

/// What rules say, but for what the states and the course of the steps tell better. `above`: so many lines stand before the text in its file.
fn findings(text: &str, hazards: &[Hazard], above: usize) -> Vec<ReviewFinding> {
    let lines = LineIndex::new(text);
    let told = |it: &&Hazard| it.rule != FAILS && !verify::is_told_by_states(it.rule);
    let finding = |it: &Hazard| ReviewFinding {
        rule: it.rule.to_owned(),
        severity: it.severity.id().to_owned(),
        line: above + lines.line(it.span.start) + 1,
        message: it.message.clone(),
    };
    hazards.iter().filter(told).map(finding).collect()
}

/// What nobody could read in a text, so that nothing is known of it.
fn unread<'a>(
    name: &str,
    text: &str,
    places: impl IntoIterator<Item = &'a NotAnalysed>,
    above: usize,
) -> Vec<ReviewUnread> {
    let lines = LineIndex::new(text);
    let place = |it: &NotAnalysed| ReviewUnread {
        name: name.to_owned(),
        line: above + lines.line(it.span.start) + 1,
        reason: it.reason.clone(),
        advice: it.advice.to_owned(),
    };
    places.into_iter().map(place).collect()
}

fn reviewed(before: &Catalog, target: &Target, steps: Vec<Own>, checklist: Vec<ReviewPoint>) -> ReviewReport {
    let mut after = before.clone();
    for step in &steps {
        replay(whole(&step.text), target, &mut after);
        after.end_session();
    }
    let migrations = steps.iter().map(|step| migration(step, target)).map(Step::Sql).collect();
    let phases = [Phase::new(PhaseKind::Expand, "", migrations)];
    let broken = BTreeSet::new();
    let change = Change { before, after: &after, broken: &broken, target, traffic: Traffic::Releases };
    let review = verify::review(&change, &phases);
    let objections = objections(&review);
    let unread: Vec<ReviewUnread> = steps.iter().flat_map(|it| it.unread.clone()).collect();
    let found = steps.iter().flat_map(|it| &it.findings).map(|it| it.severity.as_str());
    let severities =
        found.chain(objections.iter().map(|it| it.severity.as_str())).filter_map(Severity::from_id);
    let verdict = match policy::verdict(severities, &Policy::default()) {
        Verdict::Block => Verdict::Block,
        _ if !unread.is_empty() => Verdict::Unread,
        other => other,
    };
    ReviewReport {
        version: 1,
        target: TargetReport::from(target),
        verdict: verdict.id().to_owned(),
        schema_known: before.is_complete(),
        releasable: review.releases.is_some(),
        releases: review.releases.as_ref().map(|it| releases(it, steps.len())).unwrap_or_default(),
        point_of_no_return: steps.iter().position(|it| it.loses).map(|it| it + 1),
        steps: steps
            .into_iter()
            .zip(review.states.iter().skip(1))
            .enumerate()
            .map(|(at, (step, state))| ReviewedStep {
                step: at + 1,
                name: step.name,
                running_release: state.running.clone(),
                new_release: state.new.clone(),
                goes_back: step.down.is_some(),
                findings: step.findings,
            })
            .collect(),
        objections,
        unread,
        checklist,
    }
}

fn migration(step: &Own, target: &Target) -> SqlStep {
    let written =
        |text: &str| vec![Written::read(text.trim_end().trim_end_matches(';'), target.dialect).into()];
    SqlStep {
        name: step.name.clone(),
        title: step.name.clone(),
        up: written(&step.text),
        down: step.down.as_deref().map(written),
        transactional: step.transactional,
        dialect: target.dialect,
    }
}

/// What stands against the steps: first that no release can be rolled out, then what they say by themselves.
fn objections(review: &Review) -> Vec<ReviewObjection> {
    let mut found = Vec::new();
    if review.releases.is_none() {
        found.push(ReviewObjection {
            step: None,
            severity: Severity::Danger.id().to_owned(),
            message: no_release(review),
        });
    }
    found.extend(review.objections.iter().map(|it| {
        let severity = match it.kind {
            // Whoever writes rows meanwhile may be a release that knows of it.
            Of::Stale | Of::Back => Severity::Warning,
            _ => Severity::Danger,
        };
        ReviewObjection {
            step: it.step.as_ref().map(|(number, _)| *number),
            severity: severity.id().to_owned(),
            message: it.words.clone(),
        }
    }));
    found.sort_by_key(|it| it.severity != Severity::Danger.id());
    found
}

/// Between which steps the application cannot be released, in words.
fn no_release(review: &Review) -> String {
    let from = review.states.iter().position(|it| !it.running.is_empty());
    let until = review.states.iter().rposition(|it| !it.new.is_empty());
    let running = from.map(|at| match at {
        0 => "the running release fails beside the schema before the first step already".to_owned(),
        _ => format!("the running release fails from step {at} on ({})", review.states[at].running[0]),
    });
    let new = until.map(|at| {
        let why = &review.states[at].new[0];
        match review.states.len() - 1 == at {
            true => format!("the new one fails beside the last step too ({why})"),
            false => format!("the new one works only behind step {} (before it: {why})", at + 1),
        }
    });
    let parts: Vec<String> = running.into_iter().chain(new).collect();
    format!(
        "there is no moment at which the application can be released without errors: {}. Keep old and new beside each other for the time of a release: \
         `lockkeeper rewrite` shows how",
        parts.join(", and ")
    )
}

fn releases(releases: &Releases, steps: usize) -> Vec<ReviewedRelease> {
    let of = |release: &str, states: &std::ops::RangeInclusive<usize>| ReviewedRelease {
        release: release.to_owned(),
        behind_step: *states.start(),
        before_step: (*states.end() < steps).then_some(states.end() + 1),
    };
    match releases {
        Releases::Anywhere => Vec::new(),
        Releases::One(states) => vec![of("new", states)],
        Releases::Two(first, second) => vec![of("both", first), of("new", second)],
    }
}
