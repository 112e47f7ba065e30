//! Signals that end a program: while files are written they wait until the files are whole or put back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// What the handlers share with the writers.
struct Handlers {
    /// Nobody writes: a signal does what it always does.
    idle: Arc<AtomicBool>,
    /// The signal that came while somebody wrote.
    came: Arc<AtomicUsize>,
}

/// While it lives a signal does not end the program; if one came, it does when this is dropped.
pub(crate) struct Writing {
    handlers: Option<&'static Handlers>,
    /// One writer at a time in a process: the signal that comes is for all that is being written.
    _alone: MutexGuard<'static, ()>,
}

impl Writing {
    /// From here on signals wait. Where they cannot be caught everything is as it was without this.
    pub fn begin() -> Self {
        static HANDLERS: OnceLock<Option<Handlers>> = OnceLock::new();
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let handlers = HANDLERS.get_or_init(|| install().ok()).as_ref();
        if let Some(handlers) = handlers {
            handlers.idle.store(false, Ordering::SeqCst);
        }
        Self { handlers, _alone }
    }

    /// Whether somebody wants the program to end.
    pub fn is_interrupted(&self) -> bool {
        self.handlers.is_some_and(|it| it.came.load(Ordering::SeqCst) != 0)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(handlers) = self.handlers else { return };
        handlers.idle.store(true, Ordering::SeqCst);
        let came = i32::try_from(handlers.came.swap(0, Ordering::SeqCst)).unwrap_or(0);
        if came != 0 {
            // It ends the program; where it cannot, there is nobody left to be told.
            let _ = low_level::emulate_default_handler(came);
        }
    }
}

fn install() -> std::io::Result<Handlers> {
    let handlers = Handlers { idle: Arc::new(AtomicBool::new(true)), came: Arc::new(AtomicUsize::new(0)) };
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::clone(&handlers.idle))?;
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, Arc::clone(&handlers.came), number)?;
    }
    Ok(handlers)
}
