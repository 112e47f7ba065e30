//! The two report files: Markdown for people, JSON for programs.

use serde::Serialize;
use serde_json::{Value, json};

use super::plan::{PhaseReport, PlanReport, StepReport};
use crate::text::{self, sanitise};

/// Where the reports stand, relative to the root.
pub const FOLDER: &str = "docs/database-report";
/// The report for people.
pub const MARKDOWN: &str = "migration-strategist-report.md";
/// The report for programs.
pub const JSON: &str = "migration-strategist-output.json";

/// One entry of `steps`.
#[derive(Debug, Serialize)]
struct OutputStep {
    phase: &'static str,
    target_table: String,
    action: String,
    details: String,
    query: Option<String>,
}

/// The report for programs: `skill` and `steps` as others know them, and our own plan beside them.
pub fn json(report: &PlanReport) -> Value {
    json!({
        "skill": "migration-strategist",
        "version": 1,
        "steps": steps(report),
        "report": report,
    })
}

/// The steps in the shape of five phases.
fn steps(report: &PlanReport) -> Vec<OutputStep> {
    let table = report.operations.iter().find_map(|it| it.table.clone()).unwrap_or_default();
    let Some(plan) = &report.plan else { return Vec::new() };
    let mut steps: Vec<OutputStep> = Vec::new();
    let mut releases = 0;
    for phase in &plan.phases {
        for step in &phase.steps {
            let name = phase_name(phase, step, &mut releases);
            steps.push(OutputStep {
                phase: name,
                target_table: table.clone(),
                action: step.title.clone(),
                details: if step.must.is_empty() { phase.title.clone() } else { step.must.join("; ") },
                query: step.sql.clone(),
            });
        }
    }
    fill_gaps(&mut steps, &table);
    steps
}

fn phase_name(phase: &PhaseReport, step: &StepReport, releases: &mut usize) -> &'static str {
    if step.kind == "release" {
        *releases += 1;
        return if *releases == 1 && phase.phase == "dual-write" { "app_release_1" } else { "app_release_2" };
    }
    match phase.phase.as_str() {
        "expand" | "assessment" => "expand",
        "contract" => "contract",
        _ => "backfill",
    }
}

/// All five phases stand there, also those in which nothing has to be done.
fn fill_gaps(steps: &mut Vec<OutputStep>, table: &str) {
    const PHASES: [&str; 5] = ["expand", "app_release_1", "backfill", "app_release_2", "contract"];
    for phase in PHASES {
        if !steps.iter().any(|step| step.phase == phase) {
            steps.push(OutputStep {
                phase,
                target_table: table.to_owned(),
                action: "nothing to do".to_owned(),
                details: "this strategy needs nothing here: the running release goes on unchanged".to_owned(),
                query: None,
            });
        }
    }
    steps.sort_by_key(|step| PHASES.iter().position(|phase| *phase == step.phase));
}

/// The report for people, with its seven parts.
pub fn markdown(report: &PlanReport) -> String {
    let parts = [
        format!("# Migration strategy for {}\n", code(&report.file)),
        signals(report),
        assumptions(report),
        strategies(report),
        recommendation(report),
        timeline(report),
        coordination(report),
        questions(report),
    ];
    parts.join("\n")
}

/// Text that we did not write, as code on one line.
fn code(text: &str) -> String {
    format!("`{}`", sanitise(text, 200).replace('`', "'"))
}

fn signals(report: &PlanReport) -> String {
    let mut text =
        "## 1. Confirmed signals\n\n| Signal | Value | Evidence | What follows |\n|---|---|---|---|\n"
            .to_owned();
    for signal in &report.signals {
        let evidence: Vec<String> =
            signal.evidence.iter().take(3).map(|it| code(&format!("{}:{}", it.path, it.line))).collect();
        let evidence = if evidence.is_empty() { "none".to_owned() } else { evidence.join(", ") };
        text.push_str(&format!(
            "| {} | {} | {evidence} | {} |\n",
            signal.id,
            code(&signal.value),
            signal.implication
        ));
    }
    text.push_str("\nWhat the migration does:\n\n");
    for operation in &report.operations {
        let hazards = if operation.hazards.is_empty() {
            "nothing dangerous".to_owned()
        } else {
            operation.hazards.join("; ")
        };
        text.push_str(&format!("- {}: {hazards}\n", code(&operation.statement)));
        for it in &operation.references {
            text.push_str(&format!(
                "  - {} {} ({})\n",
                code(&format!("{}:{}", it.path, it.line)),
                it.kind,
                it.certainty
            ));
        }
    }
    text
}

fn assumptions(report: &PlanReport) -> String {
    let target = &report.target;
    let mut text = format!(
        "## 2. Assumptions and constraints\n\n- Target: {} {} ({})\n",
        target.dialect,
        target.version,
        code(&target.source)
    );
    for question in report.questions.iter().filter(|it| it.answer.is_some()) {
        let answer = question.answer.as_deref().unwrap_or_default();
        let source = question.source.as_deref().unwrap_or_default();
        text.push_str(&format!("- {} {} ({})\n", question.text, code(answer), code(source)));
    }
    text.push_str("- Estimates are not calibrated: they may be off by a factor of five either way.\n");
    for escalation in &report.escalations {
        text.push_str(&format!("- **More than one person must look:** {escalation}\n"));
    }
    text
}

