//! Which files the processes of the sandbox may read.
//!
//! Landlock's set of reading rights contains executing: library trees get reading alone, and executing is
//! given to the interpreter and to the loader of programs, nothing else.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};

use crate::error::Error;

/// The newest kernel interface used; older kernels give what they have.
const NEWEST: ABI = ABI::V6;

/// The files of an interpreter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readable {
    /// Folders that are read, with everything beneath.
    pub trees: Vec<PathBuf>,
    /// Single files that are read.
    pub files: Vec<PathBuf>,
    /// Programs that are read and executed.
    pub programs: Vec<PathBuf>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::System("landlock", error.to_string())
}

fn add(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Error> {
    // What does not exist on this machine needs no rule.
    let Ok(file) = PathFd::new(path) else {
        return Ok(ruleset);
    };
    ruleset
        .add_rule(PathBeneath::new(file, access))
        .map_err(failed)
}

/// The rules, ready to be put on; none when the kernel has no Landlock.
pub(crate) fn ruleset(readable: &Readable) -> Result<Option<OwnedFd>, Error> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .map_err(failed)?
        .handle_access(AccessNet::from_all(NEWEST))
        .map_err(failed)?
        .scope(Scope::from_all(NEWEST))
        .map_err(failed)?
        .create()
        .map_err(failed)?;
    for tree in &readable.trees {
        ruleset = add(ruleset, tree, AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    for file in &readable.files {
        ruleset = add(ruleset, file, AccessFs::ReadFile.into())?;
    }
    for program in &readable.programs {
        ruleset = add(ruleset, program, AccessFs::ReadFile | AccessFs::Execute)?;
    }
    Ok(ruleset.into())
}
