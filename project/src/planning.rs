//! From a checked migration to strategies, a recommendation and a plan.

use std::collections::BTreeMap;

use lockkeeper_core::estimate::Rows;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::plan::{Phase, Way};
use lockkeeper_core::report::strategist;
use lockkeeper_core::report::{
    ChosenPlan, OperationReport, PlanReport, QuestionReport, RecommendationReport, ReferenceReport,
    SignalReport, StrategyReport, phase_report,
};
use lockkeeper_core::signals::{Answer, Blocks, Question, Signal, questions};
use lockkeeper_core::strategies::{self, Costing, Facts, Strategy};
use lockkeeper_core::text::sanitise;

use crate::analysis::{self, CheckedFile};
use crate::config::Limits;
use crate::discover::Project;
use crate::rewrite::{self, Rewrite, RewriteError};
use crate::secret::{redact, redact_value};
use crate::signals::signals;
use crate::write::{NewFile, write_all};

/// What is known before strategies are generated.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// What was observed.
    pub signals: Vec<Signal>,
    /// What the developer was asked, with the answers there are.
    pub questions: Vec<Question>,
}

/// Observes the repository and collects the answers for a migration, or with an empty path those for the whole project;
/// `given` win over the configuration's.
pub fn gather(project: &Project, path: &str, given: &[(String, Answer)]) -> Gathered {
    let signals = signals(project);
    let mut answers: Vec<(String, Answer)> = given.to_vec();
    answers.extend(project.config.at(path).answers());
    let questions = questions(&answers, &signals);
    Gathered { signals, questions }
}

impl Gathered {
    /// The open questions that stop the strategies.
    pub fn blocking(&self) -> Vec<&Question> {
        let open = self.questions.iter().filter(|it| it.answer.is_none());
        open.filter(|it| matches!(it.blocks, Blocks::Strategies)).collect()
    }

    /// The answers there are, as rewrites take them.
    fn answers(&self) -> Answers {
        let answered = |it: &Question| Some((it.id.to_owned(), it.answer.as_ref()?.value.clone()));
        self.questions.iter().filter_map(answered).collect()
    }

    fn answer(&self, id: &str) -> Option<&str> {
        let question = self.questions.iter().find(|it| it.id == id)?;
        question.answer.as_ref().map(|it| it.value.as_str())
    }
}

/// The plan for a checked file. With open questions that block it, it holds those and no strategy. `chosen` overrides
/// the recommendation.
pub fn plan(project: &Project, file: &CheckedFile, gathered: &Gathered, chosen: Option<Way>) -> Planned {
    let blocked_by: Vec<String> = gathered.blocking().iter().map(|it| it.id.to_owned()).collect();
    let rows = rows(gathered);
    let limits = &project.config.at(&file.path).limits;
    let costing = Costing {
        target: &file.target,
        catalog: &file.before,
        rows: rows.as_ref(),
        soak_hours: limits.soak_hours,
    };
    let facts = Facts { signals: &gathered.signals, questions: &gathered.questions, costing };
    let strategies =
        if blocked_by.is_empty() { generate(project, file, &facts, &gathered.answers()) } else { Vec::new() };
    let recommendation = strategies::recommend(&strategies, &facts);
    let way = chosen.or(recommendation.as_ref().map(|it| it.way));
    // A way that does the same as one before it is listed under that one's name.
    let same = |way: Way| {
        let phases = rewrite::phases(project, file, way, &gathered.answers()).ok()?;
        strategies.iter().find(|it| it.phases == phases)
    };
    let plan = way.and_then(|way| strategies.iter().find(|it| it.way == way).or_else(|| same(way)));
    let plan = plan.filter(|it| !it.phases.is_empty());
    let report = PlanReport {
        version: 1,
        file: file.path.clone(),
        target: (&file.target).into(),
        signals: gathered.signals.iter().map(SignalReport::from).collect(),
        questions: gathered.questions.iter().map(QuestionReport::from).collect(),
        blocked_by,
        operations: operations(project, file),
        escalations: escalations(limits, &strategies, rows.as_ref()),
        strategies: strategies.iter().map(StrategyReport::from).collect(),
        recommendation: recommendation.as_ref().map(RecommendationReport::from),
        plan: plan.map(|it| ChosenPlan {
            strategy: it.way.id().to_owned(),
            phases: it.phases.iter().map(phase_report).collect(),
        }),
    };
    Planned { report, chosen: plan.map(|it| (it.way, it.phases.clone())) }
}

