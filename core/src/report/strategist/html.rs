//! The report as a page that needs nothing else: no network, no script. One page for who decides, the rest for who runs it.

use std::fmt::Write;

use super::super::plan::{CriterionReport, PhaseReport, PlanReport, RangeReport, StepReport};
use crate::estimate::in_words;
use crate::quantity::{Seconds, bytes};
use crate::text::is_invisible;

/// The page.
pub fn html(report: &PlanReport) -> String {
    let title = format!("Migration strategy for {}", escaped(&report.file));
    let mut page = Page::default();
    page.raw(&format!("<h1>{title}</h1>"));
    in_short(&mut page, report);
    options(&mut page, report);
    flips(&mut page, report);
    if let Some(plan) = &report.plan {
        page.raw("<h2>What happens when</h2>");
        page.raw(&lanes(&plan.phases));
        page.raw("<p class=\"dim\">A box is a release or a migration; a red edge means that others wait for it, for a moment at least.</p>");
        board(&mut page, report);
        page.raw("<h2>Step by step</h2>");
        plan.phases.iter().for_each(|phase| of_phase(&mut page, phase));
        states(&mut page, report);
        consumers(&mut page, report);
        checklist(&mut page, report);
    }
    facts(&mut page, report);
    questions(&mut page, report);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        page.text
    )
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c1e21;--dim:#5b6470;--line:#d5dae0;--page:#fff;--soft:#f4f6f8;--go:#1a7f4b;--stop:#b3261e;--wait:#b36b00;--app:#4063c9;--db:#2f7d6d}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#a0a8b3;--line:#3a4048;--page:#16181b;--soft:#202429;--go:#5cc48d;--stop:#ff8a80;--wait:#f0b35a;--app:#8fa8ff;--db:#6cc4b2}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{margin-top:2.5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}h3{margin-bottom:.25rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);padding:.4rem .5rem}
.wide{overflow-x:auto}code,pre{font:.85em/1.45 ui-monospace,monospace;overflow-wrap:anywhere}pre{background:var(--soft);padding:.75rem;overflow-x:auto;white-space:pre}
details{margin:.35rem 0}summary{cursor:pointer;color:var(--dim)}
.short{background:var(--soft);border-left:4px solid var(--go);padding:.75rem 1rem}.short p{margin:.25rem 0}
.dim{color:var(--dim)}.go{color:var(--go)}.stop{color:var(--stop)}.wait{color:var(--wait)}
.bar{display:inline-block;height:.7rem;background:var(--db);border-radius:2px;vertical-align:middle;margin-right:.4rem}.bar.best{background:var(--go)}
svg{width:100%;height:auto;background:var(--soft)}svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg .small{font-size:11px;fill:var(--dim)}
@media print{body{font-size:11px}main{max-width:none;padding:0}details{display:block}h2{break-after:avoid}tr{break-inside:avoid}}
";

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn raw(&mut self, html: &str) {
        self.text.push_str(html);
        self.text.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        self.raw(&format!("<p>{}</p>", escaped(text)));
    }

    fn list(&mut self, items: &[String]) {
        let items: String = items.iter().map(|it| format!("<li>{}</li>", escaped(it))).collect();
        self.raw(&format!("<ul>{items}</ul>"));
    }

    /// Cells are HTML already.
    fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let head: String = head.iter().map(|it| format!("<th scope=\"col\">{it}</th>")).collect();
        let row = |cells: Vec<String>| {
            let cells: String = cells.iter().map(|it| format!("<td>{it}</td>")).collect();
            format!("<tr>{cells}</tr>")
        };
        let rows: String = rows.into_iter().map(row).collect();
        self.raw(&format!(
            "<div class=\"wide\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        ));
    }
}

/// Text that cannot become markup, without characters that change how it is read.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(it),
            _ if is_invisible(it) || it == '\r' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(it));
            }
            _ => out.push(it),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn folded(summary: &str, sql: &str) -> String {
    format!(
        "<details><summary>{}</summary><pre>{}</pre></details>",
        escaped(summary),
        escaped(sql.trim_end())
    )
}

fn range(range: &RangeReport) -> String {
    in_words((range.low, range.high))
}

fn in_short(page: &mut Page, report: &PlanReport) {
    page.raw("<div class=\"short\">");
    match report.chosen() {
        Some(it) => {
            page.raw(&format!("<p><strong>{}</strong> {}</p>", escaped(&it.title), code(&it.name)));
            page.paragraph(&it.description);
            page.paragraph(&format!("Others wait: {}.", it.blocked));
            if let Some(stopped) = it.downtime_seconds.filter(|it| it.high > 0.0) {
                page.paragraph(&format!("The application is stopped for {}.", range(&stopped)));
            }
            page.paragraph(&format!(
                "Going back takes about {}. Point of no return: {}.",
                Seconds::minutes(it.rollback_minutes.likely),
                it.point_of_no_return
            ));
        }
        None if report.blocked_by.is_empty() => {
            page.paragraph(
                "No strategy is possible as things are. Each option below says what would make it possible.",
            );
        }
        None => page.paragraph(&format!(
            "Nothing is planned yet: {} must be answered first.",
            report.blocked_by.join(", ")
        )),
    }
    for escalation in &report.escalations {
        page.raw(&format!("<p class=\"stop\">More than one person must look: {}.</p>", escaped(escalation)));
    }
    page.raw("</div>");
}

