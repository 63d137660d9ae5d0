//! Settings, limits and the report of layers.

use std::path::PathBuf;
use std::time::Duration;

/// A layer that an operator may demand on top of those that are always demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Landlock: which files may be read.
    Landlock,
    /// Own namespaces: network, IPC, host name and mounts, with a root of the library trees alone.
    Namespaces,
}

/// How scripts run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Setting `sandbox_python`: the interpreter, also one of a virtual environment.
    pub python: PathBuf,
    /// Setting `sandbox_user`: the account that scripts run as when the server runs as root.
    pub user: String,
    /// Setting `sandbox_require`: layers without which no script runs.
    pub require: Vec<Layer>,
    /// Most scripts that run at one time; more wait within their request's deadline.
    pub concurrency: usize,
    /// Most bytes of remembered results.
    pub cache_bytes: usize,
    /// Limits of one script.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            python: PathBuf::from("/usr/bin/python3"),
            user: "nobody".to_owned(),
            require: Vec::new(),
            // More than processors: one that sleeps must not keep others waiting.
            concurrency: std::thread::available_parallelism()
                .map_or(4, |processors| processors.get() * 2)
                .clamp(4, 64),
            cache_bytes: 32 << 20,
            limits: Limits::default(),
        }
    }
}

/// Limits of one script (contract capa.md §6.1, Limits).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Processor time in whole seconds.
    pub cpu_seconds: u32,
    /// Time from start to answer.
    pub wall: Duration,
    /// Memory beyond what the warm process maps, in MiB.
    pub memory_mib: u32,
    /// Most bytes of the names that a script leaves.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_seconds: 1,
            wall: Duration::from_secs(3),
            memory_mib: 512,
            answer_bytes: 16 << 20,
        }
    }
}

/// The layers that hold on this machine, for an operator's report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The system calls are filtered. Always true where scripts run.
    pub seccomp: bool,
    /// Landlock restricts files (and, by the kernel's age, TCP and signals).
    pub landlock: bool,
    /// Own network, IPC and host-name namespaces.
    pub namespaces: bool,
    /// A root of the library trees alone, in a mount namespace.
    pub private_root: bool,
    /// The server runs as root and its workers as another account.
    pub dropped_root: bool,
}
