//! `check --fix` and `check --diff`: the fixes that keep the meaning of a migration.

use std::sync::Arc;

use lockkeeper_core::report::CheckReport;
use lockkeeper_core::text::counted;
use lockkeeper_project::analysis::Policies;
use lockkeeper_project::discover::Project;
use lockkeeper_project::fixes::{Fixed, fixed};
use lockkeeper_project::write::{FileChange, write_all};

use super::Checked;
use crate::args::CheckArgs;
use crate::exit::usage;
use crate::{diff, output};

/// A migration that has run must stay as it is: its runner may compare it with what it remembers.
pub fn refuse_history(args: &CheckArgs) -> anyhow::Result<()> {
    if !args.fix {
        return Ok(());
    }
    if args.paths.iter().any(|it| it.as_os_str() == "-") {
        return Err(usage("--fix writes files, and standard input is none: use --diff"));
    }
    if args.paths.is_empty() && args.since.is_none() && args.database_url.is_none() {
        return Err(usage(
            "--fix changes migrations, and those that have run must stay as they are: name the files, or say --since REV or \
             --database-url VARIABLE",
        ));
    }
    Ok(())
}

/// Writes the fixes; whether there were any.
pub fn write(checked: &Checked) -> anyhow::Result<bool> {
    let fixed = all(&checked.project, &checked.policies, &checked.report, &checked.texts);
    let files = fixed.iter().map(|it| FileChange {
        path: &it.path,
        content: Some(&it.after),
        replaces: true,
        was: Some(&it.before),
    });
    if fixed.is_empty() {
        eprintln!("lockkeeper: there is no fix that keeps the meaning of a migration; nothing was changed");
        return Ok(false);
    }
    write_all(&checked.project.root, &files.collect::<Vec<_>>()).map_err(usage)?;
    eprintln!("lockkeeper: {} applied", count(&fixed));
    Ok(true)
}

/// Shows the fixes as a unified diff.
pub fn show(project: &Project, policies: &Policies, report: &CheckReport, texts: &[Arc<str>]) {
    let fixed = all(project, policies, report, texts);
    for it in &fixed {
        output::text(&diff::unified(&it.path, Some(&it.before), Some(&it.after)));
    }
    let count = if fixed.is_empty() { "no fix".to_owned() } else { count(&fixed) };
    eprintln!("lockkeeper: {count} to apply; nothing was written");
}

fn all(project: &Project, policies: &Policies, report: &CheckReport, texts: &[Arc<str>]) -> Vec<Fixed> {
    let files = report.files.iter().zip(texts);
    let fixable = files.filter(|(file, _)| {
        let mut fixes = file.hazards.iter().flat_map(|it| &it.fixes);
        fixes.any(|it| it.applicability == "safe")
    });
    fixable.filter_map(|(file, text)| fixed(project, &file.path, text, policies)).collect()
}

/// `2 fixes in 1 file`.
fn count(fixed: &[Fixed]) -> String {
    let fixes: usize = fixed.iter().map(|it| it.titles.len()).sum();
    let fixes = if fixes == 1 { "1 fix".to_owned() } else { format!("{fixes} fixes") };
    format!("{fixes} in {}", counted(fixed.len(), "file"))
}
