//! What the client has set: read leniently, from `initializationOptions` and `workspace/didChangeConfiguration`.

use serde_json::Value;

/// What the client has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// Which statements have a hint behind them.
    pub hints: Hints,
    /// The user does not trust the workspace: its sources are not searched, and git is not asked about it.
    pub untrusted: bool,
}

/// Which statements have a hint behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Hints {
    /// Every statement that somebody notices.
    All,
    /// Those that go up: the way back does not run in this deploy.
    #[default]
    Up,
    /// None.
    Off,
}

impl Settings {
    /// With what a client says now; what it does not say, or says in words that are not known, stays.
    #[must_use]
    pub fn with(self, said: &Value) -> Self {
        // Clients send the section with or without its name around it.
        let section = if said["lockkeeper"].is_object() { &said["lockkeeper"] } else { said };
        let hints = match section["hints"].as_str() {
            Some("all") => Hints::All,
            Some("up") => Hints::Up,
            Some("off") => Hints::Off,
            _ => self.hints,
        };
        let untrusted = section["trusted"].as_bool().map_or(self.untrusted, |trusted| !trusted);
        Self { hints, untrusted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_read_with_and_without_their_section() {
        let settings = Settings::default();
        assert_eq!(settings.with(&json!({"lockkeeper": {"hints": "all"}})).hints, Hints::All);
        assert_eq!(settings.with(&json!({"hints": "off"})).hints, Hints::Off);
        for nonsense in [json!(null), json!(3), json!({"hints": 1}), json!({"lockkeeper": []})] {
            assert_eq!(settings.with(&nonsense), settings);
        }
    }
}
