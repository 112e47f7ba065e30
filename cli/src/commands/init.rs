//! `lockkeeper init`: looks at a project, shows what would be written to use Lockkeeper in it, and writes it on yes.

mod agent_hooks;
mod agents;
mod ci;
mod config;
mod hook;
mod proposal;
mod undo;

use std::io::{BufRead, IsTerminal, Write};

use lockkeeper_approval::setup::{Record, Written};
use lockkeeper_core::text::counted;
use lockkeeper_project::Project;
use lockkeeper_project::write::{FileChange, write_all};

use crate::args::{InitArgs, InitPart};
use crate::exit::{Exit, usage};
use crate::{diff, output, place};
use proposal::Proposal;

pub fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.path)?;
    if args.undo {
        return undo::run(&project);
    }
    refuse_no_project(&project)?;
    let answers = config::answers(&project, args, asks(args) && wants(args, InitPart::Config))?;
    let proposals = proposals(&project, args, &answers);
    show(&project, &proposals);
    let writes: Vec<&Proposal> = proposals.iter().filter(|it| it.after.is_some()).collect();
    if writes.is_empty() {
        output::text_line("Nothing to write.");
        return Ok(Exit::Fine);
    }
    let files = counted(writes.len(), "file");
    let yes = args.yes || asks(args) && said_yes(&format!("Write {files}? [y/N] "))?;
    if !yes {
        let how = if asks(args) { "Nothing was written." } else { "Nothing was written: add --yes." };
        output::text_line(how);
        return Ok(Exit::Fine);
    }
    write(&project, &writes)?;
    output::text_line(&format!("Wrote {files}. `lockkeeper init --undo` takes that back."));
    Ok(Exit::Fine)
}

/// Whether somebody is there to answer.
fn asks(args: &InitArgs) -> bool {
    !args.yes && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn wants(args: &InitArgs, part: InitPart) -> bool {
    if args.agent {
        return matches!(part, InitPart::Mcp | InitPart::AgentHook);
    }
    args.parts.is_empty() || args.parts.contains(&part)
}

fn refuse_no_project(project: &Project) -> anyhow::Result<()> {
    if project.folders.is_empty() && project.not_analysed.is_empty() {
        return Err(usage(format!(
            "{} holds no migrations that we know: run init in the root of a project, or name the project. If its migrations are \
             in a folder that was not recognised, put the folder under [[migrations]] in lockkeeper.toml first",
            project.root.display()
        )));
    }
    Ok(())
}

fn proposals(project: &Project, args: &InitArgs, answers: &[(String, String)]) -> Vec<Proposal> {
    let wanted = |part: InitPart| wants(args, part);
    let mut found = Vec::new();
    if wanted(InitPart::Config) {
        found.push(config::proposal(project, answers));
    }
    if wanted(InitPart::Hook) {
        found.extend(hook::proposals(project, args.parts.contains(&InitPart::Hook)));
    }
    if wanted(InitPart::Ci) {
        found.extend(ci::proposals(project));
    }
    if wanted(InitPart::Mcp) {
        found.extend(agents::mcp(project));
        found.extend(agent_hooks::codex_server(project));
    }
    if wanted(InitPart::AgentHook) {
        found.extend(agent_hooks::proposals(project));
    }
    if wanted(InitPart::Editor) {
        found.extend(agents::editors(project));
    }
    found
}

fn show(project: &Project, proposals: &[Proposal]) {
    output::text_line(&format!("Project: {}", project.root.display()));
    for folder in &project.folders {
        let count = counted(folder.migrations.len(), "migration");
        output::text_line(&format!("  {}: {}, {count}", folder.path, folder.framework.title));
    }
    for it in &project.not_analysed {
        output::text_line(&format!("  {}: {}, not analysed; {}", it.path, it.what, it.way_out));
    }
    for it in proposals {
        output::text_line(&format!("\n── {}: {}", it.path, it.about));
        if let Some(after) = &it.after {
            output::text(&diff::unified(&it.path, it.before.as_deref(), Some(after)));
        }
    }
    output::text_line("");
}

fn said_yes(question: &str) -> anyhow::Result<bool> {
    let answer = line(question)?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// A line that was typed in answer to a question.
fn line(question: &str) -> anyhow::Result<String> {
    let mut out = std::io::stdout().lock();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    Ok(typed.trim().to_owned())
}

/// What was written is remembered first: a file that nothing remembers could not be taken back.
fn write(project: &Project, proposals: &[&Proposal]) -> anyhow::Result<()> {
    let written = proposals.iter().filter_map(|it| {
        Some(Written { path: it.path.clone(), before: it.before.clone(), after: it.after.clone()? })
    });
    let written: Vec<Written> = written.collect();
    let record = Record::of(&project.root)?;
    let earlier = record.load()?;
    record.add(&written)?;
    let files = written.iter().map(|it| FileChange {
        path: &it.path,
        content: Some(&it.after),
        replaces: it.before.is_some(),
        was: it.before.as_deref(),
    });
    write_all(&project.root, &files.collect::<Vec<_>>()).map_err(|message| {
        let back = record.forget().and_then(|()| record.add(&earlier));
        match back {
            Ok(()) => usage(message),
            Err(error) => usage(format!("{message}; and the record for --undo is lost: {error}")),
        }
    })
}
