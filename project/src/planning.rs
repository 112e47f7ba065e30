//! From a checked migration to strategies, a recommendation and a plan.

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::catalog::RelationName;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::hazards::Subject;
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::plan::{Phase, Way};
use lockkeeper_core::reference::Reference;
use lockkeeper_core::report::strategist;
use lockkeeper_core::report::{
    ChosenPlan, OperationReport, PlanReport, QuestionReport, RecommendationReport, ReferenceReport,
    SignalReport, StrategyReport, chosen_plan,
};
use lockkeeper_core::runbook::{Brief, Consumer, Limits, runbook};
use lockkeeper_core::signals::{
    Answer, Blocks, Nature, Question, Signal, Situation, Stated, asked, of_tables, questions, with_measured,
    with_stated,
};
use lockkeeper_core::strategies::{self, Course, Facts, Pace, Strategy};
use lockkeeper_core::text::sanitise;

use crate::analysis::{self, CheckedFile};
use crate::consumers::consumers;
use crate::discover::Project;
use crate::owners::Owners;
use crate::proved;
use crate::rewrite::{self, Rewrite, RewriteError};
use crate::secret::{redact, redact_value};
use crate::signals::signals;
use crate::write::{FileChange, write_all};

/// What is known before strategies are generated.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// What was observed, and what people stated.
    pub signals: Vec<Signal>,
    /// What the developer was asked, with the answers there are.
    pub questions: Vec<Question>,
}

/// What somebody says beside the configuration; it wins over what stands there.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Answers to questions.
    pub answers: Vec<(String, Answer)>,
    /// Facts.
    pub facts: Vec<Stated>,
}

/// Observes the repository and collects what people stated and answered for a migration, or with an empty path for the whole project.
pub fn gather(project: &Project, path: &str, said: &Said) -> Gathered {
    gather_from(signals(project), project, path, said)
}

/// The same from what was observed before: an editor asks again and again, and the repository is read once.
pub fn gather_from(observed: Vec<Signal>, project: &Project, path: &str, said: &Said) -> Gathered {
    let config = project.config.at(path);
    let stated: Vec<Stated> = config.facts().into_iter().chain(said.facts.iter().cloned()).collect();
    let signals = with_stated(with_measured(observed, &project.measured), &stated);
    let mut answers: Vec<(String, Answer)> = said.answers.clone();
    answers.extend(config.answers());
    let questions = questions(&answers, &signals);
    Gathered { signals, questions }
}

impl Gathered {
    /// What matters to a change of these tables.
    fn of_tables(&self, tables: &[RelationName]) -> Self {
        let (signals, questions) = of_tables(&self.signals, &self.questions, tables);
        Self { signals, questions }
    }

    /// The same with facts of the largest tables only, for a reader who asked about all; of how many others facts are left out.
    #[must_use]
    pub fn of_largest(self) -> (Self, usize) {
        const MOST: usize = 20;
        let rows = |it: &Signal| {
            let table = it.id.strip_prefix("rows.")?;
            Some((it.value.known()?.parse::<u64>().ok()?, table.to_owned()))
        };
        let mut sizes: Vec<(u64, String)> = self.signals.iter().filter_map(rows).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let small: BTreeSet<String> = sizes.into_iter().skip(MOST).map(|(_, table)| table).collect();
        let is_shown =
            |it: &Signal| it.stated.is_some() || it.table().is_none_or(|table| !small.contains(table));
        let signals = self.signals.into_iter().filter(is_shown).collect();
        (Self { signals, questions: self.questions }, small.len())
    }

    /// The open questions that stop strategies or the plan.
    fn open(&self, blocks: &[Blocks]) -> Vec<&Question> {
        let open = self.questions.iter().filter(|it| it.answer.is_none());
        open.filter(|it| blocks.contains(&it.blocks())).collect()
    }

    /// The answers there are, as rewrites take them.
    fn answers(&self) -> Answers {
        let answered = |it: &Question| Some((it.id().to_owned(), it.value()?.to_owned()));
        self.questions.iter().filter_map(answered).collect()
    }
}

/// The plan for a checked file. With open questions that stop it, it holds those and no plan. `chosen` overrides the recommendation.
pub fn plan(project: &Project, file: &CheckedFile, gathered: &Gathered, chosen: Option<Course>) -> Planned {
    let gathered = &gathered.of_tables(&tables(file));
    with_facts(project, file, gathered, |facts, as_written| {
        planned(project, file, gathered, chosen, facts, as_written)
    })
}

