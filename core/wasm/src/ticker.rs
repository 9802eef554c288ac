use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use std::{fmt, io};

use wasmtime::Engine;

const TICK: Duration = Duration::from_millis(1);

/// How many idle ticks pass before the thread goes to sleep: waking it costs more than a short call.
const PATIENCE: u32 = 100;

/// The thread that moves the engine's epoch, so that a running guest yields every millisecond.
/// It sleeps while no call is running.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    is_asleep: AtomicBool,
    is_stopped: AtomicBool,
    chores: Mutex<Vec<(Instant, Chore)>>,
}

/// Something that begins at a tick, and only begins there.
type Chore = Box<dyn FnOnce() + Send>;

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let spawned = thread::Builder::new().name("roster-epoch".to_owned());
        let thread = spawned.spawn(move || seen.tick(&engine))?.thread().clone();
        Ok(Self { shared, thread })
    }

    /// Begins something at the first tick after a pause, which is to be short. It is begun from the
    /// ticker's thread, so that whoever is in a hurry wakes nobody. Called while a call is running:
    /// then there are ticks.
    pub(crate) fn later(&self, pause: Duration, chore: impl FnOnce() + Send + 'static) {
        let due = Instant::now() + pause;
        self.shared.chores().push((due, Box::new(chore)));
    }

    /// The epoch moves at least until the answer is dropped.
    pub(crate) fn run(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.is_asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running {
            shared: &self.shared,
        }
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        let mut idle = 0;
        while !self.is_stopped.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else if idle < PATIENCE {
                idle += 1;
            } else {
                self.sleep();
                idle = 0;
                continue;
            }
            thread::park_timeout(TICK);
            engine.increment_epoch();
            while let Some(chore) = self.due() {
                chore();
            }
        }
    }

    /// A chore whose time has come.
    fn due(&self) -> Option<Chore> {
        let mut chores = self.chores();
        let now = Instant::now();
        let at = chores.iter().position(|(due, _)| *due <= now)?;
        Some(chores.swap_remove(at).1)
    }

    fn chores(&self) -> MutexGuard<'_, Vec<(Instant, Chore)>> {
        self.chores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until [`Ticker::run`] or the end. The flag is set before the last look at the count,
    /// and the count is raised before the look at the flag, so one of the two sees the other.
    fn sleep(&self) {
        self.is_asleep.store(true, Ordering::SeqCst);
        while self.is_asleep.load(Ordering::SeqCst)
            && self.running.load(Ordering::SeqCst) == 0
            && !self.is_stopped.load(Ordering::SeqCst)
        {
            thread::park();
        }
        self.is_asleep.store(false, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").finish_non_exhaustive()
    }
}

/// Keeps the epoch moving.
pub(crate) struct Running<'a> {
    shared: &'a Shared,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.running.fetch_sub(1, Ordering::SeqCst);
    }
}
