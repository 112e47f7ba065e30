//! What a finding is recognised by when lines above it come and go: a digest of what it is about.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Gives fingerprints, and different ones to findings that are alike.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    seen: BTreeMap<[u8; 32], usize>,
}

impl Fingerprints {
    /// The fingerprint of what consists of these parts.
    pub fn of(&mut self, parts: &[&str]) -> String {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut digest: [u8; 32] = hash.clone().finalize().into();
        let earlier = self.seen.entry(digest).or_default();
        *earlier += 1;
        if *earlier > 1 {
            hash.update((*earlier as u64).to_be_bytes());
            digest = hash.finalize().into();
        }
        // Half of it is more than enough to tell the findings of a repository apart.
        hexadecimal(&digest[..16])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A text of which only the words count, not how they are laid out.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
