//! Values that a narrower type cannot hold: kept out, put at its limit, or made NULL, as the developer answers.

use crate::catalog::{ColumnState, Demand, RelationName, Table};
use crate::engine::preflight::{digits, length, only_casts, range, refused};
use crate::operation::{Constraint, Expression, TypeName};
use crate::plan::{Phase, Statement};

use super::Refusal;
use super::check::{Check, checked};
use super::make;
use super::scene::Scene;

/// What happens to values that a narrower type cannot hold: answers to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// There are none, and none comes in.
    Reject,
    /// The nearest value that fits: the limit of a number, the beginning of a text.
    Clamp,
    /// NULL.
    Null,
}

impl Narrow {
    /// The question's id.
    pub const QUESTION: &'static str = "narrowing";

    /// All answers; the first is what is done without one.
    pub const ALL: [Self; 3] = [Self::Reject, Self::Clamp, Self::Null];

    /// The answer's word.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Clamp => "clamp",
            Self::Null => "null",
        }
    }

    /// The answer with this word.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }
}

/// A column whose new type cannot hold all that its old one can.
pub(crate) struct Narrowing<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    column: &'a str,
    from: &'a TypeName,
    to: &'a TypeName,
    narrow: Narrow,
}

impl<'a> Narrowing<'a> {
    /// What happens to the values that the new type cannot hold, where there may be some.
    ///
    /// # Errors
    /// [`Refusal`] where what was answered is not possible for this column.
    pub fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &Table,
        column: &'a ColumnState,
        (to, using): (&'a TypeName, Option<&Expression>),
    ) -> Result<Option<Self>, Refusal> {
        if refused("", &column.ty, to).is_none() || using.is_some_and(|it| !is_plain(it, &column.name, to)) {
            return Ok(None);
        }
        let answer = scene.answers.get(Narrow::QUESTION).map_or(Narrow::Reject.id(), String::as_str);
        let narrow = Narrow::from_id(answer).ok_or_else(|| {
            let known: Vec<&str> = Narrow::ALL.iter().map(|it| it.id()).collect();
            Refusal::new(format!(
                "there is no answer {answer} to {}: there are {}",
                Narrow::QUESTION,
                known.join(", ")
            ))
        })?;
        let narrowing = Self { scene, table, column: &column.name, from: &column.ty, to, narrow };
        narrowing.refuse(state, column)?;
        Ok(Some(narrowing))
    }

    fn refuse(&self, state: &Table, column: &ColumnState) -> Result<(), Refusal> {
        let shown = self.shown();
        if self.narrow == Narrow::Null && column.not_null {
            return Err(Refusal::new(format!(
                "{shown} refuses NULL, so that values which do not fit cannot become NULL: answer reject or clamp to {}",
                Narrow::QUESTION
            )));
        }
        let is_it = |names: &[String]| names.iter().any(|it| it == self.column);
        let index =
            |it: &crate::catalog::Index| it.unique && it.names_column(self.column, self.scene.dialect());
        let constraint = |it: &crate::catalog::ConstraintState| match &it.demand {
            Demand::Unique(columns) | Demand::ForeignKey { columns, .. } => is_it(columns),
            _ => false,
        };
        let told_apart = state.indexes.iter().any(index) || state.constraints.iter().any(constraint);
        if self.narrow == Narrow::Clamp && told_apart {
            return Err(Refusal::new(format!(
                "{shown} is unique or points at another table, and values at the limit are neither: answer reject or null to {}",
                Narrow::QUESTION
            )));
        }
        Ok(())
    }

    fn shown(&self) -> String {
        format!("{}.{}", self.table.display(self.scene.dialect()), self.column)
    }

    fn misfit(&self, value: &str) -> String {
        refused(value, self.from, self.to).unwrap_or_else(|| "false".to_owned())
    }

