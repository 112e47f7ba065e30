//! What the gate needs beside cargo: a PostgreSQL server, Node, Python with the MCP SDK. Installed by root, named to others.

use crate::shell::{command, on_path, root, run, run_quietly, target};
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The official MCP client that the protocol tests drive the server with.
const MCP_SDK: &str = "mcp==2.3.0";

/// A Debian package, and how one sees that what is in it is there.
type Package = (&'static str, fn() -> bool);

const PACKAGES: &[Package] =
    &[("postgresql", has_postgres), ("python3-venv", has_venv), ("npm", || on_path("npm"))];

/// Installs what is missing, or fails with the line that does.
pub fn install_missing() -> Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, present)| !present()).map(|(name, _)| *name).collect();
    install_packages(&missing)?;
    install_mcp_sdk()?;
    install_extension_dependencies()
}

/// Installs Debian packages as root; tells others how.
pub fn install_packages(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !is_root() || !on_path("apt-get") {
        bail!("these are missing: {}. Install them, on Debian: sudo {line}", packages.join(", "));
    }
    run_quietly(&mut command("apt-get", &["update", "-qq"]))?;
    run(command("sh", &["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The Python with the MCP SDK in it.
pub fn python() -> PathBuf {
    target().join("venv/bin/python")
}

fn install_mcp_sdk() -> Result<()> {
    install_from_pypi("venv", MCP_SDK)?;
    Ok(())
}

/// Installs a package of PyPI into an environment of its own in the target folder, and gives that environment's folder.
pub fn install_from_pypi(folder: &str, package: &str) -> Result<PathBuf> {
    let venv = target().join(folder);
    let installed = venv.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|it| it == package) {
        return Ok(venv);
    }
    run_quietly(command("python3", &["-m", "venv"]).arg(&venv))?;
    run_quietly(
        command(venv.join("bin/python"), &["-m", "pip", "install", "--quiet", package])
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    )?;
    fs::write(installed, package)?;
    Ok(venv)
}

/// `npm ci` when the lock file is newer than what is installed.
fn install_extension_dependencies() -> Result<()> {
    let folder = root().join("editors/vscode");
    let lock = fs::read(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|it| it == lock) {
        return Ok(());
    }
    run_quietly(command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    Ok(fs::write(installed, lock)?)
}

fn has_postgres() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    std::env::var_os("LOCKKEEPER_PG_BIN").is_some()
        || debian.map(|version| version.path().join("bin/initdb")).any(|initdb| initdb.is_file())
        || on_path("initdb")
}

fn has_venv() -> bool {
    let check = command("python3", &["-c", "import venv, ensurepip"]).output();
    check.is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    // The owner of our own process directory, where there is one.
    let process = Path::new("/proc/self");
    std::os::unix::fs::MetadataExt::uid(&match fs::metadata(process) {
        Ok(metadata) => metadata,
        Err(_) => return false,
    }) == 0
}
