//! A throw-away server: started for one rehearsal, on a socket in a private folder, gone when the program ends in whatever way.
//!
//! A shell holds the server and waits for the end of its standard input, which comes when our process ends, also by SIGKILL;
//! then it stops the server and removes the folder. What a machine that lost its power left is removed by the next start.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use crate::error::{RehearseError, While};
use crate::request::Options;
use crate::session::Session;

const START: Duration = Duration::from_secs(60);
/// By then a server that goes on has its lock file.
const GIVEN_UP: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(20);
const PREFIX: &str = "lockkeeper-rehearse-";
/// The role that owns the server: nobody outside of this room connects as it.
const ADMIN: &str = "lockkeeper_admin";
/// The role of migrations and of clients. It has the name that many histories grant to and give tables to, and no right beyond
/// its databases: it is no superuser.
pub(crate) const OWNER: &str = "postgres";

/// Durability costs time and nothing here has to survive. What is shared stays in the folder, so that nothing is left.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=60",
    "shared_buffers=128MB",
    "max_wal_size=1GB",
    "timezone=UTC",
    "jit=off",
    "dynamic_shared_memory_type=mmap",
    "log_statement=none",
    "log_min_messages=fatal",
];

/// The server.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    /// Its standard input stays open as long as this process lives.
    shell: Child,
    password: String,
    /// How long a statement may run, in milliseconds.
    statement: String,
}

impl Cluster {
    /// Starts a server from the programs in a folder.
    pub async fn start(bin: &Path, options: &Options) -> Result<Self, RehearseError> {
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let account = server_account(folder.path())?;
        let own = fs::metadata(folder.path())?.uid();
        remove_leftovers([own, account.map_or(own, |(user, _)| user)]);
        let password = password()?;
        fs::write(folder.path().join("password"), format!("{password}\n"))?;
        give(folder.path(), account)?;
        give(&folder.path().join("password"), account)?;
        init(bin, folder.path(), account)?;
        fs::remove_file(folder.path().join("password"))?;
        let shell = hold(bin, folder.path(), account, options.max_disk)?;
        let statement = options.max_time.as_millis().to_string();
        let cluster = Self { folder: folder.keep(), shell, password, statement };
        cluster.wait_until_ready().await?;
        cluster.make_owner().await?;
        Ok(cluster)
    }

    /// A session of the role that owns the server.
    pub async fn admin(&self, database: &str) -> Result<Session, RehearseError> {
        let mut session = Session::open(&self.options(ADMIN, database)).await.while_("connecting")?;
        session.run("SET search_path = ''").await.while_("connecting")?;
        Ok(session)
    }

    /// How migrations and clients connect.
    pub fn owner(&self, database: &str) -> PgConnectOptions {
        self.options(OWNER, database).options([("statement_timeout", &self.statement)])
    }

    /// A new database, empty or a copy.
    pub async fn create(&self, name: &str, template: Option<&str>) -> Result<(), RehearseError> {
        let mut admin = self.admin("template1").await?;
        let copied = template.map(|it| format!(" TEMPLATE {it}")).unwrap_or_default();
        let create = format!("CREATE DATABASE {name} OWNER {OWNER}{copied}");
        let mut made = admin.run(&create).await;
        for _ in 0..200 {
            // A session that has just been closed may still be leaving the template.
            if !made.as_ref().is_err_and(|it| it.sqlstate == "55006") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            made = admin.run(&create).await;
        }
        made.while_("making a database")?;
        if template.is_none() && version(&mut admin).await? < 15 {
            let mut own = self.admin(name).await?;
            own.run(&format!("ALTER SCHEMA public OWNER TO {OWNER}")).await.while_("making a database")?;
        }
        Ok(())
    }