    /// The new value from the old one.
    pub fn value(&self, value: &str) -> String {
        let to = self.to;
        let cast = format!("{value}::{to}");
        match (self.narrow, limits(to)) {
            (Narrow::Reject, _) | (Narrow::Clamp, None) => cast,
            (Narrow::Null, _) => format!("CASE WHEN {} THEN NULL ELSE {cast} END", self.misfit(value)),
            (Narrow::Clamp, Some((least, most))) => format!(
                "CASE {}WHEN {value} >= {most} THEN '{most}'::{to} WHEN {value} <= {least} THEN '{least}'::{to} ELSE {cast} END",
                self.not_a_number(value, &cast)
            ),
        }
    }

    /// NaN is greater than every number, and at no limit.
    fn not_a_number(&self, value: &str, cast: &str) -> String {
        let kept = if self.to.is("numeric") { cast } else { "NULL" };
        match self.from.is_any(&["numeric", "float4", "float8"]) {
            true => format!("WHEN {value} = 'NaN' THEN {kept} "),
            false => String::new(),
        }
    }

    /// The phases, in front of all others, that keep values out which do not fit.
    pub fn keep_out(&self) -> Vec<Phase> {
        if self.narrow != Narrow::Reject {
            return Vec::new();
        }
        let (shown, to) = (self.shown(), self.to);
        let misfit = self.misfit(&self.scene.quote(self.column));
        let check = Check {
            table: self.table,
            constraint: self.constraint(self.column),
            must: format!("write into {shown} only values that fit into {to}"),
            breaking: Some(format!("SELECT count(*) FROM {} WHERE {misfit}", self.scene.sql(self.table))),
            holds: format!(
                "every value of {shown} fits into {to}: change those that do not, or answer clamp or null to {}",
                Narrow::QUESTION
            ),
        };
        checked(self.scene, &check)
    }

    fn constraint(&self, column: &str) -> Constraint {
        let name = self.scene.free_name(self.table, &["lockkeeper", &self.table.name, self.column, "fits"]);
        make::check(&name, format!("NOT ({})", self.misfit(&self.scene.quote(column))))
    }

    /// The statement that keeps them out again, when the old column, now under another name, was made again.
    pub fn kept_out_again(&self, column: &str) -> Option<Statement> {
        let add = self.scene.on(self.table).add(self.constraint(column));
        (self.narrow == Narrow::Reject).then_some(add)
    }

    /// What the release at the swap must do besides.
    pub fn must(&self) -> String {
        format!(
            "write into {} only values that fit into {}: others fail from the swap on",
            self.shown(),
            self.to
        )
    }

    /// What goes with the old column for good.
    pub fn lost(&self) -> Option<String> {
        let done = match self.narrow {
            Narrow::Reject => return None,
            Narrow::Clamp => "put at the limit",
            Narrow::Null => "made NULL",
        };
        Some(format!(
            "nobody needs the values that were {done}, or a backup that holds them was restored and checked"
        ))
    }
}

/// Whether a conversion is the one that the server makes by itself. One of text cuts where the server refuses.
fn is_plain(using: &Expression, column: &str, to: &TypeName) -> bool {
    only_casts(using, column) && using.text.matches("::").count() == 1 && length(to).is_none()
}

/// The least and the greatest value of a type of numbers.
fn limits(ty: &TypeName) -> Option<(String, String)> {
    if let Some((least, most)) = range(ty) {
        return Some((least.to_string(), most.to_string()));
    }
    let (whole, scale) = digits(ty).filter(|_| ty.is("numeric"))?;
    let nines = "9".repeat(usize::try_from(whole + scale).ok()?);
    let most = match usize::try_from(whole) {
        Ok(whole) if whole > 0 && whole < nines.len() => format!("{}.{}", &nines[..whole], &nines[whole..]),
        Ok(whole) if whole == nines.len() => nines,
        _ => format!("{nines}e{}", -scale),
    };
    Some((format!("-{most}"), most))
}
