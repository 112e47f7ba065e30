//! Divides the text of a shell into the simple commands that it would run, without running anything.
//!
//! It knows quoting, expansions, redirections, here-documents, pipes, groups and nested substitutions, as POSIX and bash have them. What is
//! known only at run time stays open in its word. It is ours because what there is did not fit: parsers of whole shells bring many
//! dependencies and recurse without bound, and a hook that overflows its stack lets everything through.

mod words;

/// What was read of a text.
#[derive(Debug, Default)]
pub struct Script {
    /// The simple commands, nested ones included, in no stricter order than that of their ends.
    pub commands: Vec<Command>,
    /// Why the rest of the text could not be read.
    pub problem: Option<&'static str>,
}

/// A simple command.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// `NAME=value` before its words.
    pub assignments: Vec<(String, Word)>,
    pub words: Vec<Word>,
    /// The files that its output goes to.
    pub outputs: Vec<Word>,
    pub input: Input,
}

/// Where a command's standard input comes from.
#[derive(Debug, Clone, Default)]
pub enum Input {
    #[default]
    Inherited,
    /// A here-document or here-string.
    Text(Word),
    File(Word),
    /// The output of the command with this index.
    Command(usize),
    /// The output of a group of commands.
    Group,
}

/// A word, without its quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// What is known of it.
    pub text: String,
    /// From where on it is known only at run time.
    open: Option<usize>,
}

impl Word {
    /// A word that is known.
    pub fn fixed(text: &str) -> Self {
        Self { text: text.to_owned(), open: None }
    }

    /// A word of which nothing is known.
    pub fn unknown() -> Self {
        Self { text: String::new(), open: Some(0) }
    }

    /// The whole word, where it is known.
    pub fn known(&self) -> Option<&str> {
        self.open.is_none().then_some(self.text.as_str())
    }

    /// What stands before the first part that is not known.
    pub fn start(&self) -> &str {
        &self.text[..self.open.unwrap_or(self.text.len())]
    }

    /// The word without its first bytes, which are known.
    pub fn after(&self, bytes: usize) -> Self {
        Self { text: self.text[bytes..].to_owned(), open: self.open.map(|it| it.saturating_sub(bytes)) }
    }

    fn open(&mut self) {
        self.open.get_or_insert(self.text.len());
    }
}

/// Longer texts and deeper nesting are not read.
const LONGEST: usize = 200_000;
const DEEPEST: usize = 24;
/// Braces are looked for so far, and taken for several words behind that.
const LONGEST_BRACES: usize = 1_000;

/// Reads a text.
pub fn read(text: &str) -> Script {
    let mut reader = Reader::new(text, 0);
    if text.len() > LONGEST {
        reader.script.problem = Some("it is too long");
    } else {
        reader.list(End::Text);
    }
    reader.script
}

/// What ends a list of commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Parenthesis,
}

