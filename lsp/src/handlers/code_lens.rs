//! `textDocument/codeLens`: on the first line where a step stands in its change, or what is dangerous in a migration.

use lockkeeper_core::hazards::Severity;
use lockkeeper_core::text::{counted, sanitise};
use lockkeeper_project::steps::Step;
use tower_lsp::lsp_types::{CodeLens, Command, Position, Range};

use crate::world::View;

/// How much of a condition is shown.
const CONDITION: usize = 100;

pub(crate) fn code_lenses(view: &View) -> Vec<CodeLens> {
    let titles = step(view).into_iter().chain(verdict(view));
    titles.map(lens).collect()
}

/// A title that nothing happens behind.
fn lens(title: String) -> CodeLens {
    let first = Range::new(Position::new(0, 0), Position::new(0, 0));
    CodeLens { range: first, command: Some(Command::new(title, String::new(), None)), data: None }
}

/// `step 2 of 7 · before it: … · next: FILE`
fn step(view: &View) -> Option<String> {
    let own = Step::of(&view.document.text)?;
    let set = view.steps.as_ref()?;
    let mut parts = vec![format!("step {} of {}", own.number, own.count)];
    parts.extend(own.before.iter().map(|it| format!("before it: {}", sanitise(it, CONDITION))));
    let next = set.files.iter().find(|(number, _)| *number > own.number);
    if let Some((_, path)) = next {
        parts.push(format!("next: {}", sanitise(lockkeeper_project::files::name(path), CONDITION)));
    }
    Some(parts.join(" · "))
}

/// `2 dangers, 1 warning`; a migration without either has no lens.
fn verdict(view: &View) -> Option<String> {
    let hazards = || view.file().all_parts().flat_map(|(_, judged)| &judged.hazards);
    let count = |severity: Severity| hazards().filter(|it| it.severity == severity).count();
    let of = |severity, word| Some(count(severity)).filter(|it| *it > 0).map(|it| counted(it, word));
    let parts = [of(Severity::Danger, "danger"), of(Severity::Warning, "warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
