//! A plan in Markdown: the SQL of its steps, and what its words say.

use std::sync::LazyLock;

use lockkeeper_core::report::ReviewPoint;
use lockkeeper_core::text::LineIndex;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use regex::{Regex, RegexBuilder};

/// The languages of blocks that hold SQL.
const LANGUAGES: &[&str] = &["sql", "postgresql", "postgres", "pgsql", "psql", "plpgsql"];

const TAKEN_BACK: &str =
    r"\b(roll(ed|ing)?[ -]?back|rollbacks?|revert(ed|ing)?|undo|undone|way back|down migrations?)\b";

static WAY_BACK: LazyLock<Regex> = LazyLock::new(|| pattern(TAKEN_BACK));

static POINTS: LazyLock<Vec<(&str, Regex)>> =
    LazyLock::new(|| SOUGHT.iter().map(|(point, words)| (*point, pattern(words))).collect());

fn pattern(words: &str) -> Regex {
    RegexBuilder::new(words)
        .case_insensitive(true)
        .build()
        .expect("the patterns are ours, and a test reads each")
}

/// What is looked for in the words of a plan, with the words that make the point. Each stands in one line.
const SOUGHT: &[(&str, &str)] = &[
    ("how it is taken back", TAKEN_BACK),
    (
        "when it is taken back: a number, not a feeling",
        r"\b(if|when|above|over|exceeds?|more than|threshold)\b.*\d+(\.\d+)? ?(%|ms|s\b|sec|min|errors)|\d+(\.\d+)? ?(%|ms|s\b|sec|min|errors).*\b(roll|abort|stop|revert|threshold)",
    ),
    (
        "a backup that was restored and checked",
        r"\b(restored?|restoring|verified|tested)\b.*\b(backups?|snapshots?|dumps?)\b|\b(backups?|snapshots?|dumps?)\b.*\b(restored?|restoring|verified|tested)\b",
    ),
    (
        "how long it takes, or what it was measured on",
        r"\b\d+(\.\d+)? ?(ms|s|sec(onds?)?|min(utes?)?|h|hours?|days?)\b|\b(rehears|dry[ -]run|staging|benchmark)",
    ),
    (
        "how old and new are compared",
        r"\b(compar(e|ed|ing|ison)|verif(y|ied|ication)|checksums?|counts?|reconcil\w*|mismatch\w*|diverg\w*)\b",
    ),
    (
        "who else reads or writes it",
        r"\b(consumers?|readers?|writers?|services?|jobs?|reports?|dashboards?|bi|etl|cach(e|es|ed)|downstream|integrations?|clients?)\b",
    ),
    ("what is watched meanwhile", r"\b(monitor\w*|metrics?|alert\w*|p9[59]|error rates?|lag|dashboards?)\b"),
    (
        "who decides, and who does it",
        r"\b(owners?|owned by|approv\w*|sign[ -]?off|go/no[ -]?go|on[ -]call|dba)\b|@[\w-]+",
    ),
    (
        "from where on there is no way back",
        r"\b(no return|irreversib\w*|cannot be undone|no way back|destructive|data ?loss)\b",
    ),
    (
        "when the old goes for good",
        r"\b(clean[ -]?up|contract|drop(ped)?|remov(e|ed|al)|archiv\w*)\b.*\b(after|until|when|once|days?|weeks?|releases?|sprint|\d{4}-\d{2}-\d{2})\b",
    ),
];

/// A plan that was read.
pub struct Document {
    /// Its blocks of SQL.
    pub blocks: Vec<Block>,
    /// Its words, by line.
    words: Vec<(usize, String)>,
}

/// SQL in a plan.
pub struct Block {
    /// Its text.
    pub sql: String,
    /// The line of its first character, from 1 on.
    pub line: usize,
    /// The nearest heading above it.
    pub heading: Option<String>,
    /// It stands under words about the way back.
    pub takes_back: bool,
}

