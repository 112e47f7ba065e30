//! The relations that an operation names.

use crate::dialect::{Dialect, Ident, Name};
use crate::statement::{Cursor, Script};

use super::{
    AlterTable, Column, Constraint, ConstraintKind, CreateTable, Expression, Kind, ObjectAction, Operation,
    TableAction, TypeName, sources,
};

impl Operation {
    /// The relations that it names, old and new, and the types that it makes or changes; `None` where nobody can tell what it uses. A name
    /// has its place where it stands in the operation's own words, and none where it stands in a query of its. A kind that is new must say here
    /// what it names: who asks takes the silence for nothing in common.
    pub fn relations(&self, dialect: Dialect) -> Option<Vec<Name>> {
        let mut names = Names { dialect, found: Vec::new() };
        match &self.kind {
            Kind::CreateTable(it) => names.create_table(it),
            Kind::AlterTable(it) => names.alter_table(it),
            Kind::CreateIndex(it) => {
                names.add([&it.table]);
                names.add(&it.name);
            }
            Kind::Reindex(it) => names.add(&it.name),
            Kind::Drop(it) => {
                names.add(&it.names);
                names.add(&it.on_table);
            }
            Kind::AlterObject(it) => {
                names.add([&it.name]);
                match &it.action {
                    ObjectAction::RenameTo(to) => names.beside(&it.name, to),
                    ObjectAction::SetSchema(schema) => names.moved(&it.name, schema),
                    ObjectAction::Owner(_) | ObjectAction::Update | ObjectAction::Else(_) => {}
                }
            }
            Kind::CreateView(it) => {
                names.add([&it.name]);
                names.add(&it.query.relations(dialect));
            }
            Kind::Refresh(it) => names.add([&it.view]),
            Kind::CreateType(it) => names.add([&it.name]),
            Kind::AlterType(it) => names.add([&it.name]),
            Kind::CreateDomain(it) => names.add([&it.name]),
            Kind::AlterDomain(it) => names.add([&it.name]),
            Kind::CreateSequence(it) => {
                names.add([&it.name]);
                names.add(it.owned_by.iter().map(|(table, _)| table));
            }
            Kind::AlterSequence(it) => {
                names.add([&it.name]);
                names.add(it.owned_by.iter().map(|(table, _)| table));
            }
            Kind::CreateTrigger(it) => {
                names.add([&it.table]);
                names.add(&it.from);
            }
            Kind::CreatePolicy(it) | Kind::AlterPolicy(it) | Kind::AlterOnTable(it) => {
                names.add([&it.table]);
                names.read(&it.definition);
            }
            Kind::Publication(it) if !it.all_tables => names.add(&it.tables),
            Kind::CreateStatistics(it) => {
                names.add(&it.name);
                names.add(&it.table);
            }
            Kind::Maintain(it) => names.add(&it.tables),
            Kind::Lock(it) => names.add(&it.tables),
            Kind::Truncate(it) => names.add(&it.tables),
            Kind::Comment(it) => names.add([&it.name]),
            Kind::Grant(it) => names.add(&it.tables),
            Kind::Insert(it) => {
                names.add([&it.table]);
                names.add(&it.others);
                it.query.iter().for_each(|query| names.add(&query.relations(dialect)));
            }
            Kind::Update(it) => {
                names.add([&it.table]);
                names.add(&it.others);
            }
            Kind::Delete(it) => {
                names.add([&it.table]);
                names.add(&it.others);
            }
            Kind::Merge(it) => {
                names.add([&it.table]);
                names.add(&it.others);
            }
            Kind::Copy(it) => {
                names.add(&it.table);
                names.add(&it.others);
            }
            Kind::Query(it) => names.add(&it.query.relations(dialect)),
            Kind::CreateSchema(_)
            | Kind::CreateExtension(_)
            | Kind::DefaultPrivileges(_)
            | Kind::Set(_)
            | Kind::Transaction(_)
            | Kind::Other(_) => {}
            // Code, the actions of a rule, and all tables there are.
            Kind::CreateRule(_)
            | Kind::Publication(_)
            | Kind::CreateFunction(_)
            | Kind::Do(_)
            | Kind::Unknown(_) => return None,
        }
        Some(names.found)
    }
}

