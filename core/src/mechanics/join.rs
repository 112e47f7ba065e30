//! Two tables and what tells which of their rows belong together.

use crate::catalog::{ColumnState, ConstraintState, Demand, Index, RelationName, Table};
use crate::operation::Expression;
use crate::statement::{Cursor, Script};

use super::Refusal;
use super::link::{End, Link, Linked};
use super::scene::Scene;

/// A column whose values come from the other table.
#[derive(Debug, Clone)]
pub(crate) struct Moved {
    /// Its name.
    pub name: String,
    /// Its value, in words of both tables.
    pub from: Expression,
    /// Its value, in words of its own row.
    pub value: Expression,
    /// The query in it that reads the other table.
    pub query: String,
    /// Its default.
    pub default: Option<String>,
    /// Whether it refuses NULL in the end.
    pub required: bool,
}

impl Moved {
    /// The value with the other table's row read for good: who is changing it is waited for, or its old value would be written behind the new
    /// one.
    pub fn shared(&self) -> String {
        let inner = self.query.strip_suffix(')').unwrap_or(&self.query);
        self.value.text.replace(&self.query, &format!("{inner} FOR SHARE)"))
    }
}

/// Two tables and what tells which of their rows belong together.
pub(crate) struct Join<'a> {
    pub scene: &'a Scene<'a>,
    pub target: &'a RelationName,
    pub target_state: &'a Table,
    pub source: &'a RelationName,
    pub source_state: &'a Table,
    /// What the source is called in expressions.
    pub alias: String,
    /// What must be so of two rows that belong together, in words of both.
    pub on: Expression,
    /// A column of the target and the one of the source that equals it.
    pub pairs: Vec<(String, String)>,
    /// Whether a row of the source belongs to one of the target at most.
    one_to_one: bool,
}

impl<'a> Join<'a> {
    /// Reads the condition.
    ///
    /// # Errors
    /// [`Refusal`] where it does not tell one row of the source.
    pub fn of(
        scene: &'a Scene<'a>,
        (target, target_state): (&'a RelationName, &'a Table),
        source: &'a RelationName,
        alias: &str,
        on: &str,
    ) -> Result<Self, Refusal> {
        let source_state = scene.table(source)?;
        let (shown, other) = (target.display(scene.dialect()), source.display(scene.dialect()));
        for (state, name) in [(target_state, &shown), (source_state, &other)] {
            if state.partition_by.is_some() || state.partition_of.is_some() || !state.children.is_empty() {
                return Err(Refusal::new(format!(
                    "{name} is partitioned or inherited: no recipe keeps that in step with another table yet"
                )));
            }
        }
        let (alias, on) = (alias.to_owned(), Expression::new(on));
        let mut join = Self {
            scene,
            target,
            target_state,
            source,
            source_state,
            alias,
            on,
            pairs: Vec::new(),
            one_to_one: false,
        };
        join.pairs = join.pairs().ok_or_else(|| {
            Refusal::new(format!(
                "which row of {other} belongs to a row of {shown} must be told by columns that are equal, and by nothing else: \
                 {shown}.a = {other}.b AND …"
            ))
        })?;
        let (of_target, of_source) = join.columns();
        if !is_unique(source_state, &of_source) {
            return Err(Refusal::new(format!(
                "several rows of {other} may belong to one of {shown}, as no unique key stands on {}: which one counts?",
                of_source.join(", ")
            )));
        }
        join.one_to_one = is_unique(target_state, &of_target);
        Ok(join)
    }

    /// The columns of the target and of the source that are equal.
    fn columns(&self) -> (Vec<&str>, Vec<&str>) {
        self.pairs.iter().map(|(own, other)| (own.as_str(), other.as_str())).unzip()
    }

