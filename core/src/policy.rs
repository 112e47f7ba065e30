//! What a project accepts: severities, allowances in the files, the verdict.

use std::collections::BTreeMap;

use crate::check::{Checked, CheckedStatement, NotAnalysed};
use crate::framework::Timestamp;
use crate::hazards::{self, Hazard, Severity};
use crate::text::Span;

/// What a project accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Other severities for rules; `None` turns a rule off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// Hazards of this severity and above block.
    pub fail_on: Severity,
    /// The day that allowances are compared with, where the caller knows it.
    pub today: Option<Timestamp>,
    /// What becomes of what nobody could read.
    pub unread: Unread,
}

/// What becomes of what nobody could read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unread {
    /// The verdict says so: a pass means that everything was read.
    #[default]
    Counts,
    /// It is listed, and the verdict is over what was read.
    IsListed,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            severities: BTreeMap::new(),
            fail_on: Severity::Danger,
            today: None,
            unread: Unread::default(),
        }
    }
}

/// The end of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing to say.
    Pass,
    /// Something to think about.
    Warn,
    /// Something that was asked about could not be read. A danger that was found all the same weighs more.
    Unread,
    /// Something that must not run as it is.
    Block,
}

impl Verdict {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unread => "unread",
            Self::Block => "block",
        }
    }
}

/// A comment that accepts a hazard: `-- lockkeeper: allow RULE because REASON [until 2027-01-31]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The rule.
    pub rule: String,
    /// Why; without a reason it does not count.
    pub reason: String,
    /// The last day that it holds, as `YYYY-MM-DD`.
    pub until: Option<String>,
    /// The comment.
    pub span: Span,
}

/// A hazard that somebody accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed {
    /// The hazard.
    pub hazard: Hazard,
    /// The reason.
    pub reason: String,
}

/// The hazards that count, and those that were accepted.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Those that count, with their severity here.
    pub hazards: Vec<Hazard>,
    /// Those that a comment accepts.
    pub allowed: Vec<Allowed>,
    /// What nobody could read, and no comment accepts.
    pub unread: Vec<NotAnalysed>,
    /// What a comment accepts without its being read, and why.
    pub allowed_unread: Vec<(Span, String)>,
    /// Allowances that do not count, and why.
    pub allowance_problems: Vec<(Span, String)>,
}

/// What an allowance names in place of a rule where a statement could not be read.
pub const UNREAD: &str = "unread";

/// Applies severities and allowances to what was found.
pub fn judge(text: &str, checked: &Checked, policy: &Policy) -> Judged {
    let allowances = allowances(text, &checked.comments);
    let by_statement = by_statement(text, &allowances, &checked.statements);
    let mut used = vec![false; allowances.len()];
    let mut judged = Judged::default();
    for hazard in checked.hazards.iter().filter_map(|hazard| graded(hazard, policy)) {
        let own = by_statement.get(&hazard.statement).map_or(&[][..], Vec::as_slice);
        let accepts = |it: &Allowance| it.rule == hazard.rule && counts(it, policy);
        match own.iter().find(|at| accepts(&allowances[**at])) {
            Some(at) => {
                used[*at] = true;
                judged.allowed.push(Allowed { hazard, reason: allowances[*at].reason.clone() });
            }
            None => judged.hazards.push(hazard),
        }
    }
    for unread in &checked.not_analysed {
        let statement = checked.statements.partition_point(|it| it.end < unread.span.end);
        let own = by_statement.get(&statement).map_or(&[][..], Vec::as_slice);
        let accepts = |it: &Allowance| it.rule == UNREAD && counts(it, policy);
        match own.iter().find(|at| accepts(&allowances[**at])) {
            Some(at) => {
                used[*at] = true;
                judged.allowed_unread.push((unread.span, allowances[*at].reason.clone()));
            }
            None => judged.unread.push(unread.clone()),
        }
    }
    for (allowance, used) in allowances.iter().zip(used) {
        let problem = problem(allowance, used, policy);
        judged.allowance_problems.extend(problem.map(|it| (allowance.span, it)));
    }
    judged
}

