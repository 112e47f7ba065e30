//! What a release needs of the schema: what it names is there, can be read and written, with the rights that it had.

use std::collections::BTreeSet;

use super::moments::{Course, Moment};
use super::releases::Told;
use super::{Change, Kind, Objection};
use crate::catalog::filling::{Place, is_constant};
use crate::catalog::{Catalog, Details, RelationKind, RelationName, UserType, View};
use crate::operation::{Kind as Does, TableAction, TypeName};

/// What the releases that may be live miss at some moment.
pub(super) fn of_releases(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let asked = Asked { change, course, altered: altered(course) };
    let of_moment = |moment: &Moment| {
        let mut found = asked.kept(moment, moment.out, "the running release");
        if moment.rolls_out {
            found.extend(asked.started(moment, moment.out, "the new release"));
        }
        found
    };
    course.moments.iter().flat_map(of_moment).collect()
}

/// What a release misses at a moment, whether or not it would be live then: the running one where `number` is 0, else that of this number.
pub(super) fn missed(
    change: &Change<'_>,
    course: &Course<'_>,
    moment: &Moment,
    number: usize,
) -> Vec<Objection> {
    let asked = Asked { change, course, altered: altered(course) };
    match number.checked_sub(1) {
        None => asked.kept(moment, 0, "the running release"),
        Some(before) => {
            let mut found = asked.kept(moment, number, "this release");
            found.extend(asked.started(moment, before, "this release"));
            found
        }
    }
}

/// What a release misses at a moment that uses all of the schema before the change, and was told nothing.
pub(super) fn needed(
    change: &Change<'_>,
    course: &Course<'_>,
    moment: &Moment,
    who: &'static str,
) -> Vec<Objection> {
    Asked { change, course, altered: altered(course) }.kept(moment, 0, who)
}

/// What is asked of the releases of a plan.
struct Asked<'a> {
    change: &'a Change<'a>,
    course: &'a Course<'a>,
    /// Columns whose types a statement changes in place, as it was written.
    altered: BTreeSet<(RelationName, String)>,
}

impl Asked<'_> {
    /// What a release misses of what the running one used, when so many were told otherwise.
    fn kept(&self, moment: &Moment, told: usize, who: &'static str) -> Vec<Objection> {
        let (own, other) = (self.change.before, self.change.after);
        self.release(moment, &self.course.releases[..told], own, other, who).objections()
    }

    /// What the release of that place misses of what it was told to use.
    fn started(&self, moment: &Moment, at: usize, who: &'static str) -> Vec<Objection> {
        let Some(must) = self.course.releases.get(at) else { return Vec::new() };
        let (own, other) = (self.change.after, self.change.before);
        self.release(moment, std::slice::from_ref(must), own, other, who).starts()
    }

    fn release<'b>(
        &'b self,
        moment: &'b Moment,
        releases: &'b [&'b [String]],
        own: &'b Catalog,
        other: &'b Catalog,
        who: &'static str,
    ) -> Release<'b> {
        let told = Told { releases, dialect: self.change.target.dialect };
        Release { own, other, told, moment, altered: &self.altered, who }
    }
}

/// A release at a moment.
struct Release<'a> {
    /// The schema that it was made for.
    own: &'a Catalog,
    /// The other end of the plan.
    other: &'a Catalog,
    /// What others were told before it goes, or it is told itself.
    told: Told<'a>,
    moment: &'a Moment,
    /// Columns whose types a statement changes in place, as it was written.
    altered: &'a BTreeSet<(RelationName, String)>,
    who: &'static str,
}

fn altered(course: &Course<'_>) -> BTreeSet<(RelationName, String)> {
    let mut found = BTreeSet::new();
    for ran in &course.steps {
        for operation in ran.checked.statements.iter().flat_map(|it| &it.operations) {
            if let Does::AlterTable(alter) = &operation.kind
                && let TableAction::AlterType { column, .. } = &alter.action
            {
                found.insert((ran.before.resolve(&alter.table), column.name.clone()));
            }
        }
    }
    found
}