/// A here-document whose body comes with the next line.
struct Pending {
    /// The command that reads it, when it is whole.
    command: Option<usize>,
    delimiter: String,
    is_quoted: bool,
    strips_tabs: bool,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    script: Script,
    pending: Vec<Pending>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth, script: Script::default(), pending: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, expected: &str) -> bool {
        let is_there = self.rest().starts_with(expected);
        if is_there {
            self.at += expected.len();
        }
        is_there
    }

    /// Gives up: the rest of the text is not read.
    fn give_up(&mut self, why: &'static str) {
        self.script.problem.get_or_insert(why);
        self.at = self.text.len();
    }

    /// Reads commands up to the end of the list.
    fn list(&mut self, end: End) {
        if self.depth >= DEEPEST {
            return self.give_up("it is nested too deeply");
        }
        self.depth += 1;
        let outer = std::mem::take(&mut self.pending);
        let mut current = Command::default();
        loop {
            match self.peek() {
                None => {
                    self.finish(&mut current);
                    if end == End::Parenthesis {
                        self.give_up("a parenthesis is not closed");
                    }
                    break;
                }
                Some(')') if end == End::Parenthesis => {
                    self.at += 1;
                    self.finish(&mut current);
                    break;
                }
                Some(_) => self.element(&mut current),
            }
        }
        self.pending = outer;
        self.depth -= 1;
    }

    /// One separator, redirection, group or word.
    fn element(&mut self, current: &mut Command) {
        let rest = self.rest();
        let first = self.peek().expect("the caller looked");
        match first {
            '\n' => {
                self.at += 1;
                self.finish(current);
                self.bodies();
            }
            _ if first.is_whitespace() => self.at += first.len_utf8(),
            '\\' if rest.starts_with("\\\n") => self.at += 2,
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '&' if rest.starts_with("&>") => self.redirection(current),
            '|' if !rest.starts_with("||") => {
                self.at += if rest.starts_with("|&") { 2 } else { 1 };
                let source = self.finish(current).map_or(Input::Group, Input::Command);
                current.input = source;
            }
            ';' | '&' | '|' => {
                self.at += 1;
                self.finish(current);
                while self.eat("&") || self.eat("|") || self.eat(";") {}
            }
            '<' | '>' if !is_substitution(rest) => self.redirection(current),
            '(' => self.parenthesis(current),
            ')' => self.give_up("a parenthesis is closed that was not opened"),
            _ => self.word_of(current),
        }
    }

    /// A subshell, an arithmetic command, or the head of a function.
    fn parenthesis(&mut self, current: &mut Command) {
        if current.words.is_empty() && self.rest().starts_with("((") && self.arithmetic() {
            return;
        }
        self.at += 1;
        if current.words.len() == 1 && self.rest().trim_start().starts_with(')') {
            self.at += self.rest().find(')').expect("it is there") + 1;
            *current = Command::default();
        } else if current.words.is_empty() {
            self.list(End::Parenthesis);
        } else {
            self.give_up("a parenthesis stands where none can be");
        }
    }

    /// Keeps a command that is whole; its index where it has words.
    fn finish(&mut self, current: &mut Command) -> Option<usize> {
        let command = std::mem::take(current);
        let is_empty =
            command.words.is_empty() && command.assignments.is_empty() && command.outputs.is_empty();
        if is_empty {
            return None;
        }
        let index = self.script.commands.len();
        let has_words = !command.words.is_empty();
        self.pending.iter_mut().for_each(|it| {
            it.command.get_or_insert(index);
        });
        self.script.commands.push(command);
        has_words.then_some(index)
    }

    fn word_of(&mut self, current: &mut Command) {
        let from = self.at;
        if current.words.is_empty() && self.assignment(current) {
            return;
        }
        self.at = from;
        let word = self.word();
        let raw = &self.text[from..self.at];
        if current.words.is_empty() && current.assignments.is_empty() && self.reserved(raw, current) {
            return;
        }
        current.words.push(word);
    }

    /// `NAME=value`, `NAME+=value`, `NAME=(values)`.
    fn assignment(&mut self, current: &mut Command) -> bool {
        let rest = self.rest();
        let name = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(0);
        let after = &rest[name..];
        let sign = if after.starts_with("+=") { 2 } else { usize::from(after.starts_with('=')) };
        if name == 0 || sign == 0 || rest.starts_with(|it: char| it.is_ascii_digit()) {
            return false;
        }
        self.at += name + sign;
        let value = if self.eat("(") { self.array() } else { self.word() };
        current.assignments.push((rest[..name].to_owned(), value));
        true
    }

    fn array(&mut self) -> Word {
        while let Some(next) = self.peek() {
            match next {
                ')' => {
                    self.at += 1;
                    return Word::unknown();
                }
                _ if next.is_whitespace() => self.at += next.len_utf8(),
                _ => {
                    let from = self.at;
                    self.word();
                    if self.at == from {
                        break;
                    }
                }
            }
        }
        self.give_up("a parenthesis is not closed");
        Word::unknown()
    }

    /// Words of the grammar, at the start of a command.
    fn reserved(&mut self, word: &str, current: &mut Command) -> bool {
        match word {
            "if" | "then" | "elif" | "else" | "while" | "until" | "do" | "!" | "{" | "fi" | "done" | "}"
            | "coproc" => {}
            "for" | "select" => self.head_of_loop(),
            "function" => {
                self.blanks();
                self.word();
                self.blanks();
                self.eat("()");
            }
            "[[" => self.condition(),
            "case" => self.give_up("it has a `case`"),
            _ => return false,
        }
        let input = std::mem::take(&mut current.input);
        *current = Command { input, ..Command::default() };
        true
    }

    /// `NAME in words` up to the end of the line; the words may hold commands.
    fn head_of_loop(&mut self) {
        while let Some(next) = self.peek() {
            match next {
                '\n' | ';' => return,
                _ if next.is_whitespace() => self.at += next.len_utf8(),
                '(' if self.rest().starts_with("((") && self.arithmetic() => {}
                _ => {
                    let from = self.at;
                    self.word();
                    if self.at == from {
                        return self.give_up("a loop has an odd head");
                    }
                }
            }
        }
    }

    /// `[[ … ]]`: whatever stands in it is compared, not run; substitutions in it are.
    fn condition(&mut self) {
        while let Some(next) = self.peek() {
            if next.is_whitespace() || "<>()&|;".contains(next) {
                self.at += next.len_utf8();
                continue;
            }
            let from = self.at;
            self.word();
            if &self.text[from..self.at] == "]]" {
                return;
            }
            if self.at == from {
                break;
            }
        }
        self.give_up("a condition is not closed");
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|it| it == ' ' || it == '\t') {
            self.at += 1;
        }
    }

    /// `> file`, `2>&1`, `< file`, `<< WORD`, `<<< word`.
    fn redirection(&mut self, current: &mut Command) {
        let rest = self.rest();
        let operators = ["<<<", "<<-", "<<", "<>", "<&", "<", "&>>", "&>", ">>", ">&", ">|", ">"];
        let operator = operators.into_iter().find(|it| rest.starts_with(it)).expect("the caller looked");
        // A number before it names the stream.
        if let Some(last) = current.words.last().and_then(Word::known)
            && !last.is_empty()
            && last.bytes().all(|it| it.is_ascii_digit())
            && self.text[..self.at].ends_with(last)
        {
            current.words.pop();
        }
        self.at += operator.len();
        self.blanks();
        let from = self.at;
        let word = self.word();
        let is_stream =
            || word.known().is_some_and(|it| it == "-" || it.bytes().all(|it| it.is_ascii_digit()));
        match operator {
            "<<" | "<<-" => {
                let raw = &self.text[from..self.at];
                self.pending.push(Pending {
                    command: None,
                    delimiter: word.text.clone(),
                    is_quoted: raw.contains(['\'', '"', '\\']),
                    strips_tabs: operator == "<<-",
                });
                current.input = Input::Text(Word::unknown());
            }
            "<<<" => current.input = Input::Text(word),
            "<" => current.input = Input::File(word),
            "<&" => {}
            ">&" if is_stream() => {}
            _ => current.outputs.push(word),
        }
    }

    /// The here-documents that were announced on the line before.
    fn bodies(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let Some(body) = self.body(&pending) else {
                return self.give_up("a here-document is not closed");
            };
            let word = if pending.is_quoted { Word::fixed(&body) } else { self.expanded(&body) };
            if let Some(command) = pending.command.and_then(|it| self.script.commands.get_mut(it)) {
                command.input = Input::Text(word);
            }
        }
    }

    /// The lines up to the delimiter. A text may end before it, a substitution not.
    fn body(&mut self, pending: &Pending) -> Option<String> {
        let mut body = String::new();
        while self.at < self.text.len() {
            let rest = self.rest();
            let whole = &rest[..rest.find('\n').unwrap_or(rest.len())];
            let line = if pending.strips_tabs { whole.trim_start_matches('\t') } else { whole };
            let after = line.strip_prefix(&*pending.delimiter);
            if after == Some("") {
                self.at = (self.at + whole.len() + 1).min(self.text.len());
                return Some(body);
            }
            // bash also takes the parenthesis of a substitution for an end of the line.
            if let Some(after) = after.filter(|it| self.depth > 1 && it.starts_with(')')) {
                self.at += whole.len() - after.len();
                return Some(body);
            }
            self.at = (self.at + whole.len() + 1).min(self.text.len());
            body.push_str(line);
            body.push('\n');
        }
        (self.depth <= 1).then_some(body)
    }

    /// The body of a here-document in which expansions are made.
    fn expanded(&mut self, body: &str) -> Word {
        let mut inner = Reader::new(body, self.depth);
        let mut word = Word::default();
        while let Some(next) = inner.next() {
            inner.expanding(next, &mut word);
        }
        self.take_over(inner);
        word
    }

    /// What another reader found in a part of this text.
    fn take_over(&mut self, inner: Reader<'_>) {
        let offset = self.script.commands.len();
        self.script.commands.extend(inner.script.commands.into_iter().map(|mut command| {
            if let Input::Command(index) = &mut command.input {
                *index += offset;
            }
            command
        }));
        if let Some(why) = inner.script.problem {
            self.give_up(why);
        }
    }
}

/// `<(` and `>(`.
fn is_substitution(rest: &str) -> bool {
    rest.starts_with("<(") || rest.starts_with(">(")
}

#[cfg(test)]
mod tests;
