//! What a project has set for its runner.

use std::path::Path;

use lockkeeper_core::framework::{Framework, Settings};

use super::read::text;
use crate::files::{File, name};

/// Names of the files in which Flyway or what starts it is configured, without their endings.
const OF_FLYWAY: &[&str] = &["flyway", "application", "bootstrap", "pom", "build"];
/// Their endings.
const ENDINGS: &[&str] = &["conf", "toml", "properties", "yml", "yaml", "xml", "gradle", "kts"];

/// The settings that the files of a project make for a runner.
pub(super) fn settings(root: &Path, files: &[File], framework: &Framework) -> Settings {
    let mut settings = Settings::default();
    if framework.id != "flyway" {
        return settings;
    }
    for file in files.iter().filter(|file| is_configuration(&file.path)) {
        let text = text(root, &file.path).unwrap_or_default();
        read(&text, &mut settings);
    }
    settings
}

fn is_configuration(path: &str) -> bool {
    let (stem, ending) = name(path).rsplit_once('.').unwrap_or_default();
    let stem = stem.split(['-', '.']).next().unwrap_or(stem);
    OF_FLYWAY.contains(&stem) && ENDINGS.contains(&ending)
}

/// Keys are spelled in many ways: `flyway.postgresql.transactional.lock=false`, `transactional-lock: false`, `<mixed>true</mixed>`.
fn read(text: &str, settings: &mut Settings) {
    let mut table = String::new();
    for line in text.lines() {
        let line: String = line.split('#').next().unwrap_or("").to_lowercase();
        if let Some(header) = line.trim().strip_prefix('[') {
            table = header.to_owned();
            continue;
        }
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
        let words = letters(&format!("{table}{line}"));
        settings.mixed |= letters(&line).contains("mixedtrue");
        settings.session_lock |= words.contains("transactionallockfalse");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, mixed: bool, session_lock: bool) {
        let mut found = Settings::default();
        read(text, &mut found);
        assert_eq!(found, Settings { mixed, session_lock });
    }

    #[test]
    fn settings_of_flyway_in_their_spellings() {
        check("flyway.mixed=true\nflyway.postgresql.transactional.lock=false", true, true);
        check(
            "spring:\n  flyway:\n    mixed: true\n    postgresql:\n      transactional-lock: false",
            true,
            true,
        );
        check("[flyway.postgresql.transactional]\nlock = false", false, true);
        check("<mixed>true</mixed>", true, false);
        check(
            "# flyway.mixed=true\nflyway.mixed=false\nflyway.postgresql.transactional.lock=true",
            false,
            false,
        );
    }

    #[test]
    fn only_its_own_files_are_read() {
        assert!(is_configuration("src/main/resources/application-prod.yml"));
        assert!(is_configuration("conf/flyway.conf"));
        assert!(!is_configuration("src/app.yml"));
    }
}
