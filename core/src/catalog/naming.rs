//! The names that the server gives to constraints, indexes and sequences that have none.

use super::{Catalog, RelationName};

/// The longest name in bytes (`NAMEDATALEN` - 1).
const LONGEST: usize = 63;

impl Catalog {
    /// A free name for an index or sequence in the schema of `table`, made as the server makes it.
    pub(super) fn free_relation_name(
        &self,
        table: &RelationName,
        columns: &[&str],
        label: &str,
    ) -> RelationName {
        let taken = |name: &str| self.relations.contains_key(&sibling(table, name));
        let name = free_name(&table.name, columns, label, taken);
        sibling(table, &name)
    }
}

/// Another relation in the schema of `table`.
pub(super) fn sibling(table: &RelationName, name: &str) -> RelationName {
    RelationName { schema: table.schema.clone(), name: name.into() }
}

/// `table_columns_label`, cut to the longest name, with a number behind it where it is taken.
pub(super) fn free_name(table: &str, columns: &[&str], label: &str, taken: impl Fn(&str) -> bool) -> String {
    let middle = columns.join("_");
    let mut name = object_name(table, &middle, label);
    let mut number = 0;
    while taken(&name) {
        number += 1;
        name = object_name(table, &middle, &format!("{label}{number}"));
    }
    name
}

/// The name that the server gives where it is free: `table_columns_label`, cut to the longest name.
pub fn server_name(table: &str, columns: &[&str], label: &str) -> String {
    object_name(table, &columns.join("_"), label)
}

/// The two parts in front give way to the label, the longer one first (`makeObjectName` of the server).
fn object_name(first: &str, second: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!second.is_empty());
    let room = LONGEST.saturating_sub(overhead);
    let (mut first_length, mut second_length) = (first.len(), second.len());
    while first_length + second_length > room {
        if first_length > second_length {
            first_length -= 1;
        } else {
            second_length -= 1;
        }
    }
    let first = &first[..boundary(first, first_length)];
    let second = &second[..boundary(second, second_length)];
    if second.is_empty() { format!("{first}_{label}") } else { format!("{first}_{second}_{label}") }
}

fn boundary(text: &str, mut length: usize) -> usize {
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_the_server_makes_them() {
        assert_eq!(free_name("users", &["email"], "key", |_| false), "users_email_key");
        assert_eq!(free_name("users", &[], "pkey", |_| false), "users_pkey");
        assert_eq!(free_name("users", &["a"], "check", |name| name == "users_a_check"), "users_a_check1");
        let long = free_name(&"t".repeat(60), &[&"c".repeat(60)], "idx", |_| false);
        assert_eq!(long.len(), 63);
    }
}
