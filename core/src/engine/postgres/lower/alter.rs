//! ALTER, one operation for each subcommand of a relation.

use super::column::{column, table_constraint, type_name};
use super::options::{counts, storage_options};
use super::{create, expression, object, right, routine, table, unknown};
use crate::dialect::Name;
use crate::operation::{
    AlterObject, AlterTable, Identity, Kind, ObjectAction, ObjectKind, Operation, Publication,
    PublicationAction, RelationWord, TableAction, TriggerState,
};
use crate::statement::{Cursor, TokenKind};

/// Reads everything behind the word ALTER.
pub(super) fn alter(mut cursor: Cursor<'_>, statement: &Cursor<'_>) -> Vec<Operation> {
    let mut relation = cursor;
    if let Some(word) = relation_word(&mut relation) {
        return match alter_relation(relation, word, statement) {
            Some(operations) => operations,
            None => vec![unknown(statement, "the name of the relation is missing")],
        };
    }
    match alter_object(&mut cursor) {
        Some(kind) => vec![Operation { kind, span: statement.span() }],
        None => vec![unknown(statement, "the statement is not in a form that PostgreSQL 11 to 19 has")],
    }
}

fn relation_word(cursor: &mut Cursor<'_>) -> Option<RelationWord> {
    if cursor.eat_all("materialized view") {
        return Some(RelationWord::MaterializedView);
    }
    if cursor.eat_all("foreign table") {
        return Some(RelationWord::ForeignTable);
    }
    match cursor.eat_any(&["table", "index", "view", "sequence"])? {
        "table" => Some(RelationWord::Table),
        "index" => Some(RelationWord::Index),
        "view" => Some(RelationWord::View),
        _ => Some(RelationWord::Sequence),
    }
}

fn alter_relation(
    mut cursor: Cursor<'_>,
    relation: RelationWord,
    statement: &Cursor<'_>,
) -> Option<Vec<Operation>> {
    if cursor.eat_all("all in tablespace") {
        let kind = Kind::Other("ALTER … ALL IN TABLESPACE".to_owned());
        return Some(vec![Operation { kind, span: statement.span() }]);
    }
    let if_exists = cursor.eat_all("if exists");
    let only = cursor.eat("only");
    let table = cursor.name()?;
    cursor.eat("*");
    let alter = AlterTable { table, relation, only, if_exists, action: TableAction::Unread };
    if relation == RelationWord::Sequence && !cursor.is_any(&["rename", "owner"]) && !is_set(&cursor) {
        let kind = object::alter_sequence(alter.table, &mut cursor)?;
        return Some(vec![Operation { kind, span: statement.span() }]);
    }
    let segments = cursor.rest().segments();
    if segments.is_empty() {
        return Some(vec![unknown(statement, "nothing is said to be done")]);
    }
    let single = segments.len() == 1;
    let operation = |segment: &Cursor<'_>| {
        let span = if single { statement.span() } else { segment.span() };
        subcommand(*segment, &alter, span, statement)
    };
    Some(segments.iter().map(operation).collect())
}

fn is_set(cursor: &Cursor<'_>) -> bool {
    cursor.is("set") && ["schema", "logged", "unlogged"].iter().any(|word| cursor.is_at(1, word))
}

fn subcommand(
    segment: Cursor<'_>,
    alter: &AlterTable,
    span: crate::text::Span,
    statement: &Cursor<'_>,
) -> Operation {
    let mut reader = segment;
    match action(&mut reader, alter.relation) {
        Some(action) if reader.at_end() => {
            Operation { kind: Kind::AlterTable(Box::new(AlterTable { action, ..alter.clone() })), span }
        }
        _ => {
            let text: String = segment.span().of(segment.text()).chars().take(60).collect();
            let mut operation = unknown(statement, format!("this subcommand could not be read: {text}"));
            if let Kind::Unknown(unknown) = &mut operation.kind {
                unknown.relation = Some(alter.table.clone());
            }
            Operation { span, ..operation }
        }
    }
}

