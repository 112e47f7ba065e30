//! The migrations of one deploy together.

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::check::{Member, check_deploy};
use lockkeeper_core::framework::Kind;
use lockkeeper_core::hazards::{Found, Hazard};
use lockkeeper_core::policy::{Policy, judge};

use super::{CheckedFile, Policies};
use crate::discover::{Place, Project};
use crate::files::name;
use crate::folder::{Folder, Migration};

/// The files of a folder that are due.
struct Due<'a> {
    folder: &'a Folder,
    /// Their places in the order of the folder, and among the files.
    members: Vec<(usize, usize)>,
}

/// Looks at the pending files of each folder together, and adds what is found to the files.
pub fn check_pending(
    project: &Project,
    files: &mut [CheckedFile],
    pending: &BTreeSet<String>,
    policies: &Policies,
) {
    let mut folders: BTreeMap<&str, Due<'_>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let place = project.classify_file(std::path::Path::new(&file.path));
        let folder = match place {
            Place::Migration(folder, ..) | Place::Folder(folder) => folder,
            Place::Alone => continue,
        };
        if file.is_up() && pending.contains(&file.path) {
            let order = folder.before(&file.path).len();
            let due = folders.entry(folder.path.as_str()).or_insert(Due { folder, members: Vec::new() });
            due.members.push((order, index));
        }
    }
    for Due { folder, mut members } in folders.into_values() {
        members.sort_unstable();
        let indexes: Vec<usize> = members.into_iter().map(|(_, index)| index).collect();
        for Found { migration, hazard } in together(folder, pending, files, &indexes) {
            let file = &mut files[indexes[migration]];
            let policy = policies.of(&file.path);
            add(file, hazard, policy);
        }
    }
}

fn together(
    folder: &Folder,
    pending: &BTreeSet<String>,
    files: &[CheckedFile],
    indexes: &[usize],
) -> Vec<Found> {
    let Some(first) = indexes.first() else { return Vec::new() };
    let has_run = |it: &&Migration| {
        it.kind == Kind::Versioned && !it.files.iter().any(|file| pending.contains(&file.path))
    };
    let last = folder.migrations.iter().rposition(|it| has_run(&it));
    let member = |index: &usize| {
        let file = &files[*index];
        let parts = file.parts.iter().map(|(checked, _)| checked).collect();
        let place = folder.before(&file.path).len();
        let behind = last.filter(|last| *last > place && is_versioned(folder, &file.path));
        let behind = behind.and_then(|last| folder.migrations[last].files.first());
        Member { name: short(&file.path), text: &file.text, behind: behind.map(|it| short(&it.path)), parts }
    };
    let members: Vec<Member<'_>> = indexes.iter().map(member).collect();
    if members.len() == 1 && members[0].behind.is_none() {
        return Vec::new();
    }
    check_deploy(&members, Some(folder.framework), &files[*first].target, &files[*first].before)
}

fn is_versioned(folder: &Folder, path: &str) -> bool {
    folder.find(path).is_some_and(|(migration, _)| migration.kind == Kind::Versioned)
}

/// The name of a migration: its file's, or its folder's where all files have one name.
fn short(path: &str) -> &str {
    match name(path) {
        "up.sql" | "migration.sql" => path.rsplit('/').nth(1).unwrap_or(path),
        own => own,
    }
}

/// Adds a hazard to the part that holds it, and judges that part anew.
fn add(file: &mut CheckedFile, hazard: Hazard, policy: &Policy) {
    let holds = |checked: &lockkeeper_core::check::Checked| {
        checked.statements.iter().position(|it| it.span.contains(hazard.span))
    };
    let place = file.parts.iter().enumerate().find_map(|(at, (checked, _))| Some((at, holds(checked)?)));
    let (at, statement) = place.unwrap_or((0, 0));
    let Some((checked, judged)) = file.parts.get_mut(at) else { return };
    checked.hazards.push(Hazard { statement, ..hazard });
    checked.hazards.sort_by_key(|it| (it.span, it.rule));
    *judged = judge(&file.text, checked, policy);
}
