//! Starts an interpreter that is confined before its first instruction.
//!
//! Everything that needs memory is made ready in the server; between fork and exec only system calls are made.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use seccompiler::BpfProgram;

use crate::error::Error;
use crate::landlock_rules;
use crate::private_root::PrivateRoot;
use crate::probe::Interpreter;
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
    namespaces: bool,
    namespaces_required: bool,
    ruleset: Option<OwnedFd>,
    root: Option<PrivateRoot>,
    /// What the new user namespace knows of identities: this one user and group, by its own numbers.
    user_map: [(CString, String); 3],
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
            return Err(io::Error::from_raw_os_error(libc::EPERM));
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

/// Namespaces that keep a process from the network, from other processes' IPC, from the host's name and from
/// its mounts.
const NAMESPACES: libc::c_int =
    libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNS;

/// Bits of the first byte that a process sends.
const HAS_NAMESPACES: u8 = 1;
const HAS_ROOT: u8 = 2;

impl Confinement {
    /// Called in the forked child. Makes system calls only: no memory is taken, no lock.
    #[expect(unsafe_code, reason = "these system calls have no safe functions")]
    fn enter(&self) -> io::Result<()> {
        // SAFETY: system calls on numbers and on memory that `self` owns; the limits live until the calls
        // return. None of them touches memory of the server, whose address space this child does not share.
        unsafe {
            libc::setsid();
            libc::umask(0o022);
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
            let mut own =
                self.namespaces && self.account.is_some() && libc::unshare(NAMESPACES) == 0;
            let mut moved = own && self.move_root();
            if let Some(account) = self.account {
                become_account(account)?;
            }
            if self.namespaces && !own {
                // Having changed its user, the process may not write its own map otherwise.
                libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0);
                own = libc::unshare(NAMESPACES | libc::CLONE_NEWUSER) == 0;
                moved = own && self.write_user_map() && self.move_root();
            }
            libc::umask(0o777);
            if self.namespaces_required && !(own && moved) {
                return Err(io::Error::from_raw_os_error(libc::EACCES));
            }
            if !moved && self.ruleset.is_none() {
                // Nothing would confine files.
                return Err(io::Error::from_raw_os_error(libc::ENOTSUP));
            }
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
            if let Some(ruleset) = &self.ruleset {
                check(libc::syscall(
                    libc::SYS_landlock_restrict_self,
                    ruleset.as_raw_fd(),
                    0,
                ))?;
            }
            let report = [if own { HAS_NAMESPACES } else { 0 } | if moved { HAS_ROOT } else { 0 }];
            if libc::write(self.control, report.as_ptr().cast(), 1) != 1 {
                return Err(io::Error::last_os_error());
            }
        }
        seccompiler::apply_filter(&self.filter)
            .map_err(|_| io::Error::from_raw_os_error(libc::EPERM))
    }

    /// Whether the process now has a root of its own.
    fn move_root(&self) -> bool {
        self.root.as_ref().is_some_and(|root| root.enter().is_ok())
    }

    /// Tells a new user namespace who this process is, so that it may make files in a file system of its own.
    #[expect(unsafe_code, reason = "no memory may be taken here")]
    fn write_user_map(&self) -> bool {
        self.user_map.iter().all(|(file, line)| {
            // SAFETY: system calls on texts that `self` owns.
            unsafe {
                let file = libc::open(file.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
                if file == -1 {
                    return false;
                }
                let written = libc::write(file, line.as_ptr().cast(), line.len());
                libc::close(file);
                usize::try_from(written) == Ok(line.len())
            }
        })
    }
}

/// The files of a new user namespace and what is written to them, in this order.
fn user_map(account: Option<Account>) -> [(CString, String); 3] {
    #[expect(unsafe_code, reason = "no safe function tells the effective identity")]
    // SAFETY: these calls have no preconditions.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let (uid, gid) = account.map_or((uid, gid), |account| (account.uid, account.gid));
    [
        (c"/proc/self/setgroups".to_owned(), "deny".to_owned()),
        (c"/proc/self/uid_map".to_owned(), format!("{uid} {uid} 1")),
        (c"/proc/self/gid_map".to_owned(), format!("{gid} {gid} 1")),
    ]
}

/// Reads from the control socket which layers the process has, the first byte that it sends.
pub(crate) fn read_layers(control: &mut impl io::Read, layers: &mut Layers) -> io::Result<()> {
    let mut report = [0];
    control.read_exact(&mut report)?;
    let [report] = report;
    layers.namespaces = report & HAS_NAMESPACES != 0;
    layers.private_root = report & HAS_ROOT != 0;
    Ok(())
}

/// Starts the warm process. The control socket's other end is the process's; what comes first over it is for
/// [`read_layers`]. A test leaves out one layer to see the other one alone.
pub(crate) fn start(
    interpreter: &Interpreter,
    settings: &Settings,
    account: Option<Account>,
    without: Option<Layer>,
) -> Result<(Child, UnixStream, Layers), Error> {
    let program = interpreter.program.as_path();
    let ruleset = if without == Some(Layer::Landlock) {
        None
    } else {
        landlock_rules::ruleset(&interpreter.readable)?
    };
    if ruleset.is_none() && settings.require.contains(&Layer::Landlock) {
        return Err(Error::Layer(
            "this kernel has no Landlock, which sandbox_require demands".to_owned(),
        ));
    }
    let (ours, theirs) =
        UnixStream::pair().map_err(|error| Error::io("the control socket", &error))?;
    let layers = Layers {
        seccomp: true,
        landlock: ruleset.is_some(),
        namespaces: false,
        private_root: false,
        dropped_root: account.is_some(),
    };
    let confinement = Confinement {
        account,
        control: theirs.as_raw_fd(),
        namespaces: without != Some(Layer::Namespaces),
        namespaces_required: settings.require.contains(&Layer::Namespaces),
        ruleset,
        root: PrivateRoot::plan(&interpreter.readable),
        user_map: user_map(account),
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
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => Error::Layer(
            "this system has neither Landlock nor namespaces for users; one of them must confine files"
                .to_owned(),
        ),
        _ => Error::Interpreter(program.display().to_string(), error.to_string()),
    })?;
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
