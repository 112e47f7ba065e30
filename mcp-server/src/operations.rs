//! What runs longer than a call: a command of ours as a process of its own, whose answer is asked for later.
//!
//! A process, since it can be stopped at any moment with all that it started, and since whatever happens to it leaves the server alone.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::Told;

/// The operations of this process.
#[derive(Debug, Default)]
pub struct Operations(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    last: u64,
    by_id: BTreeMap<u64, Arc<Operation>>,
}

/// A command that runs or has ended.
#[derive(Debug)]
pub struct Operation {
    pub id: u64,
    /// What it does, for people.
    pub what: String,
    started: Instant,
    child: Mutex<Child>,
    /// The last that it said of how far it is.
    now: Mutex<String>,
    ended: Mutex<Option<Ended>>,
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Ended {
    pub seconds: u64,
    /// Its answer, where it gave one.
    pub answer: Option<Value>,
    /// Why it gave none.
    pub problem: Option<String>,
    pub was_cancelled: bool,
}

/// So many run at a time, and so many that have ended are remembered.
const RUNNING: usize = 2;
const REMEMBERED: usize = 20;
/// A longer answer is none of ours.
const LONGEST: u64 = 20_000_000;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Operations {
    /// Starts a command of this program in the project.
    pub fn start(&self, what: String, arguments: &[String], root: &Path) -> Told<Arc<Operation>> {
        let mut known = locked(&self.0);
        let running: Vec<u64> =
            known.by_id.values().filter(|it| it.ended().is_none()).map(|it| it.id).collect();
        if running.len() >= RUNNING {
            return Err(format!(
                "operations {running:?} are running: wait for one with operation_status, or cancel one there"
            ));
        }
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        known.last += 1;
        let operation = Arc::new(Operation {
            id: known.last,
            what,
            started: Instant::now(),
            child: Mutex::new(child),
            now: Mutex::default(),
            ended: Mutex::default(),
        });
        known.by_id.insert(operation.id, Arc::clone(&operation));
        while known.by_id.len() > REMEMBERED {
            known.by_id.pop_first();
        }
        drop(known);
        let watched = Arc::clone(&operation);
        std::thread::spawn(move || {
            let said = std::thread::spawn({
                let watched = Arc::clone(&watched);
                move || err.map(|err| watched.listen(err)).unwrap_or_default()
            });
            let mut answer = Vec::new();
            // A process that is killed ends its answer early: then there is none.
            let _ = out.map(|out| out.take(LONGEST).read_to_end(&mut answer));
            watched.finish(&answer, &said.join().unwrap_or_default());
        });
        Ok(operation)
    }

    /// The operation with this id.
    pub fn find(&self, id: u64) -> Told<Arc<Operation>> {
        let known = locked(&self.0);
        known.by_id.get(&id).cloned().ok_or_else(|| {
            format!(
                "there is no operation {id}: operations end with the server that started them; start it again"
            )
        })
    }
}

impl Drop for Operations {
    /// Nothing outlives the server.
    fn drop(&mut self) {
        locked(&self.0).by_id.values().for_each(|it| it.cancel());
    }
}

impl Operation {
    /// What came of it, when it has ended.
    pub fn ended(&self) -> Option<Ended> {
        locked(&self.ended).clone()
    }

    /// How far it is.
    pub fn now(&self) -> String {
        locked(&self.now).clone()
    }

    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Stops it with all that it started.
    pub fn cancel(&self) {
        let mut ended = locked(&self.ended);
        if ended.is_none() {
            // One that has ended by itself meanwhile cannot be killed.
            let _ = locked(&self.child).kill();
            *ended =
                Some(Ended { seconds: self.seconds(), answer: None, problem: None, was_cancelled: true });
        }
    }

    /// Waits for its end, not longer than this.
    pub async fn wait(&self, patience: Duration) -> Option<Ended> {
        let until = Instant::now() + patience;
        // What is refused has ended at once; what runs takes minutes.
        let mut pause = Duration::from_millis(5);
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= until {
                return ended;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Remembers what it says, the last line and the end of all of it.
    fn listen(&self, said: impl Read) -> String {
        let mut all = String::new();
        for line in BufReader::new(said.take(LONGEST)).lines().map_while(Result::ok) {
            if let Some(progress) = line.strip_prefix("progress: ") {
                progress.clone_into(&mut locked(&self.now));
            } else if all.len() < 4_000 {
                all.push_str(&line);
                all.push('\n');
            }
        }
        all
    }

    fn finish(&self, answer: &[u8], said: &str) {
        // Its output has ended, so it has or will at once.
        let _ = locked(&self.child).wait();
        let answer: Option<Value> = serde_json::from_slice(answer).ok();
        let problem = answer.is_none().then(|| said.trim().to_owned());
        let mut ended = locked(&self.ended);
        if ended.is_none() {
            *ended = Some(Ended { seconds: self.seconds(), answer, problem, was_cancelled: false });
        }
    }
}
