//! Statements of a change, made from names and values. What only adds knows what takes it back.

use crate::catalog::{ColumnState, ConstraintState, Demand, Index, RelationName};
use crate::dialect::{Dialect, Ident, LockMode, Name};
use crate::operation::{
    AlterDomain, AlterObject, AlterSequence, AlterTable, AlterType, Column, Constraint, ConstraintKind,
    CreateDomain, CreateFunction, CreateIndex, CreateSequence, CreateTable, CreateTrigger, CreateType,
    CreateView, DomainAction, Drop, Expression, ForeignKey, Identity, IndexKey, Insert, Kind, Like, Lock,
    Maintain, Maintenance, ObjectAction, ObjectKind, PartitionBound, Place, Query, QueryText, Refresh,
    Reindex, ReindexScope, RelationWord, Set, Signature, TableAction, Truncate, TypeAction, TypeName,
    TypeShape, Update, Volatility,
};
use crate::plan::Statement;
use crate::text::Span;

/// An identifier that stands nowhere in a text.
pub(crate) fn ident(name: impl Into<String>) -> Ident {
    Ident { name: name.into(), span: Span::default() }
}

fn idents<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Ident> {
    names.into_iter().map(ident).collect()
}

/// The name of a relation as a statement says it: without the schema where that is the default one.
pub(crate) fn name(relation: &RelationName, dialect: Dialect) -> Name {
    match &*relation.schema == dialect.default_schema() {
        true => Name::new(&*relation.name),
        false => Name::qualified(&*relation.schema, &*relation.name),
    }
}

fn query_text(text: impl Into<String>) -> QueryText {
    QueryText { text: text.into(), span: Span::default() }
}

/// Statements about one relation.
#[derive(Debug, Clone)]
pub(crate) struct On {
    /// The relation.
    pub name: Name,
    /// The word that statements use for it.
    pub word: RelationWord,
}

impl On {
    pub fn table(relation: &RelationName, dialect: Dialect) -> Self {
        Self { name: name(relation, dialect), word: RelationWord::Table }
    }

    /// One subcommand.
    pub fn does(&self, action: TableAction) -> Statement {
        let (table, relation) = (self.name.clone(), self.word);
        let alter = AlterTable { table, relation, only: false, if_exists: false, action };
        Kind::AlterTable(Box::new(alter)).into()
    }

    pub fn add_column(&self, column: Column) -> Statement {
        let drop = self.drop_column(&column.name.name, false);
        self.does(TableAction::AddColumn { column: Box::new(column), if_not_exists: false }).undone_by(drop)
    }

    pub fn drop_column(&self, column: &str, cascade: bool) -> Statement {
        self.does(TableAction::DropColumn { column: ident(column), if_exists: false, cascade })
    }

    pub fn set_default(&self, column: &str, default: impl Into<String>) -> Statement {
        let set = TableAction::SetDefault { column: ident(column), default: Expression::new(default) };
        self.does(set).undone_by(self.drop_default(column))
    }

    pub fn drop_default(&self, column: &str) -> Statement {
        self.does(TableAction::DropDefault { column: ident(column) })
    }

    pub fn set_not_null(&self, column: &str) -> Statement {
        let drop = self.does(TableAction::DropNotNull { column: ident(column) });
        self.does(TableAction::SetNotNull { column: ident(column) }).undone_by(drop)
    }

    pub fn drop_not_null(&self, column: &str) -> Statement {
        let set = self.does(TableAction::SetNotNull { column: ident(column) });
        self.does(TableAction::DropNotNull { column: ident(column) }).undone_by(set)
    }

    pub fn retype(&self, column: &str, ty: TypeName, using: Option<String>) -> Statement {
        let using = using.map(Expression::new);
        self.does(TableAction::AlterType { column: ident(column), ty, using, collation: None })
    }

    pub fn add(&self, constraint: Constraint) -> Statement {
        let drop = constraint.name.as_ref().map(|it| self.drop_constraint(&it.name));
        let add = self.does(TableAction::AddConstraint { constraint: Box::new(constraint) });
        match drop {
            Some(drop) => add.undone_by(drop),
            None => add,
        }
    }

    pub fn validate(&self, constraint: &str) -> Statement {
        self.does(TableAction::ValidateConstraint { name: ident(constraint) })
    }

