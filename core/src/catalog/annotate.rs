//! Comments, owners, options, policies and all other settings of objects that exist.

use super::details::Setting;
use super::{Catalog, Details, RelationKind, RelationName, Trigger};
use crate::dialect::{Dialect, Ident};
use crate::operation::{Comment, ObjectKind, OnTable, TableAction, TriggerState};
use crate::statement::{Cursor, Script};

impl Catalog {
    /// Changes what hangs on a relation.
    pub(super) fn with_details(&mut self, name: &RelationName, change: impl FnOnce(&mut Details)) {
        if let Some(relation) = self.relations.get_mut(name) {
            change(&mut std::sync::Arc::make_mut(relation).details);
        }
    }

    /// What hangs on a relation.
    pub fn details(&self, name: &RelationName) -> Option<&Details> {
        self.relation(name).map(|it| &it.details)
    }

    pub(super) fn with_column_details(
        &mut self,
        relation: &RelationName,
        column: &str,
        change: impl FnOnce(&mut Details),
    ) {
        self.with_relation(relation, |kind| match kind {
            RelationKind::Table(table) => {
                if let Some(column) = table.column_mut(column) {
                    change(&mut column.details);
                }
            }
            RelationKind::View(view) => {
                change(view.columns_details.entry(column.to_owned()).or_default());
                view.columns_details.retain(|_, details| *details != Details::default());
            }
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        });
    }

    pub(super) fn with_each_column(&mut self, relation: &RelationName, change: impl Fn(&mut Details)) {
        self.with_relation(relation, |kind| match kind {
            RelationKind::Table(table) => table.columns.iter_mut().for_each(|it| change(&mut it.details)),
            RelationKind::View(view) => view.columns_details.values_mut().for_each(change),
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        });
    }

    fn with_part(
        &mut self,
        relation: &RelationName,
        part: (ObjectKind, String),
        change: impl FnOnce(&mut Details),
    ) {
        self.with_relation(relation, |kind| match kind {
            RelationKind::Table(table) => change(table.parts.entry(part).or_default()),
            RelationKind::View(view) => change(view.parts.entry(part).or_default()),
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        });
    }

    pub(super) fn with_triggers(&mut self, relation: &RelationName, change: impl FnOnce(&mut Vec<Trigger>)) {
        self.with_relation(relation, |kind| match kind {
            RelationKind::Table(table) => change(&mut table.triggers),
            RelationKind::View(view) => change(&mut view.triggers),
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        });
    }

