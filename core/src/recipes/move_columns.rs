//! Columns whose values come from another table: moved there, merged with it, or copied to be near.

use crate::catalog::{ColumnState, ConstraintState, Demand, Index, RelationName, Table};
use crate::operation::{Expression, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step, Way};
use crate::statement::{Cursor, Script};

use super::assigned::Joined;
use super::backfill::Backfill;
use super::carried::{Carried, Part};
use super::derivation::{Derivation, Dropped, refuse_views, type_of};
use super::link::{End, Link, Linked, Which};
use super::scene::{Scene, name_of};
use super::{Form, Phases, Recipe, Refusal, check_then_not_null, drop_table};

pub(super) static RECIPE: Recipe = Recipe {
    id: "move-columns",
    page: include_str!("move_columns.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several { claim, write },
};

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let derivation = Derivation::of(operations, scene)?;
    derivation.assigned.joined.as_ref().filter(|it| it.table != derivation.assigned.table)?;
    Some(derivation.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    let derivation = Derivation::of(operations, scene).ok_or_else(|| Refusal::new("it moves no columns"))?;
    let joined = derivation.assigned.joined.clone().ok_or_else(|| Refusal::new("it reads no other table"))?;
    let join = Join::of(scene, &derivation.assigned.table, &joined)?;
    if let Dropped::Columns(columns) = &derivation.dropped {
        refuse_views(scene, &joined.table, columns)?;
    }
    let values = derivation.values(scene)?;
    let mut link = join.link(&derivation, &joined);
    let carried = match &derivation.dropped {
        Dropped::Columns(columns) => {
            let carried = columns
                .iter()
                .map(|it| Ok((*it, Carried::of(scene, join.source, join.source_state, it, it)?)));
            carried.collect::<Result<Vec<_>, Refusal>>()?
        }
        Dropped::Nothing | Dropped::Table => Vec::new(),
    };
    if !matches!(derivation.dropped, Dropped::Nothing) && way == Way::Triggers {
        join.both_ways(&derivation, &joined, &mut link)?;
    }
    let drop = match derivation.dropped {
        Dropped::Table => operations.last().map(|it| drop_table::phases(it, scene)).transpose()?,
        Dropped::Columns(_) | Dropped::Nothing => None,
    };
    let change = Move {
        scene,
        derivation: &derivation,
        join: &join,
        link: &link,
        values: &values,
        carried: &carried,
        way,
    };
    change.phases(drop)
}

/// Two tables and what tells which of their rows belong together.
struct Join<'a> {
    scene: &'a Scene<'a>,
    target: &'a RelationName,
    target_state: &'a Table,
    source: &'a RelationName,
    source_state: &'a Table,
    /// A column of the target and the one of the source that equals it.
    pairs: Vec<(String, String)>,
    /// Whether a row of the source belongs to one of the target at most.
    one_to_one: bool,
}

impl<'a> Join<'a> {
    fn of(scene: &'a Scene<'a>, target: &'a RelationName, joined: &'a Joined) -> Result<Self, Refusal> {
        let (target_state, source_state) = (scene.table(target)?, scene.table(&joined.table)?);
        let (shown, other) = (target.display(scene.dialect()), joined.table.display(scene.dialect()));
        let pairs = pairs(scene, target, target_state, joined, source_state).ok_or_else(|| {
            Refusal::new(format!(
                "which row of {other} belongs to a row of {shown} must be told by columns that are equal, and by nothing else: \
                 {shown}.a = {other}.b AND …"
            ))
        })?;
        let of_target: Vec<&str> = pairs.iter().map(|(column, _)| column.as_str()).collect();
        let of_source: Vec<&str> = pairs.iter().map(|(_, column)| column.as_str()).collect();
        if !is_unique(source_state, &of_source) {
            return Err(Refusal::new(format!(
                "several rows of {other} may belong to one of {shown}, as no unique key stands on {}: which one counts?",
                of_source.join(", ")
            )));
        }
        let to_source = |it| points_at(it, &of_target, &joined.table, source_state, &of_source);
        let to_target = |it| points_at(it, &of_source, target, target_state, &of_target);
        if !target_state.constraints.iter().any(to_source) && !source_state.constraints.iter().any(to_target)
        {
            return Err(Refusal::new(format!(
                "no foreign key stands between {shown} and {other}, so rows of both that are written at the same moment could miss each other: \
                 add one on {} first",
                of_target.join(", ")
            )));
        }
        let one_to_one = is_unique(target_state, &of_target);
        Ok(Self { scene, target, target_state, source: &joined.table, source_state, pairs, one_to_one })
    }

