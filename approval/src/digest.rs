//! SHA-256 digests: of bytes and of canonical values, in full for machines and short for people to type.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(hexadecimal(&Sha256::digest(bytes)))
    }

    /// The digest of a value's canonical JSON.
    pub fn of<T: Serialize>(value: &T) -> Digest {
        Digest::of_bytes(crate::canonical::to_string(value).as_bytes())
    }

    /// What the first entry of a chain has before it.
    pub fn zero() -> Digest {
        Digest("0".repeat(64))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a person types: the first 12 digits in groups of four, `a1b2-c3d4-e5f6`.
    pub fn short(&self) -> String {
        [&self.0[..4], &self.0[4..8], &self.0[8..12]].join("-")
    }

    /// Whether a person typed the short form: any case, hyphens and spaces wherever they like.
    pub fn is_typed(&self, typed: &str) -> bool {
        let digits: String = typed.chars().filter(|c| !matches!(c, '-' | ' ' | '\t' | '\r' | '\n')).collect();
        digits.to_ascii_lowercase() == self.0[..12]
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Digest, String> {
        if !is_lower_hexadecimal(&text, 64) {
            return Err("a digest is 64 lower-case hexadecimal digits".to_owned());
        }
        Ok(Digest(text))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the text is exactly `length` lower-case hexadecimal digits.
pub(crate) fn is_lower_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_twelve_digits_in_groups() {
        let digest = Digest::of_bytes(b"abc");
        assert_eq!(digest.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.short(), "ba78-16bf-8f01");
    }

    #[test]
    fn only_the_short_form_counts_as_typed() {
        let digest = Digest::of_bytes(b"abc");
        for typed in ["ba78-16bf-8f01", " BA78 16BF 8F01\n", "ba7816bf8f01"] {
            assert!(digest.is_typed(typed), "{typed:?}");
        }
        for typed in ["", "yes", "ba78", "ba78-16bf-8f02", "ba78-16bf-8f01-cfea", "ba78_16bf_8f01"] {
            assert!(!digest.is_typed(typed), "{typed:?}");
        }
    }

    #[test]
    fn nothing_else_parses_as_a_digest() {
        for text in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63)] {
            assert!(Digest::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
