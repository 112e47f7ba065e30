//! `cargo xtask rooms`: each package that `cargo xtask dist` made, installed into an empty place and run on the example, with nothing of
//! ours on the PATH, up to the first finding in a pull request; and squawk beside them, to compare sizes and times.

use crate::measure::processor_seconds;
use crate::shell::{command, on_path, root, run_quietly, target};
use crate::tools::install_from_pypi;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// So many starts; the median is shown.
const STARTS: usize = 31;

/// What a program needs of the system, and no toolchain.
const PATH: &str = "/usr/bin:/bin";

/// A program that was installed, and how long that took.
struct Room {
    name: &'static str,
    program: PathBuf,
    installed: Duration,
    /// All that the installation put there.
    folder: PathBuf,
}

/// All of them, in a table.
pub fn run_all() -> Result<()> {
    let packages = target().join("packages");
    let rooms = target().join("rooms");
    if rooms.exists() {
        fs::remove_dir_all(&rooms)?;
    }
    fs::create_dir_all(&rooms)?;
    println!(
        "| package | size | installed | install | first check | init | first finding in a pull request | start |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    let makers: [(&str, Maker); 4] =
        [("tarball", tarball), ("Debian package", debian), ("npm", npm), ("wheel", wheel)];
    for (name, make) in makers {
        let Some(files) = of_kind(&packages, name)? else {
            println!("| {name} | not made here | | | | | | |");
            continue;
        };
        let room = timed(name, &rooms.join(name.replace(' ', "-")), |folder| make(&files, folder))?;
        let size: u64 = files.iter().map(|it| fs::metadata(it).map_or(0, |it| it.len())).sum();
        let steps = [first_check(&room)?, init(&room)?, pull_request(&room)?];
        line(&room, size, Some(steps))?;
    }
    // What it is measured against.
    let squawk = timed("squawk-cli (pip)", &rooms.join("squawk"), |_| {
        Ok(install_from_pypi("squawk-venv", crate::squawk::SQUAWK)?.join("bin/squawk"))
    })?;
    line(&squawk, 0, None)
}

type Maker = fn(&[PathBuf], &Path) -> Result<PathBuf>;

fn timed(name: &'static str, folder: &Path, make: impl Fn(&Path) -> Result<PathBuf>) -> Result<Room> {
    fs::create_dir_all(folder)?;
    let start = Instant::now();
    let program = make(folder).with_context(|| format!("the {name} cannot be installed"))?;
    Ok(Room { name, program, installed: start.elapsed(), folder: folder.to_owned() })
}

/// The files of a kind of package; `None` where this platform has none.
fn of_kind(packages: &Path, name: &str) -> Result<Option<Vec<PathBuf>>> {
    let (endings, least): (&[&str], usize) = match name {
        "tarball" => (&[".tar.gz"], 1),
        "Debian package" => (&[".deb"], 1),
        "npm" => (&[".tgz"], 2),
        _ => (&[".whl"], 1),
    };
    let entries = fs::read_dir(packages).context("there are no packages: `cargo xtask dist` makes them")?;
    let paths = entries.filter_map(|it| Some(it.ok()?.path()));
    let mut files: Vec<PathBuf> =
        paths.filter(|it| endings.iter().any(|end| it.to_string_lossy().ends_with(end))).collect();
    files.sort();
    let can = name != "Debian package" || on_path("dpkg-deb");
    match files.len() {
        0 if name == "Debian package" => Ok(None),
        count if count < least => bail!("{} holds no {name}", packages.display()),
        _ => Ok(can.then_some(files)),
    }
}

fn tarball(files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    run_quietly(command("tar", &["--strip-components=1", "-xzf"]).arg(&files[0]).arg("-C").arg(folder))?;
    Ok(folder.join("lockkeeper"))
}

fn debian(files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    run_quietly(command("dpkg-deb", &["--extract"]).arg(&files[0]).arg(folder))?;
    for needed in ["usr/share/man/man1/lockkeeper.1.gz", "usr/share/bash-completion/completions/lockkeeper"] {
        if !folder.join(needed).is_file() {
            bail!("{needed} is not in the package");
        }
    }
    Ok(folder.join("usr/bin/lockkeeper"))
}

fn npm(files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let mut install = command("npm", &["install", "--offline", "--no-audit", "--no-fund", "--silent"]);
    run_quietly(install.args(files).current_dir(folder))?;
    Ok(folder.join("node_modules/.bin/lockkeeper"))
}

fn wheel(files: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    run_quietly(command("python3", &["-m", "venv"]).arg(folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"];
    run_quietly(command(folder.join("bin/python"), &install).arg(&files[0]))?;
    Ok(folder.join("bin/lockkeeper"))
}

/// The program in an environment that has nothing of ours.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("HOME", target().join("rooms"));
    command
}

/// A check of the example: it finds what it has to find, and ends as the table of exit codes says.
fn first_check(room: &Room) -> Result<Duration> {
    let start = Instant::now();
    let output = alone(&room.program)
        .args(["check", "--format", "json"])
        .current_dir(root().join("examples/shop"))
        .output()
        .with_context(|| format!("{} cannot be started", room.program.display()))?;
    let time = start.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.code() != Some(1) || !said.contains("\"renamed-column\"") {
        bail!(
            "{}: ended with {}: {said}{}",
            room.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(time)
}

/// The migration that the pull request brings.
const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

fn project(room: &Room) -> PathBuf {
    room.folder.with_extension("project")
}

/// The example as a repository that knows nothing of us, set up by `init`.
fn init(room: &Room) -> Result<Duration> {
    let project = project(room);
    run_quietly(command("cp", &["-r"]).arg(root().join("examples/shop")).arg(&project))?;
    fs::remove_file(project.join("lockkeeper.toml"))?;
    fs::remove_file(project.join(MIGRATION))?;
    git(&project, &["init", "--quiet", "--initial-branch=main"])?;
    let start = Instant::now();
    run_quietly(alone(&room.program).args(["init", "--yes"]).current_dir(&project))?;
    let time = start.elapsed();
    git(&project, &["add", "--all"])?;
    git(&project, &["commit", "--quiet", "--message=Set up"])?;
    Ok(time)
}

/// What the job that `init` wrote runs, on a branch that renames a column: the finding stands at its line.
fn pull_request(room: &Room) -> Result<Duration> {
    let project = project(room);
    git(&project, &["checkout", "--quiet", "-b", "change"])?;
    fs::copy(root().join("examples/shop").join(MIGRATION), project.join(MIGRATION))?;
    git(&project, &["add", "--all"])?;
    git(&project, &["commit", "--quiet", "--message=Rename a column"])?;
    let start = Instant::now();
    let check = ["check", "--since", "main", "--format", "github"];
    let output = alone(&room.program).args(check).current_dir(&project).output()?;
    let time = start.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    let wanted = format!("::error file={MIGRATION},line=2");
    if output.status.code() != Some(1) || !said.contains(&wanted) {
        bail!(
            "{}: ended with {}: {said}{}",
            room.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(time)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut git = command(
        "git",
        &["-c", "user.name=New", "-c", "user.email=new@example.org", "-c", "commit.gpgsign=false"],
    );
    run_quietly(git.args(arguments).current_dir(folder))
}

fn line(room: &Room, size: u64, steps: Option<[Duration; 3]>) -> Result<()> {
    let program = room.program.canonicalize()?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        let output = alone(&room.program).arg("--version").output()?;
        starts.push(start.elapsed());
        if !output.status.success() {
            bail!("{} --version ended with {}", room.program.display(), output.status);
        }
    }
    starts.sort();
    let mut processor = 0.0;
    for _ in 0..STARTS {
        processor += processor_seconds(alone(&room.program).arg("--version"))?;
    }
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let installed = match room.name {
        "squawk-cli (pip)" => fs::metadata(&program)?.len(),
        _ => size_below(&room.folder)?,
    };
    println!(
        "| {} | {} | {} | {:.1} s | {} | {:.1} ms, {:.1} ms of processor time |",
        room.name,
        if size == 0 { String::new() } else { megabytes(size) },
        megabytes(installed),
        room.installed.as_secs_f64(),
        steps.map_or(" | | ".to_owned(), |it| it.map(|it| format!("{} ms", it.as_millis())).join(" | ")),
        starts[STARTS / 2].as_secs_f64() * 1e3,
        processor / STARTS as f64 * 1e3,
    );
    Ok(())
}

fn size_below(folder: &Path) -> Result<u64> {
    let output = command("du", &["-sb", &folder.to_string_lossy()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().next().and_then(|it| it.parse().ok()).unwrap_or_default())
}