    /// Drops a database, with the sessions that are still in it.
    pub async fn drop_database(&self, name: &str) -> Result<(), RehearseError> {
        let mut admin = self.admin("template1").await?;
        let end = format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = '{name}'"
        );
        admin.rows(&end).await.while_("dropping a database")?;
        for _ in 0..100 {
            if admin.run(&format!("DROP DATABASE IF EXISTS {name}")).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Its version in words.
    pub async fn version(&self) -> Result<String, RehearseError> {
        self.admin("template1").await?.value("SHOW server_version").await.while_("asking for its version")
    }

    /// How much disk it uses.
    pub fn bytes(&self) -> u64 {
        bytes_below(&self.folder)
    }

    fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.folder)
            .username(role)
            .password(&self.password)
            .database(database)
            .application_name("lockkeeper rehearse")
    }

    async fn wait_until_ready(&self) -> Result<(), RehearseError> {
        let start = Instant::now();
        while let Err(failure) = Session::open(&self.options(ADMIN, "template1")).await {
            let is_gone = !self.folder.join("data/postmaster.pid").exists();
            if start.elapsed() > START || is_gone && start.elapsed() > GIVEN_UP {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(RehearseError::Start(format!("{failure}\n{}", log.trim())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn make_owner(&self) -> Result<(), RehearseError> {
        let mut admin = self.admin("template1").await?;
        let role = format!(
            "CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '{}'",
            self.password
        );
        admin.run(&role).await.while_("making a role")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let start = Instant::now();
        while start.elapsed() < END {
            if self.shell.try_wait().is_ok_and(|it| it.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // The shell has removed it, unless somebody stopped the shell.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The server's major version.
pub(crate) async fn version(session: &mut Session) -> Result<u32, RehearseError> {
    let number = session.value("SHOW server_version_num").await.while_("asking for its version")?;
    Ok(number.parse::<u32>().unwrap_or_default() / 10_000)
}

fn password() -> Result<String, RehearseError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| RehearseError::Start(error.to_string()))?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

type Account = Option<(u32, u32)>;

/// PostgreSQL refuses to run as root: then the account `postgres`, or else `nobody`.
fn server_account(folder: &Path) -> Result<Account, RehearseError> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    let found = find("postgres").or_else(|| find("nobody"));
    found.map(Some).ok_or_else(|| {
        RehearseError::Start("it does not run as root, and there is no account postgres or nobody".to_owned())
    })
}

fn give(path: &Path, account: Account) -> std::io::Result<()> {
    account.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
}

/// A command in the folder as the server's account, with none of our environment: what runs there is not ours.
fn command(program: &Path, folder: &Path, account: Account) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

fn init(bin: &Path, folder: &Path, account: Account) -> Result<(), RehearseError> {
    let mut initdb = command(&bin.join("initdb"), folder, account);
    initdb.args(["-A", "scram-sha-256", "--pwfile", "password", "-U", ADMIN, "-E", "UTF8", "--locale=C"]);
    let output = initdb.args(["--no-sync", "-D", "data"]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| {
        RehearseError::Start(format!(
            "initdb in {}: {error}. The server's account must be able to enter that folder and the programs': TMPDIR names another one",
            folder.display()
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(RehearseError::Start(format!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// The shell that starts the server and ends it after us. A process group of its own, so that Ctrl-C does not reach it.
fn hold(bin: &Path, folder: &Path, account: Account, temp_bytes: u64) -> Result<Child, RehearseError> {
    // A shell's background processes ignore QUIT until the server has its own handler: before that TERM ends it.
    const SCRIPT: &str = "program=$1; folder=$2; shift 2
        \"$program\" -D data -k \"$folder\" \"$@\" </dev/null >log 2>&1 & server=$!
        read -r _; kill -TERM $server; kill -QUIT $server; wait $server; cd /; rm -rf \"$folder\"";
    let mut shell = command(Path::new("/bin/sh"), folder, account);
    shell.args(["-c", SCRIPT, "sh"]).arg(bin.join("postgres")).arg(folder);
    for setting in SETTINGS {
        shell.args(["-c", setting]);
    }
    shell.args(["-c", &format!("temp_file_limit={}kB", temp_bytes / 1024)]);
    let silent = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(silent.process_group(0).spawn()?)
}

/// Removes the folders of processes that are gone: only those that are ours, by name and owner.
fn remove_leftovers(owners: [u32; 2]) {
    // Without /proc nobody knows which processes live.
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|it| it.split('-').next()?.parse::<u32>().ok());
        let Some(process) = process.filter(|it| !Path::new(&format!("/proc/{it}")).exists()) else {
            continue;
        };
        let is_folder = entry.metadata().is_ok_and(|it| it.is_dir() && owners.contains(&it.uid()));
        // The shell of a process that died may be at it just now; a server that lives has its lock file's process.
        if is_folder && !has_server(&entry.path()) {
            tracing::info!("removes what process {process} left");
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn has_server(folder: &Path) -> bool {
    let lock = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    let server = lock.lines().next().and_then(|it| it.trim().parse::<u32>().ok());
    server.is_some_and(|it| Path::new(&format!("/proc/{it}")).exists())
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() => bytes_below(&entry.path()),
        Ok(it) => it.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}