/// The ways of a checked file weighed, and the one that a plan recommends: for an editor, which shows no report.
pub fn weighed(
    project: &Project,
    file: &CheckedFile,
    gathered: &Gathered,
) -> (Vec<Strategy>, Option<Course>) {
    let gathered = &gathered.of_tables(&tables(file));
    with_facts(project, file, gathered, |facts, as_written| {
        let strategies = generate(project, file, facts, &gathered.answers(), as_written);
        // Where another one would be better nobody sees here, and to search for it takes longest.
        let recommended = strategies::best(&strategies).map(|it| it.course);
        (strategies, recommended)
    })
}

/// Collects what decides about a file, beside the phases of the migration as it was written.
fn with_facts<T>(
    project: &Project,
    file: &CheckedFile,
    gathered: &Gathered,
    weigh: impl FnOnce(&Facts<'_>, Vec<Phase>) -> T,
) -> T {
    let situation = Situation::of(&gathered.signals, &gathered.questions);
    let statements = file.parts.iter().flat_map(|(checked, _)| &checked.statements);
    let as_written = rewrite::as_written(project, file);
    let misses = proved::missed_as_written(file, &as_written);
    let mut nature = Nature::of(&file.before, statements, file.hazards());
    nature.breaks_users |= !misses.is_empty();
    // What the model of schemas cannot tell, a value of another type say, the rules can.
    let told = file.hazards().filter(|it| it.subject.is_some()).map(|it| it.message.clone());
    let misses: Vec<String> = misses.into_iter().chain(told).collect();
    let fails = fails(file);
    let facts = Facts {
        situation: &situation,
        nature: &nature,
        target: &file.target,
        before: &file.before,
        fails: fails.as_deref(),
        misses: &misses,
        pace: Pace { soak_hours: project.config.at(&file.path).limits.soak_hours as f64 },
    };
    weigh(&facts, as_written)
}

fn planned(
    project: &Project,
    file: &CheckedFile,
    gathered: &Gathered,
    chosen: Option<Course>,
    facts: &Facts<'_>,
    as_written: Vec<Phase>,
) -> Planned {
    let stopped = !gathered.open(&[Blocks::Strategies]).is_empty();
    let strategies =
        if stopped { Vec::new() } else { generate(project, file, facts, &gathered.answers(), as_written) };
    let recommendation = strategies::recommend(&strategies, facts);
    let course = chosen.or(recommendation.as_ref().map(|it| it.course));
    let blocked_by = gathered.open(&[Blocks::Strategies, Blocks::Plan]);
    let strategy =
        course.and_then(|course| of_course(&strategies, course)).filter(|it| !it.phases.is_empty());
    let strategy = strategy.filter(|_| blocked_by.is_empty());
    let references = analysis::subjects_references(project, std::slice::from_ref(file));
    let told = Told { project, file, facts, references: &references };
    let report = PlanReport {
        version: 1,
        file: file.path.clone(),
        target: (&file.target).into(),
        signals: gathered.signals.iter().map(SignalReport::from).collect(),
        questions: asked(&gathered.questions, facts.nature).into_iter().map(QuestionReport::from).collect(),
        blocked_by: blocked_by.iter().map(|it| it.id().to_owned()).collect(),
        operations: operations(file, &references),
        escalations: strategy.map_or_else(Vec::new, |it| told.escalations(it)),
        strategies: strategies.iter().map(|it| StrategyReport::of(it, facts)).collect(),
        recommendation: recommendation.as_ref().map(RecommendationReport::from),
        plan: strategy.map(|it| told.plan(it)),
    };
    Planned {
        report,
        chosen: strategy.map(|it| Chosen {
            course: it.course,
            phases: it.phases.clone(),
            excluded: it.excluded.as_ref().map(|it| it.reason.clone()),
        }),
    }
}

/// The strategy of a course. A way that does the same as one before it stands under that one's name.
fn of_course(strategies: &[Strategy], course: Course) -> Option<&Strategy> {
    let exactly = strategies.iter().find(|it| it.course == course);
    let steps =
        || strategies.iter().find(|it| matches!((it.course, course), (Course::Steps(_), Course::Steps(_))));
    exactly.or_else(steps)
}

/// Why the migration as it was written fails.
fn fails(file: &CheckedFile) -> Option<String> {
    let statements = file.parts.iter().flat_map(|(checked, _)| &checked.statements);
    statements.filter_map(|it| it.effect.fails.clone()).next()
}

/// A migration planned.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The ways compared, and the chosen one written out.
    pub report: PlanReport,
    /// The chosen strategy.
    chosen: Option<Chosen>,
}

