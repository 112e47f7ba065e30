//! A project that commands are run in, with a state folder of its own.

use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::binaries::{lockkeeper, root};
use crate::surfaces::copy;

/// A copy of the example and a state folder beside it.
pub struct Desk {
    pub folder: TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&root().join("examples/shop"), &folder.path().join("project"));
        Desk { folder }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(lockkeeper());
        command.args(arguments).current_dir(self.folder.path().join("project"));
        command.env("LOCKKEEPER_STATE_DIR", self.folder.path().join("state"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it can be started")
    }
}
