//! Where the string literals and comments of a program are, in any of the usual languages, and which literals are SQL.

use lockkeeper_core::text::Span;

/// A literal or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub kind: Kind,
    /// What stands between the delimiters.
    pub inside: Span,
    /// Delimiters included.
    pub whole: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    /// A literal in which a backslash escapes.
    Escaped,
    /// A literal in which it does not.
    Raw,
}

/// Text that may be SQL, with all that is not a literal's content blanked: offsets stay what they are in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub text: String,
    pub start: usize,
}

/// Whether the whole file is SQL.
pub(super) fn is_sql(path: &str) -> bool {
    [".sql", ".pgsql", ".psql", ".ddl"].iter().any(|end| path.ends_with(end))
}

struct Delimiter {
    open: &'static str,
    close: &'static str,
    kind: Kind,
    lines: Lines,
}

#[derive(PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

const fn one(quote: &'static str) -> Delimiter {
    Delimiter { open: quote, close: quote, kind: Kind::Escaped, lines: Lines::One }
}

const fn many(quote: &'static str, kind: Kind) -> Delimiter {
    Delimiter { open: quote, close: quote, kind, lines: Lines::Many }
}

const fn comment(open: &'static str, close: &'static str) -> Delimiter {
    Delimiter { open, close, kind: Kind::Comment, lines: Lines::Many }
}

/// A language's delimiters: longer ones before those that they start with.
static SCRIPT: &[Delimiter] =
    &[comment("//", "\n"), comment("/*", "*/"), many("`", Kind::Escaped), one("\""), one("'")];
static GO: &[Delimiter] = &[comment("//", "\n"), comment("/*", "*/"), many("`", Kind::Raw), one("\"")];
static TYPED: &[Delimiter] = &[
    comment("//", "\n"),
    comment("/*", "*/"),
    many("\"\"\"", Kind::Raw),
    Delimiter { open: "@\"", close: "\"", kind: Kind::Raw, lines: Lines::Many },
    one("\""),
];
static RUST: &[Delimiter] = &[comment("//", "\n"), comment("/*", "*/"), many("\"", Kind::Escaped)];
static PYTHON: &[Delimiter] =
    &[comment("#", "\n"), many("\"\"\"", Kind::Escaped), many("'''", Kind::Escaped), one("\""), one("'")];
static PHP: &[Delimiter] = &[
    comment("//", "\n"),
    comment("/*", "*/"),
    comment("#", "\n"),
    many("\"", Kind::Escaped),
    many("'", Kind::Escaped),
];
static RUBY: &[Delimiter] = &[comment("#", "\n"), many("\"", Kind::Escaped), many("'", Kind::Escaped)];
static OTHER: &[Delimiter] = &[many("\"\"\"", Kind::Escaped), many("`", Kind::Raw), one("\""), one("'")];

fn delimiters(path: &str) -> &'static [Delimiter] {
    match path.rsplit('.').next().unwrap_or("") {
        "js" | "ts" | "tsx" | "jsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" | "dart" => SCRIPT,
        "go" => GO,
        "rs" => RUST,
        "java" | "kt" | "kts" | "scala" | "cs" | "swift" | "groovy" | "c" | "cc" | "cpp" | "h" | "prisma" => {
            TYPED
        }
        "py" | "ex" | "exs" => PYTHON,
        "php" => PHP,
        "rb" | "rake" | "sh" | "bash" | "pl" | "erb" => RUBY,
        _ => OTHER,
    }
}

/// All literals and comments in the order of the text.
pub(super) fn regions(path: &str, text: &str) -> Vec<Region> {
    if is_sql(path) {
        return Vec::new();
    }
    let delimiters = delimiters(path);
    let begins = first_bytes(delimiters);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.as_bytes().get(at..) {
        let Some(ahead) = rest.iter().position(|&byte| begins[usize::from(byte)]) else { break };
        at += ahead;
        let rest = &text[at..];
        let region = raw_rust(path, text, at).or_else(|| heredoc(delimiters, text, at)).or_else(|| {
            delimiters.iter().find(|it| rest.starts_with(it.open)).map(|it| region(it, text, at))
        });
        match region {
            Some(region) => {
                at = region.whole.end.max(at + 1);
                found.push(region);
            }
            None => at += 1,
        }
    }
    found
}

