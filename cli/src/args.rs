//! The command line, parsed once.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Takes a database from one schema to the next without stopping the traffic.
#[derive(Debug, Parser)]
#[command(name = "lockkeeper", version, about, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what is dangerous in migrations. Exits 0 when all of it was read and is fine, 1 when something is dangerous, 5 when
    /// something could not be read.
    Check(CheckArgs),
    /// Show what each statement locks, reads and writes.
    Effect(EffectArgs),
    /// Explain a rule, a recipe or a framework; without a name, list them.
    Explain(ExplainArgs),
    /// Find who reads or writes a table or a column in this repository.
    References(ReferencesArgs),
    /// Show the schema that the migrations make, without a database.
    Schema(SchemaArgs),
    /// Review a change in several steps that somebody wrote, as files or in a plan in Markdown: beside which steps the running and the new release
    /// work, and when the application can be released. Exits 1 when it cannot, or when a step is dangerous.
    Review(ReviewArgs),
    /// Rewrite a risky migration as expand-contract files.
    Rewrite(RewriteArgs),
    /// Show what the repository says about the database and its operation, and which questions are open.
    Signals(SignalsArgs),
    /// Compare the ways of doing a migration, recommend one and write it out.
    Plan(PlanArgs),
    /// Carry a migration out on a throw-away PostgreSQL, with rows and beside clients, and show what it does to them. Exits 0 when nothing
    /// failed or waited too long, 1 when something did, 2 when it cannot be rehearsed.
    Rehearse(RehearseArgs),
    /// Approve what waits at a gate: a person, at a terminal, or by a signature.
    Approve(ApproveArgs),
    /// Refuse what waits at a gate: agents cannot ask for it again for a while.
    Reject(GateArgs),
    /// Take back an approval that is not used yet.
    Revoke(GateArgs),
    /// Show which gates of a plan are open, and how a closed one is opened.
    Gates(GatesArgs),
    /// Look after the ledger of approvals.
    Ledger(LedgerArgs),
    /// Decide on what an agent is about to do, which its program tells on standard input: let it through, ask its human, or refuse.
    Hook(HookArgs),
    /// Serve an editor on standard input and output.
    Lsp {
        /// What it does anyway; some editors say so.
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Speak the Model Context Protocol on standard input and output, or on HTTP.
    Mcp(McpArgs),
    /// Set a project up: show what would be written, and write it on yes.
    Init(InitArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man {
        /// Write the page of each command into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people: Markdown.
    Text,
    /// For programs.
    Json,
    /// A page that needs nothing else: to read, to print, to hand over.
    Html,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How the answer of a check is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning and viewers.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// A line per finding, as compilers print them.
    Gcc,
    /// A comment on a pull request.
    Markdown,
}

/// What the SQL will run on.
#[derive(Debug, Clone, ClapArgs)]
pub struct TargetArgs {
    /// The engine: postgres, mysql or sqlite.
    #[arg(long)]
    pub dialect: Option<String>,
    /// The server's version, such as 15.
    #[arg(long, value_name = "VERSION")]
    pub target_version: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// Files or folders; all migrations of the project where none is named. `-` reads standard input.
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: CheckFormat,
    /// Only files that are new or changed since the merge base with this revision.
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// Only migrations that the migrations table of this database does not list: the name of the environment variable that holds
    /// its URL, or the URL. It is only read, through psql.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "since")]
    pub database_url: Option<String>,
    /// The least severity that fails the check: note, warning or danger.
    #[arg(long, value_name = "SEVERITY", default_value = "danger")]
    pub fail_on: String,
    /// Let what could not be read pass: it is listed, and the verdict is over the rest.
    #[arg(long)]
    pub allow_unread: bool,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub baseline: BaselineArgs,
    /// Apply the fixes that keep the meaning of a migration, and check what is left. Name the files, or say --since or
    /// --database-url: a migration that has run must stay as it is.
    #[arg(long, conflicts_with_all = ["diff", "write_baseline"])]
    pub fix: bool,
    /// Show what --fix would change, as a unified diff, and write nothing.
    #[arg(long, conflicts_with_all = ["format", "write_baseline"])]
    pub diff: bool,
}

/// Which rules and files are reported.
#[derive(Debug, Clone, ClapArgs)]
pub struct SelectionArgs {
    /// Report only this rule; may be given several times.
    #[arg(long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// Do not report this rule; may be given several times.
    #[arg(long = "exclude", value_name = "NAME")]
    pub excluded_rules: Vec<String>,
    /// Do not report files that match this glob; they still count as history. May be given several times.
    #[arg(long = "exclude-path", value_name = "GLOB")]
    pub excluded_paths: Vec<String>,
}

impl SelectionArgs {
    /// Whether everything is reported.
    pub fn is_everything(&self) -> bool {
        self.rules.is_empty() && self.excluded_rules.is_empty() && self.excluded_paths.is_empty()
    }
}

/// Findings that were accepted when the project began to use Lockkeeper.
#[derive(Debug, Clone, ClapArgs)]
pub struct BaselineArgs {
    /// Accept the findings that this file lists, each with its reason.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the baseline: all findings where there is no such file yet, else only fewer than it has now.
    #[arg(long, requires = "baseline", conflicts_with_all = ["paths", "since", "database_url"])]
    pub write_baseline: bool,
    /// Why the findings of a new baseline are accepted.
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    pub reason: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub struct EffectArgs {
    /// The file; `-` or nothing reads standard input.
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// SQL that makes the schema before the file.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct ReviewArgs {
    /// The steps: migration files, a folder of them, or one plan in Markdown with its SQL in blocks.
    pub paths: Vec<PathBuf>,
    /// Only migrations that are new against this revision.
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// The rule, recipe or framework.
    pub name: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub struct ReferencesArgs {
    /// TABLE or TABLE.COLUMN
    pub name: String,
    /// The project; the current folder where none is named.
    #[arg(long, default_value = ".")]
    pub project: PathBuf,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct SchemaArgs {
    /// The project, or one folder of migrations.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The schema just after this migration: its version, its name, or its file.
    #[arg(long, value_name = "MIGRATION")]
    pub at: Option<String>,
    /// Show what this database has otherwise than the migrations that it has run make it: the name of the environment variable that
    /// holds its URL, or the URL. It is only read, through psql.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "at")]
    pub against_server: Option<String>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct RewriteArgs {
    /// The migration.
    pub file: PathBuf,
    /// How it is carried out: compatibility-view, database-triggers, application-dual-write or maintenance-window.
    #[arg(
        long,
        value_name = "NAME",
        long_help = "How it is carried out: compatibility-view, database-triggers, application-dual-write or \
        maintenance-window. Without it, a view or the like stands under each old name where that is possible, and triggers keep in step what \
        is copied."
    )]
    pub strategy: Option<String>,
    /// An answer to a question, as ID=VALUE; it wins over lockkeeper.toml.
    #[arg(long = "answer", value_name = "ID=VALUE")]
    pub answers: Vec<String>,
    /// Write only files up to this phase: expand, backfill, cutover, verification or contract. What may run only behind the next release is held back
    /// with or without it, in .lockkeeper/held.
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
    /// Go on with a migration of which steps are held back: write those that may run before the next release, up to --phase.
    #[arg(long = "continue", conflicts_with_all = ["strategy", "answers"])]
    pub goes_on: bool,
    /// Hold nothing back: all files are written now, those too that may run only behind a release. You keep them out of the next deploy yourself.
    #[arg(long, conflicts_with = "phase")]
    pub all: bool,
    /// Write the files; without it they are only shown. At a terminal you are asked first.
    #[arg(long)]
    pub write: bool,
    /// Write without asking. The ledger tells that nobody was asked.
    #[arg(long, requires = "write")]
    pub yes: bool,
    /// Show the files as a unified diff, and write nothing.
    #[arg(long, conflicts_with_all = ["write", "format"])]
    pub diff: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct SignalsArgs {
    /// The project.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Ask this database what it is and how large its tables are: the name of the environment variable that holds its URL, or the URL.
    /// It is only read, through psql.
    #[arg(long, value_name = "VARIABLE")]
    pub database_url: Option<String>,
    /// Keep what the database told in .lockkeeper/facts.toml, for plans, editors and agents that have no way to it.
    #[arg(long, requires = "database_url")]
    pub write: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    /// The migration.
    pub file: PathBuf,
    /// Another strategy than the recommended one.
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// An answer to a question, as ID=VALUE; it wins over lockkeeper.toml.
    #[arg(long = "answer", value_name = "ID=VALUE")]
    pub answers: Vec<String>,
    /// A fact that nobody could observe, or another than was observed, as ID=VALUE: `rows.users=5M`, `feature-flags=none`. It wins over
    /// lockkeeper.toml.
    #[arg(long = "fact", value_name = "ID=VALUE")]
    pub facts: Vec<String>,
    /// Write the report as Markdown, JSON and a page (HTML) to docs/database-report, and store the plan. At a terminal you are asked
    /// first.
    #[arg(long)]
    pub write: bool,
    /// Write without asking. The ledger tells that nobody was asked.
    #[arg(long, requires = "write")]
    pub yes: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: PlanFormat,
}

#[derive(Debug, ClapArgs)]
pub struct RehearseArgs {
    /// The migration; what runs before it is carried out first.
    pub file: PathBuf,
    /// Rehearse what `rewrite` makes of it, step by step with the releases between them, and the way back.
    #[arg(long)]
    pub rewritten: bool,
    /// How it is rewritten: the strategies of `rewrite`.
    #[arg(long, value_name = "NAME", alias = "way", requires = "rewritten")]
    pub strategy: Option<String>,
    /// An answer to a question, as ID=VALUE; it wins over lockkeeper.toml.
    #[arg(long = "answer", value_name = "ID=VALUE", requires = "rewritten")]
    pub answers: Vec<String>,
    /// Rows of each table that the migration touches.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub rows: u64,
    /// What the rows are drawn with: the same seed makes the same rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// The longest time that a client may wait, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    pub max_wait: u64,
    /// The longest time for the whole rehearsal, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub max_time: u64,
    /// The most disk that the server may use, in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 4096)]
    pub max_disk: u64,
    /// Tell how far it is on standard error, a line for each step.
    #[arg(long, hide = true)]
    pub progress_lines: bool,
    /// The folder of PostgreSQL's programs; else LOCKKEEPER_PG_BIN, or where distributions install them.
    #[arg(long, value_name = "DIR")]
    pub bin_dir: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct ApproveArgs {
    #[command(flatten)]
    pub at: GateArgs,
    /// Sign the approval with this SSH key, or the public half of one that an agent or a security key holds.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct GateArgs {
    /// The plan's id.
    pub plan: String,
    /// The gate.
    pub gate: String,
    /// The project.
    #[arg(long, default_value = ".")]
    pub project: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub struct GatesArgs {
    /// The plan's id; all gates and tiers are explained where none is named.
    pub plan: Option<String>,
    /// The project.
    #[arg(long, default_value = ".")]
    pub project: PathBuf,
    /// How the answer is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
pub struct LedgerArgs {
    #[command(subcommand)]
    pub command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check the ledger as every gate does: edits, gaps, lines that nobody wrote here, lines that are gone.
    Verify {
        /// The project.
        #[arg(long, default_value = ".")]
        project: PathBuf,
    },
    /// Accept the ledger as it is now, after you changed it yourself: a person, at a terminal. Open approvals end.
    Accept {
        /// The project.
        #[arg(long, default_value = ".")]
        project: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub struct HookArgs {
    /// Whose form the call and the answer have.
    #[arg(value_enum)]
    pub host: HookHost,
}

/// The programs of agents that start hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HookHost {
    /// Claude Code: PreToolUse.
    ClaudeCode,
    /// Codex: PreToolUse.
    Codex,
    /// Any other program: the form that docs/agents.md describes.
    Json,
}

#[derive(Debug, ClapArgs)]
pub struct McpArgs {
    /// Serve HTTP on this address of loopback instead of standard input and output; a port alone will do, and 0 takes any that is free.
    /// Clients show a token: LOCKKEEPER_MCP_TOKEN of the server, else what is in the file that it names when it starts.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "8417", value_parser = loopback)]
    pub http: Option<SocketAddr>,
    /// A file with the token, which nobody else can read, in place of the one in your state folder.
    #[arg(long, value_name = "FILE", requires = "http")]
    pub token_file: Option<PathBuf>,
}

/// `PORT`, `127.0.0.1:PORT`, `localhost:PORT`, `[::1]:PORT`.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.strip_prefix("localhost:").unwrap_or(text).parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    let address: SocketAddr = text.parse().map_err(|_| "write a port, or 127.0.0.1:PORT".to_owned())?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => {
            Err("others could reach it: only addresses of loopback are served, 127.0.0.1:PORT".to_owned())
        }
    }
}

#[derive(Debug, ClapArgs)]
pub struct InitArgs {
    /// The project.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Only this part; may be given several times. Without it, all parts for which the project has a place.
    #[arg(long = "part", value_enum, value_name = "PART")]
    pub parts: Vec<InitPart>,
    /// Only what agents need: the MCP server and the hook, for the programs of agents that the project shows.
    #[arg(long, conflicts_with = "parts")]
    pub agent: bool,
    /// An answer to a question, as ID=VALUE, for lockkeeper.toml; `lockkeeper signals` lists the questions.
    #[arg(long = "answer", value_name = "ID=VALUE")]
    pub answers: Vec<String>,
    /// Write without asking.
    #[arg(long)]
    pub yes: bool,
    /// Take back what init wrote here, except what was changed since.
    #[arg(long, conflicts_with_all = ["parts", "agent", "answers", "yes"])]
    pub undo: bool,
}

/// What `init` sets up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitPart {
    /// lockkeeper.toml.
    Config,
    /// The entry for pre-commit or lefthook.
    Hook,
    /// The job for GitHub or GitLab.
    Ci,
    /// The MCP server for agents.
    Mcp,
    /// The hook that asks before agents write migrations or change databases.
    AgentHook,
    /// The language server for Helix.
    Editor,
}