impl Operation {
    /// The types of the columns that it makes or changes.
    pub fn column_types(&self) -> Vec<Name> {
        let named = |ty: &TypeName| Name { schema: ty.schema.clone(), name: ty.name.clone(), span: ty.span };
        match &self.kind {
            Kind::CreateTable(create) => create.columns.iter().map(|it| named(&it.ty)).collect(),
            Kind::AlterTable(alter) => match &alter.action {
                TableAction::AddColumn { column, .. } => vec![named(&column.ty)],
                TableAction::AlterType { ty, .. } => vec![named(ty)],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

struct Names {
    dialect: Dialect,
    found: Vec<Name>,
}

impl Names {
    fn add<'a>(&mut self, names: impl IntoIterator<Item = &'a Name>) {
        self.found.extend(names.into_iter().cloned());
    }

    /// Something beside a relation, in its schema: what it is called later, an index of it.
    fn beside(&mut self, relation: &Name, other: &Ident) {
        self.found.push(Name { span: other.span, ..relation.sibling(&other.name) });
    }

    /// Itself in another schema.
    fn moved(&mut self, relation: &Name, schema: &Ident) {
        self.found.push(Name::qualified(&schema.name, &relation.name));
    }

    /// The queries inside an expression.
    fn read(&mut self, expression: &Expression) {
        let script = Script::read(&expression.text, self.dialect);
        self.found.extend(sources::of_expression(Cursor::new(
            &expression.text,
            self.dialect,
            &script.tokens,
        )));
    }

    fn create_table(&mut self, create: &CreateTable) {
        self.add([&create.name]);
        self.add(create.like.iter().map(|it| &it.table));
        self.add(&create.inherits);
        self.add(create.partition_of.iter().map(|(parent, _)| parent));
        self.add(&create.of_type);
        create.columns.iter().for_each(|it| self.column(&create.name, it));
        create.constraints.iter().for_each(|it| self.constraint(&create.name, it));
        create.query.iter().for_each(|it| self.add(&it.relations(self.dialect)));
    }

    fn column(&mut self, table: &Name, column: &Column) {
        column.constraints.iter().for_each(|it| self.constraint(table, it));
    }

    fn constraint(&mut self, table: &Name, constraint: &Constraint) {
        match &constraint.kind {
            ConstraintKind::ForeignKey(key) => self.add([&key.references]),
            ConstraintKind::Unique { using_index, .. } | ConstraintKind::PrimaryKey { using_index, .. } => {
                using_index.iter().for_each(|index| self.beside(table, index));
            }
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_) | ConstraintKind::Exclude { .. } => {}
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        self.add([&alter.table]);
        match &alter.action {
            TableAction::AddColumn { column, .. } => self.column(&alter.table, column),
            TableAction::AddConstraint { constraint } => self.constraint(&alter.table, constraint),
            TableAction::AttachPartition { partition: other, .. }
            | TableAction::DetachPartition { partition: other, .. }
            | TableAction::AttachIndex { index: other }
            | TableAction::Inherit { parent: other }
            | TableAction::NoInherit { parent: other }
            | TableAction::OfType { ty: other } => self.add([other]),
            TableAction::RenameTo { to: other }
            | TableAction::ClusterOn { index: other }
            | TableAction::ReplicaIdentity { index: Some(other), .. } => self.beside(&alter.table, other),
            TableAction::SetSchema { schema } => self.moved(&alter.table, schema),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower::lower;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let script = Script::read(sql, Dialect::Postgres);
        let operations = script.statements.iter().flat_map(|statement| lower(&script, statement));
        let named = |it: Operation| match it.relations(Dialect::Postgres) {
            Some(names) => names.iter().map(Name::to_string).collect::<Vec<_>>().join(" "),
            None => "?".to_owned(),
        };
        assert_eq!(operations.map(named).collect::<Vec<_>>().join(", "), expected, "{sql}");
    }

    #[test]
    fn tables_name_what_they_are_made_of() {
        check("CREATE TABLE a (LIKE s.b, LIKE c) INHERITS (d)", "a s.b c d");
        check("CREATE TABLE a PARTITION OF b DEFAULT", "a b");
        check("CREATE TABLE a (b int REFERENCES c, d int, FOREIGN KEY (d) REFERENCES s.e (id))", "a c s.e");
        check("CREATE TABLE a AS SELECT * FROM b JOIN c USING (id)", "a b c");
        check("CREATE TABLE a OF b", "a b");
    }

    #[test]
    fn subcommands_name_the_other_side() {
        check("ALTER TABLE a ADD COLUMN b int REFERENCES c, ADD FOREIGN KEY (d) REFERENCES e", "a c, a e");
        check("ALTER TABLE s.a ADD PRIMARY KEY USING INDEX b, CLUSTER ON c", "s.a s.b, s.a s.c");
        check("ALTER TABLE a ATTACH PARTITION b DEFAULT; ALTER TABLE a DETACH PARTITION b", "a b, a b");
        check("ALTER TABLE a INHERIT b, NO INHERIT c, OF d", "a b, a c, a d");
        check("ALTER INDEX a ATTACH PARTITION b; ALTER TABLE a REPLICA IDENTITY USING INDEX b", "a b, a b");
        check("ALTER TABLE s.a RENAME TO b; ALTER TABLE a SET SCHEMA s", "s.a s.b, a s.a");
        check("ALTER TABLE a DROP COLUMN b", "a");
    }

    #[test]
    fn objects_name_their_tables() {
        check("CREATE INDEX a ON b (c); REINDEX TABLE d; REINDEX INDEX e", "b a, d, e");
        check("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "a");
        check(
            "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a FROM b FOR EACH ROW EXECUTE FUNCTION f()",
            "a b",
        );
        check("CREATE POLICY p ON a USING (b IN (SELECT id FROM c)); DROP POLICY p ON a", "a c, p a");
        check("CREATE SEQUENCE a OWNED BY b.c; ALTER SEQUENCE a OWNED BY s.b.c", "a b, a s.b");
        check("CREATE PUBLICATION p FOR TABLE a, b; CREATE STATISTICS s ON x, y FROM a", "a b, s a");
        check("GRANT SELECT ON a, s.b TO c; REVOKE ALL ON a FROM c", "a s.b, a");
        check(
            r#"COMMENT ON TABLE a IS ''; COMMENT ON COLUMN s."B.b".c IS ''; COMMENT ON TRIGGER t ON d IS ''"#,
            "a, s.B.b, d",
        );
        check("CREATE VIEW a AS SELECT 1 FROM b; REFRESH MATERIALIZED VIEW a; DROP VIEW a, b", "a b, a, a b");
        check("VACUUM a, b; CLUSTER a USING b; LOCK a, b; TRUNCATE a, b", "a b, a, a b, a b");
    }

    #[test]
    fn types_are_named_by_what_makes_or_changes_them() {
        check(
            "CREATE TYPE a AS ENUM ('x'); ALTER TYPE a ADD VALUE 'y'; ALTER TYPE a RENAME TO b",
            "a, a, a b",
        );
        check("CREATE DOMAIN a AS int; ALTER DOMAIN a SET NOT NULL; DROP TYPE a", "a, a, a");
    }

    #[test]
    fn changes_of_rows_name_what_they_read() {
        check(
            "INSERT INTO a SELECT 1 FROM b; WITH x AS (SELECT 1 FROM c) INSERT INTO a SELECT 1 FROM x",
            "a b, a c x",
        );
        check("UPDATE a SET b = 1 FROM c WHERE d IN (SELECT 1 FROM e); DELETE FROM a USING b", "a c e, a b");
        check(
            "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE; COPY (SELECT 1 FROM a) TO STDOUT",
            "a b, a",
        );
        check("SELECT 1 FROM a, b", "a b");
    }

    #[test]
    fn of_code_nobody_can_tell() {
        check("DO $$ BEGIN NULL; END $$", "?");
        check("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "?");
        check(
            "CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM b; CREATE PUBLICATION p FOR ALL TABLES",
            "?, ?",
        );
        check("SET lock_timeout = 0; BEGIN; CREATE SCHEMA s; CREATE EXTENSION e", ", , , ");
    }

    #[test]
    fn names_stand_where_they_are_written() {
        let sql = r#"COMMENT ON COLUMN s.a."b" IS 'x'; CREATE TABLE a (b int REFERENCES "C");"#;
        let script = Script::read(sql, Dialect::Postgres);
        let operations = script.statements.iter().flat_map(|statement| lower(&script, statement));
        let names = operations.flat_map(|it| it.relations(Dialect::Postgres).expect("they can be told"));
        assert_eq!(names.map(|it| it.span.of(sql)).collect::<Vec<_>>(), ["s.a", "a", "\"C\""]);
    }
}
