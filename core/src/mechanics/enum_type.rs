//! An enum that gets other labels: a new type beside the old one, a column of it beside each column of the old one, swapped under the same
//! names.

use crate::catalog::{Demand, RelationName, Table, UserType};
use crate::dialect::{Name, quote_literal};
use crate::engine::Count;
use crate::hazards::compatibility::renamed_object;
use crate::hazards::transaction::many_tables_locked;
use crate::operation::{Constraint, ObjectAction, ObjectKind, TypeName};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step};

use super::Refusal;
use super::STALE_STATEMENTS;
use super::carried::{self, Carried, Part};
use super::change_type::{Change, Moves};
use super::derivation::refuse_views;
use super::make;
use super::scene::{Scene, name_of};
use super::sync::undone;

/// An enum and all columns of it that are known.
pub(crate) struct Enum<'a> {
    pub scene: &'a Scene<'a>,
    pub name: RelationName,
    pub labels: &'a [String],
    pub uses: Vec<Use<'a>>,
}

/// A column of the type.
pub(crate) struct Use<'a> {
    pub table: RelationName,
    pub state: &'a Table,
    pub column: String,
}

impl<'a> Enum<'a> {
    /// The enum with this name.
    ///
    /// # Errors
    /// [`Refusal`] where its labels are not known, or a column of it cannot be carried over.
    pub fn of(scene: &'a Scene<'a>, name: &Name) -> Result<Self, Refusal> {
        let resolved = scene.resolve(name);
        let Some(UserType::Enum(labels)) = scene.catalog.type_named(name) else {
            return Err(Refusal::new(format!(
                "nothing is known of the enum {name}: put the migration into its folder, or give the schema, so that its labels and the \
                 columns of it are known"
            )));
        };
        let mut uses = Vec::new();
        for (table, columns) in scene.catalog.tables_using(&resolved) {
            let state = scene.table(&table)?;
            uses.extend(columns.into_iter().map(|column| Use { table: table.clone(), state, column }));
        }
        Ok(Self { scene, name: resolved, labels, uses })
    }

    /// Whether a column of it could get another type.
    ///
    /// # Errors
    /// [`Refusal`] where one cannot.
    pub fn refuse_uses(&self) -> Result<(), Refusal> {
        if self.uses.is_empty() {
            return Err(Refusal::new(format!(
                "no column of {} is known: who uses it, only you can tell",
                self.name.name
            )));
        }
        self.uses.iter().try_for_each(|it| self.refuse(it))
    }

    fn refuse(&self, it: &Use<'_>) -> Result<(), Refusal> {
        let shown = self.shown(it);
        let state = it.state.column(&it.column);
        if state.is_some_and(|it| it.ty.array) {
            return Err(Refusal::new(format!(
                "{shown} is an array of {}: no recipe carries that over yet",
                self.name.name
            )));
        }
        refuse_views(self.scene, &it.table, &[&it.column])
    }

    /// A column in words.
    pub fn shown(&self, it: &Use<'_>) -> String {
        format!("{}.{}", it.table.display(self.scene.dialect()), it.column)
    }

    /// All columns in words.
    pub fn all_shown(&self) -> String {
        self.uses.iter().map(|it| self.shown(it)).collect::<Vec<_>>().join(", ")
    }

    pub fn sql(&self) -> String {
        self.scene.sql(&self.name)
    }

    fn sibling(&self, word: &str) -> RelationName {
        RelationName { schema: self.name.schema.clone(), name: name_of(&[&self.name.name, word]).into() }
    }

    fn create(&self, name: &RelationName, labels: &[String]) -> Statement {
        make::create_enum(self.scene.name(name), labels)
    }

    fn rename(&self, from: &RelationName, to: &RelationName) -> Statement {
        let action = ObjectAction::RenameTo(make::ident(&*to.name));
        make::alter_object(ObjectKind::Type, self.scene.name(from), None, action)
    }

    /// The type as a column has it.
    fn type_name(&self, name: &RelationName) -> TypeName {
        let schema =
            (&*name.schema != self.scene.dialect().default_schema()).then(|| name.schema.to_string());
        TypeName { schema, ..TypeName::plain(&name.name) }
    }

    /// The query that counts rows with one of these labels.
    pub fn count(&self, it: &Use<'_>, labels: &[String]) -> String {
        let column = self.scene.quote(&it.column);
        format!("SELECT count(*) FROM {} WHERE {}", self.scene.sql(&it.table), is_any(&column, labels))
    }

