//! The spellings under which a table and a column may appear in programs.

/// A table and perhaps a column, in all their spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The table as the database spells it.
    pub table: String,
    /// The column as the database spells it.
    pub column: Option<String>,
    /// Spellings of table and model: `users`, `user`, `User`, `orderItems`.
    pub tables: Vec<String>,
    /// Spellings of the column: `full_name`, `fullName`, `FullName`.
    pub columns: Vec<String>,
}

impl Names {
    pub fn new(table: &str, column: Option<&str>) -> Self {
        let table = bare(table);
        let column = column.map(bare);
        let mut tables = vec![table.to_owned()];
        for words in numbers(&words(table)) {
            tables.extend(spellings(&words));
        }
        let mut columns = column.map(|it| vec![it.to_owned()]).unwrap_or_default();
        columns.extend(column.map(|column| spellings(&words(column))).unwrap_or_default());
        let mut names = Self { table: table.to_owned(), column: column.map(str::to_owned), tables, columns };
        names.sort();
        names
    }

    /// Whether the word is a spelling of the table or its model.
    pub fn is_model(&self, word: &str) -> bool {
        self.tables.iter().any(|it| it == word)
    }

    /// Whether a variable's name ends in a spelling of the model: `user`, `currentUser`, `db_user`.
    pub fn is_instance(&self, word: &str) -> bool {
        let lower = word.to_ascii_lowercase();
        self.tables.iter().any(|it| {
            let rest = lower.strip_suffix(&it.to_ascii_lowercase());
            rest.is_some_and(|rest| rest.is_empty() || starts_word(&word[rest.len()..], rest))
        })
    }

    /// Whether the word is a spelling of the column.
    pub fn is_column(&self, word: &str) -> bool {
        self.columns.iter().any(|it| it == word)
    }

    /// Adds the names that a Prisma schema gives by `@@map` and `@map`.
    pub fn learn_from_prisma(&mut self, text: &str) {
        for (model, body) in prisma_models(text) {
            let mapped = body.lines().find_map(|line| attribute(line, "@@map("));
            if mapped.unwrap_or(model) != self.table {
                continue;
            }
            self.tables.extend(spellings(&words(model)));
            let column = self.column.clone();
            let field = body
                .lines()
                .find(|line| attribute(line, "@map(").is_some_and(|it| Some(it) == column.as_deref()));
            self.columns.extend(field.and_then(|line| line.split_whitespace().next()).map(str::to_owned));
        }
        self.sort();
    }

    fn sort(&mut self) {
        for list in [&mut self.tables, &mut self.columns] {
            list.sort();
            list.dedup();
        }
    }
}

fn prisma_models(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\nmodel ").skip(1).filter_map(|rest| {
        let (model, body) = rest.split_once('{')?;
        Some((model.trim(), body.split("\n}").next().unwrap_or(body)))
    })
}

fn attribute<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let at = line.find(start)?;
    // `@@map(` holds `@map(`.
    if start == "@map(" && line[..at].ends_with('@') {
        return None;
    }
    line[at..].split('"').nth(1)
}

/// The last part of a qualified name, without quotes.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim_matches(['"', '`', '[', ']'])
}

fn starts_word(word: &str, before: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_uppercase()) || before.ends_with('_')
}

/// `order_items`, `OrderItems` and `APIToken` as lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (index, &it) in characters.iter().enumerate() {
        let after_lower = index > 0 && characters[index - 1].is_lowercase();
        let before_lower = index > 0
            && characters[index - 1].is_uppercase()
            && characters.get(index + 1).is_some_and(|it| it.is_lowercase());
        if !it.is_alphanumeric() || it.is_uppercase() && (after_lower || before_lower) {
            words.push(String::new());
        }
        if it.is_alphanumeric() {
            words.last_mut().expect("there is always a word").extend(it.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The words with the last one in singular and in plural.
fn numbers(words: &[String]) -> Vec<Vec<String>> {
    let Some((last, before)) = words.split_last() else {
        return Vec::new();
    };
    let one = singular(last);
    let many = plural(&one);
    let with = |last: String| before.iter().cloned().chain([last]).collect::<Vec<_>>();
    vec![with(last.clone()), with(one), with(many)]
}

fn singular(word: &str) -> String {
    match word {
        "people" => return "person".to_owned(),
        "children" => return "child".to_owned(),
        _ => {}
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let es = ["ses", "xes", "ches", "shes", "zes"].iter().any(|end| word.ends_with(end));
    let uncountable = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    match word.strip_suffix('s') {
        Some(stem) if es && !word.ends_with("ses") => stem.strip_suffix('e').unwrap_or(stem).to_owned(),
        Some(stem) if word.ends_with("sses") || word.ends_with("uses") => {
            stem.strip_suffix('e').unwrap_or(stem).to_owned()
        }
        Some(stem) if !uncountable => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn plural(word: &str) -> String {
    let before_y = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match (word, before_y) {
        ("person", _) => "people".to_owned(),
        ("child", _) => "children".to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh", "z"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// snake_case, camelCase, PascalCase and kebab-case.
fn spellings(words: &[String]) -> Vec<String> {
    let pascal: Vec<String> = words.iter().map(|word| capitalised(word)).collect();
    let camel = words.first().cloned().unwrap_or_default() + &pascal.get(1..).unwrap_or_default().concat();
    vec![words.join("_"), camel, pascal.concat(), words.join("-")]
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_models() {
        let has = |table: &str, word: &str| Names::new(table, None).is_model(word);
        assert!(has("users", "User") && has("user", "Users") && has("public.users", "user"));
        assert!(has("order_items", "OrderItem") && has("order_items", "orderItems"));
        assert!(has("\"APIToken\"", "APIToken") && has("categories", "Category"));
        assert!(has("statuses", "Status") && has("people", "Person") && has("boxes", "Box"));
        assert!(!has("users", "use"));
    }

    #[test]
    fn variables_end_in_the_models_name() {
        let names = Names::new("users", None);
        assert!(
            names.is_instance("currentUser") && names.is_instance("db_user") && names.is_instance("users")
        );
        assert!(!names.is_instance("superuser") && !names.is_instance("userId"));
    }

    #[test]
    fn prisma_maps_give_other_names() {
        let mut names = Names::new("app_users", Some("full_name"));
        names.learn_from_prisma(
            "\nmodel Person {\n  id Int\n  title String @map(\"full_name\")\n  @@map(\"app_users\")\n}\n",
        );
        assert!(names.is_model("Person") && names.is_column("title"));
    }
}