impl Release<'_> {
    fn now(&self) -> &Catalog {
        &self.moment.catalog
    }

    fn objection(&self, kind: Kind, subject: String, words: String) -> Objection {
        Objection { step: self.moment.step.clone(), kind, subject, words }
    }

    /// What a release that is live misses; until one that is out was told about it.
    fn objections(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        for (name, relation) in self.own.relations() {
            // What nothing has touched needs no look.
            let untouched = self.now().relation(name).is_some_and(|it| std::ptr::eq(it, relation));
            if untouched || self.told.names_whole(name) {
                continue;
            }
            match &relation.kind {
                RelationKind::Table(_) | RelationKind::View(_) => {
                    found.extend(self.relation(name, &relation.details));
                }
                RelationKind::Sequence(it) if it.owned_by.is_none() => {
                    found.extend(self.object("sequence", name, &relation.details));
                }
                RelationKind::Sequence(_) | RelationKind::Index(_) => {}
            }
        }
        found.extend(self.types());
        found.extend(self.routines());
        found
    }

    fn shown(&self, name: &RelationName) -> String {
        name.display(self.told.dialect)
    }

    fn object(&self, kind: &str, name: &RelationName, details: &Details) -> Vec<Objection> {
        let shown = self.shown(name);
        match self.now().details(name) {
            Some(now) => self.rights(&format!("{kind} {shown}"), details, now),
            None => vec![self.gone(kind, &shown)],
        }
    }

    fn gone(&self, kind: &str, shown: &str) -> Objection {
        let words = format!(
            "{kind} {shown} is gone while {} may use it: keep something under its name until a release says another",
            self.who
        );
        self.objection(Kind::Missing, format!("{kind} {shown}"), words)
    }

    fn relation(&self, name: &RelationName, details: &Details) -> Vec<Objection> {
        let shown = self.shown(name);
        let Some(relation) = self.now().relation(name) else { return vec![self.gone("relation", &shown)] };
        let mut found = self.rights(&format!("relation {shown}"), details, &relation.details);
        let Some(own) = columns(self.own, name) else { return found };
        if let Some(now) = columns(self.now(), name) {
            for (column, ty) in &own {
                found.extend(self.column(name, column, ty.as_ref(), &now));
            }
        }
        found.extend(self.writes(name, &own));
        found
    }

    fn column(
        &self,
        name: &RelationName,
        column: &str,
        ty: Option<&TypeName>,
        now: &Columns,
    ) -> Option<Objection> {
        let subject = format!("column {}.{column}", self.shown(name));
        if self.told.stops_column(name, column) {
            return None;
        }
        let Some((_, found)) = now.iter().find(|(it, _)| it == column) else {
            let words = format!("{subject} is gone while {} may name it", self.who);
            return Some(self.objection(Kind::Missing, subject, words));
        };
        let (ty, found) = (ty?, found.as_ref()?);
        let other = columns(self.other, name).and_then(|it| it.into_iter().find(|(it, _)| it == column)?.1);
        let in_place = self.altered.contains(&(name.clone(), column.to_owned()));
        let known = ty.is_same(found) || in_place || self.told.names_column(name, column);
        // A type of the schema that has another name is the same type.
        let renamed = self.own.user_type(ty).is_some() && self.own.user_type(found).is_none();
        let reached =
            other.as_ref().is_some_and(|it| it.is_same(found)) && (renamed || binds_alike(ty, found));
        (!known && !reached).then(|| {
            let words = format!(
                "{subject} is {found} when {} knows it as {ty}: a release that takes both comes first",
                self.who
            );
            self.objection(Kind::Refused, subject, words)
        })
    }

    /// What each role could do it can still do.
    fn rights(&self, subject: &str, own: &Details, now: &Details) -> Vec<Objection> {
        const OF_APPLICATIONS: &[&str] = &["select", "insert", "update", "delete", "usage", "execute"];
        let mut found = Vec::new();
        for (role, rights) in &own.rights {
            let lost = |it: &&String| OF_APPLICATIONS.contains(&it.as_str()) && !now.allows(role, it);
            let lost: Vec<&str> = rights.keys().filter(lost).map(String::as_str).collect();
            if !lost.is_empty() {
                let words = format!(
                    "{role} may {} on {subject} no more, while {} does: GRANT it in the same step",
                    lost.join(", ").to_uppercase(),
                    self.who
                );
                found.push(self.objection(Kind::Refused, format!("rights of {role} on {subject}"), words));
            }
        }
        found
    }

    /// Rows that it writes as it always did are taken.
    fn writes(&self, name: &RelationName, own: &Columns) -> Vec<Objection> {
        let shown = self.shown(name);
        let was_table = self.own.table(name).is_some();
        let base = match self.now().relation(name).map(|it| &it.kind) {
            Some(RelationKind::Table(_)) => name.clone(),
            Some(RelationKind::View(view)) if was_table => {
                if view.triggers.iter().any(|it| it.events.to_lowercase().contains("instead")) {
                    return Vec::new();
                }
                match base_of(view, self.now()) {
                    Some(base) => base,
                    None => {
                        let words = format!(
                            "{shown} is a view that takes no rows, while {} writes into it: give it INSTEAD OF triggers",
                            self.who
                        );
                        return vec![self.objection(Kind::Refused, format!("relation {shown}"), words)];
                    }
                }
            }
            _ => return Vec::new(),
        };
        let Some(table) = self.now().table(&base) else { return Vec::new() };
        let known = |column: &str| own.iter().any(|(it, _)| it == column);
        let unknown = table.columns.iter().filter(|it| !known(&it.name));
        unknown.filter_map(|it| self.unknown_column(name, &base, &it.name)).collect()
    }

    /// A column that the release does not know, and so gives no value.
    fn unknown_column(&self, name: &RelationName, base: &RelationName, column: &str) -> Option<Objection> {
        if self.told.names_column(name, column) || self.told.names_column(base, column) {
            return None;
        }
        let place = Place::of(self.now(), base, column)?;
        let subject = format!("column {}.{column}", self.shown(base));
        if place.is_required() {
            let words = format!(
                "{subject} refuses rows without a value, and {} gives none: a release that writes it, a default or a \
                 trigger comes first",
                self.who
            );
            return Some(self.objection(Kind::Refused, subject, words));
        }
        let constant = place.column.default.as_ref().is_some_and(|it| is_constant(it, self.now()));
        let alone = |index: &&crate::catalog::Index| {
            let keys: Vec<Option<&str>> = index.keys.iter().map(|it| it.column.as_deref()).collect();
            index.unique && keys == [Some(column)] && index.predicate.is_none()
        };
        (constant && !place.is_filled() && place.table.indexes.iter().any(|it| alone(&it))).then(|| {
            let words = format!("{subject} is unique, and each row of {} gets the same default", self.who);
            self.objection(Kind::Refused, subject, words)
        })
    }

    /// A type that is gone has no column any more, and those are asked for; here are the values of an enum.
    fn types(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        for (name, ty) in self.own.types().filter(|(name, _)| !self.told.names(&name.name)) {
            let now = self.now().types().find(|(it, _)| *it == name).map(|(_, it)| it);
            let (UserType::Enum(labels), Some(UserType::Enum(now))) = (ty, now) else { continue };
            for label in labels.iter().filter(|it| !now.contains(it) && !self.told.names(it)) {
                let shown = self.shown(name);
                let words = format!("{shown} has no value {label} any more, while {} may write it", self.who);
                found.push(self.objection(Kind::Missing, format!("value {label} of {shown}"), words));
            }
        }
        found
    }

    fn routines(&self) -> Vec<Objection> {
        let is_trigger = |text: &str| text.to_lowercase().contains("returns trigger");
        let mut found = Vec::new();
        for (name, own) in self.own.definitions().filter(|(_, it)| !is_trigger(&it.text)) {
            if self.told.names(&name.name) {
                continue;
            }
            match self.now().definitions().find(|(it, _)| *it == name) {
                Some((_, now)) => {
                    found.extend(self.rights(&format!("function {name}"), &own.details, &now.details))
                }
                // What the change itself takes away has no stand-in that anybody asked for.
                None if self.other.definitions().all(|(it, _)| it != name) => {}
                None => found.push(self.gone("function", &name.to_string())),
            }
        }
        found
    }

    /// Columns that a release which is rolled out stops writing, and that refuse rows without a value.
    fn stops(&self, name: &RelationName) -> Vec<Objection> {
        let Some(table) = self.now().table(name) else { return Vec::new() };
        let own = columns(self.own, name).unwrap_or_default();
        let mut found = Vec::new();
        for column in table.columns.iter().filter(|it| !own.iter().any(|(own, _)| *own == it.name)) {
            let required = Place { catalog: self.now(), table, column }.is_required();
            if required && self.told.stops_column(name, &column.name) {
                let subject = format!("column {}.{}", self.shown(name), column.name);
                let words = format!(
                    "{subject} refuses rows without a value, and the release that is rolled out gives none"
                );
                found.push(self.objection(Kind::Refused, subject, words));
            }
        }
        found
    }

    /// What a release that is rolled out was told to use, and does not find.
    fn starts(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        for (name, relation) in self.own.relations() {
            if !matches!(relation.kind, RelationKind::Table(_) | RelationKind::View(_)) {
                continue;
            }
            let is_new = self.other.relation(name).is_none();
            // Its columns may still change by what comes later in the plan.
            if is_new && self.told.names_whole(name) {
                found.extend(self.object("relation", name, &relation.details));
                continue;
            }
            found.extend(self.stops(name));
            let was = columns(self.other, name).unwrap_or_default();
            let now = columns(self.now(), name).unwrap_or_default();
            for (column, _) in columns(self.own, name).unwrap_or_default() {
                let starts = self.told.names(&format!("{}.{column}", self.shown(name)));
                let known = |columns: &Columns| columns.iter().any(|(it, _)| *it == column);
                if starts && !known(&was) && !known(&now) {
                    let subject = format!("column {}.{column}", self.shown(name));
                    let words = format!("{subject} is not there when the release that uses it is rolled out");
                    found.push(self.objection(Kind::Missing, subject, words));
                }
            }
        }
        found
    }
}

