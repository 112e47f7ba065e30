//! The statements of a migration: those that stay as they are, and those that a recipe takes over.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Checked, CheckedStatement};
use lockkeeper_core::effect::in_server_order;
use lockkeeper_core::hazards::Hazard;
use lockkeeper_core::operation::{Kind, Operation};
use lockkeeper_core::plan::{Phase, Way};
use lockkeeper_core::policy::Judged;
use lockkeeper_core::recipes::{self, Recipe, Scene, alone, inverse};

use super::RewriteError;
use crate::analysis::CheckedFile;
use crate::config::Limits;

/// A part of a migration.
pub(super) enum Piece {
    /// Statements that stay.
    Kept(Kept),
    /// What a recipe makes of an operation.
    Rewritten(Vec<Phase>),
}

/// Statements that stay as they are.
pub(super) struct Kept {
    pub up: String,
    /// `None` where no way back is known.
    pub down: Option<String>,
    pub transactional: bool,
}

/// Takes a checked file apart.
pub(super) fn pieces(file: &CheckedFile, way: Way, limits: &Limits) -> Result<Vec<Piece>, RewriteError> {
    let mut taker =
        Taker { file, way, limits, catalog: file.before.clone(), pieces: Vec::new(), rewritten: false };
    taker.catalog.start_migration();
    for (checked, judged) in &file.parts {
        taker.part(checked, judged)?;
    }
    if !taker.rewritten {
        let message = "nothing in this migration has a recipe: there is nothing to rewrite".to_owned();
        return Err(RewriteError { message });
    }
    Ok(taker.pieces)
}

struct Taker<'a> {
    file: &'a CheckedFile,
    way: Way,
    limits: &'a Limits,
    catalog: Catalog,
    pieces: Vec<Piece>,
    rewritten: bool,
}

impl Taker<'_> {
    fn part(&mut self, checked: &Checked, judged: &Judged) -> Result<(), RewriteError> {
        for (number, statement) in checked.statements.iter().enumerate() {
            let hazards: Vec<&Hazard> =
                judged.hazards.iter().filter(|hazard| hazard.statement == number).collect();
            self.statement(statement, &hazards)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &CheckedStatement, hazards: &[&Hazard]) -> Result<(), RewriteError> {
        let any = statement.operations.iter().any(|operation| !recipes(operation, hazards).is_empty());
        if !any {
            let text = statement.span.of(&self.file.text).to_owned();
            self.keep(&text, &statement.operations);
        }
        for operation in in_server_order(&statement.operations) {
            match recipes(operation, hazards).as_slice() {
                [] if any => {
                    let text = alone(operation, &self.file.text);
                    self.keep(&text, std::slice::from_ref(operation));
                }
                [] => {}
                named => self.rewrite(named, operation)?,
            }
            self.catalog.apply(operation);
        }
        Ok(())
    }

    /// By the first of the recipes that is possible here.
    fn rewrite(&mut self, named: &[&'static Recipe], operation: &Operation) -> Result<(), RewriteError> {
        let scene = Scene {
            text: &self.file.text,
            target: &self.file.target,
            catalog: &self.catalog,
            batch_rows: self.limits.batch_rows,
            pause_lag_seconds: self.limits.replica_lag_pause_seconds,
            resume_lag_seconds: self.limits.replica_lag_seconds,
        };
        let mut written = named.iter().map(|recipe| recipes::write(recipe, operation, &scene, self.way));
        let first = written.next().unwrap_or_else(|| Ok(Vec::new()));
        let phases = first.or_else(|refusal| written.find_map(Result::ok).ok_or(refusal));
        let phases = phases.map_err(|refusal| RewriteError { message: refusal.reason })?;
        self.rewritten = true;
        self.pieces.push(Piece::Rewritten(phases));
        Ok(())
    }

    fn keep(&mut self, text: &str, operations: &[Operation]) {
        let settings_only =
            operations.iter().all(|it| matches!(it.kind, Kind::Set(_) | Kind::Transaction(_)));
        if settings_only {
            // Every new migration sets its own, and the runner or the spelling opens its transaction.
            return;
        }
        let transactional = self.is_transactional(operations);
        let down =
            operations.iter().rev().map(|it| inverse(it, &self.file.text)).collect::<Option<Vec<String>>>();
        let down = down.map(|statements| statements.join(";\n") + ";\n");
        let up = format!("{};\n", text.trim().trim_end_matches(';'));
        match self.pieces.last_mut() {
            Some(Piece::Kept(kept)) if kept.transactional && transactional => {
                kept.up.push_str(&up);
                kept.down = down.zip(kept.down.take()).map(|(later, earlier)| later + &earlier);
            }
            _ => self.pieces.push(Piece::Kept(Kept { up, down, transactional })),
        }
    }

    fn is_transactional(&self, operations: &[Operation]) -> bool {
        let session = lockkeeper_core::catalog::Session::default();
        let effect =
            lockkeeper_core::effect::of_statement(operations, &self.file.target, &self.catalog, &session);
        effect.transactional
    }
}

/// The recipes for an operation that hazards point at, in their order.
fn recipes(operation: &Operation, hazards: &[&Hazard]) -> Vec<&'static Recipe> {
    let pointed = hazards.iter().filter(|hazard| operation.span.contains(hazard.span));
    let named = pointed.flat_map(|hazard| &hazard.recipes).filter_map(|id| recipes::by_id(id));
    named.filter(|recipe| (recipe.applies)(operation)).collect()
}
