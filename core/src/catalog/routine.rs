//! Functions and procedures: whole definitions, told apart by what they take.

use std::sync::Arc;

use super::{Catalog, Definition, Details, RelationName};
use crate::dialect::Name;
use crate::operation::{AlterObject, CreateFunction, ObjectAction, ObjectKind, TypeName};

/// The full name of a function or procedure, with the types of what it takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutineName {
    /// Its schema.
    pub schema: Arc<str>,
    /// Its name there.
    pub name: Arc<str>,
    /// The types of its arguments.
    pub takes: Vec<String>,
}

impl RoutineName {
    fn of(name: RelationName, takes: &[TypeName]) -> Self {
        let takes = takes.iter().map(ToString::to_string).collect();
        Self { schema: name.schema, name: name.name, takes }
    }
}

impl std::fmt::Display for RoutineName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.name, self.takes.join(", "))
    }
}

impl Catalog {
    /// All functions and procedures with their definitions, in no order.
    pub fn definitions(&self) -> impl Iterator<Item = (&RoutineName, &Definition)> {
        self.definitions.iter().map(|(name, definition)| (name, &**definition))
    }

    /// The definition of a routine; of the first of its name where the arguments are not stated.
    pub fn definition(&self, name: &Name, takes: Option<&[TypeName]>) -> Option<&Definition> {
        let found = self.routine_name(name, takes)?;
        self.definitions.get(&found).map(|it| &**it)
    }

    pub(super) fn routine_name(&self, name: &Name, takes: Option<&[TypeName]>) -> Option<RoutineName> {
        let resolved = self.resolve(name);
        if let Some(takes) = takes {
            let exact = RoutineName::of(resolved, takes);
            return self.definitions.contains_key(&exact).then_some(exact);
        }
        let is_it = |it: &&RoutineName| it.name == resolved.name && it.schema == resolved.schema;
        self.definitions.keys().filter(is_it).min().cloned()
    }

    /// A definition that is replaced keeps its comment, owner and rights (measured on 15).
    pub(super) fn define(&mut self, create: &CreateFunction) {
        let name = RoutineName::of(self.resolve(&create.name), &create.takes);
        let before = self.definitions.get(&name).filter(|_| create.or_replace);
        let details = match before {
            Some(before) => before.details.clone(),
            None => self.first_details(ObjectKind::Function, &name.schema),
        };
        let definition =
            Definition { procedure: create.procedure, text: create.definition.text.clone(), details };
        self.definitions.insert_mut(name, Arc::new(definition));
    }

    pub(super) fn drop_routine(&mut self, name: &Name, takes: Option<&[TypeName]>) {
        if let Some(found) = self.routine_name(name, takes) {
            self.definitions.remove_mut(&found);
        }
        // Another of the name may be left.
        if self.routine_name(name, None).is_none() {
            self.functions.remove_mut(name.name.as_str());
        }
    }

    pub(super) fn with_routine(
        &mut self,
        name: &Name,
        takes: Option<&[TypeName]>,
        change: impl FnOnce(&mut Details),
    ) {
        let Some(found) = self.routine_name(name, takes) else { return };
        if let Some(definition) = self.definitions.get_mut(&found) {
            change(&mut Arc::make_mut(definition).details);
        }
    }

    pub(super) fn alter_routine(&mut self, alter: &AlterObject) {
        let Some(found) = self.routine_name(&alter.name, alter.takes.as_deref()) else { return };
        let Some(definition) = self.definitions.get(&found).cloned() else { return };
        let moved = match &alter.action {
            ObjectAction::RenameTo(to) => RoutineName { name: to.name.as_str().into(), ..found.clone() },
            ObjectAction::SetSchema(to) => RoutineName { schema: to.name.as_str().into(), ..found.clone() },
            ObjectAction::Owner(to) => {
                let owner = Some(to.clone());
                return self.with_routine(&alter.name, alter.takes.as_deref(), |it| {
                    it.set(super::Setting::Owner, owner);
                });
            }
            ObjectAction::Else(words) => {
                let text = format!("{} {words}", definition.text);
                let definition = Definition { text, ..(*definition).clone() };
                self.definitions.insert_mut(found, Arc::new(definition));
                return;
            }
            ObjectAction::Update => return,
        };
        self.definitions.remove_mut(&found);
        self.definitions.insert_mut(moved.clone(), definition);
        self.follow_function(&found.name, &moved.name);
    }

    /// Triggers keep the function that they call, whatever its name.
    fn follow_function(&mut self, from: &str, to: &str) {
        let calls =
            |triggers: &[super::Trigger]| triggers.iter().any(|it| it.function.as_deref() == Some(from));
        let callers: Vec<RelationName> =
            self.tables().filter(|(_, table)| calls(&table.triggers)).map(|(name, _)| name.clone()).collect();
        for table in callers {
            self.with_table_of(&table, |table| {
                for trigger in table.triggers.iter_mut().filter(|it| it.function.as_deref() == Some(from)) {
                    trigger.function = Some(to.to_owned());
                }
            });
        }
    }
}
