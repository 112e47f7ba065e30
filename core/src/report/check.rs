//! Hazards on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::effect::{EffectBody, effect_body};
use super::fingerprint::{Fingerprints, words};
use super::{Place, TargetReport};
use crate::check::Checked;
use crate::estimate::{Sizes, estimate, in_words};
use crate::hazards::{Fix, Hazard, Severity};
use crate::policy::{Judged, Policy, UNREAD, Unread, Verdict, verdict};
use crate::reference::Reference;
use crate::text::{LineIndex, Span};

/// What `lockkeeper check --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// What the files were checked for; of several folders, the first one's.
    pub target: TargetReport,
    /// The files in order.
    pub files: Vec<FileReport>,
    /// `pass`, `warn`, `unread`, `block`. What is unread is told beside a danger too: then the verdict is `block`.
    pub verdict: String,
    /// What was asked about and could not be read, each with a way out. While there is any, no verdict is `pass` or `warn`
    /// unless the call allows it.
    pub unread: Vec<UnreadReport>,
    /// The files that run in the next deploy, in order, where the call knows them: new against a revision, or not in the
    /// migrations table of a database.
    pub pending: Vec<String>,
    /// What is to be said of files and folders beside that.
    pub problems: Vec<ProblemReport>,
    /// The least severity that fails the check: `note`, `warning`, `danger`.
    pub fail_on: String,
    /// Whether the call lets pass what could not be read.
    pub allow_unread: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FileReport {
    /// Relative to the project's root.
    pub path: String,
    /// The framework.
    pub framework: String,
    /// What it was checked for.
    pub target: TargetReport,
    /// How many statements it has.
    pub statements: usize,
    /// What nobody could read.
    pub not_analysed: Vec<NotAnalysedReport>,
    /// The hazards in order of place.
    pub hazards: Vec<HazardReport>,
    /// The hazards that a comment accepts.
    pub allowed: Vec<AllowedReport>,
    /// Allowances that do not count.
    pub allowance_problems: Vec<NotAnalysedReport>,
    /// Why `lockkeeper rewrite` refuses the file although rules name recipes; `null` where it does not, or was not asked.
    pub rewrite_refused: Option<String>,
    /// What could not be read and no comment accepts: for the report of all files.
    #[serde(skip)]
    pub unread: Vec<UnreadReport>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnreadReport {
    /// The file or folder.
    pub path: String,
    /// Where in the file; `null` where it is all of it.
    pub span: Option<Place>,
    /// Why.
    pub reason: String,
    /// What to do.
    pub way_out: String,
    /// What it is recognised by when lines above it come and go.
    pub fingerprint: String,
}

/// A place and why it is mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotAnalysedReport {
    /// Where.
    pub span: Place,
    /// Why.
    pub reason: String,
}

/// A file or folder that could not be read, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProblemReport {
    /// The file or folder.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// Whether it means that something could not be read.
    pub unread: bool,
}

impl ProblemReport {
    fn as_unread(&self) -> UnreadReport {
        UnreadReport {
            path: self.path.clone(),
            span: None,
            reason: self.message.clone(),
            way_out: self.advice.clone(),
            fingerprint: String::new(),
        }
    }
}

/// One hazard.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HazardReport {
    /// The rule.
    pub rule: String,
    /// `danger`, `warning`, `note`.
    pub severity: String,
    /// The consequence.
    pub message: String,
    /// Where.
    pub span: Place,
    /// The statement in its file, counted from 0.
    pub statement: usize,
    /// What its statement does.
    pub effect: Option<EffectBody>,
    /// How long its work takes.
    pub estimate: Option<EstimateReport>,
    /// Who uses what it takes away.
    pub references: Vec<ReferenceReport>,
    /// Edits that cure it.
    pub fixes: Vec<FixReport>,
    /// Recipes that carry it out safely.
    pub recipes: Vec<String>,
    /// A query that counts the rows in the way.
    pub preflight: Option<String>,
    /// `up`, or `down` where the way back meets it.
    pub direction: String,
    /// What it is recognised by when lines above it come and go. The same in every format and in a baseline.
    pub fingerprint: String,
}

/// How long work takes, without the wait for its lock.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EstimateReport {
    /// `scan`, `index-build`, `rewrite`, `file-copy`.
    pub work: String,
    /// The least, in seconds.
    pub seconds_least: Option<f64>,
    /// The most, in seconds.
    pub seconds_most: Option<f64>,
    /// The range in words.
    pub words: Option<String>,
    /// What was assumed.
    pub assumed: String,
}

