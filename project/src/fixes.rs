//! Fixes that keep the meaning, applied to a file until none is left: those that an editor offers without "review it".

use std::path::Path;

use lockkeeper_core::hazards::{Applicability, Fix};
use lockkeeper_core::text::{Edit, apply};

use crate::analysis::{CheckedFile, Policies, check_path};
use crate::discover::Project;

/// A fix may uncover the next one. Beyond these rounds something answers itself.
const MOST_ROUNDS: usize = 20;

/// A file with its fixes applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// Relative to the root.
    pub path: String,
    /// The text as it was.
    pub before: String,
    /// The text with the fixes.
    pub after: String,
    /// What each fix does.
    pub titles: Vec<String>,
}

/// The file with all safe fixes; `None` where there is none to apply.
pub fn fixed(project: &Project, path: &str, text: &str, policies: &Policies) -> Option<Fixed> {
    fixed_by(|text| check_path(project, Path::new(path), Some(text), policies), path, text)
}

/// The same by whoever checks the text where it stands.
pub fn fixed_by(check: impl Fn(&str) -> Option<CheckedFile>, path: &str, text: &str) -> Option<Fixed> {
    let mut fixed =
        Fixed { path: path.to_owned(), before: text.to_owned(), after: text.to_owned(), titles: Vec::new() };
    for _ in 0..MOST_ROUNDS {
        let checked = check(&fixed.after)?;
        let (edits, titles) = safe_edits(&checked);
        if titles.is_empty() {
            break;
        }
        fixed.after = apply(&fixed.after, &edits).ok()?;
        fixed.titles.extend(titles);
    }
    (fixed.before != fixed.after).then_some(fixed)
}

/// The edits of the safe fixes that do not touch each other; the others come in the next round.
fn safe_edits(file: &CheckedFile) -> (Vec<Edit>, Vec<String>) {
    let hazards = file.all_parts().flat_map(|(_, judged)| &judged.hazards);
    let safe = |fix: &&Fix| fix.applicability == Applicability::Safe && !fix.edits.is_empty();
    let mut edits: Vec<Edit> = Vec::new();
    let mut titles = Vec::new();
    for fix in hazards.filter_map(|hazard| hazard.fixes.iter().find(safe)) {
        let touches = |it: &Edit| edits.iter().any(|other| other.span.overlaps(it.span));
        if !fix.edits.iter().any(touches) {
            edits.extend(fix.edits.iter().cloned());
            titles.push(fix.title.clone());
        }
    }
    (edits, titles)
}
