//! Starts an interpreter that is confined before its first instruction.
//!
//! Everything that needs memory is made ready in the server; between fork and exec only system calls are made.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use seccompiler::BpfProgram;

use crate::error::Error;
use crate::python;
use crate::settings::{Layer, Layers, Settings};

/// An account by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: libc::uid_t,
    gid: libc::gid_t,
}

/// Whether the server runs as root.
fn is_root() -> bool {
    #[expect(unsafe_code, reason = "no safe function tells the effective user")]
    // SAFETY: geteuid has no preconditions.
    let id = unsafe { libc::geteuid() };
    id == 0
}

/// The account that scripts run as; none when the server is not root.
pub(crate) fn account(settings: &Settings) -> Result<Option<Account>, Error> {
    if !is_root() {
        return Ok(None);
    }
    let name = settings.user.as_str();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = find_account(&accounts, name).or_else(|| {
        // A container without accounts still has this one's number.
        (name == "nobody").then_some(Account {
            uid: 65534,
            gid: 65534,
        })
    });
    match found {
        Some(account) if account.uid != 0 && account.gid != 0 => Ok(Some(account)),
        _ => Err(Error::Account(name.to_owned())),
    }
}

fn find_account(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

/// What a process gives up between fork and exec.
struct Confinement {
    account: Option<Account>,
    control: RawFd,
    namespaces_required: bool,
    ruleset: Option<OwnedFd>,
    filter: BpfProgram,
}

/// -1 as an error.
fn check(result: libc::c_long) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Groups, group and user of the account, for good.
#[expect(unsafe_code, reason = "identities have no safe functions")]
fn become_account(account: Account) -> io::Result<()> {
    // SAFETY: plain system calls; the empty list of groups is not read. They are made by the one thread of a
    // forked child, so the C library has no other thread to tell.
    unsafe {
        check(libc::syscall(
            libc::SYS_setgroups,
            0,
            std::ptr::null::<libc::gid_t>(),
        ))?;
        let Account { uid, gid } = account;
        check(libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        check(libc::syscall(libc::SYS_setresuid, uid, uid, uid))?;
        // It must not be possible to come back.
        if libc::syscall(libc::SYS_setresuid, -1, 0, -1) != -1 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    Ok(())
}

/// Runs as `account` what `command` starts.
pub(crate) fn drop_root(command: &mut Command, account: Option<Account>) {
    if let Some(account) = account {
        #[expect(unsafe_code, reason = "the standard library does not drop groups")]
        // SAFETY: `become_account` makes system calls only, which is allowed between fork and exec.
        unsafe {
            command.pre_exec(move || become_account(account));
        }
    }
}

/// Namespaces that keep a process from the network, from other processes' IPC and from the host's name.
const NAMESPACES: libc::c_int = libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

impl Confinement {
    /// Called in the forked child. Makes system calls only: no memory is taken, no lock.
    #[expect(unsafe_code, reason = "these system calls have no safe functions")]
    fn enter(&self) -> io::Result<()> {
        // SAFETY: system calls on numbers and on memory that `self` owns; the limits live until the calls
        // return. None of them touches memory of the server, whose address space this child does not share.
        unsafe {
            libc::setsid();
            libc::umask(0o777);
            check(libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            ))?;
            check(libc::fcntl(self.control, libc::F_SETFD, 0).into())?;
            for (resource, most) in [
                (libc::RLIMIT_CORE, 0),
                (libc::RLIMIT_FSIZE, 0),
                (libc::RLIMIT_NOFILE, 512),
            ] {
                let limit = libc::rlimit {
                    rlim_cur: most,
                    rlim_max: most,
                };
                check(libc::setrlimit(resource, &raw const limit).into())?;
            }
            // Root may make namespaces by itself, anyone else with a user namespace where the system allows it.
            let mut own = self.account.is_some() && libc::unshare(NAMESPACES) == 0;
            if let Some(account) = self.account {
                become_account(account)?;
            }
            if !own {
                own = libc::unshare(NAMESPACES | libc::CLONE_NEWUSER) == 0;
            }
            if self.namespaces_required && !own {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
            if let Some(ruleset) = &self.ruleset {
                check(libc::syscall(
                    libc::SYS_landlock_restrict_self,
                    ruleset.as_raw_fd(),
                    0,
                ))?;
            }
            let report = [u8::from(own)];
            if libc::write(self.control, report.as_ptr().cast(), 1) != 1 {
                return Err(io::Error::last_os_error());
            }
        }
        seccompiler::apply_filter(&self.filter).map_err(|_| io::ErrorKind::PermissionDenied.into())
    }
}

/// Starts the warm process. The control socket's other end is the process's; what comes first over it is one
/// byte that tells whether it has its own namespaces.
pub(crate) fn start(
    program: &Path,
    settings: &Settings,
    account: Option<Account>,
    ruleset: Option<OwnedFd>,
) -> Result<(Child, UnixStream, Layers), Error> {
    if ruleset.is_none() {
        // Files are confined by Landlock alone; without it nothing would be.
        return Err(Error::Layer(
            "this kernel has no Landlock (or it is not switched on)".to_owned(),
        ));
    }
    let (ours, theirs) =
        UnixStream::pair().map_err(|error| Error::io("the control socket", &error))?;
    let layers = Layers {
        seccomp: true,
        landlock: ruleset.is_some(),
        namespaces: false,
        dropped_root: account.is_some(),
    };
    let confinement = Confinement {
        account,
        control: theirs.as_raw_fd(),
        namespaces_required: settings.require.contains(&Layer::Namespaces),
        ruleset,
        filter: crate::filter::warm()?,
    };
    let mut command = Command::new(program);
    command
        .args(["-I", "-S", "-B", "-X", "utf8", "-c", python::BOOTSTRAP])
        .arg(theirs.as_raw_fd().to_string())
        .env_clear()
        .envs(
            ["OPENBLAS", "OMP", "MKL", "BLIS", "NUMEXPR"]
                .map(|library| (format!("{library}_NUM_THREADS"), "1")),
        )
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[expect(
        unsafe_code,
        reason = "confinement has to be on before the interpreter runs"
    )]
    // SAFETY: `enter` makes system calls only, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(move || confinement.enter());
    }
    let name = program.display().to_string();
    let child = command
        .spawn()
        .map_err(|error| Error::Interpreter(name, error.to_string()))?;
    drop(theirs);
    Ok((child, ours, layers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name() {
        let text = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        let nobody = Account {
            uid: 65534,
            gid: 65533,
        };
        assert_eq!(find_account(text, "nobody"), Some(nobody));
        assert_eq!(find_account(text, "body"), None);
    }
}
