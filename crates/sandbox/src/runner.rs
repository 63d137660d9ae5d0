//! The sandbox as its users see it.

use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use capa::pyvalue::PyValue;
use capa::script::{Globals, ScriptError, ScriptRun, ScriptRunner};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cache::{Cache, Key, Outcome};
use crate::error::{Error, Failure};
use crate::link::{Timed, timed_out};
use crate::probe::{Interpreter, probe};
use crate::python;
use crate::settings::{Layers, Settings};
use crate::spawn::{self, Account};
use crate::wire::{globals_json, read_frame, write_frame};
use crate::zygote::Zygote;

/// Time after which an interpreter that could not be started is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Time that a killed child's status may take to arrive.
const GRACE: Duration = Duration::from_millis(500);

/// What a learner reads when scripts cannot run.
const UNAVAILABLE: &str = "scripts cannot be run here at the moment";

/// One run of a script.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Python source.
    pub code: &'a str,
    /// Values visible to it at the top level.
    pub globals: &'a Globals,
    /// The course's `python_lib.zip`, whose modules it may import.
    pub python_lib: Option<&'a [u8]>,
    /// Seed of its `random`.
    pub seed: i64,
    /// Whether a remembered result is good enough (contract capa.md §6.1, last line).
    pub cacheable: bool,
}

/// Runs scripts. Clones share the warm processes.
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    cache: Cache,
    slots: Slots,
    interpreter: Mutex<Option<(Arc<Interpreter>, Option<Account>)>>,
    plain: Warm,
    science: Warm,
}

/// A warm process that is started when it is first needed, and again when it broke.
#[derive(Debug, Default)]
struct Warm {
    state: Mutex<WarmState>,
}

#[derive(Debug, Default)]
struct WarmState {
    zygote: Option<Arc<Zygote>>,
    failed: Option<(Instant, Error)>,
}

/// How many scripts may start.
#[derive(Debug)]
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A taken slot.
struct Slot<'a>(&'a Slots);