/// The bytes that a literal or comment may begin with: all others are passed by without a closer look.
fn first_bytes(delimiters: &[Delimiter]) -> [bool; 256] {
    let mut begins = [false; 256];
    let own = delimiters.iter().filter_map(|it| it.open.bytes().next());
    // Rust's raw strings, and heredocs.
    for byte in own.chain([b'r', b'<']) {
        begins[usize::from(byte)] = true;
    }
    begins
}

fn region(delimiter: &Delimiter, text: &str, start: usize) -> Region {
    let inside = start + delimiter.open.len();
    let bytes = text.as_bytes();
    let mut at = inside;
    while at < bytes.len() {
        if bytes[at..].starts_with(delimiter.close.as_bytes()) {
            let whole = Span::new(start, at + delimiter.close.len());
            return Region { kind: delimiter.kind, inside: Span::new(inside, at), whole };
        }
        if delimiter.lines == Lines::One && bytes[at] == b'\n' {
            break;
        }
        at += if delimiter.kind == Kind::Escaped && bytes[at] == b'\\' { 2 } else { 1 };
    }
    let end = boundary(text, at);
    Region { kind: delimiter.kind, inside: Span::new(inside.min(end), end), whole: Span::new(start, end) }
}

fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// `r"..."`, `r#"..."#`.
fn raw_rust(path: &str, text: &str, start: usize) -> Option<Region> {
    let rest = text[start..].strip_prefix('r').filter(|_| path.ends_with(".rs"))?;
    let hashes = rest.bytes().take_while(|it| *it == b'#').count();
    rest[hashes..].strip_prefix('"')?;
    let inside = start + 2 + hashes;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = text[inside..].find(&close).map_or(text.len(), |at| inside + at);
    let whole = Span::new(start, (end + close.len()).min(text.len()));
    Some(Region { kind: Kind::Raw, inside: Span::new(inside, end), whole })
}

/// `<<~SQL`, `<<<SQL`, `<<EOF` up to the line of the tag.
fn heredoc(delimiters: &[Delimiter], text: &str, start: usize) -> Option<Region> {
    let has_heredocs = std::ptr::eq(delimiters, RUBY) || std::ptr::eq(delimiters, PHP);
    let rest = text[start..].strip_prefix("<<").filter(|_| has_heredocs)?;
    let rest = rest.trim_start_matches(['<', '~', '-', '\'', '"']);
    let tag = &rest[..rest.find(|it: char| !it.is_ascii_uppercase() && it != '_')?];
    let inside = start + text[start..].find('\n')? + 1;
    if tag.is_empty() {
        return None;
    }
    let mut at = inside;
    for line in text[inside..].split_inclusive('\n') {
        if line.trim_start().starts_with(tag) {
            break;
        }
        at += line.len();
    }
    Some(Region { kind: Kind::Raw, inside: Span::new(inside, at), whole: Span::new(start, at) })
}

/// The literals that may be SQL, those put together by an operator as one; all of a SQL file.
pub(super) fn sql_chunks(path: &str, text: &str, regions: &[Region]) -> Vec<Chunk> {
    if is_sql(path) {
        return vec![Chunk { text: text.to_owned(), start: 0 }];
    }
    let literals: Vec<Region> = regions.iter().copied().filter(|it| it.kind != Kind::Comment).collect();
    let joined = literals.chunk_by(|a, b| is_joined(&text[a.whole.end.min(b.whole.start)..b.whole.start]));
    joined.filter_map(|group| chunk(text, group)).collect()
}