#[derive(Debug, Clone)]
struct Chosen {
    course: Course,
    phases: Vec<Phase>,
    excluded: Option<String>,
}

impl Planned {
    /// The id of the chosen strategy.
    pub fn strategy(&self) -> Option<&'static str> {
        self.chosen.as_ref().map(|it| it.course.id())
    }

    /// Why the chosen strategy may be read and not approved; `None` where it may be.
    pub fn refusal(&self) -> Option<String> {
        let chosen = self.chosen.as_ref()?;
        let reason = chosen.excluded.as_ref()?;
        Some(format!(
            "{} can be read and not be approved, since it is not possible here: {reason}",
            chosen.course.id()
        ))
    }

    /// The files of the chosen strategy; `None` where none is possible, or the migration stays as it is. `now` gives new files their names.
    ///
    /// # Errors
    /// [`RewriteError`] where the framework cannot run the steps.
    pub fn files(
        &self,
        project: &Project,
        file: &CheckedFile,
        now: Timestamp,
    ) -> Result<Option<Rewrite>, RewriteError> {
        let Some(chosen) = &self.chosen else { return Ok(None) };
        let Some(way) = chosen.course.way() else { return Ok(None) };
        rewrite::of_phases(project, file, way, chosen.phases.clone(), now).map(Some)
    }
}

/// The strategies of a file: each way that its recipes know, and what else can be made of their steps.
fn generate(
    project: &Project,
    file: &CheckedFile,
    facts: &Facts<'_>,
    answers: &Answers,
    as_written: Vec<Phase>,
) -> Vec<Strategy> {
    let ways = rewrite::ways(file).into_iter().filter(|way| *way != Way::Window);
    let made: Vec<(Way, Result<Vec<Phase>, RewriteError>)> =
        ways.map(|way| (way, rewrite::proved_phases(project, file, way, answers))).collect();
    let idle = made.iter().all(|(_, it)| it.as_ref().is_err_and(|error| error.nothing_to_do));
    let mut courses = vec![(Course::AsWritten, Ok(as_written))];
    if !idle {
        let online = made.iter().find(|(way, _)| *way == Way::Triggers).map(|(_, phases)| phases);
        let online = online.map(|it| it.clone().map_err(|error| error.message));
        courses.extend(
            made.iter().map(|(way, it)| (Course::Steps(*way), it.clone().map_err(|error| error.message))),
        );
        // Behind a stand-in both names work at once, so that there is nothing to move by shares.
        let stands_in = made.iter().any(|(way, it)| *way == Way::View && it.is_ok());
        if facts.nature.breaks_users && !stands_in {
            courses.extend(online.iter().map(|it| (Course::Gradual, it.clone())));
        }
        courses.extend(online.into_iter().map(|it| (Course::Prepared, it)));
    }
    let window = rewrite::proved_phases(project, file, Way::Window, answers);
    let window = match window {
        Err(error) if error.nothing_to_do => Ok(rewrite::in_window(project, file)),
        other => other.map_err(|error| error.message),
    };
    courses.push((Course::Window, window));
    strategies::generate(courses, facts)
}

/// What a chosen strategy is told with.
struct Told<'a> {
    project: &'a Project,
    file: &'a CheckedFile,
    facts: &'a Facts<'a>,
    references: &'a BTreeMap<Subject, Vec<Reference>>,
}