impl Document {
    /// Reads Markdown.
    pub fn read(text: &str) -> Self {
        let lines = LineIndex::new(text);
        let line = |at: usize| lines.line(at) + 1;
        let mut document = Self { blocks: Vec::new(), words: Vec::new() };
        // The heading that holds, and the words since the last paragraph began.
        let (mut heading, mut in_heading, mut last) = (String::new(), false, String::new());
        let mut code: Option<Code> = None;
        for (event, range) in Parser::new(text).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    in_heading = true;
                    heading.clear();
                    last.clear();
                }
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::Paragraph | Tag::Item) => last.clear(),
                Event::Start(Tag::CodeBlock(kind)) => code = Some(Code::of(&kind)),
                Event::End(TagEnd::CodeBlock) => {
                    document.blocks.extend(code.take().and_then(|it| it.block(&heading, &last)));
                }
                Event::Text(words) | Event::Code(words) => match &mut code {
                    Some(code) => code.push(&words, line(range.start)),
                    None => {
                        last.push_str(&words);
                        if in_heading {
                            heading.push_str(&words);
                        }
                        document.words.push((line(range.start), words.into_string()));
                    }
                },
                _ => {}
            }
        }
        document
    }

    /// What its words say, by point.
    pub fn checklist(&self) -> Vec<ReviewPoint> {
        // Words of one line are one text.
        let mut lines: Vec<(usize, String)> = Vec::new();
        for (line, words) in &self.words {
            match lines.last_mut().filter(|(own, _)| own == line) {
                Some((_, text)) => text.push_str(words),
                None => lines.push((*line, words.clone())),
            }
        }
        let point = |(point, pattern): &(&str, Regex)| ReviewPoint {
            point: (*point).to_owned(),
            line: lines.iter().find(|(_, text)| pattern.is_match(text)).map(|(line, _)| *line),
        };
        POINTS.iter().map(point).collect()
    }
}

/// A block of code while it is read.
struct Code {
    language: String,
    text: String,
    line: usize,
}

impl Code {
    fn of(kind: &CodeBlockKind<'_>) -> Self {
        let language = match kind {
            CodeBlockKind::Fenced(language) => language.split([' ', ',', '{']).next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        Self { language: language.to_lowercase(), text: String::new(), line: 0 }
    }

    fn push(&mut self, text: &str, line: usize) {
        if self.text.is_empty() {
            self.line = line;
        }
        self.text.push_str(text);
    }

    /// The block, where it is SQL: marked as such, or not marked and with a first word that says so.
    fn block(self, heading: &str, words: &str) -> Option<Block> {
        const VERBS: &[&str] = &["alter", "create", "delete", "drop", "insert", "truncate", "update"];
        let first = self.text.split_whitespace().next().unwrap_or_default().to_lowercase();
        let is_sql = match self.language.as_str() {
            "" => VERBS.contains(&first.as_str()),
            language => LANGUAGES.contains(&language),
        };
        let heading = heading.trim();
        is_sql.then(|| Block {
            takes_back: WAY_BACK.is_match(words) || WAY_BACK.is_match(heading),
            heading: (!heading.is_empty()).then(|| heading.to_owned()),
            sql: self.text,
            line: self.line,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_and_know_where_they_stand() {
        let plan = "# Plan\n\n```sql\nALTER TABLE a\n\n  ADD b int;\n```\n\n1. Then:\n\n   ```\n   UPDATE a SET b = 1;\n   ```\n\n## Rollback\n\n```SQL title=x\nSELECT 1;\n```\n\n```sh\nupdate it\n```\n\n```\nset -e\n```\n";
        let found = Document::read(plan).blocks;
        let shown: Vec<_> =
            found.iter().map(|it| (it.sql.as_str(), it.line, it.heading.as_deref(), it.takes_back)).collect();
        assert_eq!(
            shown,
            [
                ("ALTER TABLE a\n\n  ADD b int;\n", 4, Some("Plan"), false),
                ("UPDATE a SET b = 1;\n", 12, Some("Plan"), false),
                ("SELECT 1;\n", 18, Some("Rollback"), true),
            ]
        );
    }

    /// Each point is made by one sentence, and by none of another matter.
    #[test]
    fn points_are_made_by_their_words() {
        let sentences = [
            "Roll back with the old build.",
            "Stop when more than 1 % of requests fail.",
            "The backup of Monday was restored.",
            "It took 20 min on staging.",
            "Checksums of both are compared.",
            "The billing service reads it too.",
            "Watch the alerts.",
            "Ana is the owner.",
            "This is irreversible.",
            "The column is dropped after two weeks.",
        ];
        for (at, sentence) in sentences.iter().enumerate() {
            let made: Vec<bool> =
                Document::read(sentence).checklist().iter().map(|it| it.line.is_some()).collect();
            assert!(made[at], "{sentence}: {}", POINTS[at].0);
        }
        assert!(Document::read("We love our users.").checklist().iter().all(|it| it.line.is_none()));
    }
}