fn action(cursor: &mut Cursor<'_>, relation: RelationWord) -> Option<TableAction> {
    match cursor.next_token()?.span.of(cursor.text()).to_ascii_lowercase().as_str() {
        "add" => add(cursor),
        "drop" => drop(cursor),
        "alter" if cursor.eat("constraint") => alter_constraint(cursor),
        "alter" => alter_column(cursor),
        "validate" if cursor.eat("constraint") => {
            Some(TableAction::ValidateConstraint { name: cursor.ident()? })
        }
        "rename" => rename(cursor),
        "set" => set(cursor),
        "reset" => set_options(cursor),
        "owner" if cursor.eat("to") => Some(TableAction::Owner { to: cursor.ident()?.name }),
        "enable" => enable(cursor),
        "disable" => trigger_or_rule(cursor, TriggerState::Disabled),
        "force" if cursor.eat_all("row level security") => {
            Some(TableAction::ForceRowSecurity { forced: true })
        }
        "no" if cursor.eat_all("force row level security") => {
            Some(TableAction::ForceRowSecurity { forced: false })
        }
        "no" if cursor.eat("inherit") => Some(TableAction::NoInherit { parent: cursor.name()? }),
        "no" if cursor.eat_all("depends on extension") => {
            cursor.name()?;
            Some(TableAction::DependsOnExtension)
        }
        "depends" if cursor.eat_all("on extension") => {
            cursor.name()?;
            Some(TableAction::DependsOnExtension)
        }
        "inherit" => Some(TableAction::Inherit { parent: cursor.name()? }),
        "of" => Some(TableAction::OfType { ty: cursor.name()? }),
        "not" if cursor.eat("of") => Some(TableAction::NotOf),
        "cluster" if cursor.eat("on") => Some(TableAction::ClusterOn { index: cursor.ident()? }),
        "replica" if cursor.eat("identity") => replica_identity(cursor),
        "attach" if cursor.eat("partition") => attach(cursor, relation),
        "detach" if cursor.eat("partition") => detach(cursor),
        "options" => {
            let options = vec![("options".to_owned(), Some(expression(&cursor.group()?).text))];
            Some(TableAction::SetOptions { names: vec!["options".to_owned()], options })
        }
        _ => None,
    }
}

fn add(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let mut constraint = *cursor;
    let word = ["constraint", "check", "unique", "primary", "foreign", "exclude"];
    let not_null = cursor.is("not") && cursor.is_at(1, "null");
    if cursor.is_any(&word) || not_null {
        let found = table_constraint(&mut constraint)?;
        *cursor = constraint;
        return Some(TableAction::AddConstraint { constraint: Box::new(found) });
    }
    cursor.eat("column");
    let if_not_exists = cursor.eat_all("if not exists");
    let column = column(cursor)?;
    Some(TableAction::AddColumn { column: Box::new(column), if_not_exists })
}

fn drop(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let constraint = cursor.eat("constraint");
    if !constraint {
        cursor.eat("column");
    }
    let if_exists = cursor.eat_all("if exists");
    let name = cursor.ident()?;
    let cascade = cursor.eat("cascade");
    cursor.eat("restrict");
    Some(match constraint {
        true => TableAction::DropConstraint { name, if_exists, cascade },
        false => TableAction::DropColumn { column: name, if_exists, cascade },
    })
}

fn alter_constraint(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let name = cursor.ident()?;
    let (mut enforced, mut inherit, mut timing) = (None, false, None);
    while let Some(token) = cursor.next_token() {
        let word = token.span.of(cursor.text()).to_ascii_lowercase();
        match word.as_str() {
            "enforced" => enforced = Some(true),
            "not" if cursor.eat("enforced") => enforced = Some(false),
            // Whether it is deferrable, and deferred from the start.
            "not" if cursor.eat("deferrable") => timing = Some((false, false)),
            "deferrable" => timing = Some((true, timing.is_some_and(|(_, deferred)| deferred))),
            "initially" if cursor.eat("deferred") => timing = Some((true, true)),
            "inherit" => inherit = true,
            _ => {}
        }
    }
    Some(TableAction::AlterConstraint { name, enforced, timing, inherit })
}

fn alter_column(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    cursor.eat("column");
    if cursor.eat_kind(TokenKind::Number).is_some() && cursor.eat_all("set statistics") {
        return Some(TableAction::SetStatistics { column: None, target: rest(cursor).text });
    }
    let column = cursor.ident()?;
    if cursor.eat_all("set data type") || cursor.eat("type") {
        let ty = type_name(cursor)?;
        let collation = if cursor.eat("collate") { Some(cursor.name()?) } else { None };
        let using = if cursor.eat("using") { Some(rest(cursor)) } else { None };
        return Some(TableAction::AlterType { column, ty, using, collation });
    }
    match cursor.next_token()?.span.of(cursor.text()).to_ascii_lowercase().as_str() {
        "set" => set_column(column, cursor),
        "reset" => {
            let options = storage_options(&cursor.group()?);
            let options = options.into_iter().map(|(name, _)| (name, None)).collect();
            Some(TableAction::SetColumnOptions { column, options })
        }
        "drop" => drop_from_column(column, cursor),
        "add" if cursor.eat("generated") => {
            let identity = identity(cursor)?;
            cursor.eat_all("as identity").then_some(())?;
            let counts = cursor.group().map(|mut group| counts(&mut group)).unwrap_or_default();
            Some(TableAction::AddIdentity { column, identity, counts })
        }
        "restart" => {
            while cursor.next_token().is_some() {}
            Some(TableAction::AlterIdentity { column, identity: None, counts: Vec::new() })
        }
        "options" => {
            let options = vec![("options".to_owned(), Some(expression(&cursor.group()?).text))];
            Some(TableAction::SetColumnOptions { column, options })
        }
        _ => None,
    }
}

