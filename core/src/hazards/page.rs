//! Pages: the Markdown of a rule or recipe, cut into what programs need of it.

/// A block of code on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// The words behind the three backticks: `sql postgres fixed`.
    pub info: &'a str,
    /// The text, with its final newline.
    pub text: &'a str,
    /// The heading that it stands under.
    pub section: &'a str,
}

impl Block<'_> {
    /// Whether a word stands behind the backticks.
    pub fn has(&self, word: &str) -> bool {
        self.info.split_whitespace().any(|it| it == word)
    }

    /// The value of `key=value` behind the backticks.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.info.split_whitespace().find_map(|it| it.strip_prefix(key)?.strip_prefix('='))
    }
}

/// The title of a page.
pub fn title(page: &str) -> &str {
    page.lines().next().unwrap_or("").trim_start_matches("# ")
}

/// The first sentence below the title.
pub fn summary(page: &str) -> &str {
    page.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or("")
}

/// The text under a heading of the second level, without code that stands deeper.
pub fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let start = page.find(&format!("\n## {heading}\n"))? + heading.len() + 5;
    let rest = &page[start..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    Some(rest[..end].trim())
}

/// The headings of the second level.
pub fn headings(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

/// The blocks of SQL.
pub fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut section = "";
    let mut open: Option<(&str, usize)> = None;
    let mut offset = 0;
    for line in page.split_inclusive('\n') {
        let bare = line.trim_end();
        match open {
            None if bare.starts_with("```sql") => open = Some((&bare[3..], offset + line.len())),
            None => section = bare.strip_prefix("## ").unwrap_or(section),
            Some((info, start)) if bare == "```" => {
                blocks.push(Block { info, text: &page[start..offset], section });
                open = None;
            }
            Some(_) => {}
        }
        offset += line.len();
    }
    blocks
}
