//! Free names for what nobody named; how they are made is the engine's.

use super::{Catalog, RelationName};
use crate::dialect::Unnamed;

impl Catalog {
    /// A free name for an index or sequence in the schema of `table`, made as the server makes it.
    pub(super) fn free_relation_name(
        &self,
        table: &RelationName,
        columns: &[&str],
        of: Unnamed,
    ) -> RelationName {
        let taken = |name: &str| self.relations.contains_key(&sibling(table, name));
        let name = self.dialect().free_server_name(&table.name, columns, of, taken);
        sibling(table, &name)
    }
}

/// Another relation in the schema of `table`.
pub(super) fn sibling(table: &RelationName, name: &str) -> RelationName {
    RelationName { schema: table.schema.clone(), name: name.into() }
}
