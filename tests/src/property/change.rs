//! Random single changes of a schema.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::schema::{Column, Key, Schema, TYPES, Table, quote};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    RenameColumn,
    ChangeType,
    SetNotNull,
    DropNotNull,
    SetDefault,
    AddForeignKey,
    AddUnique,
    AddPrimaryKey,
    AddCheck,
    CreateIndex,
    DropIndex,
    ReplaceIndex,
    BuildIndexAnew,
    DropColumn,
    RenameTable,
    DropTable,
    AddColumn,
    AddRequiredColumn,
    AddColumnOfMoment,
    AddSerial,
    AddIdentity,
    AddGenerated,
    SetUnlogged,
    WriteAnew,
    Order,
    Update,
    Delete,
    WidenKey,
    Fill,
    FillAndRequire,
    AddAndFill,
    RetypeAndUse,
}

impl Kind {
    pub const ALL: &'static [Self] = &[
        Self::RenameColumn,
        Self::ChangeType,
        Self::SetNotNull,
        Self::DropNotNull,
        Self::SetDefault,
        Self::AddForeignKey,
        Self::AddUnique,
        Self::AddPrimaryKey,
        Self::AddCheck,
        Self::CreateIndex,
        Self::DropIndex,
        Self::ReplaceIndex,
        Self::BuildIndexAnew,
        Self::DropColumn,
        Self::RenameTable,
        Self::DropTable,
        Self::AddColumn,
        Self::AddRequiredColumn,
        Self::AddColumnOfMoment,
        Self::AddSerial,
        Self::AddIdentity,
        Self::AddGenerated,
        Self::SetUnlogged,
        Self::WriteAnew,
        Self::Order,
        Self::Update,
        Self::Delete,
        Self::WidenKey,
        Self::Fill,
        Self::FillAndRequire,
        Self::AddAndFill,
        Self::RetypeAndUse,
    ];
}

impl Kind {
    /// Those that one transaction can hold together.
    const TOGETHER: &'static [Self] = &[
        Self::RenameColumn,
        Self::ChangeType,
        Self::SetNotNull,
        Self::DropNotNull,
        Self::SetDefault,
        Self::AddForeignKey,
        Self::AddUnique,
        Self::AddCheck,
        Self::CreateIndex,
        Self::DropIndex,
        Self::DropColumn,
        Self::AddColumn,
        Self::AddRequiredColumn,
        Self::AddColumnOfMoment,
        Self::Update,
        Self::Delete,
        Self::Fill,
        Self::FillAndRequire,
        Self::AddAndFill,
        Self::RetypeAndUse,
    ];
}

#[derive(Debug, Clone)]
pub(super) struct Change {
    pub kind: Kind,
    table: Index,
    column: Index,
    more: Index,
    /// Which of several it is: what is new has another name in each.
    number: usize,
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    (select(Kind::ALL), any::<Index>(), any::<Index>(), any::<Index>())
        .prop_map(|(kind, table, column, more)| Change { kind, table, column, more, number: 0 })
}