    pub fn drop_constraint(&self, constraint: &str) -> Statement {
        self.does(TableAction::DropConstraint { name: ident(constraint), if_exists: false, cascade: false })
    }

    /// When a constraint is looked at.
    pub fn time(&self, constraint: &str, deferrable: bool, deferred: bool) -> Statement {
        let timing = Some((deferrable, deferred));
        self.does(TableAction::AlterConstraint {
            name: ident(constraint),
            enforced: None,
            timing,
            inherit: false,
        })
    }

    pub fn rename_constraint(&self, from: &str, to: &str) -> Statement {
        let rename = |from, to| self.does(TableAction::RenameConstraint { name: ident(from), to: ident(to) });
        rename(from, to).undone_by(rename(to, from))
    }

    pub fn rename_column(&self, from: &str, to: &str) -> Statement {
        let rename = |from, to| self.does(TableAction::RenameColumn { column: ident(from), to: ident(to) });
        rename(from, to).undone_by(rename(to, from))
    }

    pub fn rename(&self, to: &str) -> Statement {
        let back = Self { name: self.name.sibling(to), word: self.word };
        let from = self.name.name.clone();
        let rename = |on: &Self, to: &str| on.does(TableAction::RenameTo { to: ident(to) });
        rename(self, to).undone_by(rename(&back, &from))
    }

    pub fn set_schema(&self, schema: &str) -> Statement {
        self.does(TableAction::SetSchema { schema: ident(schema) })
    }

    pub fn add_identity(&self, column: &str, identity: Identity, sequence: Option<Name>) -> Statement {
        let drop = self.drop_identity(column);
        let counts = sequence.map(|it| ("name".to_owned(), it.sql(Dialect::Postgres))).into_iter().collect();
        self.does(TableAction::AddIdentity { column: ident(column), identity, counts }).undone_by(drop)
    }

    pub fn drop_identity(&self, column: &str) -> Statement {
        self.does(TableAction::DropIdentity { column: ident(column) })
    }

    pub fn set_identity(&self, column: &str, identity: Identity) -> Statement {
        self.does(TableAction::AlterIdentity {
            column: ident(column),
            identity: Some(identity),
            counts: Vec::new(),
        })
    }

    pub fn attach_partition(&self, partition: Name, bound: PartitionBound) -> Statement {
        let detach = self.detach_partition(partition.clone(), false);
        self.does(TableAction::AttachPartition { partition, bound }).undone_by(detach)
    }

    pub fn detach_partition(&self, partition: Name, concurrently: bool) -> Statement {
        self.does(TableAction::DetachPartition { partition, concurrently, finalize: false })
    }

    /// `UPDATE … SET … [WHERE …]`
    pub fn update(&self, set: Vec<(&str, String)>, condition: Option<String>) -> Statement {
        let columns = set.iter().map(|(column, _)| ident(*column)).collect();
        let set = set.into_iter().map(|(column, value)| (ident(column), Expression::new(value))).collect();
        let update = Update {
            table: self.name.clone(),
            alias: None,
            set: Some(set),
            from: None,
            plain: true,
            columns,
            condition: condition.map(Expression::new),
            others: Vec::new(),
        };
        Kind::Update(Box::new(update)).into()
    }

    /// `INSERT INTO … (…) SELECT …`
    pub fn insert<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        overriding: bool,
        query: impl Into<String>,
    ) -> Statement {
        let insert = Insert {
            table: self.name.clone(),
            columns: idents(columns),
            overriding,
            defaults: false,
            query: Some(query_text(query)),
            others: Vec::new(),
            on_conflict: None,
        };
        Kind::Insert(Box::new(insert)).into()
    }

    pub fn truncate(&self) -> Statement {
        Kind::Truncate(Truncate { tables: vec![self.name.clone()], cascade: false, restart_identity: false })
            .into()
    }

    pub fn drop_trigger(&self, trigger: &str) -> Statement {
        let on_table = Some(self.name.clone());
        gone(ObjectKind::Trigger, Name::new(trigger), |it| Drop { on_table, ..it })
    }
}

/// A column with its type and collation.
pub(crate) fn column(name: &str, ty: TypeName, collation: Option<Name>) -> Column {
    Column { name: ident(name), ty, collation, ..Column::default() }
}