fn graded(hazard: &Hazard, policy: &Policy) -> Option<Hazard> {
    match policy.severities.get(hazard.rule) {
        Some(None) => None,
        Some(Some(severity)) => Some(hazard.clone().with_severity(*severity)),
        None => Some(hazard.clone()),
    }
}

/// The verdict over hazards of these severities.
pub fn verdict(severities: impl IntoIterator<Item = Severity>, policy: &Policy) -> Verdict {
    let worst = severities.into_iter().max();
    match worst {
        Some(severity) if severity >= policy.fail_on => Verdict::Block,
        Some(Severity::Danger | Severity::Warning) => Verdict::Warn,
        Some(Severity::Note) | None => Verdict::Pass,
    }
}

/// The allowances in the comments of a text.
pub fn allowances(text: &str, comments: &[Span]) -> Vec<Allowance> {
    comments.iter().filter_map(|span| allowance(span.of(text), *span)).collect()
}

fn allowance(comment: &str, span: Span) -> Option<Allowance> {
    let words = comment.trim_start_matches(['-', '/', '*', '#', ' ']).trim_end_matches(['*', '/', ' ']);
    let rest = words.strip_prefix("lockkeeper:")?.trim().strip_prefix("allow")?.trim();
    let (rule, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let reason = rest.trim().strip_prefix("because").unwrap_or("").trim();
    let (reason, until) = match reason.rsplit_once(" until ") {
        Some((reason, date)) if is_date(date.trim()) => (reason, Some(date.trim().to_owned())),
        _ => (reason, None),
    };
    Some(Allowance { rule: rule.to_owned(), reason: reason.trim().to_owned(), until, span })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits =
        |part: &&str, length: usize| part.len() == length && part.bytes().all(|it| it.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

/// The allowances of each statement, by their numbers. A comment belongs to the statement that it stands in or before,
/// or behind on the same line. Each is looked up by its place: a file may hold many of both.
fn by_statement(
    text: &str,
    allowances: &[Allowance],
    statements: &[CheckedStatement],
) -> BTreeMap<usize, Vec<usize>> {
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, allowance) in allowances.iter().enumerate() {
        let comment = allowance.span;
        let next = statements.partition_point(|statement| statement.end <= comment.start);
        let on_line =
            |at: &usize| !Span::new(statements[*at].end, comment.start).of(text).contains(['\n', '\r']);
        let trailed: Vec<usize> = (0..next).rev().take_while(on_line).collect();
        let inside = statements.get(next).is_some_and(|it| it.span.contains(comment));
        let before = (trailed.is_empty() || inside) && next < statements.len();
        for statement in trailed.into_iter().chain(before.then_some(next)) {
            found.entry(statement).or_default().push(number);
        }
    }
    found
}

fn is_expired(allowance: &Allowance, policy: &Policy) -> bool {
    let (Some(until), Some(today)) = (&allowance.until, policy.today) else { return false };
    let today = format!("{:04}-{:02}-{:02}", today.year, today.month, today.day);
    *until < today
}

fn counts(allowance: &Allowance, policy: &Policy) -> bool {
    !allowance.reason.is_empty() && !is_expired(allowance, policy)
}

fn problem(allowance: &Allowance, used: bool, policy: &Policy) -> Option<String> {
    let rule = &allowance.rule;
    if hazards::by_id(rule).is_none() && rule != UNREAD {
        return Some(format!("there is no rule {rule}; `lockkeeper explain` lists them"));
    }
    if allowance.reason.is_empty() {
        return Some(format!("it allows {rule} without a reason, and does not count: write `because …`"));
    }
    if is_expired(allowance, policy) {
        return Some(format!(
            "it allowed {rule} until {}, and does not count any more",
            allowance.until.as_ref()?
        ));
    }
    // Whether migrations run in one deploy, not every call knows.
    let of_deploy = hazards::by_id(rule).is_some_and(|it| matches!(it.trigger, hazards::Trigger::Deploy(_)));
    // A rule that is off finds nothing, which says nothing about what is there.
    let is_off = policy.severities.get(rule).is_some_and(Option::is_none);
    (!used && !of_deploy && !is_off).then(|| format!("nothing here is {rule}: remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::check::{Part, check};
    use crate::dialect::{Dialect, Target};
    use crate::framework::Transaction;

    #[track_caller]
    fn verdict_of(text: &str, expected_hazards: &[&str], expected_problems: &[&str]) {
        let part = Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
        let checked = check(part, &Target::default(), &Catalog::unknown(Dialect::Postgres));
        let today = Some(Timestamp::from_unix(1_800_000_000));
        let severities = BTreeMap::from([("no-lock-timeout".to_owned(), None)]);
        let judged = judge(text, &checked, &Policy { today, severities, ..Policy::default() });
        let hazards: Vec<&str> = judged.hazards.iter().map(|it| it.rule).collect();
        let problems: Vec<&str> = judged.allowance_problems.iter().map(|(_, it)| it.as_str()).collect();
        assert_eq!((hazards.as_slice(), problems.as_slice()), (expected_hazards, expected_problems));
    }

    #[test]
    fn a_reason_accepts_the_next_statement_only() {
        let index = "CREATE INDEX i ON orders (day);\n";
        let allow = "-- lockkeeper: allow blocking-index-build because the table is small\n";
        verdict_of(&format!("{allow}{index}"), &[], &[]);
        verdict_of(&format!("{allow}{index}{index}"), &["blocking-index-build"], &[]);
        verdict_of(
            "CREATE INDEX i ON orders (day); -- lockkeeper: allow blocking-index-build because small\n",
            &[],
            &[],
        );
        // What stands in a statement is about that one.
        let inside =
            "CREATE INDEX /* lockkeeper: allow blocking-index-build because small */ i ON orders (day);\n";
        verdict_of(inside, &[], &[]);
        verdict_of(&format!("{inside}{index}"), &["blocking-index-build"], &[]);
    }

    /// A lone carriage return ends the comment, and with it the line.
    #[test]
    fn a_reason_reads_to_the_end_of_its_comment() {
        let allow = "-- lockkeeper: allow blocking-index-build because small";
        verdict_of(&format!("{allow}\rCREATE INDEX i ON orders (day);"), &[], &[]);
        verdict_of(
            &format!("CREATE INDEX i ON orders (day);\r{allow}\rCREATE INDEX j ON orders (day);"),
            &["blocking-index-build"],
            &[],
        );
    }

    #[test]
    fn allowances_without_reason_use_or_time_left_are_reported() {
        let index = "CREATE INDEX i ON orders (day);\n";
        verdict_of(
            &format!("-- lockkeeper: allow blocking-index-build\n{index}"),
            &["blocking-index-build"],
            &["it allows blocking-index-build without a reason, and does not count: write `because …`"],
        );
        verdict_of(
            &format!("-- lockkeeper: allow blocking-index-build because x until 2020-01-31\n{index}"),
            &["blocking-index-build"],
            &["it allowed blocking-index-build until 2020-01-31, and does not count any more"],
        );
        verdict_of(
            "-- lockkeeper: allow blocking-index-build because x\nSELECT 1;\n",
            &[],
            &["nothing here is blocking-index-build: remove it"],
        );
        // `no-lock-timeout` is off in these tests.
        verdict_of("-- lockkeeper: allow no-lock-timeout because x\nSELECT 1;\n", &[], &[]);
        verdict_of(
            "-- lockkeeper: allow nonsense because x\nSELECT 1;\n",
            &[],
            &["there is no rule nonsense; `lockkeeper explain` lists them"],
        );
    }
}
