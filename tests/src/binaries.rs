//! Where the built program and the tools of the tests are.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_owned()
}

/// Cargo's target folder: this test binary lies in `<target>/debug/deps`.
pub(crate) fn target() -> PathBuf {
    let this = std::env::current_exe().expect("a process knows its program");
    this.ancestors().nth(3).expect("target/debug/deps/test").to_owned()
}

/// The `lockkeeper` that was built, or `LOCKKEEPER_BIN`.
pub(crate) fn lockkeeper() -> PathBuf {
    if let Some(path) = std::env::var_os("LOCKKEEPER_BIN") {
        return path.into();
    }
    let path = target().join("debug/lockkeeper");
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build -p lockkeeper`, or the whole gate",
        path.display()
    );
    path
}

#[test]
fn the_built_program_starts() {
    let status =
        std::process::Command::new(lockkeeper()).arg("--version").status().expect("it can be started");
    assert!(status.success(), "{status}");
}