/// A hazard that somebody accepted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AllowedReport {
    /// The rule.
    pub rule: String,
    /// Where.
    pub span: Place,
    /// Why.
    pub reason: String,
}

/// A place that uses a table or column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceReport {
    /// The file, relative to the root.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
    /// `read`, `write`, `schema`, `text`.
    pub kind: String,
    /// `certain`, `likely`, `possible`.
    pub certainty: String,
    /// Whether it names no columns, so that what it means goes by their order: `INSERT INTO users VALUES (…)`.
    pub by_place: bool,
    /// The line; text of the repository, not ours.
    pub excerpt: String,
}

impl From<&Reference> for ReferenceReport {
    fn from(reference: &Reference) -> Self {
        Self {
            path: reference.path.clone(),
            line: reference.line,
            column: reference.column,
            start: reference.span.start,
            end: reference.span.end,
            kind: reference.kind.id().to_owned(),
            certainty: reference.certainty.id().to_owned(),
            by_place: reference.by_place,
            excerpt: reference.excerpt.clone(),
        }
    }
}

/// A titled set of edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FixReport {
    /// What it does.
    pub title: String,
    /// `safe`, `needs-review`, `display-only`.
    pub applicability: String,
    /// The edits; all or none.
    pub edits: Vec<EditReport>,
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EditReport {
    /// What is replaced.
    pub span: Place,
    /// The new text.
    pub text: String,
}

/// What is needed to report a file beside what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct FileFacts<'a> {
    /// Relative to the project's root.
    pub path: &'a str,
    /// The framework's name.
    pub framework: &'a str,
    /// The text.
    pub text: &'a str,
    /// What it was checked for.
    pub target: &'a crate::dialect::Target,
    /// How many rows the tables have.
    pub rows: Option<&'a Sizes>,
}

/// The report of a file. `references` gives the places that use what a hazard takes away.
pub fn file_report(
    facts: FileFacts<'_>,
    parts: &[&(Checked, Judged)],
    references: impl Fn(&Hazard) -> Vec<Reference>,
) -> FileReport {
    let lines = LineIndex::new(facts.text);
    let place = |span: Span| Place::of(span, facts.text, &lines);
    let mut report = FileReport {
        path: facts.path.to_owned(),
        framework: facts.framework.to_owned(),
        target: facts.target.into(),
        statements: 0,
        not_analysed: Vec::new(),
        hazards: Vec::new(),
        allowed: Vec::new(),
        allowance_problems: Vec::new(),
        rewrite_refused: None,
        unread: Vec::new(),
    };
    let mut seen = Fingerprints::default();
    for (checked, judged) in parts {
        for hazard in &judged.hazards {
            let fingerprint = fingerprint(facts, hazard, &mut seen);
            let mut hazard_report =
                hazard_report(facts, &lines, checked, hazard, references(hazard), fingerprint);
            hazard_report.statement += report.statements;
            report.hazards.push(hazard_report);
        }
        report.statements += checked.statements.len();
        let reason = |it: &crate::check::NotAnalysed| NotAnalysedReport {
            span: place(it.span),
            reason: it.reason.clone(),
        };
        report.not_analysed.extend(checked.not_analysed.iter().map(reason));
        report.allowed.extend(judged.allowed.iter().map(|it| AllowedReport {
            rule: it.hazard.rule.to_owned(),
            span: place(it.hazard.span),
            reason: it.reason.clone(),
        }));
        report.allowed.extend(judged.allowed_unread.iter().map(|(span, reason)| AllowedReport {
            rule: UNREAD.to_owned(),
            span: place(*span),
            reason: reason.clone(),
        }));
        report.unread.extend(judged.unread.iter().map(|it| UnreadReport {
            path: facts.path.to_owned(),
            span: Some(place(it.span)),
            reason: it.reason.clone(),
            way_out: it.advice.to_owned(),
            fingerprint: String::new(),
        }));
        let problems = judged.allowance_problems.iter();
        report.allowance_problems.extend(
            problems.map(|(span, reason)| NotAnalysedReport { span: place(*span), reason: reason.clone() }),
        );
    }
    report
}

/// By what the hazard points at, not by its message, which may be worded better one day.
fn fingerprint(facts: FileFacts<'_>, hazard: &Hazard, seen: &mut Fingerprints) -> String {
    let about = words(hazard.span.of(facts.text));
    seen.of(&[hazard.rule, facts.path, hazard.direction.id(), &about])
}