fn rest(cursor: &mut Cursor<'_>) -> crate::operation::Expression {
    let found = expression(&cursor.rest());
    while cursor.next_token().is_some() {}
    found
}

fn identity(cursor: &mut Cursor<'_>) -> Option<Identity> {
    if cursor.eat("always") {
        return Some(Identity::Always);
    }
    cursor.eat_all("by default").then_some(Identity::ByDefault)
}

fn set_column(column: crate::dialect::Ident, cursor: &mut Cursor<'_>) -> Option<TableAction> {
    if cursor.eat("default") {
        return Some(TableAction::SetDefault { column, default: rest(cursor) });
    }
    if cursor.eat_all("not null") {
        return Some(TableAction::SetNotNull { column });
    }
    if cursor.eat_all("expression as") {
        return Some(TableAction::SetExpression { column, expression: expression(&cursor.group()?) });
    }
    if cursor.eat("generated") {
        let identity = Some(identity(cursor)?);
        return Some(TableAction::AlterIdentity { column, identity, counts: counts(cursor) });
    }
    if cursor.eat("statistics") {
        return Some(TableAction::SetStatistics { column: Some(column), target: rest(cursor).text });
    }
    if cursor.eat("storage") {
        return Some(TableAction::SetStorage { column, storage: cursor.ident()?.name });
    }
    if cursor.eat("compression") {
        return Some(TableAction::SetCompression { column, method: cursor.ident()?.name });
    }
    if let Some(group) = cursor.group() {
        return Some(TableAction::SetColumnOptions { column, options: storage_options(&group) });
    }
    if cursor.is_any(&[
        "increment",
        "minvalue",
        "maxvalue",
        "start",
        "restart",
        "cache",
        "cycle",
        "no",
        "sequence",
    ]) {
        return Some(TableAction::AlterIdentity { column, identity: None, counts: set_counts(cursor) });
    }
    None
}

/// Reads the options of `SET option …`, each behind a word SET of its own but the first.
fn set_counts(cursor: &mut Cursor<'_>) -> Vec<(String, String)> {
    let mut all = counts(cursor);
    while cursor.eat("set") {
        all.extend(counts(cursor));
    }
    all
}

fn drop_from_column(column: crate::dialect::Ident, cursor: &mut Cursor<'_>) -> Option<TableAction> {
    if cursor.eat("default") {
        return Some(TableAction::DropDefault { column });
    }
    if cursor.eat_all("not null") {
        return Some(TableAction::DropNotNull { column });
    }
    let word = cursor.eat_any(&["expression", "identity"])?;
    let if_exists = cursor.eat_all("if exists");
    Some(match word {
        "expression" => TableAction::DropExpression { column, if_exists },
        _ => TableAction::DropIdentity { column },
    })
}

fn rename(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    if cursor.eat("to") {
        return Some(TableAction::RenameTo { to: cursor.ident()? });
    }
    if cursor.eat("constraint") {
        let name = cursor.ident()?;
        cursor.eat("to").then_some(())?;
        return Some(TableAction::RenameConstraint { name, to: cursor.ident()? });
    }
    cursor.eat("column");
    let column = cursor.ident()?;
    cursor.eat("to").then_some(())?;
    Some(TableAction::RenameColumn { column, to: cursor.ident()? })
}

fn set(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    if cursor.eat("schema") {
        return Some(TableAction::SetSchema { schema: cursor.ident()? });
    }
    if cursor.eat("logged") {
        return Some(TableAction::SetLogged { logged: true });
    }
    if cursor.eat("unlogged") {
        return Some(TableAction::SetLogged { logged: false });
    }
    if cursor.eat("tablespace") {
        return Some(TableAction::SetTablespace { tablespace: cursor.ident()?.name });
    }
    if cursor.eat_all("access method") {
        return Some(TableAction::SetAccessMethod { method: cursor.ident()?.name });
    }
    if cursor.eat_all("without cluster") {
        return Some(TableAction::SetWithoutCluster);
    }
    if cursor.eat_all("without oids") {
        return Some(TableAction::SetWithoutOids);
    }
    set_options(cursor)
}