impl Slots {
    fn take(&self, until: Instant) -> Option<Slot<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            free = self
                .freed
                .wait_timeout(free, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *free -= 1;
        Some(Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

/// How one attempt ended.
enum Attempt {
    Done(Outcome),
    /// The script needs the scientific packages.
    Science,
    /// The warm process was lost before it answered.
    Lost(String),
}

/// A failure as the worker reports it.
#[derive(Deserialize)]
struct Reported {
    kind: String,
    text: String,
}

impl Sandbox {
    /// A sandbox with these settings. Nothing is started yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                cache: Cache::new(settings.cache_bytes),
                slots: Slots {
                    free: Mutex::new(settings.concurrency.clamp(1, 90)),
                    freed: Condvar::new(),
                },
                interpreter: Mutex::default(),
                plain: Warm::default(),
                science: Warm::default(),
                settings,
            }),
        }
    }

    /// Starts the warm processes, so that the first learner does not wait for them. The layers that hold, or
    /// why scripts cannot run.
    pub fn warm(&self) -> Result<Layers, Error> {
        let layers = self.zygote(false)?.layers;
        // Without the packages the plain process does.
        if let Err(error) = self.zygote(true) {
            tracing::warn!(%error, "the scientific process cannot be started");
        }
        Ok(layers)
    }

    /// The layers that hold on this machine, or why scripts cannot run.
    pub fn layers(&self) -> Result<Layers, Error> {
        Ok(self.zygote(false)?.layers)
    }

    /// Version of the interpreter, and the scientific packages with their versions.
    pub fn versions(&self) -> Result<Vec<(String, Option<String>)>, Error> {
        let zygote = self.zygote(true)?;
        let mut versions = vec![("python".to_owned(), Some(zygote.version.clone()))];
        for name in python::SCIENCE {
            let version = zygote.found.get(*name).cloned().flatten();
            versions.push(((*name).to_owned(), version));
        }
        Ok(versions)
    }

    /// The scripts of one request: all of them end before `deadline`.
    #[must_use]
    pub fn for_request(&self, deadline: Instant) -> RequestScripts {
        RequestScripts {
            sandbox: self.clone(),
            deadline,
        }
    }

    /// Runs one script; the names that it leaves, in order. Blocks the thread until the script ends, at the
    /// latest at `deadline`.
    pub fn run(&self, job: &Job<'_>, deadline: Instant) -> Result<Globals, Failure> {
        let globals = globals_json(job.globals);
        let key = digest(job, &globals);
        let remembered = job.cacheable.then(|| self.inner.cache.get(&key)).flatten();
        let outcome = remembered.unwrap_or_else(|| {
            let outcome = self.run_now(job, &globals, deadline);
            let keep = match &outcome {
                Ok(_) => true,
                Err(failure) => failure.is_deterministic(),
            };
            if job.cacheable && keep {
                self.inner.cache.put(key, outcome.clone());
            }
            outcome
        });
        match PyValue::parse_json(&outcome?) {
            Some(PyValue::Dict(globals)) => Ok(globals),
            _ => Err(Failure::Fault("a value is nested too deeply".to_owned())),
        }
    }

    fn run_now(&self, job: &Job<'_>, globals: &str, deadline: Instant) -> Outcome {
        let settings = &self.inner.settings;
        let _slot = self.inner.slots.take(deadline).ok_or(Failure::TimedOut)?;
        let mut science = python::SCIENCE
            .iter()
            .chain(&["symmath"])
            .any(|name| job.code.contains(name));
        let mut lost = 0;
        loop {
            let mut zygote = self.zygote(science)?;
            if science && !zygote.has_packages() {
                zygote = self.zygote(false)?;
            }
            let until = deadline.min(Instant::now() + settings.limits.wall);
            if until <= Instant::now() {
                return Err(Failure::TimedOut);
            }
            match attempt(&zygote, job, globals, settings, !science, until) {
                Attempt::Done(outcome) => return outcome,
                Attempt::Science => science = true,
                Attempt::Lost(why) => {
                    zygote.set_broken();
                    lost += 1;
                    if lost > 1 {
                        return Err(Failure::Fault(why));
                    }
                }
            }
        }
    }

    fn interpreter(&self) -> Result<(Arc<Interpreter>, Option<Account>), Error> {
        let mut known = self
            .inner
            .interpreter
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let settings = &self.inner.settings;
        let account = spawn::account(settings)?;
        let found = (Arc::new(probe(&settings.python, account)?), account);
        *known = Some(found.clone());
        Ok(found)
    }

    /// The plain or the scientific process.
    fn zygote(&self, science: bool) -> Result<Arc<Zygote>, Error> {
        let (warm, packages) = if science {
            (&self.inner.science, python::SCIENCE)
        } else {
            (&self.inner.plain, &[][..])
        };
        let mut state = warm.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zygote) = &state.zygote
            && !zygote.is_broken()
        {
            return Ok(zygote.clone());
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < RETRY
        {
            return Err(error.clone());
        }
        state.zygote = None;
        let started = self.interpreter().and_then(|(interpreter, account)| {
            Zygote::start(&interpreter, &self.inner.settings, account, packages)
        });
        match started {
            Ok(zygote) => {
                let zygote = Arc::new(zygote);
                state.zygote = Some(zygote.clone());
                state.failed = None;
                Ok(zygote)
            }
            Err(error) => {
                tracing::error!(%error, "scripts cannot run");
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

fn digest(job: &Job<'_>, globals: &str) -> Key {
    let mut hash = Sha256::new();
    for part in [
        job.code.as_bytes(),
        globals.as_bytes(),
        job.python_lib.unwrap_or_default(),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(job.seed.to_le_bytes());
    hash.finalize().into()
}

/// Gives the job to a child of the warm process and waits for its answer.
fn attempt(
    zygote: &Zygote,
    job: &Job<'_>,
    globals: &str,
    settings: &Settings,
    lean: bool,
    until: Instant,
) -> Attempt {
    let limits = &settings.limits;
    let wall = until.saturating_duration_since(Instant::now());
    let stream = match zygote.submit(wall, limits.memory_mib) {
        Ok(stream) => stream,
        Err(error) => return Attempt::Lost(error.to_string()),
    };
    let mut timed = Timed {
        stream: &stream,
        until: until + GRACE,
    };
    let head = json!({
        "code": job.code, "seed": job.seed, "cpu": limits.cpu_seconds, "lean": lean,
    });
    let sent = write_frame(&mut timed, b'J', head.to_string().as_bytes())
        .and_then(|()| write_frame(&mut timed, b'G', globals.as_bytes()))
        .and_then(|()| write_frame(&mut timed, b'L', job.python_lib.unwrap_or_default()));
    if let Err(error) = sent
        && timed_out(&error)
    {
        return Attempt::Done(Err(Failure::TimedOut));
    }
    let frame = match read_frame(&mut timed, limits.answer_bytes) {
        Ok(frame) => frame,
        Err(error) if timed_out(&error) => return Attempt::Done(Err(Failure::TimedOut)),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let why = "the values that the script leaves are too large";
            return Attempt::Done(Err(Failure::Memory(
                Failure::Fault(why.to_owned()).to_string(),
            )));
        }
        Err(error) => return Attempt::Lost(error.to_string()),
    };
    let Some((kind, data)) = frame else {
        return Attempt::Lost("the warm process ended".to_owned());
    };
    match kind {
        b'O' => Attempt::Done(match String::from_utf8(data) {
            Ok(text) => Ok(Arc::from(text)),
            Err(_) => Err(Failure::Fault("an answer that is no text".to_owned())),
        }),
        b'F' => Attempt::Done(Err(match serde_json::from_slice::<Reported>(&data) {
            Ok(Reported { kind, text }) if kind == "memory" => Failure::Memory(text),
            Ok(Reported { text, .. }) => Failure::Script(text),
            Err(_) => Failure::Fault("an answer that is no text".to_owned()),
        })),
        b'R' if lean => Attempt::Science,
        b'S' => {
            let code = data.as_slice().try_into().map_or(-1, i32::from_le_bytes);
            Attempt::Done(Err(ended(code, until)))
        }
        _ => Attempt::Done(Err(Failure::Fault("an unknown answer".to_owned()))),
    }
}

/// What a child that ended without an answer means.
fn ended(code: i32, until: Instant) -> Failure {
    match code {
        // The jail reads the empty output as JSON.
        0 => Failure::Script("Expecting value: line 1 column 1 (char 0)".to_owned()),
        code if code == -libc::SIGKILL && Instant::now() >= until => Failure::TimedOut,
        code if code == -libc::SIGXCPU => Failure::TimedOut,
        120..=123 => Failure::Fault(format!("a script's process could not be confined ({code})")),
        code => Failure::Ended(code),
    }
}

/// The scripts of one request, for crate `capa`. All of them share one deadline.
#[derive(Clone, Debug)]
pub struct RequestScripts {
    sandbox: Sandbox,
    deadline: Instant,
}

impl ScriptRunner for RequestScripts {
    fn run(&self, run: &ScriptRun<'_>) -> Result<Globals, ScriptError> {
        let job = Job {
            code: run.code,
            globals: run.globals,
            python_lib: run.python_lib,
            seed: run.seed,
            cacheable: run.cacheable,
        };
        self.sandbox.run(&job, self.deadline).map_err(|failure| {
            if !failure.is_deterministic() {
                tracing::warn!(script = run.slug, %failure, "a script was stopped");
            }
            // Why the sandbox failed is the operator's business.
            ScriptError(match failure {
                Failure::Fault(_) => Failure::Fault(UNAVAILABLE.to_owned()).to_string(),
                other => other.to_string(),
            })
        })
    }
}

/// Time that all scripts of one request may take together, waiting included.
const REQUEST: Duration = Duration::from_secs(10);

/// Scripts one by one, each as if it were a request.
impl ScriptRunner for Sandbox {
    fn run(&self, run: &ScriptRun<'_>) -> Result<Globals, ScriptError> {
        self.for_request(Instant::now() + REQUEST).run(run)
    }
}
