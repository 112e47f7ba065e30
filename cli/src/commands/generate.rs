//! `lockkeeper completions` and `lockkeeper man`: what is made of the command line itself.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::Exit;
use crate::output;

/// Completions for a shell, on standard output.
pub fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "lockkeeper", &mut script);
    output::text(&String::from_utf8(script)?);
    Ok(Exit::Fine)
}

/// The manual page on standard output, or that of each command in a folder.
pub fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Args::command()).render(&mut page)?;
        output::text(&String::from_utf8(page)?);
        return Ok(Exit::Fine);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let written = clap_mangen::generate_to(Args::command(), folder);
    written.with_context(|| format!("{} cannot be written", folder.display()))?;
    Ok(Exit::Fine)
}
