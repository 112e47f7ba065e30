//! Signatures of keyed approvals: made by OpenSSH, checked here against the file of allowed signers.
//!
//! What is signed is the question as it stands in the ledger: plan, gate, digest, nonce, expiry and the digest of what was
//! shown. So a signature is good for one approval. `ssh-keygen` makes it, so that agents which ask, passphrases and security
//! keys work as their owner has set them up; nothing here ever sees a private key.

use crate::canonical;
use crate::ledger::entry::Question;
use lockkeeper_core::text::sanitise;
use ssh_key::{Algorithm, PublicKey, SshSig};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// What our signatures are for: one that was made for git or a file is none.
pub const NAMESPACE: &str = "lockkeeper-approval";

/// Who may sign.
#[derive(Clone, Debug, Default)]
pub struct Signers(Vec<Signer>);

#[derive(Clone, Debug)]
struct Signer {
    names: String,
    key: PublicKey,
}

/// Why a signature is none, or cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("line {line} of the allowed signers {why}")]
    Signers { line: usize, why: &'static str },
    #[error(
        "nobody may sign here: name a file of allowed signers in lockkeeper.toml, [approval] allowed-signers, and commit it"
    )]
    NoSigners,
    #[error("it is not a signature as OpenSSH writes it")]
    Unreadable,
    #[error("the key that signed is not among the allowed signers")]
    NotAllowed,
    #[error("the signature is not of this approval")]
    Wrong,
    #[error("the security key was not touched")]
    NotTouched,
    #[error("ssh-keygen cannot be started: {0}. It comes with OpenSSH")]
    NotInstalled(io::Error),
    #[error("ssh-keygen did not sign: {0}")]
    NotSigned(String),
}

/// The bytes that are signed.
pub fn message(question: &Question) -> String {
    canonical::to_string(question)
}

/// Asks OpenSSH for a signature with this key: a private key, or a public one whose private half an agent or a security key
/// holds. OpenSSH itself asks for the passphrase or the touch.
pub fn sign(question: &Question, key: &Path) -> Result<String, SignatureError> {
    let mut signing = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(SignatureError::NotInstalled)?;
    let mut input = signing.stdin.take().expect("it was piped");
    // One that ends before it has read says why itself.
    let _ = input.write_all(message(question).as_bytes());
    drop(input);
    let output = signing.wait_with_output().map_err(SignatureError::NotInstalled)?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(SignatureError::NotSigned(sanitise(told.trim(), 300)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Signers {
    /// Reads the file: names, a key, a comment in each line, as `ssh-keygen -Y verify` takes it. Options that restrict a line
    /// are not known here, so a line with others than our namespace is refused, not taken without them.
    pub fn parse(text: &str) -> Result<Signers, SignatureError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|(number, line)| signer(line).map_err(|why| SignatureError::Signers { line: number, why }))
            .collect()
    }

    /// Whose signature it is.
    pub fn who(&self, question: &Question, signature: &str) -> Result<&str, SignatureError> {
        if self.0.is_empty() {
            return Err(SignatureError::NoSigners);
        }
        let signature = SshSig::from_pem(signature).map_err(|_| SignatureError::Unreadable)?;
        if signature.version() != SshSig::VERSION {
            return Err(SignatureError::Unreadable);
        }
        let same = |it: &&Signer| it.key.key_data() == signature.public_key();
        let signer = self.0.iter().find(same).ok_or(SignatureError::NotAllowed)?;
        let verified = signer.key.verify(NAMESPACE, message(question).as_bytes(), &signature);
        verified.map_err(|_| SignatureError::Wrong)?;
        if !is_touched(&signature) {
            return Err(SignatureError::NotTouched);
        }
        Ok(&signer.names)
    }
}

impl FromIterator<Signer> for Signers {
    fn from_iter<T: IntoIterator<Item = Signer>>(signers: T) -> Self {
        Signers(signers.into_iter().collect())
    }
}

fn signer(line: &str) -> Result<Signer, &'static str> {
    let (names, rest) = line.split_once([' ', '\t']).ok_or("has no key")?;
    let rest = rest.trim_start();
    let own = format!("namespaces=\"{NAMESPACE}\"");
    let key = rest.strip_prefix(own.as_str()).map_or(rest, str::trim_start);
    let is_key = ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| key.starts_with(kind));
    if !is_key {
        return Err("has options that are not known here");
    }
    let key = PublicKey::from_openssh(key).map_err(|_| "holds no key that can be read")?;
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::Ecdsa { .. }
        | Algorithm::SkEcdsaSha2NistP256 => {}
        _ => return Err("has a key of a kind that is not taken: ed25519 and ecdsa keys are"),
    }
    Ok(Signer { names: sanitise(names, 100), key })
}

/// A security key says with each signature whether somebody touched it.
fn is_touched(signature: &SshSig) -> bool {
    let is_security_key =
        matches!(signature.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
    let flags = signature.signature_bytes().iter().rev().nth(4);
    !is_security_key || flags.is_some_and(|flags| flags & 1 == 1)
}