/// Whether a driver takes both for the same.
fn binds_alike(one: &TypeName, other: &TypeName) -> bool {
    const TEXTS: &[&str] = &["text", "varchar", "bpchar", "citext"];
    const INTEGERS: &[&str] = &["int2", "int4", "int8"];
    let both = |names: &[&str]| one.is_any(names) && other.is_any(names);
    one.array == other.array && (one.name == other.name || both(TEXTS) || both(INTEGERS))
}

/// Columns by name, with their types where these are known.
type Columns = Vec<(String, Option<TypeName>)>;

/// The columns of a table or view, where all of them are known.
fn columns(catalog: &Catalog, name: &RelationName) -> Option<Columns> {
    match &catalog.relation(name)?.kind {
        RelationKind::Table(table) => {
            Some(table.columns.iter().map(|it| (it.name.clone(), Some(it.ty.clone()))).collect())
        }
        RelationKind::View(view) => match (&view.columns, reads_all(view)) {
            (Some(shown), _) => Some(shown.iter().map(|it| (it.clone(), None)).collect()),
            (None, Some(base)) => columns(catalog, &base),
            (None, None) => None,
        },
        RelationKind::Index(_) | RelationKind::Sequence(_) => None,
    }
}

/// The one relation of a view that shows all of its columns.
fn reads_all(view: &View) -> Option<RelationName> {
    let [only] = view.depends_on.as_slice() else { return None };
    let words = view.query.text.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().take(3).collect();
    (words == ["select", "*", "from"]).then(|| only.relation.clone())
}

/// The table that rows go into which are written into a view; `None` where the server takes none.
fn base_of(view: &View, catalog: &Catalog) -> Option<RelationName> {
    let [only] = view.depends_on.as_slice() else { return None };
    let query = crate::operation::Expression::new(view.query.text.clone());
    let combined =
        ["distinct", "group", "union", "intersect", "except", "limit", "offset", "having", "with", "join"];
    if query.has_word(catalog.dialect(), &combined) || view.materialized {
        return None;
    }
    catalog.table(&only.relation).map(|_| only.relation.clone())
}