/// A column as it is, without default and conditions.
pub(super) fn bare_column(name: &str, state: &ColumnState) -> Column {
    column(name, state.ty.clone(), state.collation.as_ref().map(Name::new))
}

/// A constraint under a name.
pub(crate) fn constraint(name: &str, kind: ConstraintKind) -> Constraint {
    Constraint { name: Some(ident(name)), ..Constraint::of(kind) }
}

/// A check under a name.
pub(crate) fn check(name: &str, condition: impl Into<String>) -> Constraint {
    constraint(name, ConstraintKind::Check(Expression::new(condition)))
}

/// The constraint that an index of its name is made into.
pub(crate) fn from_index(name: &str, primary: bool, index: &str) -> Constraint {
    let using_index = Some(ident(index));
    constraint(
        name,
        match primary {
            true => ConstraintKind::PrimaryKey { columns: Vec::new(), using_index },
            false => ConstraintKind::Unique { columns: Vec::new(), using_index, nulls_not_distinct: false },
        },
    )
}

/// The key of columns.
pub(crate) fn key<'a>(name: &str, primary: bool, columns: impl IntoIterator<Item = &'a str>) -> Constraint {
    let (columns, using_index) = (idents(columns), None);
    constraint(
        name,
        match primary {
            true => ConstraintKind::PrimaryKey { columns, using_index },
            false => ConstraintKind::Unique { columns, using_index, nulls_not_distinct: false },
        },
    )
}

/// A constraint made again as it is, under its name; `None` for those that no words make again.
pub(crate) fn again(state: &ConstraintState, dialect: Dialect) -> Option<Constraint> {
    let columns = |names: &[String]| idents(names.iter().map(String::as_str));
    let kind = match &state.demand {
        Demand::Check(check) => ConstraintKind::Check(Expression::new(check.text.clone())),
        Demand::ForeignKey { columns: own, references, key } => ConstraintKind::ForeignKey(ForeignKey {
            columns: columns(own),
            references: name(references, dialect),
            referenced: key.referenced.clone(),
            actions: key.actions.clone(),
        }),
        Demand::Unique(own) => {
            ConstraintKind::Unique { columns: columns(own), using_index: None, nulls_not_distinct: false }
        }
        Demand::PrimaryKey(own) => ConstraintKind::PrimaryKey { columns: columns(own), using_index: None },
        Demand::NotNull(_) | Demand::Exclude(_) => return None,
    };
    let (deferrable, initially_deferred) = (state.deferrable, state.initially_deferred);
    Some(Constraint {
        deferrable,
        initially_deferred,
        temporal: state.temporal,
        ..constraint(&state.name, kind)
    })
}

/// How an index is built or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// While nobody writes the table.
    Plain,
    /// Beside writers, by itself.
    Concurrent,
}

/// An index made again as it is, under a name.
pub(crate) fn index(
    table: &RelationName,
    state: &Index,
    own: &str,
    build: Build,
    dialect: Dialect,
) -> Statement {
    let keys = state.keys.iter().map(|key| IndexKey {
        column: key.column.as_ref().map(ident),
        text: Expression::new(key.text.text.clone()),
    });
    create_index(CreateIndex {
        name: Some(Name::new(own)),
        table: name(table, dialect),
        unique: state.unique,
        concurrently: build == Build::Concurrent,
        method: Some(state.method.clone()),
        keys: keys.collect(),
        include: idents(state.include.iter().map(String::as_str)),
        predicate: state.predicate.as_ref().map(|it| Expression::new(it.text.clone())),
        ..CreateIndex::default()
    })
}

/// A unique index of columns.
pub(crate) fn unique_index<'a>(
    table: Name,
    own: &str,
    columns: impl IntoIterator<Item = &'a str>,
    build: Build,
    dialect: Dialect,
) -> Statement {
    let key = |column| IndexKey {
        column: Some(ident(column)),
        text: Expression::new(crate::dialect::quote(column, dialect)),
    };
    create_index(CreateIndex {
        name: Some(Name::new(own)),
        table,
        unique: true,
        concurrently: build == Build::Concurrent,
        keys: columns.into_iter().map(key).collect(),
        ..CreateIndex::default()
    })
}

