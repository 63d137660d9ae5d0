//! Filters of system calls.
//!
//! The warm process may do what an interpreter does when it starts, forks and waits: a list of what it may
//! not do is enough, since it runs no author's code. A script's process may make only the calls on a list.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use crate::error::Error;

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

/// Calls that the warm process has no use for and that would help someone who took it over.
const WARM_DENIED: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_personality,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
];

/// Calls that a script's process may make with any arguments.
const SCRIPT_ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// The same of the older calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
const SCRIPT_ALLOWED_OLD: &[libc::c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const SCRIPT_ALLOWED_OLD: &[libc::c_long] = &[];

fn failed(error: impl std::fmt::Display) -> Error {
    Error::System("the filter of system calls", error.to_string())
}

fn errno(code: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(code.unsigned_abs())
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    these: SeccompAction,
) -> Result<BpfProgram, Error> {
    SeccompFilter::new(rules, others, these, ARCH)
        .map_err(failed)?
        .try_into()
        .map_err(failed)
}

/// The filter of the warm process.
pub(crate) fn warm() -> Result<BpfProgram, Error> {
    let rules = WARM_DENIED
        .iter()
        .map(|number| (*number, Vec::new()))
        .collect();
    compile(rules, SeccompAction::Allow, errno(libc::EPERM))
}

/// One argument compared with a mask or a value.
fn when(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Error> {
    let conditions = conditions
        .iter()
        .map(|(argument, operator, value)| {
            let whole = !matches!(operator, SeccompCmpOp::MaskedEq(_)) && *argument >= 2;
            let length = if whole {
                SeccompCmpArgLen::Qword
            } else {
                SeccompCmpArgLen::Dword
            };
            SeccompCondition::new(*argument, length, operator.clone(), *value).map_err(failed)
        })
        .collect::<Result<_, _>>()?;
    SeccompRule::new(conditions).map_err(failed)
}

/// The filter of a script's process, as the bytes of `struct sock_filter`s.
pub(crate) fn script() -> Result<Vec<u8>, Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = SCRIPT_ALLOWED
        .iter()
        .chain(SCRIPT_ALLOWED_OLD)
        .map(|number| (*number, Vec::new()))
        .collect();
    // Opening is for reading, and makes nothing.
    let writing = libc::O_ACCMODE
        | libc::O_CREAT
        | libc::O_TRUNC
        | libc::O_APPEND
        | (libc::O_TMPFILE & !libc::O_DIRECTORY)
        | libc::O_PATH;
    let reading = SeccompCmpOp::MaskedEq(u64::from(writing.unsigned_abs()));
    rules.insert(libc::SYS_openat, vec![when(&[(2, reading.clone(), 0)])?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![when(&[(1, reading, 0)])?]);
    // Whether a file is a terminal, and closing on exec.
    let commands = [libc::TCGETS, libc::FIOCLEX, libc::FIONBIO];
    let command = |value: u64| when(&[(1, SeccompCmpOp::Eq, value)]);
    rules.insert(
        libc::SYS_ioctl,
        commands
            .into_iter()
            .map(command)
            .collect::<Result<_, _>>()?,
    );
    let commands = [
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_DUPFD_CLOEXEC,
    ];
    rules.insert(
        libc::SYS_fcntl,
        commands
            .into_iter()
            .map(|value| command(u64::from(value.unsigned_abs())))
            .collect::<Result<_, _>>()?,
    );
    // Limits are read, never set; of this process alone.
    let mine = (0, SeccompCmpOp::Eq, 0);
    rules.insert(
        libc::SYS_prlimit64,
        vec![when(&[mine, (2, SeccompCmpOp::Eq, 0)])?],
    );
    // numpy asks for names and for transparent huge pages; nothing else of prctl.
    let program = compile(rules, errno(libc::EPERM), SeccompAction::Allow)?;
    Ok(program
        .iter()
        .flat_map(|step| {
            let mut bytes = [0_u8; 8];
            let (code, k) = (step.code.to_ne_bytes(), step.k.to_ne_bytes());
            bytes[..2].copy_from_slice(&code);
            bytes[2] = step.jt;
            bytes[3] = step.jf;
            bytes[4..].copy_from_slice(&k);
            bytes
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compile_and_fit() {
        assert!(warm().expect("warm").len() < 4096);
        let script = script().expect("script");
        assert_eq!(script.len() % 8, 0);
        assert!(script.len() / 8 < 4096);
    }
}