fn options(page: &mut Page, report: &PlanReport) {
    if report.strategies.is_empty() {
        return;
    }
    page.raw("<h2>Options</h2>");
    let options = report.possible();
    let most = options.iter().map(|it| it.points).fold(1.0, f64::max);
    let best = options.first().map_or(0.0, |it| it.points);
    let rows = options.iter().map(|it| {
        let class = if it.points <= best { "bar best" } else { "bar" };
        let width = (it.points / most * 8.0).max(0.2);
        let stopped = it.downtime_seconds.filter(|it| it.high > 0.0);
        vec![
            format!(
                "<strong>{}</strong><br>{}<br><span class=\"dim\">{}</span>",
                escaped(&it.title),
                code(&it.name),
                escaped(&it.optimises)
            ),
            escaped(&it.blocked),
            stopped.map_or("never".to_owned(), |it| range(&it)),
            format!("{} / {}", it.migrations, it.releases),
            Seconds::hours(it.elapsed_hours).to_string(),
            it.wal_bytes.map_or("unknown".to_owned(), bytes),
            Seconds::minutes(it.rollback_minutes.likely).to_string(),
            format!("<span class=\"{class}\" style=\"width:{width:.1}rem\"></span>{:.0}", it.points),
        ]
    });
    page.table(
        &[
            "Option",
            "Others wait",
            "Stopped",
            "Migrations / releases",
            "Elapsed",
            "WAL",
            "Back in",
            "Points (fewer are better)",
        ],
        rows,
    );
    for it in &options {
        page.raw(&format!(
            "<details><summary>{}: for, against, how it fails, what the points are made of</summary>",
            escaped(&it.title)
        ));
        page.raw("<h3>For it</h3>");
        page.list(&it.pros);
        page.raw("<h3>Against it</h3>");
        page.list(&it.cons);
        let modes = it
            .failure_modes
            .iter()
            .map(|it| vec![escaped(&it.what), escaped(&it.blast_radius), escaped(&it.then)]);
        page.table(&["What goes wrong", "Who notices", "Then"], modes);
        let criteria = it.criteria.iter().map(|it| {
            vec![escaped(&it.criterion), escaped(&it.amount), it.points.to_string(), escaped(&it.because)]
        });
        page.table(&["Criterion", "How much", "Points", "Weighed so because"], criteria);
        page.paragraph(&format!("Needs: {}. Fit: {}.", it.needs.join(", "), it.fit));
        page.raw("</details>");
    }
    let excluded: Vec<Vec<String>> = report
        .strategies
        .iter()
        .filter_map(|it| {
            Some(vec![escaped(&it.title), escaped(it.excluded.as_ref()?), escaped(it.possible_if.as_ref()?)])
        })
        .collect();
    if !excluded.is_empty() {
        page.table(&["Not possible", "Since", "Possible if"], excluded);
    }
    if let Some(it) = &report.recommendation {
        page.raw(&format!("<h3>Why {}</h3>", code(&it.strategy)));
        page.list(&it.reasons);
        page.raw("<h3>Accepted with it</h3>");
        page.list(&it.accepted);
    }
}

fn flips(page: &mut Page, report: &PlanReport) {
    let Some(it) = report.recommendation.as_ref().filter(|it| !it.flips.is_empty()) else { return };
    page.raw("<h3>Where it would be another</h3>");
    let rows = it.flips.iter().map(|it| vec![escaped(&it.when), code(&it.strategy), escaped(&it.fact)]);
    page.table(&["With", "It would be", "Decided by"], rows);
}

