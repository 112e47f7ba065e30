//! `lockkeeper init --undo`: takes back what `init` wrote, except what was changed since.

use lockkeeper_approval::setup::{Record, Written};
use lockkeeper_core::text::counted;
use lockkeeper_project::Project;
use lockkeeper_root::{Readers, Root};

use crate::exit::{Exit, usage};
use crate::output;

const MOST: u64 = 10_000_000;

pub fn run(project: &Project) -> anyhow::Result<Exit> {
    let record = Record::of(&project.root)?;
    let written = record.load()?;
    if written.is_empty() {
        return Err(usage(format!(
            "nothing is known of an init in {}: it is remembered on the machine where it was run, until it is undone",
            project.root.display()
        )));
    }
    let root = Root::open(&project.root)?;
    let mut undone = 0;
    for it in written.iter().rev() {
        if take_back(&root, it)? {
            undone += 1;
        } else {
            output::text_line(&format!("{} was changed since, and stays as it is", it.path));
        }
    }
    record.forget()?;
    output::text_line(&format!("Took back {}.", counted(undone, "file")));
    Ok(Exit::Fine)
}

/// Whether the file was as `init` left it, and is now as it was before.
fn take_back(root: &Root, it: &Written) -> anyhow::Result<bool> {
    if root.read(&it.path, MOST)?.as_deref() != Some(it.after.as_bytes()) {
        return Ok(false);
    }
    match &it.before {
        Some(before) => root.write(&it.path, before.as_bytes(), Readers::Usual)?,
        None => root.remove(&it.path)?,
    }
    Ok(true)
}
