//! Operations as SQL of PostgreSQL: the way back from `lower`.

mod data;
mod table;

use crate::dialect::{Dialect, Ident, Name, quote, quote_literal};
use crate::operation::{
    AlterDomain, AlterObject, AlterSequence, AlterType, Comment, CreateDomain, CreateFunction, CreateIndex,
    CreateSequence, CreateTrigger, CreateType, CreateView, DomainAction, Drop, Grant, Kind, Lock, Maintain,
    Maintenance, ObjectAction, ObjectKind, Place, Refresh, Reindex, ReindexScope, Set, Truncate, TypeAction,
    TypeShape, Volatility,
};

/// A whole statement.
pub fn statement(kind: &Kind) -> Option<String> {
    match kind {
        Kind::CreateTable(it) => table::create(it),
        Kind::AlterTable(it) => table::alter(it),
        Kind::CreateIndex(it) => Some(create_index(it)),
        Kind::Reindex(it) => reindex(it),
        Kind::Maintain(it) => maintain(it),
        Kind::Drop(it) => Some(drop(it)),
        Kind::AlterObject(it) => alter_object(it),
        Kind::CreateView(it) => Some(create_view(it)),
        Kind::Refresh(it) => Some(refresh(it)),
        Kind::CreateType(it) => create_type(it),
        Kind::AlterType(it) => alter_type(it),
        Kind::CreateDomain(it) => create_domain(it),
        Kind::AlterDomain(it) => alter_domain(it),
        Kind::CreateSequence(it) => Some(create_sequence(it)),
        Kind::AlterSequence(it) => alter_sequence(it),
        Kind::CreateFunction(it) => create_function(it),
        Kind::CreateTrigger(it) => Some(create_trigger(it)),
        Kind::CreateSchema(it) => Some(format!("CREATE SCHEMA {}", name(it))),
        Kind::Lock(it) => Some(lock(it)),
        Kind::Truncate(it) => Some(truncate(it)),
        Kind::Set(it) => Some(set(it)),
        Kind::Insert(it) => data::insert(it),
        Kind::Update(it) => data::update(it),
        Kind::Query(it) => Some(it.query.text.clone()),
        Kind::Grant(it) => grant(it),
        Kind::Comment(it) => comment(it),
        // A person wrote it, and its own words are kept.
        Kind::Delete(_)
        | Kind::Merge(_)
        | Kind::Copy(_)
        | Kind::Do(_)
        | Kind::DefaultPrivileges(_)
        | Kind::CreateStatistics(_)
        | Kind::Publication(_)
        | Kind::CreateExtension(_)
        | Kind::CreatePolicy(_)
        | Kind::AlterPolicy(_)
        | Kind::AlterOnTable(_)
        | Kind::CreateRule(_)
        | Kind::Transaction(_)
        | Kind::Other(_)
        | Kind::Unknown(_) => None,
    }
}

fn ident(it: &Ident) -> String {
    word(&it.name)
}

fn word(identifier: &str) -> String {
    quote(identifier, Dialect::Postgres)
}

fn name(it: &Name) -> String {
    it.sql(Dialect::Postgres)
}

fn names(all: &[Name]) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn idents(all: &[Ident]) -> String {
    all.iter().map(ident).collect::<Vec<_>>().join(", ")
}

/// A word of the language that was read from a statement, where it may have stood in quotes and be anything.
fn keyword(read: &str) -> Option<String> {
    let plain = !read.is_empty() && read.bytes().all(|it| it.is_ascii_alphabetic() || it == b'_');
    plain.then(|| read.to_ascii_uppercase())
}