impl Told<'_> {
    fn plan(&self, strategy: &Strategy) -> ChosenPlan {
        let (file, facts) = (self.file, self.facts);
        let consumers = self.consumers();
        let tables = tables(file);
        let going: Vec<String> = self.references.keys().map(shown).collect();
        let limits = &self.project.config.at(&file.path).limits;
        let limits = Limits {
            error_percent: limits.error_percent,
            lag_seconds: limits.replica_lag_seconds,
            pause_seconds: limits.replica_lag_pause_seconds,
            soak_hours: limits.soak_hours,
        };
        let compatibility = proved::compatibility(file, strategy.course.stops(), &strategy.phases);
        let brief = Brief {
            file: &file.path,
            strategy,
            situation: facts.situation,
            nature: facts.nature,
            target: &file.target,
            tables: &tables,
            going: &going,
            consumers: &consumers,
            limits: &limits,
            compatibility: Some(&compatibility),
        };
        chosen_plan(&brief, &runbook(&brief))
    }

    fn consumers(&self) -> Vec<Consumer> {
        consumers(self.references, &Owners::of(self.project), self.facts.situation)
    }

    /// Why more than one person must look: the defaults of the domain, or the project's limits.
    fn escalations(&self, strategy: &Strategy) -> Vec<String> {
        let limits = &self.project.config.at(&self.file.path).limits;
        let costs = &strategy.costs;
        let mut found = Vec::new();
        if let Some(range) = costs.blocked.filter(|it| it.high > limits.lock_seconds as f64) {
            found.push(format!(
                "others may wait for {}; the limit is {} s",
                range.in_words(),
                limits.lock_seconds
            ));
        }
        let batched = costs.steps.iter().filter_map(|it| it.batched_rows).max();
        if let Some(rows) = batched.filter(|it| *it > limits.backfill_rows) {
            found.push(format!("a backfill of {rows} rows; the limit is {}", limits.backfill_rows));
        }
        if self.facts.situation.other_writers && self.facts.nature.breaks_users {
            found.push(
                "several services use what changes: each has to agree and move (every-writer-is-here)"
                    .to_owned(),
            );
        }
        let unfinished = self.facts.situation.unfinished.iter();
        found.extend(unfinished.map(|(table, what)| {
            format!(
                "{table}: {what}: somebody began it and did not finish, so find out why before this begins"
            )
        }));
        if costs.way_back.loses && self.facts.situation.maturity.restored.is_none() {
            found.push(
                "it has a point without return, and no restored backup is known (verified-backup)".to_owned(),
            );
        }
        found
    }
}

fn shown(subject: &Subject) -> String {
    match &subject.column {
        Some(column) => format!("{}.{column}", subject.table),
        None => subject.table.clone(),
    }
}

/// The tables of the schema before it that the migration locks or works on.
fn tables(file: &CheckedFile) -> Vec<RelationName> {
    let statements = file.parts.iter().flat_map(|(checked, _)| &checked.statements);
    let named =
        statements.flat_map(|it| it.effect.locks.keys().chain(it.effect.work.iter().map(|(name, _)| name)));
    let mut tables: Vec<_> = named.filter(|name| file.before.table(name).is_some()).cloned().collect();
    tables.sort();
    tables.dedup();
    tables
}

fn operations(file: &CheckedFile, references: &BTreeMap<Subject, Vec<Reference>>) -> Vec<OperationReport> {
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

/// The report files, by path. They are committed and sent around, so no secret stands in them.
///
/// # Panics
/// Never: a report is read back as it was written.
pub fn report_files(report: &PlanReport) -> BTreeMap<String, String> {
    let path = |name: &str| format!("{}/{name}", strategist::FOLDER);
    let mut json = strategist::json(report);
    redact_value(&mut json);
    BTreeMap::from([
        (path(strategist::MARKDOWN), redact(&strategist::markdown(report))),
        (path(strategist::JSON), format!("{json:#}\n")),
        (path(strategist::HTML), strategist::html(&without_secrets(report))),
    ])
}

/// The same report. In a page secrets would stand behind escapes, where nobody finds them.
fn without_secrets(report: &PlanReport) -> PlanReport {
    let mut value = serde_json::to_value(report).expect("a report is JSON");
    redact_value(&mut value);
    serde_json::from_value(value).expect("a report is read back as it was written")
}

/// Writes report files over those of an earlier report, and gives their paths.
///
/// # Errors
/// In words, when they cannot be written; then nothing was kept.
pub fn write_report(project: &Project, files: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let new = files.iter().map(|(path, content)| FileChange {
        path,
        content: Some(content),
        replaces: true,
        was: None,
    });
    write_all(&project.root, &new.collect::<Vec<_>>())?;
    Ok(files.keys().cloned().collect())
}
