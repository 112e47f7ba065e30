//! What engines say of names, as data: folding, quoting, length, and the names that a server gives itself.

use super::Dialect;

/// The rules of an engine.
#[derive(Debug)]
pub struct Naming {
    /// An unquoted name becomes lower case.
    pub folds: bool,
    /// The longest name in bytes, where the engine cuts what is longer.
    pub longest: Option<usize>,
    /// What stands around a quoted name.
    pub mark: char,
    /// Words that cannot be a bare column name.
    pub reserved: &'static [&'static str],
    /// The schema of a name that states none.
    pub default_schema: &'static str,
    /// Schemas of the engine itself.
    pub own_schemas: &'static [&'static str],
    /// The name that the server gives to what has none: table, columns, what it is, and the number behind it, 0 for none.
    pub given: fn(&str, &[&str], Unnamed, usize) -> String,
}

/// What a server names itself where nobody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// A primary key.
    PrimaryKey,
    /// A unique constraint.
    Unique,
    /// An exclusion constraint.
    Exclusion,
    /// A foreign key.
    ForeignKey,
    /// A check.
    Check,
    /// A NOT NULL that is a constraint.
    NotNull,
    /// An index.
    Index,
    /// A sequence of a column.
    Sequence,
    /// Extended statistics.
    Statistics,
}

impl Dialect {
    /// The name that the server gives where it is free.
    pub fn server_name(self, table: &str, columns: &[&str], of: Unnamed) -> String {
        self.numbered_name(table, columns, of, 0)
    }

    /// The same with a number behind it, as where the plain one is taken.
    pub fn numbered_name(self, table: &str, columns: &[&str], of: Unnamed, number: usize) -> String {
        (self.naming().given)(table, columns, of, number)
    }

    /// The first of these names that is free.
    pub(crate) fn free_server_name(
        self,
        table: &str,
        columns: &[&str],
        of: Unnamed,
        taken: impl Fn(&str) -> bool,
    ) -> String {
        let mut names = (0..).map(|number| self.numbered_name(table, columns, of, number));
        names.find(|it| !taken(it)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_the_server_makes_them() {
        let free = |table: &str, columns: &[&str], of, taken: &str| {
            Dialect::Postgres.free_server_name(table, columns, of, |it| it == taken)
        };
        assert_eq!(free("users", &["email"], Unnamed::Unique, ""), "users_email_key");
        assert_eq!(free("users", &["id"], Unnamed::PrimaryKey, ""), "users_pkey");
        assert_eq!(free("users", &["a"], Unnamed::Check, "users_a_check"), "users_a_check1");
        let long = free(&"t".repeat(60), &[&"c".repeat(60)], Unnamed::Index, "");
        assert_eq!(long, format!("{}_{}_idx", "t".repeat(29), "c".repeat(29)));
    }
}
