//! One warm process.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::link::{Timed, send_with_file};
use crate::probe::Interpreter;
use crate::settings::{Layer, Layers, Settings};
use crate::spawn::{self, Account};
use crate::{filter, python};

/// Longest time that a warm process may take to import what it keeps ready.
const START: Duration = Duration::from_mins(1);

/// What the warm process says when it is ready.
#[derive(Deserialize)]
struct Ready {
    error: Option<String>,
    python: Option<String>,
    #[serde(default)]
    found: HashMap<String, Option<String>>,
}

/// A warm process. Dropped, it ends with every script that it runs.
#[derive(Debug)]
pub(crate) struct Zygote {
    child: Mutex<Child>,
    control: Mutex<UnixStream>,
    /// What the process maps, in MiB.
    mapped_mib: u32,
    pub layers: Layers,
    /// Version of the interpreter.
    pub version: String,
    /// Scientific packages that it has.
    pub found: HashMap<String, Option<String>>,
    broken: AtomicBool,
}

impl Zygote {
    /// Starts a process that keeps `packages` imported.
    pub fn start(
        interpreter: &Interpreter,
        settings: &Settings,
        account: Option<Account>,
        packages: &[&str],
    ) -> Result<Self, Error> {
        Self::start_with(interpreter, settings, account, packages, None)
    }

    /// As [`Self::start`]; a test leaves out one layer to see the other one alone.
    fn start_with(
        interpreter: &Interpreter,
        settings: &Settings,
        account: Option<Account>,
        packages: &[&str],
        without: Option<Layer>,
    ) -> Result<Self, Error> {
        let (child, control, layers) = spawn::start(interpreter, settings, account, without)?;
        let pid = child.id();
        // From here on a failure ends the process by dropping the value.
        let mut zygote = Self {
            child: Mutex::new(child),
            control: Mutex::new(control),
            mapped_mib: 0,
            layers,
            version: String::new(),
            found: HashMap::new(),
            broken: AtomicBool::new(false),
        };
        let script = filter::script()?;
        let parts = if packages.is_empty() {
            &[]
        } else {
            python::SCIENCE_PARTS
        };
        let warm = [python::WARM, parts].concat();
        let setup = json!({
            "zygote": python::ZYGOTE,
            "modules": python::modules(),
            "path": interpreter.path,
            "preload": packages,
            "warm": warm,
            "filter": hex(&script),
        });
        let setup = setup.to_string();
        let failed = |error: std::io::Error| {
            Error::Interpreter(interpreter.program.display().to_string(), error.to_string())
        };
        let (layers, ready) = {
            let control = zygote
                .control
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let mut timed = Timed {
                stream: &control,
                until: Instant::now() + START,
            };
            let mut layers = zygote.layers;
            spawn::read_layers(&mut timed, &mut layers).map_err(failed)?;
            let length = u32::try_from(setup.len()).unwrap_or(u32::MAX).to_le_bytes();
            timed.write_all(&length).map_err(failed)?;
            timed.write_all(setup.as_bytes()).map_err(failed)?;
            let mut length = [0; 4];
            timed.read_exact(&mut length).map_err(failed)?;
            let mut answer = Vec::new();
            let length = u64::from(u32::from_le_bytes(length)).min(1 << 16);
            timed
                .take(length)
                .read_to_end(&mut answer)
                .map_err(failed)?;
            let ready: Ready =
                serde_json::from_slice(&answer).map_err(|error| failed(error.into()))?;
            control
                .set_write_timeout(Some(Duration::from_secs(2)))
                .map_err(failed)?;
            (layers, ready)
        };
        if let Some(error) = ready.error {
            return Err(Error::Layer(error));
        }
        zygote.layers = layers;
        zygote.version = ready.python.unwrap_or_default();
        zygote.found = ready.found;
        zygote.mapped_mib = mapped_mib(pid).ok_or_else(|| {
            Error::System(
                "the memory of the warm process",
                "/proc is not there".to_owned(),
            )
        })?;
        Ok(zygote)
    }

    /// Whether it has one of the scientific packages.
    pub fn has_packages(&self) -> bool {
        self.found.values().any(Option::is_some)
    }