/// A word where something is so, with the blank behind it.
fn when(so: bool, word: &'static str) -> &'static str {
    if so { word } else { "" }
}

/// Code between dollar signs, with a tag that does not stand in it.
fn dollar_quoted(code: &str) -> String {
    let stands = |tag: &str| code.contains(&tag[..tag.len() - 1]);
    let mut tag = "$lockkeeper$".to_owned();
    let mut number = 0;
    while stands(&tag) {
        number += 1;
        tag = format!("$lockkeeper{number}x$");
    }
    format!("{tag}\n{code} {tag}")
}

/// An anonymous block of code.
pub fn block(code: &str) -> String {
    format!("DO {}", dollar_quoted(code))
}

/// A block that ends with an error where a query finds rows.
pub fn refuse(rows: &str, message: &str) -> String {
    let message = quote_literal(message);
    block(&format!(
        "BEGIN\n\x20 IF EXISTS ({rows}) THEN\n\x20   RAISE EXCEPTION USING MESSAGE = {message};\n\x20 END IF;\nEND"
    ))
}

/// A block that ends with an error where a query counts more than nothing, and says how much.
pub fn require(text: &str, count: &str) -> String {
    let begins = quote_literal(&format!("wait with this step until {text}: "));
    block(&format!(
        "DECLARE\n\x20 counted bigint := ({count});\nBEGIN\n\x20 IF counted <> 0 THEN\n\x20   RAISE EXCEPTION USING MESSAGE = {begins} || counted || ' still stand against it';\n\x20 END IF;\nEND"
    ))
}

/// A block of several statements.
pub fn together(statements: &[String]) -> String {
    block(&format!("BEGIN\n  {};\nEND", statements.join(";\n  ")))
}

/// A statement that fails, with the reason.
pub fn fail(why: &str) -> String {
    block(&format!("BEGIN\n\x20 RAISE EXCEPTION USING MESSAGE = {};\nEND", quote_literal(why)))
}

fn create_index(it: &CreateIndex) -> String {
    let named = it.name.as_ref().map(|it| format!("{} ", word(&it.name))).unwrap_or_default();
    let head = format!(
        "CREATE {}INDEX {}{}{named}ON {}{}",
        when(it.unique, "UNIQUE "),
        when(it.concurrently, "CONCURRENTLY "),
        when(it.if_not_exists, "IF NOT EXISTS "),
        when(it.only, "ONLY "),
        name(&it.table)
    );
    let written = it.definition.text.trim();
    if !written.is_empty() {
        return format!("{head} {written}");
    }
    let keys: Vec<&str> = it.keys.iter().map(|key| key.text.text.as_str()).collect();
    let method = it.method.as_ref().map(|it| format!("USING {} ", word(it))).unwrap_or_default();
    let mut sql = format!("{head} {method}({})", keys.join(", "));
    if !it.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", idents(&it.include)));
    }
    sql.push_str(when(it.nulls_not_distinct, " NULLS NOT DISTINCT"));
    if let Some(predicate) = &it.predicate {
        sql.push_str(&format!(" WHERE {}", predicate.text));
    }
    sql
}

fn reindex(it: &Reindex) -> Option<String> {
    let scope = match it.scope {
        ReindexScope::Index => "INDEX",
        ReindexScope::Table => "TABLE",
        ReindexScope::Schema => "SCHEMA",
        ReindexScope::Database | ReindexScope::System => return None,
    };
    Some(format!("REINDEX {scope} {}{}", when(it.concurrently, "CONCURRENTLY "), name(it.name.as_ref()?)))
}

/// REPACK of one table; the other commands take options that we do not keep.
fn maintain(it: &Maintain) -> Option<String> {
    let (Maintenance::Repack { concurrently }, [table]) = (it.command, it.tables.as_slice()) else {
        return None;
    };
    let order = it.index.as_ref().map(|it| format!(" USING INDEX {}", ident(it))).unwrap_or_default();
    Some(format!("REPACK {}{}{order}", when(concurrently, "(CONCURRENTLY) "), name(table)))
}

fn drop(it: &Drop) -> String {
    let arguments = match (it.object, &it.arguments) {
        (_, Some(arguments)) => format!("({arguments})"),
        (ObjectKind::Function, None) => "()".to_owned(),
        _ => String::new(),
    };
    let on = it.on_table.as_ref().map(|it| format!(" ON {}", name(it))).unwrap_or_default();
    format!(
        "DROP {} {}{}{}{arguments}{on}{}",
        it.object.title().to_uppercase(),
        when(it.concurrently, "CONCURRENTLY "),
        when(it.if_exists, "IF EXISTS "),
        names(&it.names),
        when(it.cascade, " CASCADE")
    )
}

fn alter_object(it: &AlterObject) -> Option<String> {
    let arguments = match (it.object, &it.arguments) {
        (_, Some(arguments)) => format!("({arguments})"),
        (ObjectKind::Function, None) => "()".to_owned(),
        _ => String::new(),
    };
    let action = match &it.action {
        ObjectAction::RenameTo(to) => format!("RENAME TO {}", ident(to)),
        ObjectAction::SetSchema(schema) => format!("SET SCHEMA {}", ident(schema)),
        ObjectAction::Owner(_) | ObjectAction::Update | ObjectAction::Else(_) => return None,
    };
    Some(format!("ALTER {} {}{arguments} {action}", it.object.title().to_uppercase(), name(&it.name)))
}

