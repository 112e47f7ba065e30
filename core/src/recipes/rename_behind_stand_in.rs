//! Rename or move a type, function or schema: something that does the same stands under the old name; or it is said why nothing can.

use crate::catalog::{RelationKind, RelationName, UserType};
use crate::dialect::{Dialect, Name};
use crate::engine::Count;
use crate::hazards::Rule;
use crate::hazards::compatibility::{renamed_object, renamed_schema};
use crate::mechanics::make;
use crate::mechanics::scene::Scene;
use crate::mechanics::stand_in::StandIn;
use crate::mechanics::sync::undone;
use crate::mechanics::{Phases, Refusal};
use crate::operation::{
    DomainAction, Kind, ObjectAction, ObjectKind, Operation, RelationWord, TableAction, TypeName,
};
use crate::plan::{Criterion, Statement, Way};

use super::rename_behind_view::{self, Moved};
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "rename-behind-stand-in",
    dialects: &[Dialect::Postgres],
    page: include_str!("rename_behind_stand_in.md"),
    ways: &[Way::View],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(ObjectKind, &Name, Moved<'_>)> {
    match &operation.kind {
        Kind::AlterObject(alter) => {
            let moved = match &alter.action {
                ObjectAction::RenameTo(to) => Moved::Name(&to.name),
                ObjectAction::SetSchema(to) => Moved::Schema(&to.name),
                _ => return None,
            };
            Some((alter.object, &alter.name, moved))
        }
        Kind::AlterDomain(alter) => {
            let moved = match &alter.action {
                DomainAction::RenameTo(to) => Moved::Name(&to.name),
                DomainAction::SetSchema(to) => Moved::Schema(&to.name),
                _ => return None,
            };
            Some((ObjectKind::Domain, &alter.name, moved))
        }
        Kind::AlterTable(alter) if alter.relation == RelationWord::Sequence => {
            let moved = match &alter.action {
                TableAction::RenameTo { to } => Moved::Name(&to.name),
                TableAction::SetSchema { schema } => Moved::Schema(&schema.name),
                _ => return None,
            };
            Some((ObjectKind::Sequence, &alter.table, moved))
        }
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Phases {
    let Some((object, name, moved)) = parts(operation) else {
        return Err(Refusal::new("it renames nothing"));
    };
    let old = scene.resolve(name);
    match object {
        ObjectKind::Type | ObjectKind::Domain => ty(scene, &old, &moved.of(&old)),
        ObjectKind::Function | ObjectKind::Routine => function(scene, &old, &moved.of(&old)),
        ObjectKind::Schema => match moved {
            Moved::Name(to) => schema(scene, &name.name, to),
            Moved::Schema(_) => Err(Refusal::new("a schema lies in no other")),
        },
        ObjectKind::Sequence => Err(Refusal::new(format!(
            "nothing can stand in for the sequence {name}: nextval and currval take a sequence and nothing else. Columns follow by themselves; only \
             who says its name must change. Leave the name, or let the application ask for the value by `DEFAULT` or \
             pg_get_serial_sequence first, and then rename it as it is written"
        ))),
        ObjectKind::Extension => Err(Refusal::new(format!(
            "what {name} made moves all at once, and nothing can stand in for all of its operators and types: add the new schema to the search_path of \
             roles and database first (ALTER DATABASE … SET search_path), let the application name neither schema, and then move it as it is written"
        ))),
        other => Err(Refusal::new(format!(
            "nothing stands in for a renamed {}: make one of the new name beside it, release the application that says it, and drop the old one",
            other.title()
        ))),
    }
}

fn shown(scene: &Scene<'_>, old: &RelationName, new: &RelationName) -> (String, String) {
    (old.display(scene.dialect()), new.display(scene.dialect()))
}

/// The statement that gives something the new name, which is no danger to the running release, and the one that gives the old name back.
fn both(
    rule: &'static Rule,
    rename: impl Fn(&RelationName, &RelationName) -> Statement,
    (old, new): (&RelationName, &RelationName),
) -> (Vec<Statement>, Vec<Statement>) {
    let because = "something takes the old name in the same transaction";
    (vec![rename(old, new).allowing(rule, because)], vec![rename(new, old)])
}

fn moved(from: &RelationName, to: &RelationName) -> ObjectAction {
    match from.schema == to.schema {
        true => ObjectAction::RenameTo(make::ident(&*to.name)),
        false => ObjectAction::SetSchema(make::ident(&*to.schema)),
    }
}

/// A domain of the old name over the type. With an enum below, comparisons fail, so that one is refused.
fn ty(scene: &Scene<'_>, old: &RelationName, new: &RelationName) -> Phases {
    let name = Name::qualified(&*old.schema, &*old.name);
    let is_domain = match scene.catalog.type_named(&name) {
        None => {
            return Err(Refusal::new(format!(
                "nothing is known of the type {}: put the migration into its folder, or give the schema",
                old.display(scene.dialect())
            )));
        }
        Some(UserType::Enum(_)) => {
            return Err(Refusal::new(format!(
                "a domain under the old name of an enum takes casts and values, but no comparison: `{new} = {old}` is no operator. Labels without a \
                 cast do not name the type: stop casting to {old} in the application, and then rename it as it is written",
                new = scene.sql(new),
                old = scene.sql(old)
            )));
        }
        Some(UserType::Domain { .. }) => true,
        Some(UserType::Composite(_) | UserType::Else) => false,
    };
    let alter = |from: &RelationName, to: &RelationName| match (is_domain, moved(from, to)) {
        (false, action) => make::alter_object(ObjectKind::Type, scene.name(from), None, action),
        (true, ObjectAction::SetSchema(to)) => {
            make::alter_domain(scene.name(from), DomainAction::SetSchema(to))
        }
        (true, _) => make::alter_domain(scene.name(from), DomainAction::RenameTo(make::ident(&*to.name))),
    };
    let (rename, rename_back) = both(&renamed_object::RULE, alter, (old, new));
    let base = TypeName {
        schema: (&*new.schema != scene.dialect().default_schema()).then(|| new.schema.to_string()),
        ..TypeName::plain(&new.name)
    };
    let stand_in = StandIn {
        word: "domain",
        names: shown(scene, old, new),
        stem: (old.name.to_string(), new.name.to_string()),
        rename,
        rename_back,
        make: vec![make::create_domain(scene.name(old), base)],
        drop: vec![make::drop(ObjectKind::Domain, scene.name(old))],
        limits: "constructors of ranges, functions over any type, and drivers that look for the type itself do not take one".to_owned(),
        exit: Vec::new(),
        unused: vec![Criterion::counts_nothing(
            "no column, function or view was made with the old name",
            scene.count(&Count::UsesOfType { ty: &scene.sql(old) }),
        )],
    };
    Ok(stand_in.phases(scene))
}

/// A function of the old name that calls the new one.
fn function(scene: &Scene<'_>, old: &RelationName, new: &RelationName) -> Phases {
    let display = old.display(scene.dialect());
    let Some(routine) = scene.catalog.routine(&old.name) else {
        return Err(Refusal::new(format!(
            "nothing is known of the function {display}: put the migration into its folder, so that its arguments are known"
        )));
    };
    if routine.of_triggers {
        return Err(Refusal::new(format!(
            "{display} is called by triggers only, which follow by themselves: rename it as it is written"
        )));
    }
    let Some(signature) = &routine.signature else {
        return Err(Refusal::new(format!(
            "how {display} is called is not certain: there are several of the name, or an argument is more than a value that goes in. Make one of the \
             new name beside it, let the old one call it, release the application that says the new name, and drop the old one"
        )));
    };
    let each = signature.each.join(", ");
    let alter = |from: &RelationName, to: &RelationName| {
        make::alter_object(ObjectKind::Function, scene.name(from), Some(each.clone()), moved(from, to))
    };
    let (rename, rename_back) = both(&renamed_object::RULE, alter, (old, new));
    let values: Vec<String> = (1..=signature.each.len()).map(|it| format!("${it}")).collect();
    let call = format!("{}.{}({})", scene.quote(&new.schema), scene.quote(&new.name), values.join(", "));
    let first = signature.returns.split_whitespace().next().unwrap_or_default().to_lowercase();
    let rows = matches!(first.split('(').next(), Some("setof" | "table"));
    let body = if rows { format!("SELECT * FROM {call}") } else { format!("SELECT {call}") };
    let make = make::query_function(scene.name(old), signature.clone(), routine.volatility, body);
    let stand_in = StandIn {
        word: "function",
        names: shown(scene, old, new),
        stem: (old.name.to_string(), new.name.to_string()),
        rename,
        rename_back,
        make: vec![make],
        drop: vec![make::drop_function(scene.name(old), Some(each.clone()))],
        limits: "indexes and checks were made with the function itself, and go on using it".to_owned(),
        exit: vec![Criterion::of_people(
            "who may call the function may call the one under the old name: where rights were taken from PUBLIC, take and give them again",
        )],
        unused: vec![Criterion::counts_nothing(
            "no other function uses the old name in its text",
            scene.count(&Count::Callers { old, new }),
        )],
    };
    Ok(stand_in.phases(scene))
}

/// A schema of the old name with a view for each table and view.
fn schema(scene: &Scene<'_>, from: &str, to: &str) -> Phases {
    let mut inside: Vec<(&RelationName, &RelationKind)> = scene
        .catalog
        .relations()
        .filter(|(name, _)| &*name.schema == from)
        .map(|(name, relation)| (name, &relation.kind))
        .collect();
    inside.sort_by_key(|(name, _)| *name);
    let no = |what: String| {
        Err(Refusal::new(format!(
            "{from} holds {what}, and nothing is put in its place by itself: make the schema {to} beside it, and move one object after the other with \
             SET SCHEMA, each in a migration of its own"
        )))
    };
    let free =
        inside.iter().find(|(_, kind)| matches!(kind, RelationKind::Sequence(it) if it.owned_by.is_none()));
    if let Some((name, _)) = free {
        return no(format!("the sequence {}", name.name));
    }
    if let Some((name, _)) = scene.catalog.types().find(|(name, _)| &*name.schema == from) {
        return no(format!("the type {}", name.name));
    }
    if let Some((name, _)) = scene.catalog.routines().find(|(_, it)| &*it.schema == from) {
        return no(format!("the function {name}"));
    }
    let shown: Vec<&RelationName> = inside
        .iter()
        .filter(|(_, kind)| matches!(kind, RelationKind::Table(_) | RelationKind::View(_)))
        .map(|(name, _)| *name)
        .collect();
    for name in &shown {
        rename_behind_view::refuse(scene, name)?;
    }
    let new = |name: &RelationName| RelationName { schema: to.into(), name: name.name.clone() };
    let mut make = vec![make::create_schema(from)];
    make.extend(shown.iter().map(|name| rename_behind_view::view(scene, name, &new(name))));
    let drop = undone(&make);
    let rename = |from: &RelationName, to: &RelationName| {
        let action = ObjectAction::RenameTo(make::ident(&*to.name));
        make::alter_object(ObjectKind::Schema, Name::new(&*from.name), None, action)
    };
    let named = |name: &str| RelationName { schema: "".into(), name: name.into() };
    let (rename, rename_back) = both(&renamed_schema::RULE, rename, (&named(from), &named(to)));
    let known: Vec<&str> = shown.iter().map(|name| &*name.name).collect();
    let stand_in = StandIn {
        word: "schema",
        names: (from.to_owned(), to.to_owned()),
        stem: (from.to_owned(), to.to_owned()),
        rename,
        rename_back,
        make,
        drop,
        limits: "sequences, functions and types are not in it, and TRUNCATE, LOCK TABLE, COPY … FROM and ALTER TABLE do not work on views".to_owned(),
        exit: vec![
            Criterion::of_people("who may use the schema and its tables may use those under the old name: GRANT what is missing"),
            Criterion::counts_nothing(
                "nothing lies in the schema that the migrations do not know",
                scene.count(&Count::UnknownInSchema { schema: to, known: &known }),
            ),
        ],
        unused: Vec::new(),
    };
    Ok(stand_in.phases(scene))
}