    /// The statements that give it exactly these labels while everybody waits: for a way back.
    ///
    /// # Errors
    /// [`Refusal`] where something on a column cannot be made again.
    pub fn made_again(&self, labels: &[String]) -> Result<Vec<Statement>, Refusal> {
        let aside = self.sibling("old");
        let mut statements = vec![self.rename(&self.name, &aside), self.create(&self.name, labels)];
        for it in &self.uses {
            let carried = Carried::of(self.scene, &it.table, it.state, &it.column, &it.column)?;
            let on = self.scene.on(&it.table);
            statements.extend(carried.drop_all());
            if carried.default().is_some() {
                statements.push(on.drop_default(&it.column));
            }
            let using = format!("{}::text::{}", self.scene.quote(&it.column), self.sql());
            statements.push(on.retype(&it.column, self.type_name(&self.name), Some(using)));
            statements.extend(carried.make_again_on(&it.column, &[Part::NotNull]));
        }
        statements.push(make::drop(ObjectKind::Type, self.scene.name(&aside)));
        Ok(statements)
    }

    /// The check that keeps labels out of a column.
    pub fn check_without(&self, it: &Use<'_>, column: &str, labels: &[String]) -> Constraint {
        let name = self.scene.free_name(&it.table, &["lockkeeper", &it.table.name, &it.column, "labels"]);
        make::check(&name, format!("NOT ({})", is_any(&self.scene.quote(column), labels)))
    }

    /// The phase in which columns get the defaults of the end, where those differ.
    ///
    /// # Errors
    /// [`Refusal`] where one comes or goes altogether.
    pub fn defaults(&self, states: &[Table]) -> Result<Option<Phase>, Refusal> {
        let mut steps = Vec::new();
        for (it, state) in self.uses.iter().zip(states) {
            let default = |state: &Table| {
                state.column(&it.column)?.default.as_ref().map(|it| it.text.trim().to_owned())
            };
            let (before, after) = match (default(it.state), default(state)) {
                (before, after) if before == after => continue,
                (Some(before), Some(after)) => (before, after),
                _ => {
                    return Err(Refusal::new(format!(
                        "the default of {} comes or goes with it: change it in a migration of its own first",
                        self.shown(it)
                    )));
                }
            };
            let on = self.scene.on(&it.table);
            let name = name_of(&[&it.table.name, &it.column, "default"]);
            let title = format!("{} is {after} where nothing is stated", self.shown(it));
            let (up, down) = (on.set_default(&it.column, &*after), on.set_default(&it.column, &*before));
            steps.push(Step::Sql(self.scene.in_transaction(name, title, vec![up], vec![down])));
        }
        if steps.is_empty() {
            return Ok(None);
        }
        let phase = Phase::new(PhaseKind::Expand, "defaults become those of the end", steps);
        Ok(Some(phase.undone_by("the down migration sets the old default", "errors over the baseline")))
    }

