//! What a hover says of the name under the cursor: its type, what holds for it, who uses it, and which migrations made and changed it.

use std::fmt::Write;

use lockkeeper_core::catalog::{Catalog, Demand, RelationKind, RelationName, Table, UserType};
use lockkeeper_project::analysis::origins::{Change, Object};

use super::references::subject;
use crate::documents::Documents;
use crate::markdown::{code, plain};
use crate::names::{Found, places};
use crate::world::{View, World};

/// So many names are listed.
const LISTED: usize = 6;

pub(crate) fn about(world: &World, documents: &Documents, view: &View, object: &Object) -> Option<String> {
    let mut text = view.schemas().into_iter().find_map(|catalog| described(catalog, object))?;
    if let Some(since) = since(&places(world, documents, view, object)) {
        let _ = writeln!(text, "{since}\n");
    }
    if let Some(count) = used_in_programs(world, view, object) {
        let _ = writeln!(text, "{count}\n");
    }
    Some(text)
}

fn described(catalog: &Catalog, object: &Object) -> Option<String> {
    match object {
        Object::Relation(name) => relation(catalog, name),
        Object::Column(table, name) => column(catalog, table, name),
        Object::Constraint(table, name) => {
            let constraint = catalog.table(table)?.constraint(name)?;
            let state = if constraint.valid { "" } else { ", not validated" };
            let of = code(&table.display(catalog.dialect()));
            Some(format!(
                "**constraint** {} of {of}: {}{state}\n\n",
                code(name),
                demand(&constraint.demand, catalog)
            ))
        }
        Object::Type(name) => {
            let (_, ty) = catalog.types().find(|(own, _)| *own == name)?;
            let shape = match ty {
                UserType::Enum(labels) => format!("enum of {}", listed(labels.iter().map(String::as_str))),
                UserType::Domain { base, .. } => format!("domain over {}", code(&base.to_string())),
                UserType::Composite(fields) => {
                    format!("composite of {}", listed(fields.iter().map(|(name, _)| name.as_str())))
                }
                UserType::Else => "type".to_owned(),
            };
            let users = catalog.tables_using(name);
            let users = users
                .iter()
                .flat_map(|(table, columns)| columns.iter().map(move |it| format!("{}.{it}", table.name)));
            let mut text = format!("**type** {}: {shape}\n\n", code(&name.display(catalog.dialect())));
            used_by(&mut text, users.collect());
            Some(text)
        }
    }
}

fn relation(catalog: &Catalog, name: &RelationName) -> Option<String> {
    let shown = code(&name.display(catalog.dialect()));
    let mut text = match &catalog.relation(name)?.kind {
        RelationKind::Table(table) => {
            let columns = table.columns.iter().map(|it| it.name.as_str());
            format!(
                "**table** {shown}: {} columns, {} indexes\n\n{}\n\n",
                table.columns.len(),
                table.indexes.len(),
                listed(columns)
            )
        }
        RelationKind::View(view) => {
            let what = if view.materialized { "materialized view" } else { "view" };
            format!("**{what}** {shown}\n\n")
        }
        RelationKind::Index(table) => {
            let keys = catalog
                .index(name)
                .map(|(_, index)| index.keys.iter().map(|it| it.text.text.clone()).collect::<Vec<_>>());
            let keys = keys.unwrap_or_default();
            format!(
                "**index** {shown} on {} ({})\n\n",
                code(&table.display(catalog.dialect())),
                listed(keys.iter().map(String::as_str))
            )
        }
        RelationKind::Sequence(_) => format!("**sequence** {shown}\n\n"),
    };
    let views = catalog.views_on(name).into_iter().map(|(view, _)| view.display(catalog.dialect()));
    let keys = catalog.table(name).map(|it| it.referenced_by.clone()).unwrap_or_default();
    used_by(&mut text, views.chain(keys.iter().map(|it| it.display(catalog.dialect()))).collect());
    Some(text)
}