fn create_view(it: &CreateView) -> String {
    let head = if it.head.is_empty() { String::new() } else { format!(" {}", it.head) };
    format!(
        "CREATE {}{}{}VIEW {}{}{head} AS\n{}",
        when(it.or_replace, "OR REPLACE "),
        when(it.temporary, "TEMPORARY "),
        when(it.materialized, "MATERIALIZED "),
        when(it.if_not_exists, "IF NOT EXISTS "),
        name(&it.name),
        it.query.text
    )
}

fn refresh(it: &Refresh) -> String {
    format!(
        "REFRESH MATERIALIZED VIEW {}{}{}",
        when(it.concurrently, "CONCURRENTLY "),
        name(&it.view),
        when(!it.with_data, " WITH NO DATA")
    )
}

fn literals(all: &[String]) -> String {
    all.iter().map(|it| quote_literal(it)).collect::<Vec<_>>().join(", ")
}

fn create_type(it: &CreateType) -> Option<String> {
    match &it.shape {
        TypeShape::Enum(labels) => {
            Some(format!("CREATE TYPE {} AS ENUM ({})", name(&it.name), literals(labels)))
        }
        TypeShape::Composite(attributes) => {
            let attributes: Vec<String> =
                attributes.iter().map(|(it, ty)| format!("{} {ty}", word(it))).collect();
            Some(format!("CREATE TYPE {} AS ({})", name(&it.name), attributes.join(", ")))
        }
        TypeShape::Else => None,
    }
}

fn alter_type(it: &AlterType) -> Option<String> {
    let action = match &it.action {
        TypeAction::AddValue { value, if_not_exists, place } => {
            let place = match place {
                Some(Place::Before(label)) => format!(" BEFORE {}", quote_literal(label)),
                Some(Place::After(label)) => format!(" AFTER {}", quote_literal(label)),
                None => String::new(),
            };
            format!("ADD VALUE {}{}{place}", when(*if_not_exists, "IF NOT EXISTS "), quote_literal(value))
        }
        TypeAction::RenameValue { from, to } => {
            format!("RENAME VALUE {} TO {}", quote_literal(from), quote_literal(to))
        }
        TypeAction::Attribute { .. } => return None,
    };
    Some(format!("ALTER TYPE {} {action}", name(&it.name)))
}

/// A domain without conditions of its own, as a stand-in is.
fn create_domain(it: &CreateDomain) -> Option<String> {
    let plain = it.default.is_none() && !it.not_null && it.checks.is_empty();
    plain.then(|| format!("CREATE DOMAIN {} AS {}", name(&it.name), it.base))
}

fn alter_domain(it: &AlterDomain) -> Option<String> {
    let action = match &it.action {
        DomainAction::RenameTo(to) => format!("RENAME TO {}", ident(to)),
        DomainAction::SetSchema(schema) => format!("SET SCHEMA {}", ident(schema)),
        _ => return None,
    };
    Some(format!("ALTER DOMAIN {} {action}", name(&it.name)))
}

fn owned(by: &(Name, Ident)) -> String {
    format!(" OWNED BY {}.{}", name(&by.0), ident(&by.1))
}

fn create_sequence(it: &CreateSequence) -> String {
    format!(
        "CREATE {}SEQUENCE {}{}{}{}",
        when(it.temporary, "TEMPORARY "),
        when(it.if_not_exists, "IF NOT EXISTS "),
        name(&it.name),
        it.ty.as_ref().map(|it| format!(" AS {it}")).unwrap_or_default(),
        it.owned_by.as_ref().map(owned).unwrap_or_default()
    )
}

fn alter_sequence(it: &AlterSequence) -> Option<String> {
    if it.restarts || it.rewrites && it.ty.is_none() {
        return None;
    }
    let owner = match &it.owned_by {
        Some(by) => owned(by),
        None => when(it.disowned, " OWNED BY NONE").to_owned(),
    };
    let ty = it.ty.as_ref().map(|it| format!(" AS {it}")).unwrap_or_default();
    Some(format!("ALTER SEQUENCE {}{ty}{owner}", name(&it.name)))
}