fn set_options(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let resets = cursor.index() > 0 && cursor.part(0, cursor.index()).has(&["reset"]);
    let mut options = storage_options(&cursor.group()?);
    if resets {
        options.iter_mut().for_each(|(_, value)| *value = None);
    }
    let names = options.iter().map(|(name, _)| name.clone()).collect();
    Some(TableAction::SetOptions { names, options })
}

fn enable(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let state = match cursor.eat_any(&["replica", "always"]) {
        Some("replica") => TriggerState::OnReplicas,
        Some(_) => TriggerState::Always,
        None => TriggerState::Enabled,
    };
    trigger_or_rule(cursor, state)
}

fn trigger_or_rule(cursor: &mut Cursor<'_>, state: TriggerState) -> Option<TableAction> {
    if cursor.eat("trigger") {
        let name = cursor.ident()?;
        let all = matches!(name.name.as_str(), "all" | "user");
        return Some(TableAction::Trigger { name: Some(name).filter(|_| !all), state });
    }
    if cursor.eat("rule") {
        return Some(TableAction::Rule { name: cursor.ident()?, state });
    }
    let enabled = state == TriggerState::Enabled;
    cursor.eat_all("row level security").then_some(TableAction::RowSecurity { enabled })
}

fn replica_identity(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    if cursor.eat_all("using index") {
        let index = Some(cursor.ident()?);
        return Some(TableAction::ReplicaIdentity { index, nothing: false, full: false });
    }
    let word = cursor.eat_any(&["full", "default", "nothing"])?;
    let (nothing, full) = (word == "nothing", word == "full");
    Some(TableAction::ReplicaIdentity { index: None, nothing, full })
}

fn attach(cursor: &mut Cursor<'_>, relation: RelationWord) -> Option<TableAction> {
    let partition = cursor.name()?;
    if relation == RelationWord::Index {
        return Some(TableAction::AttachIndex { index: partition });
    }
    Some(TableAction::AttachPartition { partition, bound: table::bound(cursor)? })
}

fn detach(cursor: &mut Cursor<'_>) -> Option<TableAction> {
    let partition = cursor.name()?;
    let concurrently = cursor.eat("concurrently");
    Some(TableAction::DetachPartition { partition, concurrently, finalize: cursor.eat("finalize") })
}

/// Reads an ALTER of anything that is no relation.
fn alter_object(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.eat_all("default privileges") {
        return Some(right::default_privileges(*cursor));
    }
    if cursor.is("system") {
        return Some(Kind::Other("ALTER SYSTEM".to_owned()));
    }
    if cursor.is("policy") {
        return create::on_table(*cursor, "on").map(Kind::AlterPolicy);
    }
    if cursor.is_any(&["trigger", "rule"]) {
        return create::on_table(*cursor, "on").map(Kind::AlterOnTable);
    }
    let object = super::drop::object_kind(cursor)?;
    if object == ObjectKind::Else {
        return Some(Kind::Other("ALTER of an object outside tables".to_owned()));
    }
    let name = cursor.name()?;
    let arguments = cursor.group();
    let takes = arguments.map(|group| routine::types(&group));
    let arguments = arguments.map(|it| it.span().of(it.text()).to_owned());
    let mut reader = *cursor;
    let special = match object {
        ObjectKind::Type => object::alter_type(name.clone(), &mut reader),
        ObjectKind::Domain => object::alter_domain(name.clone(), &mut reader),
        ObjectKind::Publication => publication(name.clone(), &mut reader),
        _ => None,
    };
    special.or_else(|| {
        Some(Kind::AlterObject(AlterObject {
            object,
            name,
            arguments,
            takes,
            action: object_action(cursor)?,
        }))
    })
}

fn object_action(cursor: &mut Cursor<'_>) -> Option<ObjectAction> {
    if cursor.eat_all("rename to") {
        return Some(ObjectAction::RenameTo(cursor.ident()?));
    }
    if cursor.eat_all("set schema") {
        return Some(ObjectAction::SetSchema(cursor.ident()?));
    }
    if cursor.eat_all("owner to") {
        return Some(ObjectAction::Owner(cursor.ident()?.name));
    }
    if cursor.is("update") {
        return Some(ObjectAction::Update);
    }
    (!cursor.at_end()).then(|| ObjectAction::Else(rest(cursor).text))
}

fn publication(name: Name, cursor: &mut Cursor<'_>) -> Option<Kind> {
    let action = match cursor.eat_any(&["add", "drop", "set"])? {
        "add" => PublicationAction::Add,
        "drop" => PublicationAction::Drop,
        _ if cursor.is("table") => PublicationAction::Set,
        _ => PublicationAction::Else,
    };
    let tables =
        if action == PublicationAction::Else { Vec::new() } else { create::publication_tables(cursor) };
    Some(Kind::Publication(Publication { name, action, tables, except: Vec::new(), all_tables: false }))
}