    /// Whether it takes jobs no more.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Says that it takes jobs no more.
    pub fn set_broken(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Forks a child with these limits; the socket to it.
    pub fn submit(&self, wall: Duration, memory_mib: u32) -> std::io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut request = [0; 8];
        let wall = u32::try_from(wall.as_millis()).unwrap_or(u32::MAX);
        let memory = self.mapped_mib.saturating_add(memory_mib);
        request[..4].copy_from_slice(&wall.to_le_bytes());
        request[4..].copy_from_slice(&memory.to_le_bytes());
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if !send_with_file(&control, &request, theirs.as_fd()) {
            self.set_broken();
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Ok(ours)
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        let control = self
            .control
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // It reads the end of the socket, ends its children and itself.
        let _ = control.shutdown(std::net::Shutdown::Both);
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..100 {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The address space of a process, in MiB, rounded up.
fn mapped_mib(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{read_frame, write_frame};

    /// What a script leaves, or its failure, as text.
    fn run(zygote: &Zygote, code: &str) -> String {
        let stream = zygote.submit(Duration::from_secs(3), 512).expect("a child");
        let mut timed = Timed {
            stream: &stream,
            until: Instant::now() + Duration::from_secs(5),
        };
        let job = json!({"code": code, "seed": 1, "cpu": 1, "lean": true}).to_string();
        for (kind, data) in [(b'J', job.as_str()), (b'G', "{}"), (b'L', "")] {
            write_frame(&mut timed, kind, data.as_bytes()).expect("write");
        }
        let (_, data) = read_frame(&mut timed, 1 << 20)
            .expect("read")
            .expect("an answer");
        String::from_utf8(data).expect("text")
    }

    /// A warm process without a layer; none where the system has not the other one.
    fn without(layer: Layer) -> Option<Zygote> {
        let settings = Settings::default();
        let account = spawn::account(&settings).expect("account");
        let interpreter = crate::probe::probe(&settings.python, account).expect("probe");
        match Zygote::start_with(&interpreter, &settings, account, &[], Some(layer)) {
            Ok(zygote) => Some(zygote),
            Err(Error::Layer(why)) => {
                println!("skipped: {why}");
                None
            }
            Err(other) => panic!("{other}"),
        }
    }

    const TRY: &str = "def attempt(f, *a):\n    try:\n        f(*a)\n    except OSError as error:\n        return type(error).__name__\n";

    // docs/sandbox.md: without Landlock the private root confines files alone
    #[test]
    fn namespaces_alone_confine_files() {
        let Some(zygote) = without(Layer::Landlock) else {
            return;
        };
        let layers = zygote.layers;
        assert!(!layers.landlock && layers.namespaces && layers.private_root);
        let code = format!(
            "{TRY}found = [attempt(open, '/etc/passwd'), attempt(os.stat, '/etc/passwd'), attempt(os.stat, '/home'), attempt(os.stat, '/proc/self')]\nalone = set(os.listdir('/etc')) <= {{'ld.so.cache'}}\nimport wave\nhave = wave.__name__\n"
        );
        let none = "\"FileNotFoundError\"";
        assert_eq!(
            run(&zygote, &code),
            format!(
                "{{\"found\": [{none}, {none}, {none}, {none}], \"alone\": true, \"have\": \"wave\"}}"
            )
        );
    }

    // docs/sandbox.md: and Landlock confines them where there are no namespaces
    #[test]
    fn landlock_alone_confines_files() {
        let Some(zygote) = without(Layer::Namespaces) else {
            return;
        };
        let layers = zygote.layers;
        assert!(layers.landlock && !layers.namespaces && !layers.private_root);
        let code = format!(
            "{TRY}import socket\nfound = [attempt(open, '/etc/passwd'), attempt(os.listdir, '/'), attempt(open, '/proc/self/environ'), attempt(open, '/proc/self/root/etc/passwd'), attempt(socket.socket)]\nimport wave\nhave = wave.__name__\n"
        );
        let no = "\"PermissionError\"";
        assert_eq!(
            run(&zygote, &code),
            format!("{{\"found\": [{no}, {no}, {no}, {no}, {no}], \"have\": \"wave\"}}")
        );
    }
}