/// Two lanes: what the application releases, and what the schema does, phase by phase.
fn lanes(phases: &[PhaseReport]) -> String {
    const WIDTH: usize = 1000;
    const LEFT: usize = 90;
    let column = (WIDTH - LEFT) / phases.len().max(1);
    let mut svg = format!(
        "<div class=\"wide\"><svg viewBox=\"0 0 {WIDTH} 190\" role=\"img\" aria-label=\"releases and schema over the phases\" style=\"min-width:40rem\">"
    );
    let _ = write!(svg, "<text x=\"8\" y=\"82\">Application</text><text x=\"8\" y=\"142\">Database</text>");
    for (at, phase) in phases.iter().enumerate() {
        let x = LEFT + at * column;
        let _ = write!(
            svg,
            "<line x1=\"{x}\" y1=\"30\" x2=\"{x}\" y2=\"175\" stroke=\"var(--line)\"/><text x=\"{}\" y=\"22\">{}. {}</text>",
            x + 6,
            phase.number,
            escaped(&phase.phase)
        );
        svg.push_str(&lane(phase, "release", x, column, 64, "var(--app)"));
        svg.push_str(&lane(phase, "migration", x, column, 124, "var(--db)"));
        if let Some(gate) = &phase.gate {
            let _ =
                write!(svg, "<text class=\"small\" x=\"{}\" y=\"44\">gate: {}</text>", x + 6, escaped(gate));
        }
        if phase.steps.iter().any(|it| it.stopped) {
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"168\" width=\"{column}\" height=\"8\" fill=\"var(--stop)\"/><text class=\"small\" x=\"{}\" y=\"187\">stopped</text>",
                x + 6
            );
        }
    }
    svg + "</svg></div>"
}

/// The steps of a kind, each a box; those whose lock others wait for have a red edge.
fn lane(phase: &PhaseReport, kind: &str, x: usize, column: usize, y: usize, colour: &str) -> String {
    let steps: Vec<&StepReport> = phase.steps.iter().filter(|it| it.kind == kind).collect();
    let width = (column.saturating_sub(12) / steps.len().max(1)).clamp(8, 60);
    let mut out = String::new();
    for (at, step) in steps.iter().enumerate() {
        let waits = matches!(step.waits.as_deref(), Some("writes" | "reads-and-writes")) && !step.stopped;
        let edge = if waits { " stroke=\"var(--stop)\" stroke-width=\"2\"" } else { "" };
        let left = x + 6 + at * width;
        let _ = write!(
            out,
            "<rect x=\"{left}\" y=\"{y}\" width=\"{}\" height=\"26\" rx=\"3\" fill=\"{colour}\"{edge}><title>{} {}</title></rect>",
            width.saturating_sub(4).max(4),
            step.number,
            escaped(&step.title)
        );
    }
    out
}

/// What has to be true before each phase may begin, with the query that tells.
fn board(page: &mut Page, report: &PlanReport) {
    let Some(plan) = &report.plan else { return };
    page.raw("<h2>Go or no go</h2>");
    let rows = plan.phases.iter().flat_map(|phase| {
        phase.entry.iter().map(move |it| {
            vec![
                format!("{}. {}", phase.number, escaped(&phase.phase)),
                criterion(it),
                it.expected.as_deref().map_or("a person says so".to_owned(), escaped),
                phase.gate.as_deref().map_or(String::new(), escaped),
                escaped(&phase.owner),
            ]
        })
    });
    page.table(&["Before phase", "Go if", "Answer", "Gate", "By"], rows);
}

fn criterion(it: &CriterionReport) -> String {
    let query = it.query.as_deref().map_or(String::new(), |query| folded("the query", query));
    format!("{}{query}", escaped(&it.text))
}

fn of_phase(page: &mut Page, phase: &PhaseReport) {
    page.raw(&format!("<h3>{}. {}: {}</h3>", phase.number, escaped(&phase.phase), escaped(&phase.title)));
    let rows = phase.steps.iter().map(|step| {
        let what = match step.kind.as_str() {
            "release" => format!("<strong>Release</strong><br>{}", escaped(&step.must.join("; "))),
            "check" => format!(
                "{}{}",
                escaped(&step.title),
                step.sql.as_deref().map_or(String::new(), |it| folded("the query", it))
            ),
            _ => {
                let up = step.sql.as_deref().map_or(String::new(), |it| folded("the SQL", it));
                let down = step.down.as_deref().map_or(String::new(), |it| folded("the way back", it));
                format!("<strong>{}</strong><br>{}{up}{down}", escaped(&step.action), escaped(&step.title))
            }
        };
        let none = || "<span class=\"dim\">none</span>".to_owned();
        vec![
            step.number.clone(),
            what,
            step.lock.as_deref().map_or_else(none, escaped),
            step.duration.as_deref().map_or_else(none, escaped),
            if step.stopped { "<span class=\"stop\">stopped</span>".to_owned() } else { waits(step) },
        ]
    });
    page.table(&["Step", "What", "Lock", "Takes", "Who waits"], rows);
    page.raw(&format!(
        "<p><strong>Done when</strong> {}</p><p><strong>Undone when</strong> {} <span class=\"dim\">({})</span></p><p><strong>Undone by</strong> {}, in about {}; loses {}.</p>",
        phase.exit.iter().map(criterion).collect::<Vec<_>>().join("; "),
        escaped(&phase.trigger),
        escaped(&phase.measured),
        escaped(&phase.rollback),
        Seconds::minutes(phase.rollback_minutes.likely),
        escaped(&phase.rollback_loses)
    ));
}

