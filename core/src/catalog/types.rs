//! Types: enums, domains, composite types.

use std::sync::Arc;

use super::{Catalog, Details, RelationName, Setting, UserType};
use crate::dialect::Name;
use crate::operation::{
    AlterDomain, AlterType, AttributeChange, ConstraintKind, CreateDomain, CreateType, DomainAction,
    ObjectKind, Place, TypeAction, TypeShape,
};

impl Catalog {
    pub(super) fn move_type(&mut self, from: &Name, to: Name) {
        let (from, to) = (self.resolve(from), self.resolve(&to));
        self.note_new_name(&from, &to);
        let users = self.tables_using(&from);
        if let Some(ty) = self.types.get(&from).cloned() {
            self.types.remove_mut(&from);
            self.types.insert_mut(to.clone(), ty);
        }
        if let Some(details) = self.type_details.get(&from).cloned() {
            self.type_details.remove_mut(&from);
            self.type_details.insert_mut(to.clone(), details);
        }
        let schema = (&*to.schema != self.dialect.default_schema()).then(|| to.schema.to_string());
        for (table, columns) in users {
            self.with_table_of(&table, |table| {
                for column in table.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
                    column.ty.name = to.name.to_string();
                    column.ty.schema.clone_from(&schema);
                }
            });
        }
    }

    pub(super) fn note_new_name(&mut self, from: &RelationName, to: &RelationName) {
        Arc::make_mut(&mut self.new_names).push((from.clone(), to.clone()));
    }

    /// Whether a type or routine of this name only stands in for one that has another name now, or was put aside for one that has its
    /// name.
    pub fn is_put_aside(&self, name: &RelationName) -> bool {
        let taken = |it: &RelationName| {
            let routine = |own: &super::RoutineName| own.name == it.name && own.schema == it.schema;
            self.types.contains_key(it) || self.definitions.keys().any(routine)
        };
        self.new_names.iter().any(|(from, to)| from == name || to == name && taken(from))
    }

    /// The full name of a type that the schema made.
    pub(super) fn own_type(&self, ty: &crate::operation::TypeName) -> Option<RelationName> {
        let name = self.resolve(&Name { schema: ty.schema.clone(), ..Name::new(&*ty.name) });
        self.types.contains_key(&name).then_some(name)
    }

    pub(super) fn create_type(&mut self, create: &CreateType) {
        let ty = match &create.shape {
            TypeShape::Enum(labels) => UserType::Enum(labels.clone()),
            TypeShape::Composite(attributes) => UserType::Composite(attributes.clone()),
            TypeShape::Else => UserType::Else,
        };
        let name = self.resolve_new(&create.name);
        let mut details = self.first_details(ObjectKind::Type, &name.schema);
        if ty == UserType::Else {
            details.set(Setting::Definition, Some(create.definition.text.clone()));
        }
        self.type_details.insert_mut(name.clone(), Arc::new(details));
        self.types.insert_mut(name, Arc::new(ty));
    }

    pub(super) fn with_type(&mut self, name: &Name, change: impl FnOnce(&mut UserType)) {
        let name = self.resolve(name);
        if let Some(ty) = self.types.get_mut(&name) {
            change(Arc::make_mut(ty));
        }
    }

    pub(super) fn alter_type(&mut self, alter: &AlterType) {
        if let TypeAction::RenameValue { from, to } = &alter.action {
            self.follow_label(&self.resolve(&alter.name), from, to);
        }
        self.with_type(&alter.name, |ty| {
            if let (UserType::Composite(attributes), TypeAction::Attribute { changes, .. }) =
                (&mut *ty, &alter.action)
            {
                changes.iter().for_each(|it| change_attribute(attributes, it));
            }
            let UserType::Enum(labels) = ty else { return };
            match &alter.action {
                TypeAction::AddValue { value, place, .. } if !labels.contains(value) => {
                    let at = |label: &String| labels.iter().position(|it| it == label);
                    let at = match place {
                        Some(Place::Before(label)) => at(label),
                        Some(Place::After(label)) => at(label).map(|at| at + 1),
                        None => None,
                    };
                    labels.insert(at.unwrap_or(labels.len()), value.clone());
                }
                TypeAction::RenameValue { from, to } => {
                    for label in labels.iter_mut().filter(|label| *label == from) {
                        label.clone_from(to);
                    }
                }
                TypeAction::AddValue { .. } | TypeAction::Attribute { .. } => {}
            }
        });
    }

    /// A default keeps the label that it is, whatever its name.
    pub(super) fn follow_label(&mut self, ty: &RelationName, from: &str, to: &str) {
        let (from, to) = (crate::dialect::quote_literal(from), crate::dialect::quote_literal(to));
        for (table, columns) in self.tables_using(ty) {
            self.with_table_of(&table, |table| {
                let named = table.columns.iter_mut().filter(|it| columns.contains(&it.name));
                for default in named.filter_map(|it| it.default.as_mut()) {
                    let rest =
                        default.text.strip_prefix(&from).filter(|it| it.is_empty() || it.starts_with("::"));
                    if let Some(rest) = rest {
                        default.text = format!("{to}{rest}");
                    }
                }
            });
        }
    }

    pub(super) fn create_domain(&mut self, create: &CreateDomain) {
        let checks = create.checks.iter().enumerate().map(|(number, check)| {
            let suffix = if number == 0 { String::new() } else { number.to_string() };
            let own = || format!("{}_check{suffix}", create.name.name);
            (check.name.as_ref().map_or_else(own, |name| name.name.clone()), true)
        });
        let domain = UserType::Domain {
            base: create.base.clone(),
            checks: checks.collect(),
            not_null: create.not_null,
            default: create.default.clone(),
        };
        let name = self.resolve_new(&create.name);
        let mut details = self.first_details(ObjectKind::Type, &name.schema);
        details.set(Setting::Collation, create.collation.as_ref().map(|it| it.name.clone()));
        if let UserType::Domain { checks, .. } = &domain {
            for ((name, _), check) in checks.iter().zip(&create.checks) {
                if let ConstraintKind::Check(expression) = &check.kind {
                    details.set(Setting::Check(name.clone()), Some(expression.text.clone()));
                }
            }
        }
        self.type_details.insert_mut(name.clone(), Arc::new(details));
        self.types.insert_mut(name, Arc::new(domain));
    }

    pub(super) fn alter_domain(&mut self, alter: &AlterDomain) {
        match &alter.action {
            DomainAction::RenameTo(to) => return self.move_type(&alter.name, alter.name.sibling(&to.name)),
            DomainAction::SetSchema(schema) => {
                return self.move_type(&alter.name, Name::qualified(&schema.name, &alter.name.name));
            }
            _ => {}
        }
        self.with_type_details(&alter.name, |it| annotate_domain(it, &alter.action));
        self.with_type(&alter.name, |ty| {
            let UserType::Domain { checks, not_null, default, .. } = ty else { return };
            match &alter.action {
                DomainAction::SetDefault(expression) => *default = Some(expression.clone()),
                DomainAction::DropDefault => *default = None,
                DomainAction::RenameConstraint { name, to } => {
                    for (own, _) in checks.iter_mut().filter(|(it, _)| *it == name.name) {
                        own.clone_from(&to.name);
                    }
                }
                DomainAction::SetNotNull => *not_null = true,
                DomainAction::DropNotNull => *not_null = false,
                DomainAction::AddConstraint(constraint) => {
                    let name = constraint.name.as_ref().map_or_else(String::new, |name| name.name.clone());
                    checks.push((name, !constraint.not_valid));
                }
                DomainAction::DropConstraint(dropped) => checks.retain(|(name, _)| *name != dropped.name),
                DomainAction::ValidateConstraint(validated) => {
                    for (_, valid) in checks.iter_mut().filter(|(name, _)| *name == validated.name) {
                        *valid = true;
                    }
                }
                _ => {}
            }
        });
    }
}