/// An index, and its end in the same way.
pub(crate) fn create_index(index: CreateIndex) -> Statement {
    let own = index.name.clone().unwrap_or_default();
    let build = if index.concurrently { Build::Concurrent } else { Build::Plain };
    let name = index.table.sibling(own.name);
    let drop = drop_index(name, build, build == Build::Concurrent);
    Statement::from(Kind::CreateIndex(Box::new(index))).undone_by(drop)
}

fn gone(object: ObjectKind, name: Name, more: impl FnOnce(Drop) -> Drop) -> Statement {
    let drop = Drop {
        object,
        names: vec![name],
        takes: Vec::new(),
        on_table: None,
        concurrently: false,
        if_exists: false,
        cascade: false,
        arguments: None,
        keyword: Span::default(),
    };
    Kind::Drop(more(drop)).into()
}

pub(crate) fn drop(object: ObjectKind, name: Name) -> Statement {
    gone(object, name, |it| it)
}

pub(crate) fn drop_index(name: Name, build: Build, if_exists: bool) -> Statement {
    gone(ObjectKind::Index, name, |it| Drop { concurrently: build == Build::Concurrent, if_exists, ..it })
}

pub(crate) fn drop_function(name: Name, arguments: Option<String>) -> Statement {
    gone(ObjectKind::Function, name, |it| Drop { arguments, ..it })
}

/// Another name or schema of something that is no relation.
pub(crate) fn alter_object(
    object: ObjectKind,
    name: Name,
    arguments: Option<String>,
    action: ObjectAction,
) -> Statement {
    Kind::AlterObject(AlterObject { object, name, arguments, takes: None, action }).into()
}

pub(crate) fn alter_domain(name: Name, action: DomainAction) -> Statement {
    Kind::AlterDomain(Box::new(AlterDomain { name, action })).into()
}

pub(crate) fn create_domain(name: Name, base: TypeName) -> Statement {
    let (default, collation, checks) = (None, None, Vec::new());
    let domain = CreateDomain { name, base, default, collation, not_null: false, checks };
    Kind::CreateDomain(Box::new(domain)).into()
}

pub(super) fn create_enum(name: Name, labels: &[String]) -> Statement {
    let drop = drop(ObjectKind::Type, name.clone());
    let (shape, definition) = (TypeShape::Enum(labels.to_vec()), Expression::default());
    Statement::from(Kind::CreateType(CreateType { name, shape, definition })).undone_by(drop)
}

pub(crate) fn add_enum_value(name: Name, value: &str, place: Option<Place>) -> Statement {
    let action = TypeAction::AddValue { value: value.to_owned(), if_not_exists: false, place };
    Kind::AlterType(AlterType { name, action }).into()
}

pub(crate) fn create_schema(schema: &str) -> Statement {
    let drop = drop(ObjectKind::Schema, Name::new(schema));
    Statement::from(Kind::CreateSchema(Name::new(schema))).undone_by(drop)
}

/// A view with what stands between its name and its query.
pub(crate) fn create_view(name: Name, head: &str, query: &str) -> Statement {
    let drop = drop(ObjectKind::View, name.clone());
    view(name, head, query, false).undone_by(drop)
}

/// A view in place of the one that is there.
pub(crate) fn replace_view(name: Name, head: &str, query: &str) -> Statement {
    view(name, head, query, true)
}

fn view(name: Name, head: &str, query: &str, or_replace: bool) -> Statement {
    let view = CreateView {
        name,
        or_replace,
        if_not_exists: false,
        temporary: false,
        materialized: false,
        with_data: true,
        columns: Vec::new(),
        head: head.to_owned(),
        options: Vec::new(),
        query: query_text(query),
    };
    Kind::CreateView(Box::new(view)).into()
}

/// An empty table with all that another one has.
pub(crate) fn create_like(name: Name, of: Name, unlogged: bool) -> Statement {
    let like = vec![Like { table: of, including: vec!["all".to_owned()] }];
    create_table(CreateTable { name, unlogged, like, ..CreateTable::default() })
}

pub(super) fn create_table(table: CreateTable) -> Statement {
    let drop = drop(ObjectKind::Table, table.name.clone());
    Statement::from(Kind::CreateTable(Box::new(table))).undone_by(drop)
}