fn waits(step: &StepReport) -> String {
    match step.waits.as_deref() {
        Some("reads-and-writes") => "<span class=\"stop\">reads and writes</span>".to_owned(),
        Some("writes") => "<span class=\"wait\">writes</span>".to_owned(),
        Some("schema-changes") => "other schema changes".to_owned(),
        _ => "<span class=\"go\">nobody</span>".to_owned(),
    }
}

fn states(page: &mut Page, report: &PlanReport) {
    let Some(first) =
        report.plan.as_ref().and_then(|it| it.compatibility.first()).filter(|it| it.releases.len() > 1)
    else {
        return;
    };
    page.raw("<h2>Which release works beside which state</h2><p class=\"dim\">Those that the plan has live at that time are underlined.</p>");
    let names: Vec<String> = std::iter::once("State".to_owned())
        .chain(first.releases.iter().map(|it| escaped(&it.release)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = report.plan.iter().flat_map(|it| &it.compatibility).map(|state| {
        let cells = state.releases.iter().map(|it| {
            let (class, word) = if it.works { ("go", "works") } else { ("stop", "fails") };
            let word = if it.live { format!("<u>{word}</u>") } else { word.to_owned() };
            format!("<span class=\"{class}\" title=\"{}\">{word}</span>", escaped(&it.misses.join("; ")))
        });
        let behind =
            state.behind.as_deref().map_or("before all".to_owned(), |it| format!("behind {}", code(it)));
        std::iter::once(behind).chain(cells).collect()
    });
    page.table(&names, rows);
}

fn consumers(page: &mut Page, report: &PlanReport) {
    let Some(plan) = report.plan.as_ref().filter(|it| !it.consumers.is_empty()) else { return };
    page.raw("<h2>Who uses what goes</h2>");
    let rows = plan.consumers.iter().map(|it| {
        vec![
            code(&it.place),
            escaped(&it.kind),
            code(&it.name),
            it.owner.as_deref().map_or("unknown".to_owned(), escaped),
            escaped(&it.path),
        ]
    });
    page.table(&["Place", "Kind", "Name", "Owner", "Moves"], rows);
}

fn checklist(page: &mut Page, report: &PlanReport) {
    let Some(plan) = &report.plan else { return };
    page.raw("<h2>Checklist</h2>");
    let rows = plan.checklist.iter().map(|it| {
        let holds = if it.holds { "<span class=\"go\">yes</span>" } else { "<span class=\"stop\">no</span>" };
        vec![escaped(&it.point), holds.to_owned(), escaped(&it.evidence)]
    });
    page.table(&["Point", "Holds", "Evidence"], rows);
}

fn facts(page: &mut Page, report: &PlanReport) {
    page.raw("<h2>What this stands on</h2>");
    let rows = report.signals.iter().map(|it| {
        let place =
            it.stated.clone().or_else(|| it.evidence.first().map(|it| format!("{}:{}", it.path, it.line)));
        vec![
            escaped(&it.id),
            code(&it.value),
            escaped(&it.confidence),
            place.as_deref().map_or("nothing".to_owned(), code),
            escaped(&it.implication),
        ]
    });
    page.table(&["Fact", "Value", "Confidence", "Seen or stated", "What follows"], rows);
    let answered = report.questions.iter().filter_map(|it| {
        Some(vec![
            escaped(&it.text),
            code(it.answer.as_ref()?),
            code(it.source.as_deref().unwrap_or_default()),
        ])
    });
    page.table(&["Question", "Answer", "By"], answered);
    let target = &report.target;
    page.raw(&format!("<p>Target: {} {} ({}). Estimates are not calibrated: they may be off by a factor of five either way.</p>", escaped(&target.dialect), escaped(&target.version), code(&target.source)));
}

fn questions(page: &mut Page, report: &PlanReport) {
    let open = || report.questions.iter().filter(|it| it.answer.is_none());
    if open().next().is_none() {
        return;
    }
    page.raw("<h2>Open questions</h2>");
    let rows = open().map(|it| {
        let meanwhile = it.meanwhile.as_deref().unwrap_or("everything waits");
        vec![code(&it.id), format!("{} It {}.", escaped(&it.text), escaped(&it.why)), escaped(meanwhile)]
    });
    page.table(&["Answer", "Question", "Until then"], rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        let hostile = "</td><script>alert(1)</script> \"' & \u{202e}right to left\u{0}";
        let shown = escaped(hostile);
        assert!(!shown.contains(['<', '>', '"', '\'']), "{shown}");
        assert!(shown.contains("\\u{202e}") && shown.contains("\\u{0}"), "{shown}");
    }
}
