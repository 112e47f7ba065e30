//! What releases are told: a name in what they must do says what they start or stop using.

use crate::catalog::RelationName;
use crate::dialect::Dialect;

/// What the releases that are out were told.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub releases: &'a [&'a [String]],
    pub dialect: Dialect,
}

impl Told<'_> {
    /// Whether a release was told something about a name.
    pub fn names(&self, name: &str) -> bool {
        self.releases.iter().flat_map(|it| it.iter()).any(|must| stands_in(must, name, Behind::Anything))
    }

    /// Whether a release was told something about a whole relation: to use another in its place, or not at all.
    pub fn names_whole(&self, relation: &RelationName) -> bool {
        let name = relation.display(self.dialect);
        let own = &*relation.schema == self.dialect.default_schema();
        self.releases.iter().flat_map(|it| it.iter()).any(|must| {
            // A whole schema may have another name.
            let schema = !own && stands_in(must, &relation.schema, Behind::NoColumn);
            schema || stands_in(must, &name, Behind::NoColumn)
        })
    }

    /// Whether a release was told to use a column of a relation no more.
    pub fn stops_column(&self, relation: &RelationName, column: &str) -> bool {
        let stops = |must: &&String| STOPS.iter().any(|it| must.contains(it));
        self.releases
            .iter()
            .flat_map(|it| it.iter())
            .filter(stops)
            .any(|it| self.is_column_in(it, relation, column))
    }

    /// Whether a release was told something about a column of a relation.
    pub fn names_column(&self, relation: &RelationName, column: &str) -> bool {
        self.releases.iter().flat_map(|it| it.iter()).any(|it| self.is_column_in(it, relation, column))
    }

    /// Whether a text names the column, with its relation in front, or beside the relation.
    fn is_column_in(&self, must: &str, relation: &RelationName, column: &str) -> bool {
        let name = relation.display(self.dialect);
        let beside = stands_in(must, &name, Behind::Anything) && stands_in(must, column, Behind::Anything);
        stands_in(must, &format!("{name}.{column}"), Behind::Anything) || beside
    }
}

/// The words of releases that end the use of something.
const STOPS: &[&str] = &["stop using", "stop reading", "stop writing", "wherever it says", "instead of"];

#[derive(Clone, Copy, PartialEq)]
enum Behind {
    Anything,
    /// A dot and a name would make it a column.
    NoColumn,
}

fn stands_in(text: &str, name: &str, behind: Behind) -> bool {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut rest = text[at + name.len()..].chars();
        let (next, next_but_one) = (rest.next(), rest.next());
        let column = next == Some('.') && next_but_one.is_some_and(is_word);
        let within_word = before.is_some_and(is_word) || next.is_some_and(is_word);
        !(within_word || column && behind == Behind::NoColumn)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        let stands = |name: &str, behind| stands_in("write orders.total_2, and say bills", name, behind);
        assert!(stands("orders.total_2", Behind::Anything) && stands("bills", Behind::NoColumn));
        assert!(!stands("total", Behind::Anything) && !stands("orders", Behind::NoColumn));
        assert!(stands("orders", Behind::Anything));
    }
}