fn change_attribute(attributes: &mut Vec<(String, crate::operation::TypeName)>, change: &AttributeChange) {
    match change {
        AttributeChange::Add { name, ty } => attributes.push((name.clone(), ty.clone())),
        AttributeChange::Drop { name } => attributes.retain(|(it, _)| it != name),
        AttributeChange::Retype { name, ty } => {
            for (_, own) in attributes.iter_mut().filter(|(it, _)| it == name) {
                own.clone_from(ty);
            }
        }
        AttributeChange::Rename { name, to } => {
            for (own, _) in attributes.iter_mut().filter(|(it, _)| it == name) {
                own.clone_from(to);
            }
        }
    }
}

/// What hangs on a domain beside its facts: its owner, and what its checks say.
fn annotate_domain(details: &mut Details, action: &DomainAction) {
    use Setting::{Check, CommentOn, Owner};
    match action {
        DomainAction::Owner(to) => details.set(Owner, Some(to.clone())),
        DomainAction::AddConstraint(constraint) => {
            if let (Some(name), ConstraintKind::Check(expression)) = (&constraint.name, &constraint.kind) {
                details.set(Check(name.name.clone()), Some(expression.text.clone()));
            }
        }
        DomainAction::DropConstraint(name) => {
            details.set(Check(name.name.clone()), None);
            details.set(CommentOn(name.name.clone()), None);
        }
        DomainAction::RenameConstraint { name, to } => {
            let check = details.settings.remove(&Check(name.name.clone()));
            details.set(Check(to.name.clone()), check);
            let comment = details.settings.remove(&CommentOn(name.name.clone()));
            details.set(CommentOn(to.name.clone()), comment);
        }
        _ => {}
    }
}
