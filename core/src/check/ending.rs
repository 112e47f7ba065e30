//! Code that ends a transaction where the server does not let it (measured on 11, 15 and 18).

use crate::catalog::{Catalog, Definition};
use crate::effect::Effect;
use crate::engine::lower::{ending, lower};
use crate::operation::{Body, CreateFunction, Kind, Operation, QueryText};
use crate::statement::{Cursor, Script};

/// Routines that call each other are followed no deeper.
const DEEPEST: usize = 8;

/// Says in the effect why a block, a called procedure or a function fails: it ends the transaction around it.
pub(super) fn refuse(
    effect: &mut Effect,
    operation: &Operation,
    script: &Script<'_>,
    catalog: &Catalog,
    in_transaction: bool,
) {
    let found = match &operation.kind {
        Kind::Do(body) if in_transaction => of_block(body, script, catalog),
        Kind::Query(query) => of_query(&query.query, catalog, in_transaction),
        _ => None,
    };
    let Some((reason, certain)) = found else { return };
    if certain {
        effect.fails.get_or_insert(reason);
    } else {
        effect.may_fail.get_or_insert(reason);
    }
}

fn of_block(body: &Body, script: &Script<'_>, catalog: &Catalog) -> Option<(String, bool)> {
    if body.language != "plpgsql" {
        return None;
    }
    let found = ending(script, body.code, &|name| procedure_ends(name, catalog, 0))?;
    let what = match found.what.as_str() {
        "COMMIT" | "ROLLBACK" => format!("{} in the block", found.what),
        name => format!("{name}, which ends the transaction,"),
    };
    Some((format!("{what} is refused while a transaction is open around it"), found.certain))
}

/// `CALL procedure()`, or a SELECT that calls functions.
fn of_query(query: &QueryText, catalog: &Catalog, in_transaction: bool) -> Option<(String, bool)> {
    let dialect = catalog.dialect();
    let script = Script::read(&query.text, dialect);
    let mut cursor = Cursor::new(&query.text, dialect, &script.tokens);
    if cursor.eat("call") {
        let name = cursor.name()?.name;
        let certain = procedure_ends(&name, catalog, 0)?;
        let definition = only(&name, catalog)?;
        let reason = if in_transaction {
            format!("{name} ends the transaction, which is refused while one is open around the call")
        } else if bars_ending(definition) {
            format!("{name} ends the transaction, which is refused with SECURITY DEFINER or SET")
        } else {
            return None;
        };
        return Some((reason, certain));
    }
    let plain = cursor.is("select") && !cursor.has(&["from", "where", "limit"]);
    let ends_in = |name: &str| {
        only(name, catalog).filter(|it| !it.procedure)?;
        routine_ends(name, catalog, 0)
    };
    let called = catalog.definitions().map(|(name, _)| &*name.name);
    let called = called.filter(|name| query.calls(dialect, |it| it == *name));
    let found = called.filter_map(|name| Some((name, ends_in(name)?))).min();
    let (name, certain) = found?;
    Some((format!("the function {name} ends the transaction, and only a procedure may"), certain && plain))
}

/// The definition of this name, where there is one only.
fn only<'a>(name: &str, catalog: &'a Catalog) -> Option<&'a Definition> {
    let mut found = catalog.definitions().filter(|(it, _)| &*it.name == name);
    let (_, definition) = found.next()?;
    found.next().is_none().then_some(definition)
}

fn bars_ending(definition: &Definition) -> bool {
    let text = definition.text.to_lowercase();
    let words = || text.split_whitespace().zip(text.split_whitespace().skip(1));
    words().any(|pair| pair == ("security", "definer")) || sets(definition)
}

/// Whether SET stands outside its body.
fn sets(definition: &Definition) -> bool {
    let script = Script::read(&definition.text, crate::dialect::Dialect::Postgres);
    let mut cursor = Cursor::new(&definition.text, crate::dialect::Dialect::Postgres, &script.tokens);
    cursor.group();
    cursor.has(&["set"])
}

fn procedure_ends(name: &str, catalog: &Catalog, depth: usize) -> Option<bool> {
    only(name, catalog).filter(|it| it.procedure)?;
    routine_ends(name, catalog, depth)
}

/// Whether the routine ends a transaction: certainly, or perhaps.
fn routine_ends(name: &str, catalog: &Catalog, depth: usize) -> Option<bool> {
    let definition = only(name, catalog).filter(|_| depth < DEEPEST)?;
    let word = if definition.procedure { "PROCEDURE" } else { "FUNCTION" };
    let text = format!("CREATE {word} it {}", definition.text);
    let script = Script::read(&text, catalog.dialect());
    let operation = lower(&script, script.statements.first()?).into_iter().next()?;
    let Kind::CreateFunction(function) = operation.kind else { return None };
    let CreateFunction { body: Some(code), language, .. } = *function else { return None };
    if language != "plpgsql" {
        return None;
    }
    ending(&script, code, &|name| procedure_ends(name, catalog, depth + 1)).map(|it| it.certain)
}