    /// What keeps the target's new columns as the source says.
    fn link(&self, derivation: &Derivation<'_>, joined: &Joined) -> Link<'a> {
        let added = derivation.added.iter().map(|it| it.name.name.clone());
        let mut target = End::new(self.target, self.target_state, &self.target.name, added);
        let mut source = End::new(self.source, self.source_state, &joined.alias, []);
        (target.joined_by, source.joined_by) = self.pairs.iter().cloned().unzip();
        target.kept = derivation
            .added
            .iter()
            .filter_map(|added| {
                let at = derivation.assigned.set.iter().position(|(set, _)| set.name == added.name.name)?;
                Some(Linked {
                    column: added.name.name.clone(),
                    value: Expression::new(joined.values[at].clone()),
                    default: added.default.as_ref().map(|it| it.text.clone()),
                    required: derivation.required.contains(&added.name.name.as_str()),
                })
            })
            .collect();
        Link { source, target, on: Expression::new(joined.on.clone()) }
    }

    /// The source's columns follow the target's too, for the release that is live.
    fn both_ways(
        &self,
        derivation: &Derivation<'_>,
        joined: &Joined,
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
        let copied = |column: &str| {
            let same = |value: &&String| {
                let value = value.trim();
                [column.to_owned(), scene.quote(column)].iter().any(|name| {
                    value == name
                        || value == format!("{}.{name}", joined.alias)
                        || value == format!("{}.{name}", scene.quote(&joined.alias))
                })
            };
            let at = joined.values.iter().position(|value| same(&value))?;
            derivation.assigned.set.get(at).map(|(set, _)| set.name.clone())
        };
        let columns: Vec<String> = match &derivation.dropped {
            Dropped::Columns(columns) => columns.iter().map(|it| (*it).to_owned()).collect(),
            Dropped::Table | Dropped::Nothing => {
                let known = self.source_state.columns.iter().map(|it| it.name.clone());
                known.filter(|it| copied(it).is_some()).collect()
            }
        };
        for column in columns {
            let Some(new) = copied(&column) else {
                return Err(Refusal::new(format!(
                    "{column} is not copied as it is, so nothing says what the release that is live should read when the new one writes: {application}"
                )));
            };
            let value = format!("{}.{}", scene.quote(&link.target.alias), scene.quote(&new));
            let state = self.source_state.column(&column);
            let default = state.and_then(|it| it.default.as_ref()).map(|it| it.text.clone());
            let required = state.is_some_and(|it| it.not_null);
            link.source.kept.push(Linked { column, value: Expression::new(value), default, required });
        }
        if matches!(derivation.dropped, Dropped::Table) {
            self.made(link)?;
        }
        Ok(())
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
                "a row of {} needs {}, which is copied nowhere, so none can be made for what the new release writes: copy it, give it a default, or \
                 let the application write both (--strategy application-dual-write)",
                self.source.display(self.scene.dialect()),
                column.name
            )));
        }
        link.source.made = true;
        Ok(())
    }
}

/// The columns that the condition sets equal.
fn pairs(
    scene: &Scene<'_>,
    target: &RelationName,
    target_state: &Table,
    joined: &Joined,
    source_state: &Table,
) -> Option<Vec<(String, String)>> {
    let script = Script::read(&joined.on, scene.dialect());
    let mut cursor = Cursor::new(&joined.on, scene.dialect(), &script.tokens);
    let side = |cursor: &mut Cursor<'_>| {
        let name = cursor.name()?;
        let (own, other) = (target_state.column(&name.name), source_state.column(&name.name));
        let of_source = match name.schema.as_deref() {
            Some(qualifier) if qualifier == joined.alias => true,
            Some(qualifier) if *qualifier == *target.name => false,
            Some(_) => return None,
            None => other.is_some(),
        };
        let ambiguous = name.schema.is_none() && own.is_some() && other.is_some();
        let column = if of_source { other } else { own };
        column.filter(|_| !ambiguous).map(|it| (of_source, it.name.clone()))
    };
    let mut pairs = Vec::new();
    loop {
        let left = side(&mut cursor)?;
        cursor.eat("=").then_some(())?;
        pairs.push(match (left, side(&mut cursor)?) {
            ((false, own), (true, other)) | ((true, other), (false, own)) => (own, other),
            _ => return None,
        });
        if !cursor.eat("and") {
            return cursor.at_end().then_some(pairs);
        }
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

/// The whole change.
struct Move<'a> {
    scene: &'a Scene<'a>,
    derivation: &'a Derivation<'a>,
    join: &'a Join<'a>,
    link: &'a Link<'a>,
    /// The value of each new column, in words of its row.
    values: &'a [Expression],
    /// The columns of the source that go.
    carried: &'a [(&'a str, Carried<'a>)],
    way: Way,
}

