//! A plan in Markdown: the SQL of its steps, and what its words say.

use lockkeeper_core::report::ReviewPoint;
use lockkeeper_core::text::LineIndex;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use regex::RegexBuilder;

/// What is looked for in the words of a plan, with the words that make the point. Each stands in one line.
const POINTS: &[(&str, &str)] = &[
    (
        "how it is taken back",
        r"\b(roll(ed|ing)?[ -]?back|rollbacks?|revert(ed|ing)?|undo|undone|way back|down migrations?)\b",
    ),
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
        let mut document = Self { blocks: Vec::new(), words: Vec::new() };
        let (mut heading, mut in_heading, mut in_code, mut last) =
            (None::<String>, false, None::<bool>, String::new());
        for (event, range) in Parser::new(text).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => (heading, in_heading) = (Some(String::new()), true),
                Event::End(TagEnd::Heading(_)) => {
                    in_heading = false;
                    last = heading.clone().unwrap_or_default();
                }
                Event::Start(Tag::CodeBlock(kind)) => in_code = Some(is_sql(&kind)),
                Event::End(TagEnd::CodeBlock) => in_code = None,
                Event::Start(Tag::Paragraph | Tag::Item) => last.clear(),
                Event::Text(words) => match in_code {
                    Some(true) => {
                        document.code(&words, lines.line(range.start) + 1, heading.as_deref(), &last)
                    }
                    Some(false) => {}
                    None => {
                        last.push_str(&words);
                        if let Some(heading) = heading.as_mut().filter(|_| in_heading) {
                            heading.push_str(&words);
                        }
                        document.words.push((lines.line(range.start) + 1, words.into_string()));
                    }
                },
                Event::Code(words) => {
                    last.push_str(&words);
                    if let Some(heading) = heading.as_mut().filter(|_| in_heading) {
                        heading.push_str(&words);
                    }
                    document.words.push((lines.line(range.start) + 1, words.into_string()));
                }
                _ => {}
            }
        }
        document
    }

    /// A part of a block: what follows without a break belongs to the one before.
    fn code(&mut self, sql: &str, line: usize, heading: Option<&str>, words: &str) {
        if let Some(open) = self.blocks.last_mut().filter(|it| it.line + it.sql.matches('\n').count() == line)
        {
            open.sql.push_str(sql);
            return;
        }
        let takes_back = |words: &str| is_match(POINTS[0].1, words);
        self.blocks.push(Block {
            sql: sql.to_owned(),
            line,
            heading: heading.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()),
            takes_back: takes_back(words) || heading.is_some_and(takes_back),
        });
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
        let found = |words: &str| lines.iter().find(|(_, text)| is_match(words, text)).map(|(line, _)| *line);
        let point =
            |(point, words): &(&str, &str)| ReviewPoint { point: (*point).to_owned(), line: found(words) };
        POINTS.iter().map(point).collect()
    }
}

fn is_sql(kind: &CodeBlockKind<'_>) -> bool {
    let CodeBlockKind::Fenced(language) = kind else { return false };
    let language = language.split([' ', ',', '{']).next().unwrap_or_default().to_lowercase();
    matches!(language.as_str(), "sql" | "postgresql" | "postgres" | "pgsql" | "psql" | "plpgsql")
}

fn is_match(pattern: &str, text: &str) -> bool {
    RegexBuilder::new(pattern).case_insensitive(true).build().is_ok_and(|it| it.is_match(text))
}