/// A migration planned.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The ways compared, and the chosen one written out.
    pub report: PlanReport,
    /// The chosen way with its phases.
    chosen: Option<(Way, Vec<Phase>)>,
}

impl Planned {
    /// The id of the chosen strategy.
    pub fn strategy(&self) -> Option<&'static str> {
        self.chosen.as_ref().map(|(way, _)| way.id())
    }

    /// The files of the chosen way; `None` where none is possible. `now` gives new files their names.
    ///
    /// # Errors
    /// [`RewriteError`] where the framework cannot run the steps.
    pub fn files(
        &self,
        project: &Project,
        file: &CheckedFile,
        now: Timestamp,
    ) -> Result<Option<Rewrite>, RewriteError> {
        let Some((way, phases)) = &self.chosen else { return Ok(None) };
        rewrite::of_phases(project, file, *way, phases.clone(), now).map(Some)
    }
}

fn generate(project: &Project, file: &CheckedFile, facts: &Facts<'_>, answers: &Answers) -> Vec<Strategy> {
    let ways = rewrite::ways(file).into_iter().map(|way| {
        let phases = rewrite::proved_phases(project, file, way, answers).map_err(|error| error.message);
        (way, phases)
    });
    strategies::generate(ways.collect(), facts)
}

fn rows(gathered: &Gathered) -> Option<Rows> {
    let digits: String = gathered.answer("table-rows")?.chars().filter(char::is_ascii_digit).collect();
    Some(Rows { count: digits.parse().ok()?, source: "declared".to_owned() })
}

fn operations(project: &Project, file: &CheckedFile) -> Vec<OperationReport> {
    let references = analysis::subjects_references(project, std::slice::from_ref(file));
    let mut operations = Vec::new();
    for (checked, judged) in &file.parts {
        for (number, statement) in checked.statements.iter().enumerate() {
            let hazards: Vec<_> = judged.hazards.iter().filter(|it| it.statement == number).collect();
            let users = hazards.iter().filter_map(|it| references.get(it.subject.as_ref()?)).flatten();
            operations.push(OperationReport {
                statement: sanitise(statement.span.of(&file.text), 300),
                table: statement.operations.iter().find_map(|it| it.relation()).map(ToString::to_string),
                hazards: hazards.iter().map(|it| format!("{} ({})", it.message, it.rule)).collect(),
                waits: statement.effect.waits.id().to_owned(),
                references: users.map(ReferenceReport::from).collect(),
            });
        }
    }
    operations
}

/// Why more than one person must look: the defaults of the domain, or the project's limits.
fn escalations(limits: &Limits, strategies: &[Strategy], rows: Option<&Rows>) -> Vec<String> {
    let mut found = Vec::new();
    let longest =
        strategies.iter().filter(|it| it.excluded.is_none()).filter_map(|it| it.costs.blocked_seconds);
    if let Some((_, most)) = longest.max_by(|a, b| a.1.total_cmp(&b.1))
        && most > limits.lock_seconds as f64
    {
        found.push(format!("a lock may be held for {most:.0} s; the limit is {} s", limits.lock_seconds));
    }
    if let Some(rows) = rows.filter(|it| it.count > limits.backfill_rows) {
        found.push(format!("a backfill of {} rows; the limit is {}", rows.count, limits.backfill_rows));
    }
    found
}

/// The two report files, by path. They are committed and sent around, so no secret stands in them.
pub fn report_files(report: &PlanReport) -> BTreeMap<String, String> {
    let path = |name: &str| format!("{}/{name}", strategist::FOLDER);
    let mut json = strategist::json(report);
    redact_value(&mut json);
    BTreeMap::from([
        (path(strategist::MARKDOWN), redact(&strategist::markdown(report))),
        (path(strategist::JSON), format!("{json:#}\n")),
    ])
}

/// Writes report files over those of an earlier report, and gives their paths.
///
/// # Errors
/// In words, when they cannot be written; then nothing was kept.
pub fn write_report(project: &Project, files: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let new = files.iter().map(|(path, content)| NewFile { path, content, replaces: true, was: None });
    write_all(&project.root, &new.collect::<Vec<_>>())?;
    Ok(files.keys().cloned().collect())
}