fn hazard_report(
    facts: FileFacts<'_>,
    lines: &LineIndex,
    checked: &Checked,
    hazard: &Hazard,
    references: Vec<Reference>,
    fingerprint: String,
) -> HazardReport {
    let effect = checked.statements.get(hazard.statement).map(|statement| &statement.effect);
    let estimate = effect.and_then(|effect| estimate(effect, facts.rows));
    HazardReport {
        rule: hazard.rule.to_owned(),
        severity: hazard.severity.id().to_owned(),
        message: hazard.message.clone(),
        span: Place::of(hazard.span, facts.text, lines),
        statement: hazard.statement,
        effect: effect.map(|effect| effect_body(effect, &checked.after)),
        estimate: estimate.map(|it| EstimateReport {
            work: it.work.id().to_owned(),
            seconds_least: it.seconds.map(|(least, _)| least),
            seconds_most: it.seconds.map(|(_, most)| most),
            words: it.seconds.map(in_words),
            assumed: it.assumed,
        }),
        references: references.iter().map(ReferenceReport::from).collect(),
        fixes: hazard.fixes.iter().map(|fix| fix_report(fix, facts.text, lines)).collect(),
        recipes: hazard.recipes.iter().map(|it| (*it).to_owned()).collect(),
        preflight: hazard.preflight.clone(),
        direction: hazard.direction.id().to_owned(),
        fingerprint,
    }
}

fn fix_report(fix: &Fix, text: &str, lines: &LineIndex) -> FixReport {
    let edits = fix
        .edits
        .iter()
        .map(|edit| EditReport { span: Place::of(edit.span, text, lines), text: edit.replacement.clone() });
    FixReport {
        title: fix.title.clone(),
        applicability: fix.applicability.id().to_owned(),
        edits: edits.collect(),
    }
}

impl CheckReport {
    /// The report over files, with the verdict over all of it.
    pub fn new(
        target: &crate::dialect::Target,
        mut files: Vec<FileReport>,
        problems: Vec<ProblemReport>,
        policy: &Policy,
    ) -> Self {
        let of_files = files.iter_mut().flat_map(|file| std::mem::take(&mut file.unread));
        let mut unread: Vec<UnreadReport> = of_files.collect();
        unread.extend(problems.iter().filter(|it| it.unread).map(ProblemReport::as_unread));
        let mut seen = Fingerprints::default();
        for it in &mut unread {
            it.fingerprint = seen.of(&[UNREAD, &it.path, &it.reason]);
        }
        let mut report = Self {
            version: 1,
            target: target.into(),
            files,
            verdict: String::new(),
            unread,
            pending: Vec::new(),
            problems,
            fail_on: policy.fail_on.id().to_owned(),
            allow_unread: policy.unread == Unread::IsListed,
        };
        report.judge(policy);
        report
    }

    /// Accepts what `reason` gives a reason for, by its fingerprint: what was found and what could not be read in a file. Folders and
    /// files that nothing of was read are not accepted here.
    pub fn accept(&mut self, policy: &Policy, mut reason: impl FnMut(&str) -> Option<String>) {
        for file in &mut self.files {
            let mut accepted = Vec::new();
            file.hazards.retain(|hazard| {
                let reason = reason(&hazard.fingerprint);
                let is_left = reason.is_none();
                accepted.extend(reason.map(|reason| (hazard.rule.clone(), hazard.span, reason)));
                is_left
            });
            self.unread.retain(|unread| {
                let own = unread.span.filter(|_| unread.path == file.path);
                let reason = own.and_then(|span| Some((span, reason(&unread.fingerprint)?)));
                let is_left = reason.is_none();
                accepted.extend(reason.map(|(span, reason)| (UNREAD.to_owned(), span, reason)));
                is_left
            });
            let accepted = accepted.into_iter();
            file.allowed.extend(accepted.map(|(rule, span, reason)| AllowedReport { rule, span, reason }));
        }
        self.judge(policy);
    }

    fn judge(&mut self, policy: &Policy) {
        let severities = self.files.iter().flat_map(|file| &file.hazards);
        let severities = severities.filter_map(|hazard| Severity::from_id(&hazard.severity));
        let verdict = verdict(severities, policy);
        let verdict = match policy.unread {
            Unread::Counts if !self.unread.is_empty() => verdict.max(Verdict::Unread),
            Unread::Counts | Unread::IsListed => verdict,
        };
        verdict.id().clone_into(&mut self.verdict);
    }
}