pub(crate) fn create_sequence(name: Name, ty: TypeName, owned_by: Option<(Name, &str)>) -> Statement {
    let drop = drop(ObjectKind::Sequence, name.clone());
    let owned_by = owned_by.map(|(table, column)| (table, ident(column)));
    let (ty, options) = (Some(ty), Vec::new());
    let sequence = CreateSequence { name, if_not_exists: false, ty, owned_by, temporary: false, options };
    Statement::from(Kind::CreateSequence(sequence)).undone_by(drop)
}

/// A sequence that belongs to another column, or to none, and may count in another type.
pub(crate) fn own_sequence(name: Name, ty: Option<TypeName>, owner: Option<(Name, &str)>) -> Statement {
    let disowned = owner.is_none() && ty.is_none();
    let owned_by = owner.map(|(table, column)| (table, ident(column)));
    let rewrites = ty.is_some();
    let options = Vec::new();
    Kind::AlterSequence(AlterSequence { name, ty, owned_by, disowned, restarts: false, rewrites, options })
        .into()
}

/// A function that triggers call.
pub(super) fn trigger_function(name: Name, options: &str, code: String) -> Statement {
    let drop = drop_function(name.clone(), None);
    let function = CreateFunction {
        name,
        or_replace: false,
        volatility: Volatility::Volatile,
        language: "plpgsql".to_owned(),
        body: None,
        is_parsed: false,
        code: Some(code),
        options: options.to_owned(),
        returns_trigger: true,
        takes: Vec::new(),
        procedure: false,
        definition: Expression::default(),
        signature: None,
    };
    Statement::from(Kind::CreateFunction(Box::new(function))).undone_by(drop)
}

/// A function of one query.
pub(crate) fn query_function(
    name: Name,
    signature: Signature,
    volatility: Volatility,
    query: String,
) -> Statement {
    let function = CreateFunction {
        name,
        or_replace: false,
        volatility,
        language: "sql".to_owned(),
        body: None,
        is_parsed: false,
        code: Some(query),
        options: String::new(),
        returns_trigger: false,
        takes: Vec::new(),
        procedure: false,
        definition: Expression::default(),
        signature: Some(signature),
    };
    Kind::CreateFunction(Box::new(function)).into()
}

/// A trigger of words: `BEFORE INSERT OR UPDATE`, and what stands behind the table's name.
pub(crate) fn trigger(own: &str, table: &Name, constraint: bool, events: &str, action: &str) -> Statement {
    let on = On { name: table.clone(), word: RelationWord::Table };
    let drop = on.drop_trigger(own);
    let trigger = CreateTrigger {
        name: ident(own),
        table: table.clone(),
        or_replace: false,
        constraint,
        from: None,
        timing: if events.starts_with("BEFORE") { "before" } else { "after" },
        for_each_row: action.contains("FOR EACH ROW"),
        columns: Vec::new(),
        function: None,
        events: Expression::new(events),
        action: Expression::new(action),
    };
    Statement::from(Kind::CreateTrigger(Box::new(trigger))).undone_by(drop)
}

pub(crate) fn lock(tables: Vec<Name>, mode: LockMode) -> Statement {
    Kind::Lock(Lock { tables, mode, nowait: false }).into()
}

pub(crate) fn set_local(setting: &str, value: &str) -> Statement {
    Kind::Set(Set { name: setting.to_owned(), value: Some(value.to_owned()), words: None, local: true })
        .into()
}

/// A query for what it does.
pub(crate) fn query(text: impl Into<String>) -> Statement {
    Kind::Query(Query { query: query_text(text), locks_rows: false }).into()
}

/// Nothing: the way back from what needs none.
pub(crate) fn nothing() -> Statement {
    query("SELECT 1")
}

pub(crate) fn reindex(scope: ReindexScope, name: Name) -> Statement {
    let reindex =
        Reindex { scope, name: Some(name), concurrently: true, newer_form: false, keyword: Span::default() };
    Kind::Reindex(reindex).into()
}

pub(crate) fn refresh(view: Name) -> Statement {
    Kind::Refresh(Refresh { view, concurrently: true, with_data: true, keyword: Span::default() }).into()
}

/// A table rewritten without blocking its users, in the order of an index where one is named.
pub(crate) fn repack(table: Name, index: Option<Ident>) -> Statement {
    let command = Maintenance::Repack { concurrently: true };
    Kind::Maintain(Maintain { command, tables: vec![table], index }).into()
}