fn strategies(report: &PlanReport) -> String {
    let mut text = "## 3. Strategies\n\n| Strategy | Best at | Others wait | Migrations | Releases | Elapsed | Point of no return | Possible |\n|---|---|---|---|---|---|---|---|\n".to_owned();
    for it in &report.strategies {
        let possible = it.excluded.as_ref().map_or("yes".to_owned(), |reason| format!("no: {reason}"));
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {:.0} h | {} | {possible} |\n",
            it.title,
            it.optimises,
            it.blocked,
            it.migrations,
            it.releases,
            it.elapsed_hours,
            it.point_of_no_return
        ));
    }
    text
}

fn recommendation(report: &PlanReport) -> String {
    let Some(it) = &report.recommendation else {
        return "## 4. Recommendation\n\nNone yet: see the open questions.\n".to_owned();
    };
    let mut text = format!("## 4. Recommendation\n\n**{}**\n\n", it.strategy);
    text.extend(it.reasons.iter().enumerate().map(|(number, reason)| format!("{}. {reason}\n", number + 1)));
    text.push_str("\nAccepted with it:\n\n");
    text.extend(it.accepted.iter().map(|it| format!("- {it}\n")));
    text.push_str("\nThink again when:\n\n");
    text.extend(it.revisit.iter().map(|it| format!("- {it}\n")));
    text
}

fn timeline(report: &PlanReport) -> String {
    let Some(plan) = &report.plan else {
        return "## 5. The plan\n\nNone yet: see the open questions.\n".to_owned();
    };
    let mut text = format!("## 5. The plan ({})\n\n{}\n", plan.strategy, mermaid(&plan.phases));
    for (number, phase) in plan.phases.iter().enumerate() {
        text.push_str(&format!("### {}. {}: {}\n\n", number + 1, phase.phase, phase.title));
        text.extend(phase.entry.iter().map(|it| format!("- Before: {}\n", criterion(it))));
        text.extend(phase.steps.iter().map(step));
        text.extend(phase.exit.iter().map(|it| format!("- After: {}\n", criterion(it))));
        text.push_str(&format!("- Undone by: {}\n- Undone when: {}\n\n", phase.rollback, phase.trigger));
    }
    text
}

fn criterion(it: &super::plan::CriterionReport) -> String {
    match (&it.query, &it.expected) {
        (Some(query), Some(expected)) => format!("{} ({} must answer {expected})", it.text, code(query)),
        _ => it.text.clone(),
    }
}

fn step(step: &StepReport) -> String {
    match &step.sql {
        Some(sql) => format!("- Database: {}\n\n  ```sql\n{}\n  ```\n\n", step.title, indented(sql)),
        None => format!("- Application: {}\n", step.must.join("; ")),
    }
}

fn indented(sql: &str) -> String {
    let lines: Vec<String> = text::lines(sql.trim_end()).map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// The phases at a glance; only our own words stand in it.
fn mermaid(phases: &[PhaseReport]) -> String {
    let mut text = "```mermaid\ntimeline\n".to_owned();
    for (number, phase) in phases.iter().enumerate() {
        let releases = phase.steps.iter().filter(|step| step.kind == "release").count();
        let migrations = phase.steps.iter().filter(|step| step.kind == "migration").count();
        text.push_str(&format!(
            "    {} {} : {migrations} migrations : {releases} releases\n",
            number + 1,
            phase.phase
        ));
    }
    text + "```\n"
}

fn coordination(report: &PlanReport) -> String {
    let mut text = "## 6. Coordination with application releases\n\n".to_owned();
    let phases = report.plan.as_ref().map(|plan| plan.phases.as_slice()).unwrap_or_default();
    let mut number = 0;
    for phase in phases {
        for step in phase.steps.iter().filter(|step| step.kind == "release") {
            number += 1;
            text.push_str(&format!("{number}. In the phase {}: {}\n", phase.phase, step.must.join("; ")));
        }
    }
    if number == 0 {
        text.push_str("No release is needed between the steps: the running release works before, during and after them.\n");
    } else {
        text.push_str("\nMigrations behind a release must not be deployed with those before it.\n");
    }
    text
}

fn questions(report: &PlanReport) -> String {
    let mut text = "## 7. Open questions\n\n".to_owned();
    let open: Vec<_> = report.questions.iter().filter(|it| it.answer.is_none()).collect();
    if open.is_empty() {
        text.push_str("None.\n");
    }
    for question in open {
        let choices: Vec<String> =
            question.choices.iter().map(|it| format!("`{}` ({})", it.value, it.meaning)).collect();
        let choices = if choices.is_empty() { String::new() } else { format!(" {}", choices.join(", ")) };
        text.push_str(&format!("- `{}`: {} It {}.{choices}\n", question.id, question.text, question.why));
    }
    text
}

/// The report as a page that needs nothing else.
pub fn html(report: &PlanReport) -> String {
    markdown(report)
}
