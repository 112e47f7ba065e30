//! `cargo xtask dist`: what is handed out for this platform: a tarball, a Debian package, npm packages, a wheel, the extension of VS Code
//! with its server, and their checksums.

mod debian;
mod glibc;

use crate::shell::{cargo, command, on_path, root, run, run_quietly, target};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

const SUMS: &str = "SHA256SUMS";

/// Makes all of it in `target/packages`, of a program that was built before or is built now.
pub fn run_all(built: Option<&Path>) -> Result<()> {
    let program = match built {
        Some(program) => program.canonicalize().context("the program to pack is not there")?,
        None => build()?,
    };
    let packages = target().join("packages");
    if packages.exists() {
        fs::remove_dir_all(&packages)?;
    }
    fs::create_dir_all(&packages)?;
    let folder = tarball(&program, &packages)?;
    if on_path("dpkg-deb") {
        debian::package(&folder, &packages)?;
    }
    npm(&program, &packages)?;
    wheel(&program, &packages)?;
    extension(&program, &packages)?;
    checksums(&packages)
}

/// Builds the program that is handed out.
pub fn build() -> Result<PathBuf> {
    let build = ["build", "--locked", "--profile", "dist", "--package", "lockkeeper"];
    run(cargo(&build).envs(flags()))?;
    Ok(target().join("dist/lockkeeper"))
}

/// Functions of the same code are kept once. Only where rustc links with its own lld, which can do that.
fn flags() -> Option<(&'static str, &'static str)> {
    let has_lld = cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"));
    has_lld.then_some(("RUSTFLAGS", "-Clink-arg=-Wl,--icf=all"))
}

/// The program with its licences, manual pages and completions. Gives the folder that was packed.
fn tarball(program: &Path, packages: &Path) -> Result<PathBuf> {
    let name = format!("lockkeeper-{}-{}", version(), host()?);
    let folder = target().join("staging").join(&name);
    fs::create_dir_all(folder.join("completions"))?;
    fs::copy(program, folder.join("lockkeeper"))?;
    for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root().join(file), folder.join(file))?;
    }
    run_quietly(command(program, &["man", "--out"]).arg(folder.join("man")))?;
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = command(program, &["completions", shell]).output()?.stdout;
        fs::write(folder.join("completions").join(shell), script)?;
    }
    let archive = packages.join(format!("{name}.tar.gz"));
    // Owners and times are those of nobody: the same sources give the same archive.
    let flags = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-czf"];
    let staging = target().join("staging");
    run_quietly(command("tar", &flags).arg(&archive).arg("-C").arg(staging).arg(&name))?;
    Ok(folder)
}

/// The wrapper, and the package of this platform that holds the program.
fn npm(program: &Path, packages: &Path) -> Result<()> {
    let (system, processor) = platform()?;
    let wrapper = root().join("packaging/npm/wrapper");
    let manifest: Value = serde_json::from_slice(&fs::read(wrapper.join("package.json"))?)?;
    if manifest["version"] != version() {
        bail!(
            "packaging/npm/wrapper/package.json has the version {}, and not {}",
            manifest["version"],
            version()
        );
    }
    let folder = target().join("staging/npm").join(format!("{system}-{processor}"));
    fs::create_dir_all(folder.join("bin"))?;
    fs::copy(program, folder.join("bin/lockkeeper"))?;
    let own = json!({
        "name": format!("@lockkeeper/{system}-{processor}"),
        "version": version(),
        "description": format!("The lockkeeper program for {system} on {processor}"),
        "license": manifest["license"],
        "os": [system],
        "cpu": [processor],
        "files": ["bin"],
        "preferUnplugged": true,
    });
    fs::write(folder.join("package.json"), format!("{own:#}\n"))?;
    for package in [&folder, &wrapper] {
        run_quietly(command("npm", &["pack", "--silent", "--pack-destination"]).arg(packages).arg(package))?;
    }
    Ok(())
}

/// The wheel, without another build: it is the program and three files about it.
fn wheel(program: &Path, packages: &Path) -> Result<()> {
    let mut pack = command("python3", &["xtask/src/dist/wheel.py"]);
    pack.arg(program).args([version(), &wheel_platform(&fs::read(program)?)?]);
    run_quietly(pack.args(["README.md", "LICENSE-MIT", "LICENSE-APACHE"]).arg(packages))
}

/// The platform as Python calls it. On Linux it names the C library that the program needs at least.
fn wheel_platform(program: &[u8]) -> Result<String> {
    let processor = std::env::consts::ARCH;
    match (std::env::consts::OS, processor) {
        ("linux", _) => Ok(format!("manylinux_2_{}_{processor}", glibc::newest(program))),
        ("macos", "aarch64") => Ok("macosx_11_0_arm64".to_owned()),
        ("macos", _) => Ok(format!("macosx_10_12_{processor}")),
        (other, _) => bail!("no wheel is made on {other}"),
    }
}

/// The extension of VS Code for this platform, which carries the program.
fn extension(program: &Path, packages: &Path) -> Result<()> {
    let (system, processor) = platform()?;
    let folder = root().join("editors/vscode");
    let server = folder.join("server");
    fs::create_dir_all(&server)?;
    fs::copy(program, server.join("lockkeeper"))?;
    let made = packages.join(format!("lockkeeper-{system}-{processor}-{}.vsix", version()));
    let result =
        run_quietly(command("npm", &["run", "--silent", "bundle"]).current_dir(&folder)).and_then(|()| {
            let package = [
                "exec",
                "--",
                "vsce",
                "package",
                "--no-dependencies",
                "--allow-missing-repository",
                "--skip-license",
            ];
            let mut package = command("npm", &package);
            package.args(["--target", &format!("{system}-{processor}"), "--out"]).arg(&made);
            run_quietly(package.current_dir(&folder))
        });
    // Else the extension that has no server would be packed with it.
    fs::remove_dir_all(&server)?;
    result
}

/// In the form that `sha256sum --check` reads.
fn checksums(packages: &Path) -> Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(packages)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut sums = String::new();
    for file in &files {
        let bytes = fs::read(file)?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = file.file_name().context("a file has a name")?.to_string_lossy();
        sums.push_str(&format!("{digest}  {name}\n"));
        eprintln!("{:>12} bytes  {name}", bytes.len());
    }
    fs::write(packages.join(SUMS), sums)?;
    eprintln!("in {}", packages.display());
    Ok(())
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The platform as rustc calls it.
fn host() -> Result<String> {
    let output = command("rustc", &["--print", "host-tuple"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The platform as Node calls it.
fn platform() -> Result<(&'static str, &'static str)> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "linux" => "linux",
        other => bail!("no packages are made on {other}"),
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("no packages are made for {other}"),
    };
    Ok((system, processor))
}
