//! A sandbox for tests.
#![allow(dead_code, reason = "not every test file uses all helpers")]
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use capa::pyvalue::PyValue;
use capa::script::Globals;
use sandbox::{Error, Failure, Job, Sandbox, Settings};

pub fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(settings()))
}

/// Default settings, with the interpreter of the environment.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    if let Some(python) = std::env::var_os("STOA_SANDBOX_PYTHON") {
        settings.python = python.into();
    }
    settings
}

/// Runs code in the common sandbox.
pub fn run(code: &str, globals: &str, seed: i64) -> Result<Globals, Failure> {
    run_in(sandbox(), code, globals, seed)
}

/// Runs code in any sandbox.
pub fn run_in(sandbox: &Sandbox, code: &str, globals: &str, seed: i64) -> Result<Globals, Failure> {
    let Some(PyValue::Dict(globals)) = PyValue::parse_json(globals) else {
        panic!("globals")
    };
    let job = Job {
        code,
        globals: &globals,
        python_lib: None,
        seed,
        cacheable: false,
    };
    sandbox.run(&job, Instant::now() + Duration::from_secs(20))
}

/// Whether scripts can run at all; says so when the kernel lacks what confines them.
pub fn can_run() -> bool {
    match sandbox().layers() {
        Err(Error::Layer(why)) => {
            println!("skipped: {why}");
            false
        }
        other => {
            other.expect("scripts can run");
            true
        }
    }
}

/// The names left, as Python prints them.
pub fn left(code: &str, globals: &str, seed: i64) -> String {
    match run(code, globals, seed) {
        Ok(globals) => PyValue::Dict(globals).repr(),
        Err(failure) => format!("{failure}"),
    }
}
