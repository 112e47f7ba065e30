//! Neovim for the tests: the system's if it is 0.10 or newer, else Debian trixie's, unpacked beside the system.
//!
//! Debian 12 has 0.7, which knows neither `vim.lsp.start` nor inlay hints. The newer one comes from Debian's own archive with
//! its own libc, into `target/tools`: nothing of the system changes.

use crate::shell::{command, root, run, run_quietly, target, tools};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const OLDEST: (u32, u32) = (0, 10);
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The plugin against the built server.
pub fn test() -> Result<()> {
    let mut neovim = neovim()?;
    neovim.args(["--headless", "-u", "NONE", "-l", "editors/neovim/test/run.lua"]);
    neovim
        .env("LOCKKEEPER_BIN", target().join("debug/lockkeeper"))
        .env("LOCKKEEPER_TEST_DIR", target().join("neovim-test"));
    run(neovim.current_dir(root()))
}

fn neovim() -> Result<Command> {
    if system_version().is_some_and(|version| version >= OLDEST) {
        return Ok(Command::new("nvim"));
    }
    let folder = tools().join("neovim");
    if !folder.join("ready").is_file() {
        unpack(&folder)
            .context("cannot unpack Neovim from Debian's archive; install Neovim 0.10 or newer instead")?;
    }
    Ok(unpacked(&folder.join("sys")))
}

fn system_version() -> Option<(u32, u32)> {
    let output = Command::new("nvim").arg("--version").output().ok()?;
    version(std::str::from_utf8(&output.stdout).ok()?)
}

/// `NVIM v0.10.4` and what follows.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("NVIM v")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The unpacked binary under its own loader and libraries.
fn unpacked(system: &Path) -> Command {
    let mut command = Command::new(system.join("usr/lib64/ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(system.join("usr/lib/x86_64-linux-gnu"))
        .arg(system.join("usr/bin/nvim"));
    command.env("VIMRUNTIME", system.join("usr/share/nvim/runtime"));
    command
}

fn unpack(folder: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || !Path::new(KEYRING).is_file() {
        bail!("this only works on Debian on x86_64");
    }
    for part in ["state/lists/partial", "cache/archives/partial", "sys"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(
        folder.join("sources.list"),
        format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian trixie main\n"),
    )?;
    run_quietly(apt(folder).args(["update", "-qq"]))?;
    run_quietly(apt(folder).args(["-y", "--no-install-recommends", "--download-only", "install", "neovim"]))?;
    for package in packages(&folder.join("cache/archives"))? {
        run_quietly(command("dpkg", &["-x"]).arg(package).arg(folder.join("sys")))?;
    }
    run_quietly(unpacked(&folder.join("sys")).arg("--version"))?;
    Ok(fs::write(folder.join("ready"), "")?)
}

/// apt with a state of its own, which thinks that nothing is installed and so fetches every library.
fn apt(folder: &Path) -> Command {
    let mut apt = command("apt-get", &[]);
    for (key, value) in [
        ("Dir::Etc::sourcelist", folder.join("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::State", folder.join("state")),
        ("Dir::State::status", "/dev/null".into()),
        ("Dir::Cache", folder.join("cache")),
    ] {
        apt.arg("-o").arg(format!("{key}={}", value.display()));
    }
    apt
}

fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    Ok(entries
        .into_iter()
        .map(|it| it.path())
        .filter(|it| it.extension().is_some_and(|it| it == "deb"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_first_line() {
        assert_eq!(version("NVIM v0.10.4\nBuild type: Release"), Some((0, 10)));
        assert_eq!(version("NVIM v0.7.2\n"), Some((0, 7)));
        assert_eq!(version("NVIM v0.12.0-dev-1+g0000000\n"), Some((0, 12)));
        assert_eq!(version("vim"), None);
    }
}
