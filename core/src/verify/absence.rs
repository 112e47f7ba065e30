//! What both ends have is there at every moment between.

use super::moments::{Course, Moment};
use super::{Change, Kind, Objection};
use crate::catalog::filling::fires;
use crate::catalog::{Catalog, Index, RelationKind, RelationName, Setting, Table};
use crate::operation::{ObjectKind, spelled};

/// What both ends have and some moment has not.
pub(super) fn between(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let both = Both { before: change.before, after: change.after };
    course.moments.iter().flat_map(|moment| both.missing(moment)).collect()
}

struct Both<'a> {
    before: &'a Catalog,
    after: &'a Catalog,
}

impl Both<'_> {
    fn missing(&self, moment: &Moment) -> Vec<Objection> {
        let mut found = Vec::new();
        for (name, relation) in self.before.relations() {
            let owner = match &relation.kind {
                RelationKind::Index(table) => table,
                _ => name,
            };
            let same = |it: &RelationName| {
                let (before, now) = (self.before.relation(it), moment.catalog.relation(it));
                before.zip(now).is_some_and(|(before, now)| std::ptr::eq(before, now))
            };
            // What nothing has touched needs no look.
            if same(name) && same(owner) {
                continue;
            }
            let shown = name.display(self.before.dialect());
            let Some(after) = self.after.relation(name) else { continue };
            match (&relation.kind, &after.kind) {
                (RelationKind::Table(one), RelationKind::Table(other)) => {
                    let Some(now) = moment.catalog.table(name) else { continue };
                    found.extend(self.parts(moment, name, [one, other, now]));
                }
                (RelationKind::Index(_), RelationKind::Index(_)) => {
                    found.extend(self.index(moment, name));
                }
                (RelationKind::View(_), RelationKind::View(_)) if moment.catalog.relation(name).is_none() => {
                    found.push(absent(moment, &format!("view {shown}")));
                }
                _ => {}
            }
        }
        found
    }

    /// A unique index, or one like it, keeps values distinct all the time.
    fn index(&self, moment: &Moment, name: &RelationName) -> Option<Objection> {
        let (table, before) = self.before.index(name)?;
        let (_, after) = self.after.index(name)?;
        if !before.unique || !after.unique {
            return None;
        }
        let now = moment.catalog.index(name).map(|(table, _)| table).unwrap_or(table);
        let keys = |it: &Index| -> Vec<String> {
            it.keys.iter().map(|it| spelled(&it.text.text, self.before.dialect())).collect()
        };
        let serves =
            |it: &&Index| it.unique && it.valid && (keys(it) == keys(before) || keys(it) == keys(after));
        let kept = moment.catalog.indexes(now).iter().any(|it| serves(&it));
        let elsewhere = moment.catalog.relation(now).is_none();
        (!kept && !elsewhere)
            .then(|| absent(moment, &format!("unique index {}", name.display(self.before.dialect()))))
    }

    fn parts(&self, moment: &Moment, name: &RelationName, [one, other, now]: [&Table; 3]) -> Vec<Objection> {
        let shown = name.display(self.before.dialect());
        let mut found = Vec::new();
        for trigger in &one.triggers {
            let is_there = |table: &Table| table.triggers.iter().any(|it| it.name == trigger.name);
            if is_there(other) && !is_there(now) {
                found.push(absent(moment, &format!("trigger {} of {shown}", trigger.name)));
            }
            let is_live =
                |table: &Table| table.triggers.iter().any(|it| it.name == trigger.name && fires(it));
            if fires(trigger) && is_live(other) && is_there(now) && !is_live(now) {
                let what = format!("trigger {} of {shown}", trigger.name);
                let words = format!(
                    "{what} does not fire for a while, also not for what the application writes: change the rows without disabling it"
                );
                found.push(Objection { step: moment.step.clone(), kind: Kind::Absent, subject: what, words });
            }
        }
        for constraint in one.constraints.iter().filter(|it| !it.demand.has_index()) {
            let is_there = |table: &Table| {
                table
                    .constraints
                    .iter()
                    .any(|it| it.name == constraint.name || it.demand == constraint.demand)
            };
            if is_there(other)
                && !is_there(now)
                && !matches!(constraint.demand, crate::catalog::Demand::NotNull(_))
            {
                found.push(absent(moment, &format!("constraint {} of {shown}", constraint.name)));
            }
        }
        for (part, _) in one.parts.iter().filter(|((kind, _), _)| *kind == ObjectKind::Policy) {
            if other.parts.contains_key(part) && !now.parts.contains_key(part) {
                found.push(absent(moment, &format!("policy {} of {shown}", part.1)));
            }
        }
        let secured = |catalog: &Catalog| {
            catalog.details(name).is_some_and(|it| it.get(&Setting::RowSecurity).is_some())
        };
        if secured(self.before) && secured(self.after) && !secured(&moment.catalog) {
            found.push(absent(moment, &format!("row security of {shown}")));
        }
        for column in &one.columns {
            found.extend(self.column(moment, &shown, &column.name, [one, other, now]));
        }
        found
    }

    /// What a column refuses, or gives by itself, is at no moment other than at both ends.
    fn column(
        &self,
        moment: &Moment,
        table: &str,
        name: &str,
        [one, other, now]: [&Table; 3],
    ) -> Option<Objection> {
        let (before, after, now_state) = (one.column(name)?, other.column(name)?, now.column(name)?);
        let subject = format!("column {table}.{name}");
        let gives = |it: &crate::catalog::ColumnState| {
            it.default.is_some() || it.identity.is_some() || it.generated.is_some()
        };
        if gives(before) && gives(after) && !gives(now_state) {
            let filled =
                crate::catalog::filling::Place { catalog: &moment.catalog, table: now, column: now_state }
                    .is_filled();
            return (!filled).then(|| absent(moment, &format!("default of {subject}")));
        }
        (!before.not_null && !after.not_null && now_state.not_null).then(|| {
            let words = format!("{subject} refuses NULL for a while, which neither end does");
            Objection { step: moment.step.clone(), kind: Kind::Refused, subject: subject.clone(), words }
        })
    }
}

fn absent(moment: &Moment, what: &str) -> Objection {
    let words =
        format!("{what} is not there for a while, though it is before and after: change it in one step");
    Objection { step: moment.step.clone(), kind: Kind::Absent, subject: what.to_owned(), words }
}
