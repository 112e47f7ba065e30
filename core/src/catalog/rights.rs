//! What roles may do: GRANT, REVOKE and the privileges that new objects get.

use std::sync::Arc;

use super::details::all_privileges;
use super::{Catalog, Details, RelationKind, RelationName};
use crate::dialect::Name;
use crate::operation::{DefaultPrivileges, Grant, ObjectKind};

impl Catalog {
    pub(super) fn grant(&mut self, grant: &Grant) {
        let Some(object) = grant.object else { return };
        if !grant.schemas.is_empty() {
            return self.grant_in_schemas(grant, object);
        }
        for (name, takes) in &grant.objects {
            match object {
                ObjectKind::Table | ObjectKind::Sequence => {
                    self.grant_on_relation(grant, &self.resolve(name));
                }
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                    self.with_routine(name, takes.as_deref(), |it| give(it, grant, object));
                }
                ObjectKind::Type | ObjectKind::Domain => {
                    self.with_type_details(name, |it| give(it, grant, object));
                }
                ObjectKind::Schema => self.with_schema(&name.name, |it| give(it, grant, object)),
                _ => {}
            }
        }
    }

    fn grant_in_schemas(&mut self, grant: &Grant, object: ObjectKind) {
        let within = |schema: &str| grant.schemas.iter().any(|it| it.name == schema);
        let is_meant = |kind: &RelationKind| match kind {
            RelationKind::Table(_) | RelationKind::View(_) => object == ObjectKind::Table,
            RelationKind::Sequence(_) => object == ObjectKind::Sequence,
            RelationKind::Index(_) => false,
        };
        let relations = self.relations().filter(|(name, it)| within(&name.schema) && is_meant(&it.kind));
        let relations: Vec<RelationName> = relations.map(|(name, _)| name.clone()).collect();
        for relation in relations {
            self.grant_on_relation(grant, &relation);
        }
        if object == ObjectKind::Function {
            let routines: Vec<_> = self.definitions.keys().filter(|it| within(&it.schema)).cloned().collect();
            for name in routines {
                if let Some(definition) = self.definitions.get_mut(&name) {
                    give(&mut Arc::make_mut(definition).details, grant, object);
                }
            }
        }
    }

    fn grant_on_relation(&mut self, grant: &Grant, relation: &RelationName) {
        let object = match self.relation(relation).map(|it| &it.kind) {
            Some(RelationKind::Sequence(_)) => ObjectKind::Sequence,
            _ => ObjectKind::Table,
        };
        self.with_details(relation, |it| give(it, grant, object));
        for (privilege, columns) in &grant.privileges {
            for column in columns {
                self.with_column_details(relation, column, |it| {
                    give_one(it, grant, ObjectKind::Column, privilege)
                });
            }
            // What is taken from the whole is taken from each column (measured on 15).
            if grant.revoke && columns.is_empty() {
                self.with_each_column(relation, |it| give_one(it, grant, ObjectKind::Column, privilege));
            }
        }
    }

    pub(super) fn grant_later(&mut self, later: &DefaultPrivileges) {
        Arc::make_mut(&mut self.default_rights).push(later.clone());
    }

    /// What hangs on an object that is new: the rights that everybody has, and those that are granted in advance.
    pub(super) fn first_details(&self, object: ObjectKind, schema: &str) -> Details {
        let mut details = Details::default();
        match object {
            ObjectKind::Function => details.grant("public", "execute", false),
            ObjectKind::Type => details.grant("public", "usage", false),
            _ => {}
        }
        for later in self.default_rights.iter() {
            let here = later.schemas.is_empty() || later.schemas.iter().any(|it| it == schema);
            if here && later.grant.object == Some(object) {
                give(&mut details, &later.grant, object);
            }
        }
        details
    }

    pub(super) fn with_schema(&mut self, name: &str, change: impl FnOnce(&mut Details)) {
        let mut details = self.schema(name).cloned().unwrap_or_default();
        change(&mut details);
        self.schemas.insert_mut(name.into(), Arc::new(details));
    }

    /// What hangs on a schema.
    pub fn schema(&self, name: &str) -> Option<&Details> {
        self.schemas.get(name).map(|it| &**it)
    }

    pub(super) fn with_type_details(&mut self, name: &Name, change: impl FnOnce(&mut Details)) {
        let name = self.resolve(name);
        if self.types.get(&name).is_none() {
            return;
        }
        let mut details = self.type_details.get(&name).map(|it| (**it).clone()).unwrap_or_default();
        change(&mut details);
        self.type_details.insert_mut(name, Arc::new(details));
    }
}

fn give(details: &mut Details, grant: &Grant, object: ObjectKind) {
    let whole = grant.privileges.iter().filter(|(_, columns)| columns.is_empty());
    for (privilege, _) in whole {
        give_one(details, grant, object, privilege);
    }
}

fn give_one(details: &mut Details, grant: &Grant, object: ObjectKind, privilege: &str) {
    let all = all_privileges(object);
    let meant: Vec<&str> = if privilege == "all" { all.to_vec() } else { vec![privilege] };
    for role in &grant.roles {
        for privilege in &meant {
            match (grant.revoke, grant.option) {
                (false, option) => details.grant(role, privilege, option),
                (true, true) => details.revoke_option(role, privilege),
                (true, false) => details.revoke(role, privilege),
            }
        }
    }
}
