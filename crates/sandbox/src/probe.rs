//! Finds the files of the configured interpreter.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::Error;
use crate::landlock_rules::Readable;
use crate::python;
use crate::spawn::{self, Account};

/// What is known of the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    /// The real program; where a virtual environment's packages are is in `path`.
    pub program: PathBuf,
    /// `sys.path`, without folders of the user.
    pub path: Vec<String>,
    /// What the warm process may read.
    pub readable: Readable,
}

#[derive(Deserialize)]
struct Answer {
    version: [u32; 3],
    path: Vec<String>,
    libraries: Vec<String>,
}

/// Loaders of dynamically linked programs; the kernel executes them with the interpreter.
const LOADERS: &[&str] = &[
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// Runs the interpreter once, with no author's code, to learn where its files are.
pub(crate) fn probe(program: &Path, account: Option<Account>) -> Result<Interpreter, Error> {
    let name = program.display().to_string();
    let failed = |why: String| Error::Interpreter(name.clone(), why);
    let real = program
        .canonicalize()
        .map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(program);
    command
        .args(["-I", "-B", "-X", "utf8", "-c", python::PROBE])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    spawn::drop_root(&mut command, account);
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.trim().lines().last().unwrap_or("it failed").to_owned();
        return Err(failed(last));
    }
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    let version = answer.version;
    if version < [3, 9, 0] {
        let [major, minor, _] = version;
        return Err(failed(format!("Python {major}.{minor} is too old")));
    }
    let mut trees: Vec<PathBuf> = Vec::new();
    let folders = answer.path.iter().chain(&answer.libraries);
    // A folder that everything is beneath would give everything.
    for folder in folders
        .map(PathBuf::from)
        .filter(|p| p.components().count() > 2)
    {
        if !trees.contains(&folder) {
            trees.push(folder);
        }
    }
    let mut programs = vec![real.clone()];
    programs.extend(LOADERS.iter().map(PathBuf::from).filter(|p| p.is_file()));
    Ok(Interpreter {
        program: real,
        path: answer.path,
        readable: Readable {
            trees,
            files: vec![
                PathBuf::from("/etc/ld.so.cache"),
                PathBuf::from("/dev/null"),
            ],
            programs,
        },
    })
}