impl Move<'_> {
    fn triggers(&self) -> bool {
        self.way == Way::Triggers
    }

    fn added(&self) -> Vec<&str> {
        self.derivation.added.iter().map(|it| it.name.name.as_str()).collect()
    }

    /// The new columns in words.
    fn comes(&self) -> String {
        let shown = self.join.target.display(self.scene.dialect());
        self.added().iter().map(|it| format!("{shown}.{it}")).collect::<Vec<_>>().join(", ")
    }

    /// What the values come from, in words.
    fn goes(&self) -> String {
        let shown = self.join.source.display(self.scene.dialect());
        match &self.derivation.dropped {
            Dropped::Columns(columns) => {
                columns.iter().map(|it| format!("{shown}.{it}")).collect::<Vec<_>>().join(", ")
            }
            Dropped::Table | Dropped::Nothing => shown,
        }
    }

    /// The name of a file of one of the tables.
    fn file(&self, table: &RelationName, part: &str) -> String {
        name_of(&[&table.name, self.added().first().copied().unwrap_or_default(), part])
    }

    fn agree(&self) -> Criterion {
        let differ = self.added().into_iter().zip(self.values);
        let differ = differ
            .map(|(column, value)| format!("{} IS DISTINCT FROM ({})", self.scene.quote(column), value.text));
        let differ: Vec<String> = differ.collect();
        let table = self.scene.sql(self.join.target);
        // A row without a partner has nothing to agree with, unless a partner is made for it.
        let partner =
            match self.link.source.made || self.derivation.added.iter().any(|it| it.default.is_some()) {
                true => String::new(),
                false => format!("{} AND ", self.partner()),
            };
        let query = format!("SELECT count(*) FROM {table} WHERE {partner}({})", differ.join(" OR "));
        Criterion::counts_nothing("both tables agree in every row", query)
    }

    /// Whether a row has one in the other table.
    fn partner(&self) -> String {
        let (alias, source) = (self.scene.quote(&self.link.source.alias), self.scene.sql(self.join.source));
        format!("EXISTS (SELECT FROM {source} AS {alias} WHERE {})", self.link.on.text)
    }

    fn phases(&self, drop: Option<Vec<Phase>>) -> Phases {
        let mut phases = vec![self.expand()];
        if !self.triggers() {
            phases.push(self.dual_write());
        }
        phases.push(self.backfill()?);
        phases.extend(check_then_not_null::phase(self.scene, self.join.target, &self.derivation.required)?);
        phases.push(self.cutover());
        phases.extend(self.contract());
        // The release that does not know the table is out already.
        let rest = drop.into_iter().flatten();
        phases.extend(rest.filter(|it| it.releases().next().is_none()));
        Ok(phases)
    }

    fn expand(&self) -> Phase {
        let table = self.scene.sql(self.join.target);
        let alter = |action: String| format!("ALTER TABLE {table} {action}");
        let added = self.derivation.added.iter();
        let add = added.clone().map(|it| {
            alter(format!("ADD COLUMN {} {}", self.scene.quote(&it.name.name), type_of(it, self.scene)))
        });
        let drop = added.map(|it| alter(format!("DROP COLUMN {}", self.scene.quote(&it.name.name))));
        let (add, drop): (Vec<String>, Vec<String>) = (add.collect(), drop.collect());
        let title = format!("add {}", self.comes());
        let mut steps = vec![Step::Sql(self.scene.in_transaction(
            self.file(self.join.target, "expand"),
            title.clone(),
            &add,
            &drop,
        ))];
        if self.triggers() {
            steps.push(Step::Sql(self.linked()));
        }
        let title = if self.triggers() {
            format!("{title}, and keep it in step with {}", self.goes())
        } else {
            title
        };
        Phase::new(PhaseKind::Expand, title, steps).undone_by(
            "the down migrations drop the triggers and the new columns; nothing that was written is lost",
            "p99 of writes to either table over 10 % above the baseline",
        )
    }

    /// Both at once: with one side only, what the other side misses would look as if it were filled.
    fn linked(&self) -> SqlStep {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for which in [Which::Target, Which::Source] {
            up.extend(self.link.create(self.scene, which));
            down.extend(self.link.drop(self.scene, which));
        }
        let title = format!("keep {} and {} in step", self.comes(), self.goes());
        self.scene.on_two_tables(self.file(self.join.target, "in_step"), title, &up, &down)
    }

    fn dual_write(&self) -> Phase {
        let (old, new) = (self.goes(), self.comes());
        let must = vec![
            format!("write {new} wherever it writes {old}, in the same transaction, {old} first"),
            format!("go on reading {old}"),
        ];
        Phase::new(
            PhaseKind::DualWrite,
            "release the application that writes both",
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by(
            "roll the application back: the old values were never stale",
            "dual-write errors over 0.1 %",
        )
    }

    fn backfill(&self) -> Result<Phase, Refusal> {
        let columns = self.added();
        let set =
            columns.iter().zip(self.values).map(|(column, value)| (*column, self.shared(column, value)));
        let backfill = Backfill { table: self.join.target, set: set.collect(), pending: self.pending() };
        backfill.phase(self.scene, self.join.target_state, self.agree())
    }

    /// A value whose row of the other table is read for good: who is changing it is waited for, or its old value would be written behind the
    /// new one.
    fn shared(&self, column: &str, value: &Expression) -> String {
        let set = self.derivation.assigned.set.iter().find(|(set, _)| set.name == column);
        let query = set.map_or("", |(_, query)| query.text.trim());
        let inner = query.strip_suffix(')').unwrap_or(query);
        value.text.replace(query, &format!("{inner} FOR SHARE)"))
    }

    fn pending(&self) -> String {
        let each = |word: &dyn Fn(&str, &str) -> String, between: &str| {
            let columns = self.added().into_iter().zip(self.values);
            columns
                .map(|(column, value)| word(&self.scene.quote(column), &value.text))
                .collect::<Vec<_>>()
                .join(between)
        };
        if !self.triggers() {
            return each(&|column, value| format!("{column} IS DISTINCT FROM ({value})"), " OR ");
        }
        let empty = each(&|column, _| format!("{column} IS NULL"), " AND ");
        let some = each(&|_, value| format!("({value}) IS NOT NULL"), " OR ");
        format!("{empty} AND ({some})")
    }

    fn cutover(&self) -> Phase {
        let (old, new) = (self.goes(), self.comes());
        let stays = matches!(self.derivation.dropped, Dropped::Nothing);
        let mut steps = Vec::new();
        let free: Vec<Step> = self.carried.iter().filter_map(|(column, it)| self.free(column, it)).collect();
        if stays {
            let must = vec![
                format!("read {new}"),
                format!("write {new} wherever it writes what {old} holds of it, in the same transaction"),
            ];
            steps.push(Step::Release(ReleaseStep { must }));
        } else if self.triggers() {
            steps.extend(free);
            let must = vec![format!("say {new} wherever it says {old}, in reads and in writes")];
            steps.push(Step::Release(ReleaseStep { must }));
        } else {
            let must = vec![format!("read {new}"), format!("go on writing both {old} and {new}")];
            steps.push(Step::Release(ReleaseStep { must }));
            steps.extend(free);
            let must = vec![format!("write {new} only, and name {old} nowhere")];
            steps.push(Step::Release(ReleaseStep { must }));
        }
        let back = match self.triggers() {
            true => "roll the application back: both tables are up to date",
            false => {
                "roll the application back: both tables are up to date until the last release, which writes only the new columns"
            }
        };
        Phase::new(PhaseKind::Cutover, format!("release the application that says {new}"), steps)
            .enter_when(self.agree())
            .leave_when(Criterion::of_people(format!(
                "no instance of a release that says {old} only is running"
            )))
            .undone_by(back, "errors or p99 over 10 % above the baseline")
    }

    /// A release that does not write an old column needs it to take NULL.
    fn free(&self, column: &str, carried: &Carried<'_>) -> Option<Step> {
        if !is_freed(carried) {
            return None;
        }
        let (table, old) = (self.scene.sql(self.join.source), self.scene.quote(column));
        let up = format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL");
        let fill = self
            .refilled(column)
            .map(|value| format!("UPDATE {table} SET {old} = {value} WHERE {old} IS NULL"));
        let set = format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL");
        let down: Vec<String> = fill.into_iter().chain([set]).collect();
        let name = name_of(&[&self.join.source.name, column, "nullable"]);
        Some(Step::Sql(self.scene.in_transaction(
            name,
            format!("let rows be written without {column}"),
            &[up],
            &down,
        )))
    }

    /// An old value from the new columns, where it was copied as it is.
    fn refilled(&self, column: &str) -> Option<String> {
        let kept = self.link.source.kept.iter().find(|it| it.column == column)?;
        let alias = self.scene.quote(&self.link.target.alias);
        let source = self.scene.quote(&self.join.source.name);
        let on = self.join.pairs.iter().map(|(own, other)| {
            format!("{alias}.{} = {source}.{}", self.scene.quote(own), self.scene.quote(other))
        });
        let on: Vec<String> = on.collect();
        let table = self.scene.sql(self.join.target);
        Some(format!("(SELECT {} FROM {table} AS {alias} WHERE {})", kept.value.text, on.join(" AND ")))
    }

    fn contract(&self) -> Option<Phase> {
        let title = match self.derivation.dropped {
            Dropped::Columns(_) => format!("drop {} when nobody names it any more", self.goes()),
            Dropped::Table | Dropped::Nothing => {
                format!("keep {} no longer in step with {}", self.comes(), self.goes())
            }
        };
        let (target, source) = (self.target_contract(), self.source_contract());
        let steps: Vec<SqlStep> = if self.triggers() {
            // Both at once, as with one side only the other would go stale.
            let allow = vec!["-- lockkeeper: allow many-tables-locked because it gives up before anybody is ended for a deadlock".to_owned()];
            let up = [target.0, allow.clone(), source.0].concat();
            let down = [source.1, allow, target.1].concat();
            vec![self.scene.on_two_tables(self.file(self.join.target, "contract"), title.clone(), &up, &down)]
        } else {
            let each = [(self.join.target, target), (self.join.source, source)].into_iter();
            let each = each.filter(|(_, (up, _))| !up.is_empty());
            each.map(|(table, (up, down))| {
                self.scene.in_transaction(self.file(table, "contract"), title.clone(), &up, &down)
            })
            .collect()
        };
        if steps.is_empty() {
            return None;
        }
        let phase = Phase::new(PhaseKind::Contract, title, steps.into_iter().map(Step::Sql).collect())
            .enter_when(Criterion::of_people(format!(
                "no release that says {} only has run for one full release cycle",
                self.goes()
            )))
            .undone_by(
                "the down migration makes the old columns again and keeps them in step",
                "a program that still says the old name",
            );
        Some(phase)
    }

    fn target_contract(&self) -> (Vec<String>, Vec<String>) {
        let table = self.scene.sql(self.join.target);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let alter = |column: &str, action: &str| {
            format!("ALTER TABLE {table} ALTER COLUMN {} {action}", self.scene.quote(column))
        };
        for column in &self.derivation.added {
            let Some(default) = &column.default else { continue };
            up.push(alter(&column.name.name, &format!("SET DEFAULT {}", default.text)));
            down.push(alter(&column.name.name, "DROP DEFAULT"));
        }
        if self.triggers() {
            up.splice(0..0, self.link.drop(self.scene, Which::Target));
            down.extend(self.link.create(self.scene, Which::Target));
        }
        (up, down)
    }

    fn source_contract(&self) -> (Vec<String>, Vec<String>) {
        let table = self.scene.sql(self.join.source);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if self.triggers() {
            up.extend(self.link.drop(self.scene, Which::Source));
        }
        for (column, carried) in self.carried {
            let quoted = self.scene.quote(column);
            up.push(format!(
                "-- lockkeeper: allow dropped-column because the release that says {} instead is out, and nobody names {column} any more",
                self.comes()
            ));
            up.push(format!("ALTER TABLE {table} DROP COLUMN {quoted}"));
            down.push(format!("ALTER TABLE {table} ADD COLUMN {quoted} {}", carried.type_of_old()));
            let refilled = self.refilled(column);
            down.extend(refilled.iter().map(|value| format!("UPDATE {table} SET {quoted} = {value}")));
            let without = if is_freed(carried) || refilled.is_none() { &[Part::NotNull][..] } else { &[] };
            down.extend(carried.make_again_on(column, without));
        }
        if self.triggers() {
            down.extend(self.link.create(self.scene, Which::Source));
        }
        (up, down)
    }
}

fn is_freed(carried: &Carried<'_>) -> bool {
    carried.not_null() && carried.default().is_none()
}