    /// What hangs on a column must read the same with another type below.
    ///
    /// # Errors
    /// [`Refusal`] where it says one of these labels or the type's name, or is about two columns of the type.
    pub fn refuse_texts(&self, labels: &[String]) -> Result<(), Refusal> {
        let dialect = self.scene.dialect();
        for it in &self.uses {
            let column = self.scene.quote(&it.column);
            let checks = it.state.constraints.iter().filter_map(|constraint| match &constraint.demand {
                Demand::Check(check) => Some((format!("the check {}", constraint.name), check)),
                _ => None,
            });
            let indexes = it.state.indexes.iter().flat_map(|index| {
                let texts = index.keys.iter().map(|key| &key.text).chain(&index.predicate);
                texts.map(|text| (format!("the index {}", index.name.name), text))
            });
            for (shown, text) in checks.chain(indexes).filter(|(_, text)| text.names(&it.column, dialect)) {
                let others =
                    self.uses.iter().filter(|other| other.table == it.table && other.column != it.column);
                if let Some(other) = others.into_iter().find(|other| text.names(&other.column, dialect)) {
                    return Err(Refusal::new(format!(
                        "{shown} is about {column} and {}, which are both {}: no recipe carries that over yet",
                        other.column, self.name.name
                    )));
                }
                let label = labels.iter().any(|label| text.text.contains(&quote_literal(label)));
                let casts =
                    text.text.split("::").skip(1).any(|cast| cast.trim_start().starts_with(&self.sql()));
                if label || casts {
                    let what = if casts { self.sql() } else { labels.join(" or ") };
                    return Err(Refusal::new(format!(
                        "{shown} says {what}: change it first, so that it does not"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// The condition that a column holds one of these labels. Whether the type knows them does not matter.
pub(super) fn is_any(column: &str, labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|it| quote_literal(it)).collect();
    format!("{column}::text IN ({})", labels.join(", "))
}

/// An enum whose labels change from one list to another; rows hold only those that are in both, and releases say no others.
pub(crate) struct Relabelled<'a> {
    pub of: &'a Enum<'a>,
    pub before: &'a [String],
    pub after: &'a [String],
    /// The tables before it, in the order of the uses; with the defaults that the columns have in the end.
    pub states: Vec<Table>,
    /// What the release at the swap must do.
    pub must: Vec<String>,
    /// Labels that a check on each column kept out.
    pub kept_out: &'a [String],
}

/// A use with all that its change is written from.
struct Parts {
    new: String,
    beside: TypeName,
    named: TypeName,
    settled: Table,
}

impl Relabelled<'_> {
    /// What every release at a swap must do.
    pub fn must(name: &str) -> String {
        format!(
            "recycle the connection pool behind the swap: {name} is another type of that name then, {STALE_STATEMENTS}, and drivers that keep its number must ask again"
        )
    }

    /// The phases, from the new type to the end of the old one.
    ///
    /// # Errors
    /// [`Refusal`] where something on a column cannot be carried over.
    pub fn phases(&self) -> Result<Vec<Phase>, Refusal> {
        let parts: Vec<Parts> =
            self.of.uses.iter().zip(&self.states).map(|(it, state)| self.parts(it, state)).collect();
        let uses = || self.of.uses.iter().zip(&self.states).zip(&parts);
        let scene = self.of.scene;
        let before =
            uses().map(|((it, state), parts)| Carried::of(scene, &it.table, state, &it.column, &parts.new));
        let before = before.collect::<Result<Vec<_>, _>>()?;
        let settled = uses()
            .map(|((it, _), parts)| Carried::of(scene, &it.table, &parts.settled, &it.column, &parts.new));
        let settled = settled.collect::<Result<Vec<_>, _>>()?;
        let mut changes = Vec::new();
        for (number, ((it, state), parts)) in uses().enumerate() {
            let now = Change::of_labels(
                scene,
                (&it.table, state),
                (&it.column, &parts.new),
                &parts.beside,
                &before[number],
            );
            let then = Change::of_labels(
                scene,
                (&it.table, &parts.settled),
                (&it.column, &parts.new),
                &parts.named,
                &settled[number],
            );
            changes.push((now?, then?));
        }
        let mut phases = vec![self.expand(&changes)];
        for (now, _) in &changes {
            phases.push(now.backfill()?);
            phases.extend(carried::phase(now.carried));
        }
        phases.push(self.swap(&changes));
        phases.push(self.contract(&changes));
        Ok(phases)
    }

    fn parts(&self, it: &Use<'_>, state: &Table) -> Parts {
        let of = |name: &RelationName| self.of.type_name(name);
        let mut settled = state.clone();
        if let Some(column) = settled.column_mut(&it.column) {
            column.ty = of(&self.of.sibling("old"));
        }
        let (new, beside) = (name_of(&[&it.column, "new"]), of(&self.of.sibling("new")));
        Parts { new, beside, named: of(&self.of.name), settled }
    }

    fn expand(&self, changes: &[(Change<'_>, Change<'_>)]) -> Phase {
        let of = self.of;
        let new = of.sibling("new");
        let create = of.create(&new, self.after);
        let title = format!("make the type {} with the labels of the end", new.name);
        let mut steps = vec![Step::Sql(of.scene.in_transaction(
            name_of(&[&new.name, "type"]),
            title.clone(),
            vec![create.clone()],
            undone(&[create]),
        ))];
        for (now, _) in changes {
            steps.extend(now.expand().steps);
        }
        Phase::new(PhaseKind::Expand, format!("{title}, and columns of it that are kept in step"), steps)
            .undone_by(
                "the down migrations drop the new columns and the type",
                "writes that fail in the trigger",
            )
    }

    /// All columns and the names of the types at once: whoever says the name finds the type of the columns.
    fn swap(&self, changes: &[(Change<'_>, Change<'_>)]) -> Phase {
        let of = self.of;
        let (old, new) = (of.sibling("old"), of.sibling("new"));
        let because = "the name stays valid: the types change places with the columns";
        let types_up = [of.rename(&of.name, &old), of.rename(&new, &of.name)];
        let types_up = types_up.map(|it| it.allowing(&renamed_object::RULE, because));
        let types_down = vec![of.rename(&of.name, &new), of.rename(&old, &of.name)];
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let last = changes.len().saturating_sub(1);
        for (number, (now, then)) in changes.iter().enumerate() {
            let (mut after, back_after) = now.moved_default();
            if number == 0 {
                after.splice(0..0, types_up.clone());
            }
            let back_before = if number == last { types_down.clone() } else { Vec::new() };
            let (own_up, own_down) =
                now.swapped(then, Moves { after, back_before, back_after, ..Moves::default() });
            up.extend(self.second(number, own_up));
            down.splice(0..0, own_down);
        }
        let title = format!("swap: {} has its new labels from here on", of.name.name);
        let step = self.step("swap", &title, up, down);
        let release = Step::Release(ReleaseStep { must: self.must.clone() });
        let mut phase = Phase::new(PhaseKind::Cutover, title, vec![release, Step::Sql(step)]).undone_by(
            "the down migration swaps them back; what was written meanwhile is in both",
            "errors over the baseline",
        );
        phase.entry.extend(changes.iter().map(|(now, _)| now.agrees()));
        phase.exit.extend(changes.iter().map(|(_, then)| then.copy_agrees()));
        phase.leave_when(Criterion::counts_nothing(
            "nothing but the copies uses the old type any more: no function, domain, or column that the migrations do not know",
            self.other_users(&old, changes),
        ))
    }

    /// What depends on a type, but for columns that are known.
    fn other_users(&self, ty: &RelationName, changes: &[(Change<'_>, Change<'_>)]) -> String {
        let scene = self.of.scene;
        let known: Vec<(String, String)> =
            changes.iter().map(|(now, _)| (scene.sql(now.table), now.aside())).collect();
        scene.count(&Count::OtherUsesOfType { ty: &scene.sql(ty), known: &known })
    }

    /// A step on all tables at once.
    fn step(&self, word: &str, title: &str, up: Vec<Statement>, down: Vec<Statement>) -> SqlStep {
        let name = name_of(&[&self.of.name.name, word]);
        let first = self.of.uses.first().map(|it| &it.table);
        match self.of.uses.iter().any(|it| Some(&it.table) != first) {
            true => self.of.scene.on_two_tables(name, title, up, down),
            false => self.of.scene.in_transaction(name, title, up, down),
        }
    }

    /// The statements on one table; the first of each table but the first meets a hazard on purpose.
    fn second(&self, number: usize, mut statements: Vec<Statement>) -> Vec<Statement> {
        let uses = &self.of.uses;
        let before = number.checked_sub(1).and_then(|it| uses.get(it));
        let other = before.zip(uses.get(number)).is_some_and(|(before, it)| before.table != it.table);
        if let Some(first) = statements.first_mut().filter(|_| other) {
            let because = "names change at once: it waits half a second for each, and tries again";
            *first = first.clone().allowing(&many_tables_locked::RULE, because);
        }
        statements
    }

    fn contract(&self, changes: &[(Change<'_>, Change<'_>)]) -> Phase {
        let of = self.of;
        let old = of.sibling("old");
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for (number, ((_, then), it)) in changes.iter().zip(&of.uses).enumerate() {
            let (own_up, mut own_down) = then.drop_copy();
            if !self.kept_out.is_empty() {
                let check = of.check_without(it, &then.aside(), self.kept_out);
                own_down.push(of.scene.on(&it.table).add(check));
            }
            up.extend(self.second(number, own_up));
            down.splice(0..0, own_down);
        }
        up.push(make::drop(ObjectKind::Type, of.scene.name(&old)));
        down.insert(0, of.create(&old, self.before));
        let title = format!("drop the copies and the old type ({})", old.name);
        let step = self.step("contract", &title, up, down);
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people("the new type has been in use for one full release cycle"))
            .undone_by(
                "the down migration makes the type and the copies again",
                "a need to go back to the old labels",
            )
    }
}
