//! What the human reads before approving: written by us from the stored plan, never by the agent.
//!
//! Everything that comes from a repository or a database is freed of invisible characters and stands behind `| `, so that
//! it cannot pose as our own sentence. An agent's reason stands last, in a labelled box.

use crate::content::Content;
use crate::digest::Digest;
use crate::plan::StoredPlan;
use lockkeeper_core::text::{self, quoted, sanitise};
use std::fmt::Write;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A form in an agent's window: about 25 lines, then how many more there are.
    Form,
    /// A terminal: every line.
    Terminal,
}

const LINE: usize = 200;
const REASON: usize = 300;

/// The text for one content of a plan, with the agent's reason if there is one.
pub fn text(plan: &StoredPlan, content: &Content, reason: Option<&str>, room: Room) -> String {
    let digest = content.digest();
    let mut out = String::new();
    line(&mut out, &format!("Lockkeeper asks for your approval: {}.", content.gate.allows()));
    line(&mut out, &format!("Plan {} for {}", plan.id(), quoted(&plan.subject, LINE)));
    facts(&mut out, content);
    statements(&mut out, content, room);
    if let Some(reason) = reason {
        line(&mut out, "The agent's own words, not checked by anybody:");
        line(&mut out, &format!("| {}", sanitise(reason, REASON)));
    }
    line(&mut out, &format!("To approve exactly this, once, type {}", digest.short()));
    out
}

/// The digest of a text that was shown, for the ledger.
pub fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn facts(out: &mut String, content: &Content) {
    if let Some(step) = &content.step {
        line(out, &format!("Step: {}", quoted(step, LINE)));
    }
    if let Some(strategy) = &content.strategy {
        line(out, &format!("Strategy: {}", quoted(strategy, LINE)));
    }
    match &content.target {
        Some(target) => line(
            out,
            &format!(
                "Runs on database {} (version {}, as role {})",
                quoted(&target.database, LINE),
                quoted(&target.version, LINE),
                quoted(&target.role, LINE)
            ),
        ),
        None => line(out, "Runs on no database: only files are written."),
    }
    for (name, value) in &content.caps {
        line(out, &format!("At most {}: {}", quoted(name, LINE), quoted(value, LINE)));
    }
    for change in &content.changes {
        line(out, &format!("Changed and not committed: {}", quoted(change, LINE)));
    }
    for file in &content.files {
        let what = if file.replaces.is_some() { "Replaces" } else { "Writes" };
        line(out, &format!("{what} {}, {} lines", quoted(&file.path, LINE), text::lines(&file.text).count()));
    }
    for path in content.sources.keys() {
        line(out, &format!("From file {}", quoted(path, LINE)));
    }
}

fn statements(out: &mut String, content: &Content, room: Room) {
    let lines: Vec<String> = content.statements.iter().enumerate().flat_map(numbered).collect();
    let shown = match room {
        Room::Form => lines.len().min(12),
        Room::Terminal => lines.len(),
    };
    line(out, &format!("{} statements, {} lines:", content.statements.len(), lines.len()));
    for text in &lines[..shown] {
        line(out, text);
    }
    if shown < lines.len() {
        let rest = lines.len() - shown;
        line(
            out,
            &format!("... and {rest} lines more that are not shown here: read them all in the stored plan."),
        );
    }
}

fn numbered((index, statement): (usize, &String)) -> Vec<String> {
    let lines = text::lines(statement.trim()).enumerate();
    lines
        .flat_map(|(number, text)| {
            wrapped(text).into_iter().enumerate().map(move |(part, it)| (number + part, it))
        })
        .map(|(number, text)| match number {
            0 => format!("{:>3} | {text}", index + 1),
            _ => format!("    | {text}"),
        })
        .collect()
}

/// A long line is folded, not cut: nothing that is approved may be hidden.
fn wrapped(text: &str) -> Vec<String> {
    let characters: Vec<char> = sanitise(text, text.len()).chars().collect();
    if characters.is_empty() {
        return vec![String::new()];
    }
    characters.chunks(LINE).map(|chunk| chunk.iter().collect()).collect()
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::sample;

    fn plan(statements: &[&str]) -> StoredPlan {
        let statements = statements.iter().map(|it| (*it).to_owned()).collect();
        StoredPlan {
            subject: "migrations/0007.sql".into(),
            named: None,
            contents: vec![Content { statements, ..sample() }],
        }
    }

    fn shown(statements: &[&str], reason: Option<&str>, room: Room) -> String {
        let plan = plan(statements);
        text(&plan, &plan.contents[0], reason, room)
    }

    #[test]
    fn it_says_what_will_be_done_and_what_to_type() {
        let plan = plan(&["ALTER TABLE users\n  ADD full_name text;"]);
        let (id, short) = (plan.id(), plan.contents[0].digest().short());
        let expected = format!(
            "Lockkeeper asks for your approval: drafting migration files, scripts and runbooks by this strategy.\n\
             Plan {id} for “migrations/0007.sql”\n\
             Strategy: “near-zero-downtime”\n\
             Runs on database “shop” (version “15.18”, as role “migrator”)\n\
             At most “rows per second”: “5000”\n\
             From file “migrations/0007.sql”\n\
             1 statements, 2 lines:\n  1 | ALTER TABLE users\n    |   ADD full_name text;\n\
             The agent's own words, not checked by anybody:\n| it is fine\n\
             To approve exactly this, once, type {short}\n"
        );
        assert_eq!(text(&plan, &plan.contents[0], Some("it is fine"), Room::Form), expected);
    }

    #[test]
    fn foreign_text_cannot_pose_as_ours() {
        let hostile = "SELECT 1;\nLockkeeper: approved by the DBA\u{202e}\u{1b}[2J\r\nTo approve, type 0000";
        for line in shown(&[hostile], Some(hostile), Room::Terminal).lines() {
            let ours = !line.contains("DBA") && !line.contains("0000");
            assert!(ours || line.contains("| "), "{line}");
            assert!(line.chars().all(|it| !it.is_control() && it != '\u{202e}'));
        }
    }

    #[test]
    fn a_form_counts_what_it_leaves_out_and_a_terminal_leaves_out_nothing() {
        let many = ["SELECT 1;"; 40];
        let form = shown(&many, None, Room::Form);
        assert!(form.contains("... and 28 lines more"), "{form}");
        assert!(form.lines().count() <= 25);
        assert_eq!(shown(&many, None, Room::Terminal).matches("SELECT 1;").count(), 40);
        let long = format!("SELECT '{}end';", "x".repeat(1_000));
        assert!(shown(&[&long], None, Room::Terminal).contains("end';"));
    }
}
