//! The wire model: what programs read, versioned, and its renderers.
//!
//! Only this module is serialisable. Fields are added, never changed or removed.

mod check;
mod effect;
mod fingerprint;
pub mod formats;
mod line;
mod plan;
mod rehearsal;
mod review;
mod rewrite;
mod schema;
pub mod strategist;
mod target;

pub use check::{
    AllowedReport, CheckReport, EditReport, EstimateReport, FileFacts, FileReport, FixReport, HazardReport,
    NotAnalysedReport, ProblemReport, ReferenceReport, UnreadReport, file_report,
};
pub use effect::{
    EffectBody, EffectReport, LockReport, StatementEffect, effect_body, effect_report, statement_effect,
};
pub use line::{effect_line, waits_in_words};
pub use plan::{
    AssignmentReport, ChosenPlan, ConsumerReport, CopyReport, CriterionReport, JobReport, OperationReport,
    PhaseReport, PlanReport, QuestionReport, RecommendationReport, SignalReport, StepReport, StrategyReport,
    chosen_plan,
};
pub use rehearsal::{
    RehearsalDifference, RehearsalError, RehearsalReport, RehearsedLock, RehearsedStep, RehearsedWait,
};
pub use review::{
    ReviewFinding, ReviewObjection, ReviewPoint, ReviewReport, ReviewUnread, ReviewedRelease, ReviewedStep,
};
pub use rewrite::{FileEdit, ReleaseReport, RewriteReport, RewrittenFile};
pub use schema::{SchemaReport, TableReport, schema_report};
pub use target::TargetReport;

use schemars::JsonSchema;
use serde::Serialize;

use crate::text::{Encoding, LineIndex, Span};

/// A place in a file: bytes, and lines and columns from 1 in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
    /// Line of the first character, from 1.
    pub line: usize,
    /// Column of the first character, from 1.
    pub column: usize,
    /// Line behind the last character.
    pub end_line: usize,
    /// Column behind the last character.
    pub end_column: usize,
}

impl Place {
    /// The place of a span.
    pub fn of(span: Span, text: &str, lines: &LineIndex) -> Self {
        let start = lines.position(text, span.start, Encoding::Utf32);
        let end = lines.position(text, span.end, Encoding::Utf32);
        Self {
            start: span.start,
            end: span.end,
            line: start.line + 1,
            column: start.column + 1,
            end_line: end.line + 1,
            end_column: end.column + 1,
        }
    }

    /// The span of the place.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }
}
