//! The lines of a program and which line opens the block that another stands in, by indentation.

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line of an offset, from 0.
    pub fn of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    /// Where a line starts; the end of the text for lines behind it.
    pub fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    pub fn text(&self, line: usize) -> &'a str {
        &self.text[self.start(line)..self.start(line + 1)]
    }

    /// The nearest line above that is indented less and not blank.
    pub fn parent(&self, line: usize) -> Option<usize> {
        let own = indent(self.text(line));
        let is_outer = |above: &usize| {
            let text = self.text(*above);
            let is_content =
                || !text.trim().is_empty() && !text.trim_start().starts_with(['@', '#', '/', ')', '*']);
            indent(text) < own && is_content()
        };
        (line.saturating_sub(300)..line).rev().find(is_outer)
    }
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|it| matches!(it, b' ' | b'\t')).count()
}