    pub(super) fn comment(&mut self, comment: &Comment) {
        let text = comment.text.clone();
        let set = |details: &mut Details| details.set(Setting::Comment, text.clone());
        let name = &comment.name;
        let part = comment.part.clone().unwrap_or_default();
        match comment.object {
            ObjectKind::Table
            | ObjectKind::Index
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::ForeignTable => self.with_details(&self.resolve(name), set),
            ObjectKind::Column => self.with_column_details(&self.resolve(name), &part, set),
            ObjectKind::Constraint => self.with_table(name, |table| {
                table.constraints.iter_mut().filter(|it| it.name == part).for_each(|it| set(&mut it.details));
            }),
            ObjectKind::Trigger => self.with_triggers(&self.resolve(name), |triggers| {
                triggers.iter_mut().filter(|it| it.name == part).for_each(|it| set(&mut it.details));
            }),
            ObjectKind::Policy | ObjectKind::Rule => {
                self.with_part(&self.resolve(name), (comment.object, part), set);
            }
            ObjectKind::Statistics => self.with_statistics(&self.resolve(name), set),
            ObjectKind::Domain if comment.part.is_some() => {
                self.with_type_details(name, |it| it.set(Setting::CommentOn(part), text.clone()));
            }
            ObjectKind::Type | ObjectKind::Domain => self.with_type_details(name, set),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                self.with_routine(name, comment.takes.as_deref(), set);
            }
            ObjectKind::Schema => self.with_schema(&name.name, set),
            ObjectKind::Extension
            | ObjectKind::Publication
            | ObjectKind::Subscription
            | ObjectKind::Database
            | ObjectKind::Else => {}
        }
    }

    pub(super) fn with_statistics(&mut self, name: &RelationName, change: impl FnOnce(&mut Details)) {
        let owner = self.tables().find(|(_, table)| table.statistics.iter().any(|(it, _)| it == name));
        let Some(owner) = owner.map(|(owner, _)| owner.clone()) else { return };
        self.with_part(&owner, (ObjectKind::Statistics, name.name.to_string()), change);
    }

    /// Takes over a setting of a relation or of one of its columns.
    pub(super) fn take_setting(&mut self, relation: &RelationName, action: &TableAction) {
        match action {
            TableAction::Owner { to } => self.give_to(relation, to),
            TableAction::SetOptions { options, .. } => {
                self.with_details(relation, |it| it.set_options(options))
            }
            TableAction::SetStatistics { column, target } => match column {
                Some(column) => self.set_on_columns(relation, column, Setting::Statistics, target),
                None => self.with_details(relation, |it| it.set(Setting::Statistics, Some(target.clone()))),
            },
            TableAction::SetStorage { column, storage } => {
                self.set_on_columns(relation, column, Setting::Storage, storage);
            }
            TableAction::SetCompression { column, method } => {
                self.set_on_columns(relation, column, Setting::Compression, method);
            }
            TableAction::SetColumnOptions { column, options } => {
                self.with_column_details(relation, &column.name, |it| it.set_options(options));
            }
            TableAction::SetAccessMethod { method } => {
                self.with_details(relation, |it| it.set(Setting::AccessMethod, Some(method.clone())));
            }
            TableAction::SetTablespace { tablespace } => {
                self.with_details(relation, |it| it.set(Setting::Tablespace, Some(tablespace.clone())));
            }
            TableAction::RowSecurity { enabled } => self.mark(relation, Setting::RowSecurity, *enabled),
            TableAction::ForceRowSecurity { forced } => {
                self.mark(relation, Setting::ForcedRowSecurity, *forced)
            }
            TableAction::ClusterOn { index } => self.cluster_on(relation, Some(index)),
            TableAction::SetWithoutCluster => self.cluster_on(relation, None),
            TableAction::ReplicaIdentity { index, nothing, full } => {
                self.identify_by(relation, index.as_ref(), *nothing, *full);
            }
            TableAction::Trigger { name, state } => self.fire(relation, name.as_ref(), *state),
            TableAction::Rule { name, state } => {
                let firing = firing(*state);
                let part = (ObjectKind::Rule, name.name.clone());
                self.with_part(relation, part, |it| it.set(Setting::Firing, firing));
            }
            _ => {}
        }
    }

    /// The indexes and sequences of a table have its owner.
    fn give_to(&mut self, relation: &RelationName, to: &str) {
        self.with_details(relation, |it| {
            it.rights.remove(to);
            it.set(Setting::Owner, Some(to.to_owned()));
        });
        let columns = self.table(relation).into_iter().flat_map(|it| it.columns.iter());
        let sequences: Vec<RelationName> = columns.filter_map(|it| it.sequence.clone()).collect();
        for sequence in sequences {
            self.with_details(&sequence, |it| it.set(Setting::Owner, Some(to.to_owned())));
        }
    }

    fn set_on_columns(&mut self, relation: &RelationName, column: &Ident, setting: Setting, value: &str) {
        for name in std::iter::once(relation.clone()).chain(self.descendants(relation)) {
            self.with_column_details(&name, &column.name, |it| {
                it.set(setting.clone(), Some(value.to_lowercase()))
            });
        }
    }

    fn mark(&mut self, relation: &RelationName, setting: Setting, on: bool) {
        self.with_details(relation, |it| it.set(setting, on.then(|| "on".to_owned())));
    }

    /// One index of a table can have the mark.
    pub(super) fn cluster_on(&mut self, table: &RelationName, index: Option<&Ident>) {
        for name in self.indexes(table).iter().map(|it| it.name.clone()).collect::<Vec<_>>() {
            let is_it = index.is_some_and(|index| *name.name == index.name);
            self.mark(&name, Setting::Clustered, is_it);
        }
    }

    fn identify_by(&mut self, table: &RelationName, index: Option<&Ident>, nothing: bool, full: bool) {
        for name in self.indexes(table).iter().map(|it| it.name.clone()).collect::<Vec<_>>() {
            let is_it = index.is_some_and(|index| *name.name == index.name);
            self.mark(&name, Setting::ReplicaIdentity, is_it);
        }
        let word = match (index, nothing, full) {
            (Some(_), ..) => Some("index"),
            (_, true, _) => Some("nothing"),
            (.., true) => Some("full"),
            _ => None,
        };
        self.with_details(table, |it| it.set(Setting::ReplicaIdentity, word.map(str::to_owned)));
    }

    fn fire(&mut self, relation: &RelationName, name: Option<&Ident>, state: TriggerState) {
        for relation in std::iter::once(relation.clone()).chain(self.descendants(relation)) {
            self.with_triggers(&relation, |triggers| {
                for trigger in triggers.iter_mut().filter(|it| name.is_none_or(|name| it.name == name.name)) {
                    trigger.details.set(Setting::Firing, firing(state));
                }
            });
        }
    }

    pub(super) fn write_policy(&mut self, policy: &OnTable) {
        let dialect = self.dialect;
        self.with_part(&self.resolve(&policy.table), (ObjectKind::Policy, policy.name.name.clone()), |it| {
            for (part, words) in policy_parts(&policy.definition.text, dialect) {
                it.set(Setting::Policy(part), Some(words));
            }
        });
    }

    pub(super) fn write_rule(&mut self, rule: &OnTable) {
        let words = format!("{} TO {}", rule.head.text, rule.definition.text);
        let part = (ObjectKind::Rule, rule.name.name.clone());
        self.with_part(&self.resolve(&rule.table), part, |it| it.set(Setting::Definition, Some(words)));
    }

    pub(super) fn rename_part(&mut self, relation: &RelationName, object: ObjectKind, from: &str, to: &str) {
        self.with_relation(relation, |kind| {
            let parts = match kind {
                RelationKind::Table(table) => &mut table.parts,
                RelationKind::View(view) => &mut view.parts,
                RelationKind::Index(_) | RelationKind::Sequence(_) => return,
            };
            if let Some(details) = parts.remove(&(object, from.to_owned())) {
                parts.insert((object, to.to_owned()), details);
            }
        });
    }
}

