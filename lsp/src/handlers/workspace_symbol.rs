//! `workspace/symbol`: the tables, views, indexes and types that the migrations make, where they are made.

use lockkeeper_core::catalog::RelationKind;
use lockkeeper_project::analysis::origins::{Change, Object};
use tower_lsp::lsp_types::{SymbolInformation, SymbolKind};

use crate::documents::Documents;
use crate::names::located;
use crate::world::World;

/// More than these nobody looks through.
const MOST: usize = 256;

pub(crate) fn workspace_symbols(world: &World, documents: &Documents, query: &str) -> Vec<SymbolInformation> {
    let query = query.to_lowercase();
    let mut found = Vec::new();
    for loaded in world.loaded() {
        for (number, folder) in loaded.opened.project.folders.iter().enumerate() {
            if folder.refused_engine().is_some() {
                continue;
            }
            let schema = loaded.opened.history(number).after();
            let relations = schema
                .relations()
                .map(|(name, relation)| (Object::Relation(name.clone()), kind(&relation.kind)));
            let types = schema.types().map(|(name, _)| (Object::Type(name.clone()), SymbolKind::ENUM));
            let mut named: Vec<(Object, SymbolKind)> = relations.chain(types).collect();
            named.retain(|(object, _)| object.name().to_lowercase().contains(&query));
            named.sort_by(|(one, _), (other, _)| (one.name().len(), one).cmp(&(other.name().len(), other)));
            for (object, kind) in named.into_iter().take(MOST) {
                let places = located(world, documents, &loaded, number, &object, folder.migrations.len());
                let made = places.into_iter().rfind(|it| it.change == Change::Made);
                found.extend(made.map(|it| symbol(&object, kind, it.location, &folder.path)));
            }
        }
    }
    found.truncate(MOST);
    found
}

fn kind(kind: &RelationKind) -> SymbolKind {
    match kind {
        RelationKind::Table(_) => SymbolKind::CLASS,
        RelationKind::View(_) => SymbolKind::INTERFACE,
        RelationKind::Index(_) => SymbolKind::KEY,
        RelationKind::Sequence(_) => SymbolKind::NUMBER,
    }
}

#[allow(deprecated)] // The field must be filled in all the same.
fn symbol(
    object: &Object,
    kind: SymbolKind,
    location: tower_lsp::lsp_types::Location,
    folder: &str,
) -> SymbolInformation {
    SymbolInformation {
        name: object.name().to_owned(),
        kind,
        tags: None,
        deprecated: None,
        location,
        container_name: Some(folder.to_owned()),
    }
}
