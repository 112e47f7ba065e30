//! Functions and procedures: whole definitions, told apart by what they take.

use std::sync::Arc;

use super::{Catalog, Definition, Details, RelationName};
use crate::dialect::Name;
use crate::operation::{AlterObject, CreateFunction, ObjectAction, ObjectKind, TypeName};
use crate::statement::{Cursor, Script};

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
        // Modifiers tell no routine from another.
        let own = ["public", "pg_catalog"];
        let plain = |it: &TypeName| TypeName {
            modifiers: Vec::new(),
            schema: it.schema.clone().filter(|it| !own.contains(&it.as_str())),
            ..it.clone()
        };
        let takes = takes.iter().map(|it| plain(it).to_string()).collect();
        Self { schema: name.schema, name: name.name, takes }
    }
}

impl RoutineName {
    /// Whether it has a type for each argument of the list in parentheses, or at the start of a definition, that goes in.
    fn takes_all(&self, list: &str, dialect: crate::dialect::Dialect) -> bool {
        let script = Script::read(list, dialect);
        let mut cursor = Cursor::new(list, dialect, &script.tokens);
        let arguments = cursor.group().unwrap_or(cursor).segments();
        let goes_in = |it: &&Cursor<'_>| !it.at_end() && !it.is("out") && !it.is("*");
        arguments.iter().filter(goes_in).count() == self.takes.len()
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

    /// The routine that a statement names; the first of its name where the arguments are not stated.
    pub fn routine_name(&self, name: &Name, takes: Option<&[TypeName]>) -> Option<RoutineName> {
        let resolved = self.resolve(name);
        if let Some(takes) = takes {
            let exact = RoutineName::of(resolved, takes);
            return self.definitions.contains_key(&exact).then_some(exact);
        }
        let is_it = |it: &&RoutineName| it.name == resolved.name && it.schema == resolved.schema;
        self.definitions.keys().filter(is_it).min().cloned()
    }

    /// Why a statement that names a routine finds none, or more than one, where that is certain.
    pub fn refuses_routine(
        &self,
        object: ObjectKind,
        name: &Name,
        takes: Option<&[TypeName]>,
        arguments: Option<&str>,
    ) -> Option<String> {
        let resolved = self.resolve(name);
        let mut named: Vec<_> = self.definitions().filter(|(it, _)| it.name == resolved.name).collect();
        named.sort_by_key(|(it, _)| *it);
        let unread = named.iter().any(|(it, definition)| !it.takes_all(&definition.text, self.dialect));
        let elsewhere = named.iter().any(|(it, _)| it.schema != resolved.schema);
        let brought = named.is_empty() && (self.extensions().next().is_some() || self.has_function(name));
        if !self.complete || unread || elsewhere || brought {
            return None;
        }
        let word = object.title();
        let Some(takes) = takes else {
            return match named.as_slice() {
                [] => Some(format!("the {word} {name} does not exist")),
                [(_, it)] => self.refuses_kind(object, it.procedure, &name.to_string()),
                _ => Some(format!("there are {} of the name {name}: state the arguments", named.len())),
            };
        };
        let exact = RoutineName::of(resolved, takes);
        if !exact.takes_all(arguments?, self.dialect) {
            return None;
        }
        match named.iter().find(|(it, _)| **it == exact) {
            Some((_, it)) => self.refuses_kind(object, it.procedure, &exact.to_string()),
            // Values that a procedure gives back are a part of its name or not, as one likes.
            None if named.iter().any(|(_, it)| it.procedure) => None,
            None => {
                let others: Vec<String> = named.iter().map(|(it, _)| it.to_string()).collect();
                let others =
                    if others.is_empty() { String::new() } else { format!("; {} does", others.join(", ")) };
                Some(format!("the {word} {exact} does not exist{others}"))
            }
        }
    }

    /// Whether the types of all arguments of a new routine were read.
    pub fn reads_arguments(&self, create: &CreateFunction) -> bool {
        let name = RoutineName::of(self.resolve(&create.name), &create.takes);
        name.takes_all(&create.definition.text, self.dialect)
    }

    fn has_function(&self, name: &Name) -> bool {
        self.functions.contains_key(name.name.as_str())
    }

    fn refuses_kind(&self, object: ObjectKind, procedure: bool, shown: &str) -> Option<String> {
        match object {
            ObjectKind::Function if procedure => Some(format!("{shown} is a procedure, no function")),
            ObjectKind::Procedure if !procedure => Some(format!("{shown} is a function, no procedure")),
            _ => None,
        }
    }

    /// A definition that is replaced keeps its comment, owner and rights (measured on 15).
    pub(super) fn define(&mut self, create: &CreateFunction) {
        let name = RoutineName::of(self.resolve_new(&create.name), &create.takes);
        let before = self.definitions.get(&name).filter(|_| create.or_replace);
        let details = match before {
            Some(before) => before.details.clone(),
            None => self.first_details(ObjectKind::Function, &name.schema),
        };
        let definition = Definition {
            procedure: create.procedure,
            text: create.definition.text.clone(),
            is_parsed: create.is_parsed,
            details,
        };
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
        let name = |it: &RoutineName| RelationName { schema: it.schema.clone(), name: it.name.clone() };
        self.note_new_name(&name(&found), &name(&moved));
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