fn create_function(it: &CreateFunction) -> Option<String> {
    let code = it.code.as_ref()?;
    let (arguments, returns) = match &it.signature {
        Some(signature) => (signature.arguments.as_str(), signature.returns.as_str()),
        None => ("", "trigger"),
    };
    let options = if it.options.is_empty() { String::new() } else { format!(" {}", it.options) };
    let volatility = match it.volatility {
        _ if it.signature.is_none() => "",
        Volatility::Immutable => " IMMUTABLE",
        Volatility::Stable => " STABLE",
        Volatility::Volatile => " VOLATILE",
    };
    let body = if code.contains('\n') { dollar_quoted(code) } else { quote_literal(code) };
    Some(format!(
        "CREATE {}FUNCTION {}({arguments}) RETURNS {returns} LANGUAGE {}{volatility}{options} AS {body}",
        when(it.or_replace, "OR REPLACE "),
        name(&it.name),
        it.language
    ))
}

fn create_trigger(it: &CreateTrigger) -> String {
    format!(
        "CREATE {}{}TRIGGER {} {} ON {}{}{}",
        when(it.or_replace, "OR REPLACE "),
        when(it.constraint, "CONSTRAINT "),
        ident(&it.name),
        it.events.text,
        name(&it.table),
        if it.action.text.starts_with('\n') { "" } else { " " },
        it.action.text
    )
}

/// Rights on tables, or on columns of them.
fn grant(it: &Grant) -> Option<String> {
    if it.tables.is_empty() || it.revoke && it.option {
        return None;
    }
    let spelled = |(privilege, columns): &(String, Vec<String>)| {
        let privilege = keyword(privilege)?;
        let columns: Vec<String> = columns.iter().map(|it| word(it)).collect();
        Some(if columns.is_empty() { privilege } else { format!("{privilege} ({})", columns.join(", ")) })
    };
    let privileges: Vec<String> = it.privileges.iter().map(spelled).collect::<Option<_>>()?;
    let roles: Vec<String> = it.roles.iter().map(|it| role(it)).collect();
    let (verb, to) = if it.revoke { ("REVOKE", "FROM") } else { ("GRANT", "TO") };
    Some(format!(
        "{verb} {} ON {} {to} {}{}",
        privileges.join(", "),
        names(&it.tables),
        roles.join(", "),
        when(it.option, " WITH GRANT OPTION")
    ))
}

/// A role: some words stand for roles.
fn role(name: &str) -> String {
    match name {
        "public" | "current_user" | "session_user" | "current_role" => name.to_uppercase(),
        name => word(name),
    }
}

fn comment(it: &Comment) -> Option<String> {
    let text = it.text.as_ref().map_or_else(|| "NULL".to_owned(), |it| quote_literal(it));
    let on = match (it.object, &it.part) {
        (ObjectKind::Column, Some(column)) => format!("{}.{}", name(&it.name), word(column)),
        (_, Some(part)) => format!("{} ON {}", word(part), name(&it.name)),
        (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate, None) => return None,
        (_, None) => name(&it.name),
    };
    Some(format!("COMMENT ON {} {on} IS {text}", it.object.title().to_uppercase()))
}

fn lock(it: &Lock) -> String {
    let nowait = when(it.nowait, " NOWAIT");
    format!("LOCK TABLE {} IN {} MODE{nowait}", names(&it.tables), it.mode.title())
}

fn truncate(it: &Truncate) -> String {
    format!(
        "TRUNCATE {}{}{}",
        names(&it.tables),
        when(it.restart_identity, " RESTART IDENTITY"),
        when(it.cascade, " CASCADE")
    )
}

fn set(it: &Set) -> String {
    let local = when(it.local, "LOCAL ");
    match &it.value {
        Some(_) if it.name == "timezone" && it.words.is_some() => {
            format!("SET {local}TIME ZONE {}", it.words.as_deref().unwrap_or_default())
        }
        Some(value) if it.words.is_some() => {
            format!("SET {local}{} = {}", it.name, it.words.as_deref().unwrap_or(value))
        }
        Some(value) => format!("SET {local}{} = {}", it.name, quote_literal(value)),
        None => format!("SET {local}{} = DEFAULT", it.name),
    }
}