fn column(catalog: &Catalog, relation: &RelationName, name: &str) -> Option<String> {
    let of = relation.display(catalog.dialect());
    let Some(table) = catalog.table(relation) else {
        let columns = catalog.view(relation)?.columns.as_ref()?;
        return columns
            .iter()
            .any(|it| it == name)
            .then(|| format!("**column** {}\n\n", code(&format!("{of}.{name}"))));
    };
    let state = table.column(name)?;
    let null = if state.not_null { " NOT NULL" } else { "" };
    let default = state.default.as_ref().map(|it| format!(" DEFAULT {}", it.text)).unwrap_or_default();
    let mut text = format!(
        "**column** {} {}\n\n",
        code(&format!("{of}.{name}")),
        code(&format!("{}{null}{default}", state.ty))
    );
    let constraints = table.constraints.iter().filter(|it| names(&it.demand, name));
    let constraints: Vec<String> =
        constraints.map(|it| format!("{} ({})", code(&it.name), demand(&it.demand, catalog))).collect();
    if !constraints.is_empty() {
        let _ = writeln!(text, "Constraints: {}\n", constraints.join(", "));
    }
    used_by(&mut text, users_of_column(catalog, relation, table, name));
    Some(text)
}

fn users_of_column(catalog: &Catalog, relation: &RelationName, table: &Table, name: &str) -> Vec<String> {
    let indexes =
        table.indexes.iter().filter(|it| it.keys.iter().any(|key| key.column.as_deref() == Some(name)));
    let indexes = indexes.map(|it| it.name.display(catalog.dialect()));
    let views = catalog.views_on_column(relation, name).into_iter().map(|it| it.display(catalog.dialect()));
    indexes.chain(views).collect()
}

fn names(demand: &Demand, column: &str) -> bool {
    match demand {
        Demand::Check(expression) => expression.text.contains(column),
        Demand::NotNull(own) => own == column,
        Demand::Unique(columns) | Demand::PrimaryKey(columns) | Demand::Exclude(columns) => {
            columns.iter().any(|it| it == column)
        }
        Demand::ForeignKey { columns, .. } => columns.iter().any(|it| it == column),
    }
}

fn demand(demand: &Demand, catalog: &Catalog) -> String {
    match demand {
        Demand::Check(expression) => format!("check {}", code(&expression.text)),
        Demand::NotNull(_) => "not null".to_owned(),
        Demand::Unique(_) => "unique".to_owned(),
        Demand::PrimaryKey(_) => "primary key".to_owned(),
        Demand::Exclude(_) => "exclusion".to_owned(),
        Demand::ForeignKey { references, .. } => {
            format!("references {}", code(&references.display(catalog.dialect())))
        }
    }
}

fn used_by(text: &mut String, users: Vec<String>) {
    if !users.is_empty() {
        let _ = writeln!(text, "Used by {}\n", listed(users.iter().map(String::as_str)));
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.map(code).collect();
    let rest = all.len().saturating_sub(LISTED);
    let shown = all.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}

/// Which migration made it, and which changed it last.
fn since(places: &[Found]) -> Option<String> {
    let file = |it: &Found| {
        let name =
            it.location.uri.path_segments().and_then(|mut it| it.next_back()).unwrap_or_default().to_owned();
        format!("[{}]({})", plain(&name), it.location.uri)
    };
    let made = places.iter().rfind(|it| it.change == Change::Made)?;
    let changed =
        places.iter().rfind(|it| it.change == Change::Changed && it.location.uri != made.location.uri);
    Some(match changed {
        Some(changed) => format!("Since {}, last changed in {}", file(made), file(changed)),
        None => format!("Since {}", file(made)),
    })
}

fn used_in_programs(world: &World, view: &View, object: &Object) -> Option<String> {
    let subject = subject(object, view.file().target.dialect)?;
    let known = world.references.known(&view.analysis.loaded.opened.project, &subject)?;
    Some(format!("{} in the application's sources", lockkeeper_core::text::counted(known.len(), "place")))
}
