//! How strong an approval of a gate must be.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How strong an approval is. Later is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The MCP client says that somebody typed the short digest. Scripts and hooks can answer too: never called human.
    Client,
    /// A person at the terminal or in the editor's own question.
    Attended,
    /// A signature with a secret that the agent does not hold.
    Keyed,
    /// A reviewed commit and the environment approval of CI.
    SecondIdentity,
}

impl Tier {
    /// Every tier, the weakest first.
    pub const ALL: [Tier; 4] = [Tier::Client, Tier::Attended, Tier::Keyed, Tier::SecondIdentity];

    /// The tier of that name.
    pub fn named(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// One more, as far as a person alone can go.
    pub fn raised(self) -> Tier {
        match self {
            Tier::Client => Tier::Attended,
            Tier::Attended | Tier::Keyed => Tier::Keyed,
            Tier::SecondIdentity => Tier::SecondIdentity,
        }
    }

    /// What it keeps out, and what not.
    pub fn worth(self) -> &'static str {
        match self {
            Tier::Client => {
                "the agent's program says that somebody typed the digest into its form. Keeps out mistakes and an agent in a \
                 sandbox; scripts and hooks of that program can answer too"
            }
            Tier::Attended => {
                "somebody typed the digest at a terminal or in the editor. Keeps out mistakes and an agent in a sandbox; a \
                 program that runs with all of your rights can make itself a terminal, or read your state folder"
            }
            Tier::Keyed => {
                "signed with a key that the agent does not hold. For what must not be forged: use a security key, or an agent \
                 that asks each time (`ssh-add -c`)"
            }
            Tier::SecondIdentity => "a reviewed commit, and the environment approval of CI by somebody else",
        }
    }

    /// The name in files and answers.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Client => "client",
            Tier::Attended => "attended",
            Tier::Keyed => "keyed",
            Tier::SecondIdentity => "second_identity",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