    /// # Errors
    /// [`Refusal`] where no foreign key joins the tables, or no index finds the rows.
    pub fn needs_key(&self) -> Result<(), Refusal> {
        let (of_target, of_source) = self.columns();
        let to_source = |it| points_at(it, &of_target, self.source, self.source_state, &of_source);
        let to_target = |it| points_at(it, &of_source, self.target, self.target_state, &of_target);
        let joined = self.target_state.constraints.iter().any(to_source)
            || self.source_state.constraints.iter().any(to_target);
        let columns: Vec<String> = of_target.iter().map(|it| (*it).to_owned()).collect();
        if joined && !self.scene.catalog.has_index_on(self.target, &columns) {
            return Err(Refusal::new(format!(
                "no index of {} begins with {}, so each write to {} would read all of it: build one first, concurrently",
                self.target.display(self.scene.dialect()),
                of_target.join(", "),
                self.source.display(self.scene.dialect()),
            )));
        }
        if joined {
            return Ok(());
        }
        Err(Refusal::new(format!(
            "no foreign key stands between {} and {}, so rows of both that are written at the same moment could miss each other: add one on {} first",
            self.target.display(self.scene.dialect()),
            self.source.display(self.scene.dialect()),
            of_target.join(", ")
        )))
    }

    /// What keeps the target's new columns as the source says.
    pub fn link(&self, comes: &[Moved]) -> Link<'a> {
        let added = comes.iter().map(|it| it.name.clone());
        let mut target = End::new(self.target, self.target_state, &self.target.name, added);
        let mut source = End::new(self.source, self.source_state, &self.alias, []);
        (target.joined_by, source.joined_by) = self.pairs.iter().cloned().unzip();
        let linked = |it: &Moved| Linked {
            column: it.name.clone(),
            value: it.from.clone(),
            default: it.default.clone(),
            required: it.required,
        };
        target.kept = comes.iter().map(linked).collect();
        Link { source, target, on: self.on.clone() }
    }

    /// The source's columns follow the target's too, for the release that is live: those that go, or all that were copied where the table goes.
    ///
    /// # Errors
    /// [`Refusal`] where nothing says what they should be.
    pub fn both_ways(
        &self,
        comes: &[Moved],
        goes: Option<&[&str]>,
        link: &mut Link<'_>,
    ) -> Result<(), Refusal> {
        let (scene, shown) = (self.scene, self.target.display(self.scene.dialect()));
        let application = "or let the application write both (--strategy application-dual-write)";
        if !self.one_to_one {
            return Err(Refusal::new(format!(
                "several rows of {shown} may have the same of {}, so what the new release writes into one cannot go back: leave the old columns in \
                 place, {application}",
                self.source.display(scene.dialect())
            )));
        }
        let copied =
            |column: &str| comes.iter().find(|it| self.is_copy(&it.from, column)).map(|it| it.name.as_str());
        let columns: Vec<&str> = match goes {
            Some(columns) => columns.to_vec(),
            None => {
                let known = self.source_state.columns.iter().map(|it| it.name.as_str());
                known.filter(|it| copied(it).is_some()).collect()
            }
        };
        for column in columns {
            let Some(new) = copied(column) else {
                return Err(Refusal::new(format!(
                    "{column} is not copied as it is, so nothing says what the release that is live should read when the new one writes: {application}"
                )));
            };
            let value = Expression::new(format!("{}.{}", scene.quote(&link.target.alias), scene.quote(new)));
            let state = self.source_state.column(column);
            let default = state.and_then(|it| it.default.as_ref()).map(|it| it.text.clone());
            let required = state.is_some_and(|it| it.not_null);
            link.source.kept.push(Linked { column: column.to_owned(), value, default, required });
        }
        match goes {
            Some(_) => Ok(()),
            None => self.made(link),
        }
    }

    /// Whether a value is this column of the source and no more.
    fn is_copy(&self, value: &Expression, column: &str) -> bool {
        let value = value.text.trim();
        let (alias, quoted) = (&self.alias, self.scene.quote(&self.alias));
        [column.to_owned(), self.scene.quote(column)].iter().any(|name| {
            value == name || value == format!("{alias}.{name}") || value == format!("{quoted}.{name}")
        })
    }

    /// The release that is live reads rows of the source that only the new one wrote: they must be made.
    fn made(&self, link: &mut Link<'_>) -> Result<(), Refusal> {
        let covered = |name: &String| {
            link.source.joined_by.contains(name) || link.source.kept.iter().any(|it| it.column == *name)
        };
        let needs = |it: &&ColumnState| {
            it.not_null && it.default.is_none() && it.identity.is_none() && it.generated.is_none()
        };
        let columns = self.source_state.columns.iter().filter(needs);
        let nullable = |name: &str| {
            let kept = link.source.kept.iter().find(|it| it.column == name);
            let of = |it: &Linked| {
                link.target
                    .kept
                    .iter()
                    .any(|new| !new.required && it.value.names(&new.column, self.scene.dialect()))
            };
            kept.is_some_and(of)
        };
        if let Some(column) = columns.clone().find(|it| nullable(&it.name)) {
            return Err(Refusal::new(format!(
                "{} refuses NULL in {} and has no default for it, and the new column may be NULL: let it refuse NULL too",
                self.source.display(self.scene.dialect()),
                column.name
            )));
        }
        if let Some(column) = columns.clone().find(|it| !covered(&it.name)) {
            return Err(Refusal::new(format!(
                "a row of {} needs {}, which is not copied, so none can be made for what the new release writes: copy it, give it a default, or \
                 let the application write both (--strategy application-dual-write)",
                self.source.display(self.scene.dialect()),
                column.name
            )));
        }
        link.source.made = true;
        Ok(())
    }

    /// The columns that the condition sets equal.
    fn pairs(&self) -> Option<Vec<(String, String)>> {
        let script = Script::read(&self.on.text, self.scene.dialect());
        let mut cursor = Cursor::new(&self.on.text, self.scene.dialect(), &script.tokens);
        let mut pairs = Vec::new();
        loop {
            let left = self.side(&mut cursor)?;
            cursor.eat("=").then_some(())?;
            pairs.push(match (left, self.side(&mut cursor)?) {
                ((false, own), (true, other)) | ((true, other), (false, own)) => (own, other),
                _ => return None,
            });
            if !cursor.eat("and") {
                return cursor.at_end().then_some(pairs);
            }
        }
    }

    /// A column, and whether it is one of the source.
    fn side(&self, cursor: &mut Cursor<'_>) -> Option<(bool, String)> {
        let name = cursor.name()?;
        let (own, other) = (self.target_state.column(&name.name), self.source_state.column(&name.name));
        let of_source = match name.schema.as_deref() {
            Some(qualifier) if qualifier == self.alias => true,
            Some(qualifier) if *qualifier == *self.target.name => false,
            Some(_) => return None,
            None => other.is_some(),
        };
        let ambiguous = name.schema.is_none() && own.is_some() && other.is_some();
        let column = if of_source { other } else { own };
        column.filter(|_| !ambiguous).map(|it| (of_source, it.name.clone()))
    }
}

fn is_unique(state: &Table, columns: &[&str]) -> bool {
    let same = |index: &Index| {
        index.unique
            && index.valid
            && index.predicate.is_none()
            && index.keys.len() == columns.len()
            && index.keys.iter().all(|key| key.column.as_deref().is_some_and(|it| columns.contains(&it)))
    };
    state.indexes.iter().any(same)
}

fn points_at(it: &ConstraintState, own: &[&str], to: &RelationName, state: &Table, their: &[&str]) -> bool {
    let Demand::ForeignKey { columns, references, key } = &it.demand else { return false };
    let named: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
    let referenced = match named.as_slice() {
        [] => state.primary_key().unwrap_or_default().iter().map(String::as_str).collect(),
        _ => named,
    };
    let same = |a: &[&str], b: &[&str]| a.len() == b.len() && a.iter().all(|it| b.contains(it));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    references == to && same(&columns, own) && same(&referenced, their)
}