/// Whether what stands between two literals only joins them, perhaps with a value in between.
fn is_joined(between: &str) -> bool {
    let trimmed = between.trim();
    let joins = |text: &str| text.chars().all(|it| it.is_whitespace() || "+\\.&<>_".contains(it));
    let with_value = trimmed.len() > 1 && trimmed.starts_with('+') && trimmed.ends_with('+');
    joins(trimmed) && between.len() < 200
        || with_value && trimmed.len() < 120 && !trimmed.contains([';', ',', '='])
}

fn chunk(text: &str, group: &[Region]) -> Option<Chunk> {
    let (start, end) = (group.first()?.inside.start, group.last()?.inside.end);
    let mut bytes = vec![b' '; end - start];
    for region in group {
        let target = &mut bytes[region.inside.start - start..region.inside.end - start];
        target.copy_from_slice(region.inside.of(text).as_bytes());
        if region.kind == Kind::Escaped {
            unescape(target);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    looks_like_sql(&text).then_some(Chunk { text, start })
}

/// `\"` becomes ` "`, `\n` two blanks: the same length, readable as SQL.
fn unescape(bytes: &mut [u8]) {
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'\\' {
            bytes[at] = b' ';
            if matches!(bytes[at + 1], b'n' | b't' | b'r' | b'\n' | b'\\') {
                bytes[at + 1] = b' ';
            }
            at += 1;
        }
        at += 1;
    }
}

const VERBS: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "from",
    "join",
    "into",
    "where",
    "alter",
    "create",
    "truncate",
    "merge",
    "copy",
    "set",
    "returning",
];

fn looks_like_sql(text: &str) -> bool {
    let mut words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.any(|word| word.len() < 10 && VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let chunks = sql_chunks(path, text, &regions(path, text));
        let found: Vec<String> =
            chunks.iter().map(|it| it.text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn literals_of_many_lines_are_whole() {
        check("a.rs", "let x = r#\"SELECT \"a\"\nFROM b\"#;", &["SELECT \"a\" FROM b"]);
        check("a.py", "x = \"\"\"SELECT a\nFROM b\"\"\"", &["SELECT a FROM b"]);
        check("a.go", "x := `SELECT a\nFROM b`", &["SELECT a FROM b"]);
        check("a.ts", "x(`SELECT a\nFROM b`, 'it')", &["SELECT a FROM b"]);
        check("A.java", "x = \"\"\"\nSELECT a\nFROM b\"\"\";", &["SELECT a FROM b"]);
        check("a.rb", "x = <<~SQL\n  SELECT a\n  FROM b\nSQL\n'it'", &["SELECT a FROM b"]);
        check("a.php", "$x = <<<SQL\nSELECT a FROM b\nSQL;", &["SELECT a FROM b"]);
    }

    #[test]
    fn joined_literals_are_one() {
        check("a.java", "\"SELECT a \" +\n  \"FROM b\"", &["SELECT a FROM b"]);
        check("a.js", "'SELECT ' + cols + ' FROM b'", &["SELECT FROM b"]);
        check("a.py", "(\"SELECT a \"\n \"FROM b\")", &["SELECT a FROM b"]);
        check("a.js", "f('SELECT a', 'FROM b')", &["SELECT a", "FROM b"]);
    }

    #[test]
    fn comments_and_lifetimes_are_no_literals() {
        check("a.rs", "// it's SELECT\nfn f<'a>(x: &'a str) { \"SELECT 1\" }", &["SELECT 1"]);
        check("a.ts", "// don't\n/* `SELECT */ 'x', \"SELECT 1\"", &["SELECT 1"]);
        check("a.go", "x := \"SELECT \\\"a\\\" FROM b\"", &["SELECT \"a \" FROM b"]);
    }

    #[test]
    fn unfinished_literals_end_somewhere() {
        check("a.ts", "'é\\", &[]);
        check("a.py", "\"\"\"SELECT é", &["SELECT é"]);
        check("a.rb", "<<~SQL\nSELECT", &["SELECT"]);
    }
}
