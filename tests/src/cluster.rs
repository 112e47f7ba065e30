//! A throw-away PostgreSQL server: started once per test process, on a private socket, gone when the process ends.
//!
//! A shell holds the server. It waits for the end of its standard input, which comes when the test process ends in
//! whatever way, and then stops the server and removes its folder. So nothing is left behind by a panic or a kill.

use crate::database::Database;
use postgres::{Client, Config, NoTls};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);

/// Durability costs time and nothing here has to survive; parallel workers would hold locks of their own.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=200",
    "max_parallel_workers_per_gather=0",
    "max_parallel_maintenance_workers=0",
    "max_wal_size=4GB",
    "timezone=UTC",
    "log_statement=none",
];

/// The server of this process.
pub(crate) struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    /// Its standard input stays open as long as this process lives.
    _shell: Child,
    templates: Mutex<Vec<String>>,
    databases: AtomicU32,
}

/// The shared server, started by the first who asks.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// A server for one test: where the transactions of other tests, in other databases too, would change what is measured.
pub(crate) fn own_cluster() -> &'static Cluster {
    Box::leak(Box::new(Cluster::start()))
}

impl Cluster {
    fn start() -> Cluster {
        let bin = binaries();
        let folder =
            tempfile::Builder::new().prefix("lockkeeper-pg-").tempdir().expect("a temporary folder").keep();
        let account = server_account(&folder);
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group)).expect("root gives its folder away");
        }
        let initdb = format!(
            "{} -A trust -U postgres -E UTF8 --locale=C --no-sync -D data",
            bin.join("initdb").display()
        );
        let mut command = as_account(account, &initdb, &folder);
        let output = command.output().expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let shell = hold(&bin, &folder, account);
        let cluster =
            Cluster { folder, bin, _shell: shell, templates: Mutex::default(), databases: AtomicU32::new(0) };
        cluster.wait_until_ready();
        cluster.make_places(account);
        cluster
    }

    /// Where a table can be beside the default place, the tablespace `spare`, and what it can be beside a heap, the access method `heap2` from 12 on.
    fn make_places(&self, account: Option<(u32, u32)>) {
        let spare = self.folder.join("spare");
        fs::create_dir(&spare).expect("our own folder");
        if let Some((user, group)) = account {
            chown(&spare, Some(user), Some(group)).expect("root gives its folder away");
        }
        self.administrate(&format!("CREATE TABLESPACE spare LOCATION '{}'", spare.display()));
        if self.version() >= 12 {
            let mut template = self.config("template1").connect(NoTls).expect("the server answers");
            let heap = "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler";
            template.batch_execute(heap).expect("a heap under another name");
        }
    }

    /// A fresh, empty database, dropped with the value.
    pub(crate) fn database(&'static self) -> Database {
        self.create("template1")
    }

    /// A fresh copy of what `prepare` once made. `name` stands for the preparation: give each its own.
    pub(crate) fn database_from(&'static self, name: &str, prepare: impl FnOnce(&Database)) -> Database {
        let template = format!("template_{name}");
        let mut templates = self.templates.lock().expect("no preparation panicked");
        if !templates.contains(&template) {
            let database = self.create("template1");
            prepare(&database);
            self.administrate(&format!("ALTER DATABASE {} RENAME TO {template}", database.forget()));
            templates.push(template.clone());
        }
        drop(templates);
        self.create(&template)
    }

    /// The server's major version.
    pub(crate) fn version(&self) -> u32 {
        let number = self.administrate("SHOW server_version_num");
        number.parse::<u32>().expect("a version number") / 10_000
    }

    /// Who waited for whom in the last deadlock, with the statements, as the server's log has it.
    pub(crate) fn last_deadlock(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.rfind("deadlock detected")
            .map_or_else(String::new, |at| log[at..].lines().take(30).collect::<Vec<_>>().join("\n"))
    }

    /// Where the server's programs are.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    /// How one connects to a database of this server.
    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.folder).user("postgres").dbname(database);
        config
    }

    /// The same as an address for programs.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=postgres", self.folder.display())
    }

    /// Runs a statement outside every test's database; the first value of its answer.
    pub(crate) fn administrate(&self, sql: &str) -> String {
        let mut client = self.config("postgres").connect(NoTls).expect("the server answers");
        let answer = client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let row = answer.iter().find_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        row.unwrap_or_default().to_owned()
    }

    fn create(&'static self, template: &str) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // Copying files is much faster than logging every page of a big template.
        let strategy = if self.version() >= 15 { "STRATEGY file_copy" } else { "" };
        // Two copies of one template at the same time are fine, but not while a client is still leaving it.
        self.administrate(&format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}"));
        Database::new(self, name)
    }

    /// Drops a database, with the sessions that are still leaving it.
    pub(crate) fn drop_database(&self, name: &str) {
        if self.version() >= 13 {
            self.administrate(&format!("DROP DATABASE {name} WITH (FORCE)"));
            return;
        }
        let sessions = format!("FROM pg_stat_activity WHERE datname = '{name}'");
        self.administrate(&format!("SELECT pg_terminate_backend(pid) {sessions}"));
        while self.administrate(&format!("SELECT count(*) {sessions}")) != "0" {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.administrate(&format!("DROP DATABASE {name}"));
    }

    fn wait_until_ready(&self) {
        let start = Instant::now();
        while let Err(error) = self.config("postgres").connect(NoTls).map(Client::close) {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(start.elapsed() < START, "PostgreSQL does not start: {error}\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Where initdb and postgres are: as told, as Debian puts them (the newest), or on the PATH.
fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("LOCKKEEPER_PG_BIN") {
        return folder.into();
    }
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = debian.map(|it| it.path().join("bin")).filter(|it| it.join("initdb").is_file());
    let version = |bin: &PathBuf| -> Option<u32> { bin.parent()?.file_name()?.to_str()?.parse().ok() };
    if let Some(newest) = installed.max_by_key(version) {
        return newest;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    let found = found
        .expect("PostgreSQL's initdb is installed: `cargo xtask test` does it, or set LOCKKEEPER_PG_BIN");
    let initdb = fs::canonicalize(found.join("initdb")).expect("the link leads somewhere");
    initdb.parent().expect("a program lies in a folder").to_owned()
}

/// PostgreSQL refuses to run as root: then the account `postgres`, or else `nobody`.
fn server_account(folder: &Path) -> Option<(u32, u32)> {
    if fs::metadata(folder).expect("our own folder").uid() != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").expect("a system with root has accounts");
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("an account that is not root"))
}

/// A shell command in the folder, as the server's account.
fn as_account(account: Option<(u32, u32)>, script: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder);
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// The shell that starts the server and ends it after us. A process group of its own, so that Ctrl-C does not reach it.
fn hold(bin: &Path, folder: &Path, account: Option<(u32, u32)>) -> Child {
    // For measurements: `LOCKKEEPER_PG_SETTINGS="fsync=on ..."`; the last one said counts.
    let own = std::env::var("LOCKKEEPER_PG_SETTINGS").unwrap_or_default();
    let settings = SETTINGS.iter().copied().chain(own.split_whitespace());
    let settings: String = settings.map(|setting| format!(" -c {setting}")).collect();
    let socket = folder.display();
    let postgres = bin.join("postgres");
    let script = format!(
        "{} -D data -k {socket}{settings} </dev/null >log 2>&1 & server=$!
         read -r _; kill -TERM $server; kill -QUIT $server; wait $server; cd /; rm -rf {socket}",
        postgres.display()
    );
    let mut command = as_account(account, &script, folder);
    let silent = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.process_group(0).spawn().expect("a shell starts")
}

#[test]
fn databases_are_separate_and_dropped() {
    let (one, two) = (cluster().database(), cluster().database());
    one.run("CREATE TABLE orders (id int)");
    assert_eq!(two.value("SELECT count(*) FROM pg_class WHERE relname = 'orders'"), "0");
    let name = one.name().to_owned();
    drop(one);
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(cluster().administrate(&there), "0");
}

#[test]
fn a_template_is_prepared_once() {
    let prepare = |database: &Database| database.run("CREATE TABLE orders AS SELECT 1 AS id");
    let one = cluster().database_from("prepared_once", prepare);
    let two = cluster().database_from("prepared_once", |_| panic!("prepared before"));
    assert_eq!(one.value("SELECT id FROM orders") + &two.value("SELECT id FROM orders"), "11");
}

/// The shell's whole life, on a server of its own.
#[test]
fn nothing_is_left_when_the_process_ends() {
    let mut own = Cluster::start();
    let folder = own.folder.clone();
    assert!(folder.join("data").is_dir() && own.bin().join("postgres").is_file());
    drop(own._shell.stdin.take());
    own._shell.wait().expect("the shell ends");
    assert!(!folder.exists());
}

#[test]
fn a_deadlock_says_who_waited_for_whom() {
    let database = cluster().database();
    database.run("CREATE TABLE pair (id int PRIMARY KEY, a int); INSERT INTO pair VALUES (1, 0), (2, 0)");
    let [mut one, mut other] = [database.connect(), database.connect()];
    one.batch_execute("BEGIN; UPDATE pair SET a = 10 WHERE id = 1").expect("locks a row");
    other.batch_execute("BEGIN; UPDATE pair SET a = 20 WHERE id = 2").expect("locks a row");
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || other.batch_execute("UPDATE pair SET a = 21 WHERE id = 1").is_err());
        let failed = one.batch_execute("UPDATE pair SET a = 12 WHERE id = 2").is_err();
        drop(one);
        assert!(failed | waits.join().expect("does not panic"), "one of the two is ended");
    });
    let said = cluster().last_deadlock();
    assert!(["SET a = 12", "SET a = 21"].iter().all(|it| said.contains(it)), "{said}");
}
