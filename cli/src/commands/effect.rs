//! `lockkeeper effect`: what each statement locks, reads and writes.

use std::path::Path;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::policy::Policy;
use lockkeeper_core::report::{EffectReport, StatementEffect, effect_report};
use lockkeeper_core::text::Span;
use lockkeeper_project::analysis;
use lockkeeper_project::discover::looks_refused;
use lockkeeper_project::folder::Problem;
use lockkeeper_project::target::target;

use crate::args::{EffectArgs, Format};
use crate::exit::{Exit, unread, usage};
use crate::{output, place};

pub fn run(args: &EffectArgs) -> anyhow::Result<Exit> {
    let stated = place::target(&args.target, Target::default())?;
    refuse_engine(&stated)?;
    let text = place::read(args.file.as_deref().unwrap_or(Path::new("-")))?;
    let report = match (&args.file, &args.schema) {
        (Some(file), None) if file != Path::new("-") => in_project(args, file, &text)?,
        _ => None,
    };
    let report = match report {
        Some(report) => report,
        None => alone(args, &stated, &text)?,
    };
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => output::text_line(&in_words(&report)),
    }
    Ok(Exit::Fine)
}

fn refuse_engine(target: &Target) -> anyhow::Result<()> {
    if Dialect::ANALYSED.contains(&target.dialect) {
        return Ok(());
    }
    Err(usage(format!("effects of {} are not known yet: only PostgreSQL's are", target.dialect.title())))
}

/// A file of a folder of migrations: on the schema that those before it make, as its runner sends it.
fn in_project(args: &EffectArgs, file: &Path, text: &str) -> anyhow::Result<Option<EffectReport>> {
    let project = place::project(file)?;
    let absolute = place::absolute(file);
    let place = project.classify_file(&absolute);
    let Some(folder) = place.folder() else { return Ok(None) };
    let path = project.relative(&absolute);
    let stated =
        args.target.dialect.is_some().then_some(place::target(&args.target, Target::default())?.dialect);
    if let Some(problem) = analysis::problem_of(&project, place, &path, text, stated).filter(|it| it.unread) {
        return Err(unread(&problem));
    }
    let target = place::target(&args.target, target(&project, folder))?;
    refuse_engine(&target)?;
    let checked = analysis::check_in_folder(folder, &target, &path, text, &Policy::default());
    let schema = match folder.before(&path).len() {
        0 => "that of an empty database".to_owned(),
        1 => "what the migration before it makes".to_owned(),
        count => format!("what the {count} migrations before it make"),
    };
    Ok(Some(effect_report(text, checked.all_parts().map(|(part, _)| part), &target, schema)))
}

/// A text by itself.
fn alone(args: &EffectArgs, target: &Target, text: &str) -> anyhow::Result<EffectReport> {
    if let Some(dialect) = looks_refused(text).filter(|_| args.target.dialect.is_none()) {
        let path = args.file.as_ref().map_or("-".to_owned(), |file| file.display().to_string());
        let message = format!("looks like {}, which is not analysed yet", dialect.title());
        return Err(unread(&Problem::unread(
            &path,
            message,
            "say --dialect postgres if it is for PostgreSQL",
        )));
    }
    let (catalog, known) = match &args.schema {
        Some(file) => (schema(&place::read(file)?, target), format!("what {} makes", file.display())),
        None => (Catalog::unknown(target.dialect), "not known: say --schema FILE".to_owned()),
    };
    Ok(effect_report(text, [&check(whole(text), target, &catalog)], target, known))
}

fn whole(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

/// The schema that a script makes on an empty database.
fn schema(text: &str, target: &Target) -> Catalog {
    let mut catalog = Catalog::empty(target.dialect);
    replay(whole(text), target, &mut catalog);
    catalog
}

fn in_words(report: &EffectReport) -> String {
    let target = &report.target;
    let mut lines = vec![format!(
        "{} {} ({}); the schema before: {}",
        target.dialect, target.version, target.source, report.schema
    )];
    lines.extend(report.statements.iter().map(statement));
    lines.join("\n\n")
}

fn statement(statement: &StatementEffect) -> String {
    let effect = &statement.effect;
    let mut lines = vec![format!("{}: {}", statement.span.line, statement.text.replace('\n', "\n   "))];
    for lock in &effect.locks {
        let index = if lock.index { " (index)" } else { "" };
        lines.push(format!("   {} on {}{index}", lock.mode, lock.relation));
    }
    let waits = match effect.waits.as_str() {
        "reads-and-writes" => "reads and writes wait",
        "writes" => "writes wait, reads go on",
        "schema-changes" => "only other schema changes and VACUUM wait",
        _ if !effect.known => "not understood: take it that everybody waits",
        _ => "nobody waits",
    };
    let mut work = vec![waits];
    work.extend(effect.heap_rewrite.then_some("the table is rewritten"));
    work.extend(effect.index_rebuild.then_some("indexes are rebuilt"));
    work.extend(effect.full_scan.then_some("all rows are read"));
    work.extend((!effect.transactional).then_some("refused inside a transaction"));
    work.extend(
        (!effect.known && effect.waits != "nobody").then_some("not understood in part: more may wait"),
    );
    lines.push(format!("   {}", work.join("; ")));
    lines.extend(effect.fails.iter().map(|reason| format!("   fails: {reason}")));
    lines.extend(effect.assumed.iter().map(|it| format!("   assumed: {it}")));
    lines.join("\n")
}
