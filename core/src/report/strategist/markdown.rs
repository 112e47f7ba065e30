//! The report for people who read Markdown: one page first, SQL folded away.

use super::super::plan::{
    CriterionReport, PhaseReport, PlanReport, QuestionReport, StepReport, StrategyReport,
};
use crate::estimate::in_words;
use crate::quantity::{Seconds, bytes};
use crate::text::{self, sanitise};

/// The report, with its seven parts.
pub fn markdown(report: &PlanReport) -> String {
    let parts = [
        format!("# Migration strategy for {}\n", code(&report.file)),
        in_short(report),
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

/// A query on one line, all of it: half a query helps nobody.
fn whole(query: &str) -> String {
    format!("`{}`", sanitise(query, query.len()).replace('`', "'"))
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn list(items: &[String]) -> String {
    items.iter().map(|it| format!("- {it}\n")).collect()
}

/// What somebody needs who reads nothing else.
fn in_short(report: &PlanReport) -> String {
    let Some(chosen) = report.chosen() else {
        let open = report.blocked_by.join(", ");
        return match report.blocked_by.is_empty() {
            true => "**In short:** no strategy is possible as things are; part 3 says what would make one possible.\n".to_owned(),
            false => format!("**In short:** nothing is planned yet: {open} must be answered first (part 7).\n"),
        };
    };
    let hours = Seconds::hours(chosen.elapsed_hours);
    let waits = if chosen.moments == 0 && chosen.blocked_seconds == Some((0.0, 0.0)) {
        "nobody".to_owned()
    } else {
        chosen.blocked.clone()
    };
    let mut lines = vec![
        format!("**In short:** {} (`{}`).", chosen.title, chosen.name),
        format!("- Who waits: {waits}."),
    ];
    if let Some(downtime) = chosen.downtime_seconds.filter(|it| it.high > 0.0) {
        lines.push(format!("- The application is stopped for {}.", in_words((downtime.low, downtime.high))));
    }
    lines.push(format!(
        "- {} and {}, {} from the first step to the last.",
        many(chosen.migrations, "migration"),
        many(chosen.releases, "release"),
        hours
    ));
    lines.push(format!(
        "- Going back takes about {}. Point of no return: {}.",
        Seconds::minutes(chosen.rollback_minutes.likely),
        chosen.point_of_no_return
    ));
    if let Some(first) = report.recommendation.as_ref().and_then(|it| it.flips.first()) {
        lines.push(format!("- It would be `{}` with {}.", first.strategy, first.when));
    }
    let failing = report.plan.iter().flat_map(|it| &it.checklist).filter(|it| !it.holds).count();
    if failing > 0 {
        lines.push(format!(
            "- {} of the checklist {} still open (end of part 5).",
            many(failing, "point"),
            if failing == 1 { "is" } else { "are" }
        ));
    }
    for escalation in &report.escalations {
        lines.push(format!("- **More than one person must look:** {escalation}."));
    }
    lines.join("\n") + "\n"
}

fn many(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

fn signals(report: &PlanReport) -> String {
    let mut text =
        "## 1. Confirmed signals\n\n| Signal | Value | Confirmed | Evidence | What follows |\n|---|---|---|---|---|\n"
            .to_owned();
    for signal in &report.signals {
        let evidence: Vec<String> =
            signal.evidence.iter().take(3).map(|it| code(&format!("{}:{}", it.path, it.line))).collect();
        let evidence = if evidence.is_empty() { "none".to_owned() } else { evidence.join(", ") };
        let confirmed = match (&signal.stated, signal.confidence.as_str()) {
            (Some(source), _) => format!("stated in {}", code(source)),
            (None, "contradicted") => {
                let others: Vec<String> = signal
                    .conflicts
                    .iter()
                    .map(|it| code(&format!("{} ({})", it.value, it.source)))
                    .collect();
                format!("no: {} differ", others.join(", "))
            }
            (None, confidence) => format!("no: {confidence}"),
        };
        let unit = signal.unit.as_ref().map_or(String::new(), |it| format!(" {it}"));
        text.push_str(&format!(
            "| {} | {}{unit} | {} | {evidence} | {} |\n",
            cell(&signal.id),
            code(&signal.value),
            cell(&confirmed),
            cell(&signal.implication)
        ));
    }
    text.push_str("\nA signal is confirmed by stating it under `[facts]` in lockkeeper.toml; unknown never means no.\n\nWhat the migration does:\n\n");
    for operation in &report.operations {
        let hazards = match operation.hazards.is_empty() {
            true => "nothing dangerous".to_owned(),
            false => operation.hazards.join("; "),
        };
        text.push_str(&format!("- {}: {hazards}\n", code(&operation.statement)));
        for it in &operation.references {
            let place = code(&format!("{}:{}", it.path, it.line));
            text.push_str(&format!("  - {place} {} ({})\n", it.kind, it.certainty));
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
    let unanswered = report.questions.iter().filter(|it| it.answer.is_none());
    for question in unanswered {
        if let Some(meanwhile) = &question.meanwhile {
            text.push_str(&format!("- Assumed until `{}` is answered: {meanwhile}\n", question.id));
        }
    }
    text.push_str("- Estimates are not calibrated: they may be off by a factor of five either way.\n");
    for escalation in &report.escalations {
        text.push_str(&format!("- **More than one person must look:** {escalation}\n"));
    }
    text
}

/// Those that people choose from: possible, and not worse than another in everything.
fn offered(report: &PlanReport) -> Vec<&StrategyReport> {
    report.possible().into_iter().filter(|it| it.dominated_by.is_none()).collect()
}

fn strategies(report: &PlanReport) -> String {
    let offered = offered(report);
    let mut text = "## 3. Strategies\n\n".to_owned();
    if report.strategies.is_empty() {
        return text + "None yet: see the open questions.\n";
    }
    if !offered.is_empty() {
        text.push_str("| Strategy | Best at | Others wait | Application stopped | Migrations | Releases | Elapsed | WAL | Back in | Point of no return | Points |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    }
    for it in &offered {
        let stopped = it.downtime_seconds.filter(|it| it.high > 0.0);
        text.push_str(&format!(
            "| {} (`{}`) | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} |\n",
            it.title,
            it.name,
            cell(&it.optimises),
            it.blocked,
            stopped.map_or("never".to_owned(), |it| in_words((it.low, it.high))),
            it.migrations,
            it.releases,
            Seconds::hours(it.elapsed_hours),
            it.wal_bytes.map_or("unknown".to_owned(), bytes),
            Seconds::minutes(it.rollback_minutes.likely),
            cell(&it.point_of_no_return),
            it.points,
        ));
    }
    for it in &offered {
        text.push_str(&described(it));
    }
    text.push_str(&left_out(report));
    text
}

fn described(it: &StrategyReport) -> String {
    let mut text = format!(
        "\n### {}\n\n{}\n\nFor it:\n\n{}\nAgainst it:\n\n{}",
        it.title,
        it.description,
        list(&it.pros),
        list(&it.cons)
    );
    text.push_str("\nHow it fails:\n\n| What goes wrong | Who notices | Then |\n|---|---|---|\n");
    for mode in &it.failure_modes {
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            cell(&mode.what),
            cell(&mode.blast_radius),
            cell(&mode.then)
        ));
    }
    if !it.burden.is_empty() {
        text.push_str(&format!("\nWhat it takes to run it:\n\n{}", list(&it.burden)));
    }
    text.push_str(&format!("\nNeeds: {}. Fit: {}.\n", it.needs.join(", "), it.fit));
    text.push_str("\n<details><summary>What its points are made of</summary>\n\n| Criterion | How much | Points | Weighed so because |\n|---|---|---|---|\n");
    for criterion in &it.criteria {
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            criterion.criterion,
            cell(&criterion.amount),
            criterion.points,
            cell(&criterion.because)
        ));
    }
    text + "\n</details>\n"
}

fn left_out(report: &PlanReport) -> String {
    let mut text = String::new();
    for it in &report.strategies {
        if let (Some(reason), Some(unless)) = (&it.excluded, &it.possible_if) {
            text.push_str(&format!(
                "- `{}`, {}: {reason}. Possible if {unless}.\n",
                it.name,
                it.title.to_lowercase()
            ));
        } else if let Some(by) = &it.dominated_by {
            text.push_str(&format!(
                "- `{}`, {}: `{by}` is at least as good in everything.\n",
                it.name,
                it.title.to_lowercase()
            ));
        }
    }
    if text.is_empty() { text } else { format!("\nNot offered:\n\n{text}") }
}

fn recommendation(report: &PlanReport) -> String {
    let Some(it) = &report.recommendation else {
        let why = match report.strategies.is_empty() {
            true => "None yet: see the open questions.",
            false => {
                "None: no strategy is possible as things are. Part 3 says what would make each possible."
            }
        };
        return format!("## 4. Recommendation\n\n{why}\n");
    };
    let mut text = format!("## 4. Recommendation\n\n**{}**\n\n", it.strategy);
    text.extend(it.reasons.iter().enumerate().map(|(number, reason)| format!("{}. {reason}\n", number + 1)));
    text.push_str(&format!("\nAccepted with it:\n\n{}", list(&it.accepted)));
    if !it.flips.is_empty() {
        text.push_str("\nWhere it flips:\n\n| With | It would be | Decided by |\n|---|---|---|\n");
        for flip in &it.flips {
            text.push_str(&format!("| {} | `{}` | {} |\n", flip.when, flip.strategy, flip.fact));
        }
    }
    text.push_str(&format!("\nThink again when:\n\n{}", list(&it.revisit)));
    text
}

fn timeline(report: &PlanReport) -> String {
    let Some(plan) = &report.plan else {
        return "## 5. The plan\n\nNone yet: see the open questions.\n".to_owned();
    };
    let mut text = format!("## 5. The plan ({})\n\n{}\n", plan.strategy, mermaid(&plan.phases));
    text.push_str("| Step | What | On | Lock | Takes | Who waits | Gate |\n|---|---|---|---|---|---|---|\n");
    for phase in &plan.phases {
        text.extend(phase.steps.iter().filter(|it| it.kind != "check").map(|it| row(phase, it)));
    }
    for phase in &plan.phases {
        text.push_str(&of_phase(phase));
    }
    text.push_str("\n### Checklist\n\n| Point | Holds | Evidence |\n|---|---|---|\n");
    for item in &plan.checklist {
        let holds = if item.holds { "yes" } else { "**no**" };
        text.push_str(&format!("| {} | {holds} | {} |\n", item.point, cell(&item.evidence)));
    }
    text
}

fn row(phase: &PhaseReport, step: &StepReport) -> String {
    let what = if step.kind == "release" { step.must.join("; ") } else { step.title.clone() };
    let dash = || "none".to_owned();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        step.number,
        cell(&format!("{}: {what}", step.action)),
        step.table.as_deref().map_or_else(dash, code),
        step.lock.clone().unwrap_or_else(dash),
        step.duration.clone().unwrap_or_else(|| "a rollout".to_owned()),
        if step.stopped { "the application is stopped" } else { step.waits.as_deref().unwrap_or("nobody") },
        phase.gate.clone().unwrap_or_else(dash)
    )
}

fn of_phase(phase: &PhaseReport) -> String {
    let mut text = format!("\n### {}. {}: {}\n\n", phase.number, phase.phase, phase.title);
    text.push_str(&format!("By {}.\n\n", phase.owner));
    text.extend(phase.entry.iter().map(|it| format!("- Before: {}\n", criterion(it))));
    text.extend(phase.steps.iter().map(step));
    text.extend(phase.exit.iter().map(|it| format!("- After: {}\n", criterion(it))));
    if !phase.exit.contains(&phase.integrity) {
        text.push_str(&format!("- Integrity: {}\n", criterion(&phase.integrity)));
    }
    text.push_str(&format!(
        "- Undone by: {}, in about {}; loses {}\n- Undone when: {}\n- Measured: {}\n",
        phase.rollback,
        Seconds::minutes(phase.rollback_minutes.likely),
        phase.rollback_loses,
        phase.trigger,
        phase.measured
    ));
    text
}

fn criterion(it: &CriterionReport) -> String {
    match (&it.query, &it.expected) {
        (Some(query), Some(expected)) => format!("{} ({} must answer {expected})", it.text, whole(query)),
        (Some(query), None) => format!("{} ({})", it.text, whole(query)),
        _ => it.text.clone(),
    }
}

fn step(step: &StepReport) -> String {
    let fold = |summary: &str, sql: &str| {
        format!(
            "\n  <details><summary>{summary}</summary>\n\n  ```sql\n{}\n  ```\n\n  </details>\n",
            indented(sql)
        )
    };
    match (step.kind.as_str(), &step.sql) {
        ("migration", Some(sql)) => {
            let back = step.down.as_deref().map_or(String::new(), |down| fold("The way back", down));
            format!("- {} Database: {}\n{}{back}\n", step.number, step.title, fold("The SQL", sql))
        }
        ("check", Some(query)) => {
            let expected =
                step.expected.as_ref().map_or(String::new(), |it| format!(", which must answer {it}"));
            format!("- {} Look: {}{expected}\n{}\n", step.number, step.title, fold("The query", query))
        }
        ("check", None) => format!("- {} Look: {}\n", step.number, step.title),
        _ => format!("- {} Application: {}\n", step.number, step.must.join("; ")),
    }
}

fn indented(sql: &str) -> String {
    let lines: Vec<String> = text::lines(sql.trim_end()).map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// The phases at a glance; only our own words stand in it.
fn mermaid(phases: &[PhaseReport]) -> String {
    let mut text = "```mermaid\ntimeline\n".to_owned();
    for phase in phases {
        let of = |kind: &str| phase.steps.iter().filter(|step| step.kind == kind).count();
        let lanes = [(of("migration"), "migration"), (of("release"), "release"), (of("check"), "check")];
        let lanes: Vec<String> =
            lanes.into_iter().filter(|(count, _)| *count > 0).map(|(count, it)| many(count, it)).collect();
        text.push_str(&format!("    {} {} : {}\n", phase.number, phase.phase, lanes.join(" : ")));
    }
    text + "```\n"
}

fn coordination(report: &PlanReport) -> String {
    let mut text = "## 6. Coordination with application releases\n\n".to_owned();
    let Some(plan) = &report.plan else {
        return text + "None yet: there is no plan.\n";
    };
    let mut number = 0;
    for phase in &plan.phases {
        for step in phase.steps.iter().filter(|step| step.kind == "release") {
            number += 1;
            text.push_str(&format!(
                "{number}. In phase {} ({}): {}\n",
                phase.number,
                phase.phase,
                step.must.join("; ")
            ));
        }
    }
    if number == 0 {
        text.push_str("No release is needed between the steps: the running release works before, during and after them.\n");
    } else {
        text.push_str("\nMigrations behind a release must not be deployed with those before it.\n");
    }
    if let Some(first) = plan.compatibility.first().filter(|it| it.releases.len() > 1) {
        let names: Vec<&str> = first.releases.iter().map(|it| it.release.as_str()).collect();
        text.push_str(&format!("\nWhich release works beside which state of the schema; those that the plan has live then stand in bold:\n\n| State | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len())));
        for state in &plan.compatibility {
            let cells: Vec<String> = state
                .releases
                .iter()
                .map(|it| {
                    let word = if it.works { "works" } else { "fails" };
                    if it.live { format!("**{word}**") } else { word.to_owned() }
                })
                .collect();
            let behind =
                state.behind.as_deref().map_or("before all".to_owned(), |it| format!("behind {}", code(it)));
            text.push_str(&format!("| {behind} | {} |\n", cells.join(" | ")));
        }
    }
    if !plan.consumers.is_empty() {
        text.push_str(
            "\nWho uses what goes:\n\n| Place | Kind | Name | Owner | Moves |\n|---|---|---|---|---|\n",
        );
        for it in &plan.consumers {
            let owner = it.owner.as_deref().map_or("unknown".to_owned(), code);
            text.push_str(&format!(
                "| {} | {} | {} | {owner} | {} |\n",
                code(&it.place),
                it.kind,
                code(&it.name),
                it.path
            ));
        }
    }
    text
}

fn questions(report: &PlanReport) -> String {
    let mut text = "## 7. Open questions\n\n".to_owned();
    let open: Vec<&QuestionReport> = report.questions.iter().filter(|it| it.answer.is_none()).collect();
    if open.is_empty() {
        text.push_str("None.\n");
    }
    for question in open {
        let choices: Vec<String> =
            question.choices.iter().map(|it| format!("`{}` ({})", it.value, it.meaning)).collect();
        let choices = if choices.is_empty() { String::new() } else { format!(" {}", choices.join(", ")) };
        let waits = if question.blocks == "nothing" {
            String::new()
        } else {
            format!(" **The {} wait for it.**", question.blocks)
        };
        let waits = waits.replace("The plan wait ", "The plan waits ");
        text.push_str(&format!(
            "- `{}`: {} It {}.{waits}{choices}\n",
            question.id, question.text, question.why
        ));
    }
    text
}
