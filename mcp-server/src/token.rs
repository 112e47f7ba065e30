//! What a client of the server on HTTP must show: from the environment or from a private file, never from the command line, where every
//! user of the machine reads it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lockkeeper_approval::state::State;
use lockkeeper_root::Root;
use sha2::{Digest, Sha256};

/// Names the token itself.
pub const VARIABLE: &str = "LOCKKEEPER_MCP_TOKEN";
/// Shorter ones can be guessed.
const SHORTEST: usize = 24;

/// A token, as its digest: what is compared tells nothing of how much of a guess was right.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// Where a token comes from, for the person who hands it on.
#[derive(Debug)]
pub enum Source {
    Environment,
    File(PathBuf),
}

impl Token {
    /// The token of this server: the environment's, else the file's that is named, else the user's own, made on first use.
    ///
    /// # Errors
    /// When there is none that others cannot read or guess.
    pub fn of_user(file: Option<&Path>) -> anyhow::Result<(Token, Source)> {
        if let Some(text) = std::env::var_os(VARIABLE).filter(|it| !it.is_empty()) {
            let text = text.into_string().map_err(|_| anyhow::anyhow!("{VARIABLE} is not text"))?;
            return Ok((Token::new(&text).context(VARIABLE)?, Source::Environment));
        }
        let (path, text) = match file {
            Some(file) => (file.to_owned(), private(file)?),
            None => State::of_user()?.token()?,
        };
        let token = Token::new(&text).with_context(|| path.display().to_string())?;
        Ok((token, Source::File(path)))
    }

    fn new(text: &str) -> anyhow::Result<Token> {
        let text = text.trim();
        if text.len() < SHORTEST || !text.bytes().all(|it| it.is_ascii_graphic()) {
            bail!(
                "a token has at least {SHORTEST} letters and digits, without spaces: `openssl rand -hex 32` makes one"
            );
        }
        Ok(Token(Sha256::digest(text).into()))
    }

    /// Whether a request shows it: `Authorization: Bearer TOKEN`.
    pub fn is_shown(&self, authorization: Option<&[u8]>) -> bool {
        let Some((scheme, shown)) = authorization.and_then(|it| it.split_at_checked(7)) else { return false };
        let shown: [u8; 32] = Sha256::digest(shown.trim_ascii()).into();
        scheme.eq_ignore_ascii_case(b"bearer ") && shown == self.0
    }
}

/// The text of a file that nobody else reads.
fn private(path: &Path) -> anyhow::Result<String> {
    let told = || format!("{} cannot be read", path.display());
    let name = path.file_name().and_then(|it| it.to_str()).with_context(told)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = Root::open(folder).with_context(told)?;
    if !root.is_private(name).with_context(told)? {
        bail!("others can read {}: `chmod 600` it, and make a new token", path.display());
    }
    let bytes = root.read(name, 10_000).with_context(told)?.with_context(told)?;
    String::from_utf8(bytes).with_context(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn only_the_token_is_it() {
        let token = Token::new(GOOD).expect("is long enough");
        let shown = |text: &str| token.is_shown(Some(text.as_bytes()));
        assert!(shown(&format!("Bearer {GOOD}")) && shown(&format!("bearer {GOOD} ")));
        assert!(!token.is_shown(None));
        for end in 0..GOOD.len() {
            assert!(!shown(&format!("Bearer {}", &GOOD[..end])));
        }
        for wrong in ["", "Bearer", GOOD, "Basic 0123456789abcdef", "é"] {
            assert!(!shown(wrong), "{wrong}");
        }
        assert!(!shown(&format!("Basic  {GOOD}")) && !shown(&format!("Bearer {GOOD}0")));
    }

    #[test]
    fn what_can_be_guessed_is_no_token() {
        for bad in
            ["", "short", &"x".repeat(SHORTEST - 1), "a b c d e f g h i j k l m n o p", &"é".repeat(40)]
        {
            assert!(Token::new(bad).is_err(), "{bad}");
        }
    }
}