/// Two to six changes, of one table as often as not.
pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = (select(Kind::TOGETHER), any::<Index>(), any::<Index>(), any::<Index>(), any::<bool>());
    (any::<Index>(), proptest::collection::vec(one, 2..=6)).prop_map(|(shared, all)| {
        let number = |(number, (kind, own, column, more, alike)): (usize, _)| {
            let table = if alike { shared } else { own };
            Change { kind, table, column, more, number }
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

impl Change {
    /// Whether it may stand in a transaction.
    pub fn transactional(&self) -> bool {
        self.kind != Kind::WriteAnew
    }

    /// The statement; `None` where the schema has nothing of the kind.
    pub fn sql(&self, schema: &Schema) -> Option<String> {
        let table = self.table.get(&schema.tables);
        let column = self.column.get(&table.columns);
        let (quoted, name) = (column.quoted(), table.quoted());
        let alter = |action: String| Some(format!("ALTER TABLE {name} {action};"));
        let new = |what: &str| match self.number {
            0 => what.to_owned(),
            number => format!("{what}{number}"),
        };
        let extra = new("extra");
        match self.kind {
            Kind::RenameColumn => alter(format!("RENAME COLUMN {quoted} TO {}", quote(&new("new name")))),
            Kind::ChangeType => self.change_type(column).and_then(alter),
            Kind::SetNotNull => alter(format!("ALTER COLUMN {quoted} SET NOT NULL")),
            Kind::DropNotNull => alter(format!("ALTER COLUMN {quoted} DROP NOT NULL")),
            Kind::SetDefault => alter(format!("ALTER COLUMN {quoted} SET DEFAULT NULL")),
            Kind::AddForeignKey => self.foreign_key(schema, table).and_then(alter),
            Kind::AddUnique if column.is_distinct() => alter(format!("ADD UNIQUE ({quoted}, id)")),
            Kind::AddPrimaryKey if table.key == Key::Nothing => alter("ADD PRIMARY KEY (id)".to_owned()),
            Kind::AddCheck => alter(format!("ADD CHECK ({quoted} IS NOT NULL OR id <> 0)")),
            Kind::CreateIndex if column.is_comparable() => {
                Some(format!("CREATE INDEX {} ON {name} ({quoted}) WHERE id > 3;", quote(&new("new index"))))
            }
            Kind::DropIndex if table.indexes() > 0 => {
                Some(format!("DROP INDEX {};", table.index_name(self.more.index(table.indexes()))))
            }
            Kind::ReplaceIndex if table.indexes() > 0 && column.is_comparable() => {
                let index = table.index_name(self.more.index(table.indexes()));
                Some(format!("DROP INDEX {index}; CREATE INDEX {index} ON {name} ({quoted}) WHERE id > 3;"))
            }
            Kind::BuildIndexAnew if table.indexes() > 0 => {
                Some(format!("REINDEX INDEX {};", table.index_name(self.more.index(table.indexes()))))
            }
            Kind::WriteAnew => Some(format!("VACUUM FULL {name};")),
            Kind::Order if table.indexes() > 0 => {
                let index = table.index_name(self.more.index(table.indexes()));
                Some(format!("CLUSTER {name} USING {index};"))
            }
            Kind::DropColumn => alter(format!("DROP COLUMN {quoted}")),
            Kind::RenameTable => alter("RENAME TO \"New Table\"".to_owned()),
            Kind::DropTable => Some(format!("DROP TABLE {name};")),
            Kind::AddColumn => alter(format!("ADD COLUMN {extra} text DEFAULT 'it''s'")),
            Kind::AddRequiredColumn => {
                alter(format!("ADD COLUMN {extra} int NOT NULL DEFAULT 7 CHECK ({extra} > 0)"))
            }
            Kind::AddColumnOfMoment => {
                alter(format!("ADD COLUMN {extra} timestamptz DEFAULT clock_timestamp()"))
            }
            Kind::AddSerial => alter("ADD COLUMN extra bigserial".to_owned()),
            Kind::AddIdentity => alter("ADD COLUMN extra int GENERATED ALWAYS AS IDENTITY".to_owned()),
            Kind::AddGenerated => {
                alter(format!("ADD COLUMN extra boolean GENERATED ALWAYS AS ({quoted} IS NULL) STORED"))
            }
            Kind::SetUnlogged => alter("SET UNLOGGED".to_owned()),
            Kind::Update if !column.not_null => Some(format!("UPDATE {name} SET {quoted} = NULL;")),
            Kind::Delete => Some(format!("DELETE FROM {name} WHERE {quoted} IS NULL;")),
            Kind::Fill => {
                Some(format!("UPDATE {name} SET {quoted} = {0} WHERE {quoted} IS NULL;", column.constant()))
            }
            Kind::FillAndRequire => Some(format!(
                "UPDATE {name} SET {quoted} = {0} WHERE {quoted} IS NULL; ALTER TABLE {name} ALTER COLUMN {quoted} SET NOT NULL;",
                column.constant()
            )),
            Kind::AddAndFill => Some(format!(
                "ALTER TABLE {name} ADD COLUMN {extra} text; UPDATE {name} SET {extra} = coalesce({quoted}::text, 'none'); \
                 ALTER TABLE {name} ALTER COLUMN {extra} SET NOT NULL;"
            )),
            // What follows only makes sense of the new type.
            Kind::RetypeAndUse if TYPES[column.ty].2.contains(&"text") => Some(format!(
                "ALTER TABLE {name} ALTER COLUMN {quoted} TYPE text USING {quoted}::text; ALTER TABLE {name} ADD CHECK ({quoted} <> 'never'); \
                 UPDATE {name} SET {quoted} = NULL WHERE id = 3 AND {quoted} = 'never'; CREATE INDEX {} ON {name} (lower({quoted}));",
                quote(&new("lower"))
            )),
            Kind::WidenKey if table.key == Key::Integer => alter("ALTER COLUMN id TYPE bigint".to_owned()),
            _ => None,
        }
    }

    fn change_type(&self, column: &Column) -> Option<String> {
        let types = TYPES[column.ty].2;
        (!types.is_empty()).then(|| {
            let ty = self.more.get(types);
            format!("ALTER COLUMN {0} TYPE {ty} USING {0}::{ty}", column.quoted())
        })
    }

    fn foreign_key(&self, schema: &Schema, table: &Table) -> Option<String> {
        let integer = table.columns.iter().find(|it| it.type_name() == "integer" && !it.has_default)?;
        let whole = |it: &&Table| ![Key::Nothing, Key::Two].contains(&it.key);
        let keyed: Vec<&Table> = schema.tables.iter().filter(whole).collect();
        let other = (!keyed.is_empty()).then(|| self.more.get(&keyed))?;
        let name =
            quote(&if self.number == 0 { "new key".to_owned() } else { format!("new key{}", self.number) });
        Some(format!(
            "ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} (id) ON DELETE SET NULL",
            integer.quoted(),
            other.quoted()
        ))
    }
}
