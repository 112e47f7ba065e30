//! Sequences: new ones, whose they are, and how they count.

use super::{Catalog, ColumnState, RelationKind, RelationName, Sequence, Setting};
use crate::dialect::{Ident, Unnamed};
use crate::operation::{AlterSequence, CreateSequence, Expression, TypeName};

impl Catalog {
    /// The sequence of an identity counts as that of the column which it is like.
    pub(super) fn count_alike(&mut self, table: &RelationName, like: &ColumnState) {
        let details = like.sequence.as_ref().and_then(|it| self.details(it)).cloned().unwrap_or_default();
        let counts: Vec<(String, String)> = details
            .settings
            .into_iter()
            .filter_map(|(setting, value)| match setting {
                Setting::Counts(option) => Some((option, value)),
                _ => None,
            })
            .collect();
        self.count_column(table, &like.name, &counts);
    }

    /// Makes the sequence of a serial or identity column.
    pub(super) fn own_sequence(
        &mut self,
        table: &RelationName,
        column: &str,
        ty: &TypeName,
        identity: bool,
        counts: &[(String, String)],
    ) {
        let named = counts.iter().find(|(option, _)| option == "name").map(|(_, name)| name);
        let name = named.and_then(|name| self.named_sequence(table, name));
        let name = name.unwrap_or_else(|| self.free_relation_name(table, &[column], Unnamed::Sequence));
        let owner = self.details(table).and_then(|it| it.get(&Setting::Owner).map(str::to_owned));
        let ty = TypeName { serial: false, ..ty.clone() };
        let sequence = Sequence { ty, owned_by: Some((table.clone(), column.to_owned())), identity };
        self.insert(name.clone(), RelationKind::Sequence(sequence));
        self.with_details(&name, |it| it.set(Setting::Owner, owner));
        self.count(&name, counts);
        let literal = crate::dialect::quote_literal(&name.sql(self.dialect));
        let default = (!identity).then(|| Expression::new(format!("nextval({literal}::regclass)")));
        self.with_table_of(table, |table| {
            if let Some(column) = table.column_mut(column) {
                column.sequence = Some(name);
                column.default = default.or(column.default.take());
            }
        });
    }

    /// `SEQUENCE NAME`, in the schema of the table where it states none.
    fn named_sequence(&self, table: &RelationName, name: &str) -> Option<RelationName> {
        let script = crate::statement::Script::read(name, self.dialect);
        let name = crate::statement::Cursor::new(name, self.dialect, &script.tokens).name()?;
        let schema = name.schema.as_deref().map_or_else(|| table.schema.clone(), Into::into);
        Some(RelationName { schema, name: name.name.as_str().into() })
    }

    pub(super) fn create_sequence(&mut self, create: &CreateSequence) {
        let name = self.resolve_new(&create.name);
        if self.relations.contains_key(&name) {
            return;
        }
        let ty = create.ty.clone().unwrap_or_else(|| TypeName::plain("int8"));
        let sequence = Sequence { ty, owned_by: None, identity: false };
        self.insert(name.clone(), RelationKind::Sequence(sequence));
        self.count(&name, &create.options);
        self.own(&name, create.owned_by.as_ref());
    }

    /// Takes over how a sequence counts.
    pub(super) fn count(&mut self, sequence: &RelationName, options: &[(String, String)]) {
        self.with_details(sequence, |it| {
            for (option, value) in options.iter().filter(|(option, _)| option != "name") {
                it.set(Setting::Counts(option.clone()), Some(value.clone()));
            }
        });
    }

    pub(super) fn count_column(&mut self, table: &RelationName, column: &str, options: &[(String, String)]) {
        let sequence = self.table(table).and_then(|it| it.column(column)).and_then(|it| it.sequence.clone());
        if let Some(sequence) = sequence {
            self.count(&sequence, options);
        }
    }

    /// `OWNED BY NONE`
    fn disown(&mut self, sequence: &RelationName) {
        let Some(RelationKind::Sequence(state)) = self.relation(sequence).map(|it| &it.kind) else { return };
        let owner = state.owned_by.clone();
        self.with_relation(sequence, |kind| {
            if let RelationKind::Sequence(sequence) = kind {
                sequence.owned_by = None;
            }
        });
        if let Some((table, column)) = owner {
            self.with_table_of(&table, |table| {
                if let Some(column) = table.column_mut(&column) {
                    column.sequence = None;
                }
            });
        }
    }

    pub(super) fn alter_sequence(&mut self, alter: &AlterSequence) {
        let name = self.resolve(&alter.name);
        self.with_relation(&name, |kind| {
            if let (RelationKind::Sequence(sequence), Some(ty)) = (kind, &alter.ty) {
                sequence.ty = ty.clone();
            }
        });
        self.count(&name, &alter.options);
        if alter.disowned {
            self.disown(&name);
        }
        self.own(&name, alter.owned_by.as_ref());
    }

    fn own(&mut self, sequence: &RelationName, owner: Option<&(crate::dialect::Name, Ident)>) {
        let Some((table, column)) = owner else { return };
        let owner = (self.resolve(table), column.name.clone());
        let before = match self.relation(sequence).map(|it| &it.kind) {
            Some(RelationKind::Sequence(state)) => state.owned_by.clone(),
            _ => None,
        };
        if let Some((table, column)) = before {
            self.with_table_of(&table, |table| {
                if let Some(column) = table.column_mut(&column) {
                    column.sequence = None;
                }
            });
        }
        self.with_table_of(&owner.0, |table| {
            if let Some(column) = table.column_mut(&owner.1) {
                column.sequence = Some(sequence.clone());
            }
        });
        // The server takes it only where both have one owner.
        let has = self.details(&owner.0).and_then(|it| it.get(&Setting::Owner).map(str::to_owned));
        self.with_details(sequence, |it| it.set(Setting::Owner, has));
        self.with_relation(sequence, |kind| {
            if let RelationKind::Sequence(sequence) = kind {
                sequence.owned_by = Some(owner);
            }
        });
    }
}