fn firing(state: TriggerState) -> Option<String> {
    let word = match state {
        TriggerState::Enabled => return None,
        TriggerState::Always => "always",
        TriggerState::OnReplicas => "on replicas only",
        TriggerState::Disabled => "never",
    };
    Some(word.to_owned())
}

/// What a policy says, part by part; what it leaves out is as the manual says.
fn policy_parts(text: &str, dialect: Dialect) -> Vec<(&'static str, String)> {
    let script = Script::read(text, dialect);
    let mut cursor = Cursor::new(text, dialect, &script.tokens);
    let mut parts = Vec::new();
    while !cursor.at_end() {
        let part = if cursor.eat("as") {
            "kind"
        } else if cursor.eat("for") {
            "command"
        } else if cursor.eat("to") {
            "roles"
        } else if cursor.eat("using") {
            "condition of rows"
        } else if cursor.eat_all("with check") {
            "condition of new rows"
        } else {
            cursor.skip();
            continue;
        };
        let first = cursor.index();
        cursor.skip();
        while part == "roles" && !cursor.at_end() && !cursor.is_any(&["using", "with"]) {
            cursor.skip();
        }
        let words = cursor.part(first, cursor.index()).span().of(text).to_owned();
        let default = matches!(
            (part, words.to_lowercase().as_str()),
            ("kind", "permissive") | ("command", "all") | ("roles", "public")
        );
        if !default {
            parts.push((part, words));
        }
    }
    parts
}
