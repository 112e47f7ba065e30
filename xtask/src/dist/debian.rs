//! The Debian package: the program, its manual pages and its completions where Debian looks for them.

use super::glibc;
use crate::shell::{command, root, run_quietly, target};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What depends on what is packed: the program's own needs, and what its options start.
const CONTROL: &str = "Package: lockkeeper
Version: {version}
Architecture: {architecture}
Maintainer: Lockkeeper <lockkeeper@localhost>
Installed-Size: {kilobytes}
Depends: libc6 (>= {glibc}), libgcc-s1
Recommends: git
Suggests: postgresql, postgresql-client
Section: database
Priority: optional
Description: what a database migration locks and breaks, and how to do it safely
 While you write a migration, Lockkeeper shows what each statement locks, for how
 long and whom it breaks. It rewrites the risky migration into expand-contract
 steps. It is a command line, a language server and a server for AI agents.
";

/// Completions, and where the shells look for them.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/lockkeeper"),
    ("fish", "usr/share/fish/vendor_completions.d/lockkeeper.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_lockkeeper"),
];

/// Packs the files of the tarball.
pub fn package(files: &Path, packages: &Path) -> Result<()> {
    let architecture = output("dpkg", &["--print-architecture"])?;
    let tree = target().join("staging/debian");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    place(&files.join("lockkeeper"), &tree.join("usr/bin/lockkeeper"))?;
    for (shell, path) in COMPLETIONS {
        place(&files.join("completions").join(shell), &tree.join(path))?;
    }
    let copyright = [root().join("LICENSE-MIT"), root().join("LICENSE-APACHE")].map(fs::read_to_string);
    let [mit, apache] = copyright;
    let documents = tree.join("usr/share/doc/lockkeeper");
    fs::create_dir_all(&documents)?;
    fs::write(
        documents.join("copyright"),
        format!("MIT or Apache-2.0, at your option.\n\n{}\n{}", mit?, apache?),
    )?;
    place(&root().join("CHANGELOG.md"), &documents.join("changelog"))?;
    for page in fs::read_dir(files.join("man"))? {
        let page = page?;
        place(&page.path(), &tree.join("usr/share/man/man1").join(page.file_name()))?;
    }
    // Without names and times in the compressed files, the same sources give the same package.
    let compressed = ["usr/share/man/man1", "usr/share/doc/lockkeeper/changelog"];
    run_quietly(command("gzip", &["-9nr"]).args(compressed).current_dir(&tree))?;
    let kilobytes = output("du", &["-sk", &tree.to_string_lossy()])?;
    let control = CONTROL
        .replace("{version}", super::version())
        .replace("{architecture}", &architecture)
        .replace("{kilobytes}", kilobytes.split_whitespace().next().unwrap_or("0"))
        .replace("{glibc}", &format!("2.{}", glibc::newest(&fs::read(files.join("lockkeeper"))?)));
    fs::create_dir_all(tree.join("DEBIAN"))?;
    fs::write(tree.join("DEBIAN/control"), control)?;
    run_quietly(command("chmod", &["-R", "u=rwX,go=rX"]).arg(&tree))?;
    let package = packages.join(format!("lockkeeper_{}_{architecture}.deb", super::version()));
    let mut build = command("dpkg-deb", &["--root-owner-group", "-Zxz", "--build"]);
    run_quietly(build.arg(&tree).arg(package).env("SOURCE_DATE_EPOCH", "0"))
}

fn place(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a path in the package has a folder")?)?;
    fs::copy(from, to).with_context(|| format!("{} cannot be packed", from.display()))?;
    Ok(())
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = command(program, arguments).output().with_context(|| format!("cannot start {program}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
