//! NOT NULL on a column with rows: proved first, without blocking, then set without a scan.

use crate::catalog::RelationName;
use crate::dialect::Unnamed;
use crate::engine::Capability;
use crate::operation::{Constraint, ConstraintKind};
use crate::plan::{Act, Criterion, Phase, PhaseKind, SqlStep, Statement, Step};

use super::Refusal;
use super::make;
use super::scene::{Scene, name_of};

/// Whether NOT NULL can be set on a column with rows without reading them under a lock against everybody.
///
/// # Errors
/// [`Refusal`] where it cannot.
pub(crate) fn possible(scene: &Scene<'_>) -> Result<(), Refusal> {
    if scene.can(Capability::NotNullFromCheck) {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "before {} no check saves the scan of NOT NULL: leave a validated CHECK in its place",
        scene.since(Capability::NotNullFromCheck)
    )))
}

/// The phase that sets NOT NULL on columns that were filled.
///
/// # Errors
/// [`Refusal`] where that cannot be done without reading them under a lock against everybody.
pub(crate) fn phase(
    scene: &Scene<'_>,
    table: &RelationName,
    columns: &[&str],
) -> Result<Option<Phase>, Refusal> {
    if columns.is_empty() {
        return Ok(None);
    }
    possible(scene)?;
    let steps = columns.iter().flat_map(|column| guarded(scene, table, column)).map(Step::Sql).collect();
    let empty: Vec<String> = columns.iter().map(|it| format!("{} IS NULL", scene.quote(it))).collect();
    let count = format!("SELECT count(*) FROM {} WHERE {}", scene.sql(table), empty.join(" OR "));
    let title = format!("prove that every row has {}, then set NOT NULL", columns.join(", "));
    let filled = format!("every row has a value in {}", columns.join(", "));
    let phase = Phase::new(PhaseKind::Verification, title, steps)
        .enter_when(Criterion::counts_nothing(filled, count).seen_by_step())
        .undone_by(
            "the down migrations take NOT NULL and the check away",
            "an insert or update that fails for it",
        );
    Ok(Some(phase))
}

/// The same as [`steps`], for rows that somebody else gives their values: the first is refused while one has none, since
/// no update of such a row, of whatever column, would be taken any more.
pub(crate) fn guarded(scene: &Scene<'_>, table: &RelationName, column: &str) -> Vec<SqlStep> {
    let mut steps = steps(scene, table, column);
    let message = format!(
        "rows of {} have no {column}, and no update of them would be taken any more: give them a value first",
        table.display(scene.dialect())
    );
    let rows = format!("SELECT FROM {} WHERE {} IS NULL", scene.sql(table), scene.quote(column));
    if let Some(first) = steps.first_mut() {
        let settings = first.up.iter().take_while(|it| it.is_setting()).count();
        first.up.insert(settings, Statement::of(Act::Refuse { rows, message }));
    }
    steps
}

/// The migrations: a check for new rows, its validation, NOT NULL by that proof. Where NOT NULL is itself such a
/// constraint, two.
pub(crate) fn steps(scene: &Scene<'_>, table: &RelationName, column: &str) -> Vec<SqlStep> {
    let native = scene.can(Capability::UncheckedNotNull);
    let on = scene.on(table);
    let constraint = match native {
        true => {
            let name = scene.server_name(table, &[column], Unnamed::NotNull);
            make::constraint(&name, ConstraintKind::NotNull(make::ident(column)))
        }
        false => {
            let name = scene.free_name(table, &["lockkeeper", &table.name, column, "not_null"]);
            make::check(&name, format!("{} IS NOT NULL", scene.quote(column)))
        }
    };
    let own = constraint.name.clone().unwrap_or_default().name;
    let add = on.add(Constraint { not_valid: true, ..constraint });
    let (drop, validate) = (on.drop_constraint(&own), on.validate(&own));
    let file = |suffix: &str| name_of(&[&table.name, column, "not_null", suffix]);
    let mut steps = vec![
        scene.in_transaction(
            file("new_rows"),
            format!("refuse new rows without {column}"),
            vec![add.clone()],
            vec![drop.clone()],
        ),
        scene.in_transaction(
            file("validate"),
            format!("check the old rows for {column} without blocking"),
            vec![validate.clone()],
            vec![drop.clone(), add.clone()],
        ),
    ];
    if !native {
        steps.push(scene.in_transaction(
            file("set"),
            format!("set NOT NULL on {column}: the check proves it, nothing is read"),
            vec![on.set_not_null(column), drop],
            vec![on.drop_not_null(column), add, validate],
        ));
    }
    steps
}
