//! The classic ways out of a sandbox, each shown to be closed (docs/sandbox.md). Started as root, the test runs
//! everything once more as a plain user.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use capa::script::Globals;
use common::{can_run, left, run, run_in, sandbox};
use sandbox::{Failure, Job, Limits, Sandbox};

/// `attempt(f)` is the class of what `f` raises, or `did` and its value.
const ATTEMPT: &str = "
def attempt(f, *arguments):
    try:
        value = f(*arguments)
    except BaseException as error:
        return type(error).__name__
    return 'did %r' % (value,)
import ctypes, resource, signal, socket, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
";

/// Evaluates the expression, which must give one of `ways`.
fn refused(expression: &str, ways: &[&str]) {
    let code = format!("{ATTEMPT}\nresult = {expression}\n");
    let got = left(&code, "{}", 1);
    let fine = ways
        .iter()
        .any(|way| got == format!("{{'result': '{way}'}}"));
    assert!(fine, "{expression}: {got}");
}

fn files() {
    for path in [
        "/etc/passwd",
        "/etc/shadow",
        "/etc/hostname",
        "/proc/self/environ",
        "/proc/self/mem",
        "/proc/1/cmdline",
        "/sys/kernel/hostname",
        "/dev/mem",
        "/root/.bashrc",
    ] {
        refused(
            &format!("attempt(open, {path:?}, 'rb')"),
            &["PermissionError", "FileNotFoundError"],
        );
    }
    for code in [
        "attempt(os.listdir, '/')",
        "attempt(os.listdir, '/tmp')",
        "attempt(os.listdir, '/proc')",
        "attempt(open, '/tmp/stoa-sandbox', 'w')",
        "attempt(open, os.__file__, 'r+')",
        "attempt(open, os.__file__, 'a')",
        "attempt(os.open, os.__file__, os.O_RDONLY | os.O_CREAT)",
        "attempt(os.open, '/tmp', os.O_RDWR | os.O_TMPFILE)",
        "attempt(os.open, '/etc/passwd', os.O_PATH)",
        "attempt(os.mkdir, '/tmp/stoa-sandbox')",
        "attempt(os.unlink, os.__file__)",
        "attempt(os.rename, os.__file__, '/tmp/x')",
        "attempt(os.chmod, os.__file__, 0o777)",
        "attempt(os.truncate, os.__file__, 0)",
        "attempt(os.chdir, '/etc')",
        "attempt(os.chroot, '/tmp')",
        "attempt(os.mkfifo, '/tmp/stoa-fifo')",
        "attempt(os.memfd_create, 'x')",
    ] {
        refused(code, &["PermissionError", "FileNotFoundError"]);
    }
    // Symbolic and hard links to what may not be read, and the ways to a file through another's name.
    for code in [
        "attempt(os.symlink, '/etc/passwd', '/tmp/stoa-link')",
        "attempt(os.link, '/etc/passwd', '/tmp/stoa-link')",
        "attempt(open, '/proc/self/root/etc/passwd')",
        "attempt(open, '/proc/self/cwd/etc/passwd')",
        "attempt(open, os.path.dirname(os.__file__) + '/../../../etc/passwd')",
        "attempt(open, '/proc/self/fd/3', 'rb')",
    ] {
        // A socket cannot be opened by a name at all.
        refused(code, &["PermissionError", "FileNotFoundError", "OSError"]);
    }
}

fn expect_permission(code: &str) {
    refused(code, &["PermissionError"]);
}

fn network() {
    for code in [
        "attempt(socket.socket)",
        "attempt(socket.socket, socket.AF_UNIX)",
        "attempt(socket.socket, socket.AF_INET6, socket.SOCK_DGRAM)",
        "attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW)",
        "attempt(socket.create_connection, ('127.0.0.1', 80))",
        "attempt(socket.socketpair)",
    ] {
        expect_permission(code);
    }
}

fn processes() {
    for code in [
        "attempt(os.fork)",
        "attempt(subprocess.run, ['/bin/true'])",
        "attempt(os.execv, '/bin/sh', ['sh'])",
        "attempt(os.execv, sys.executable or '/usr/bin/python3', ['python3'])",
        "attempt(os.posix_spawn, '/bin/true', ['true'], {})",
        "attempt(os.pipe)",
    ] {
        expect_permission(code);
    }
    refused(
        "attempt(threading.Thread(target=print).start)",
        &["RuntimeError"],
    );
    refused("attempt(os.system, 'true')", &["did -1", "did 32512"]);
    // A bomb is one refused call after another until its time is up.
    let bomb = "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n";
    stopped(bomb);
    // A pickle runs what it likes, as any code does, and comes no further.
    let pickle = "import pickle\nclass P:\n    def __reduce__(self):\n        return os.execv, ('/bin/sh', ['sh'])\ntry:\n    pickle.loads(pickle.dumps(P()))\nexcept PermissionError:\n    result = 'PermissionError'\ndel P, pickle";
    assert_eq!(left(pickle, "{}", 1), "{'result': 'PermissionError'}");
}

fn signals_and_tracing() {
    for target in ["os.getppid()", "1", "-1", "0", "os.getpid()"] {
        expect_permission(&format!("attempt(os.kill, {target}, 9)"));
    }
    for call in [
        "libc.ptrace(16, os.getppid(), 0, 0)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0)",
        "libc.process_vm_writev(os.getppid(), None, 0, None, 0, 0)",
        "libc.unshare(0x10000000)",
        "libc.mount(None, b'/', None, 0, None)",
        "libc.setuid(0)",
        "libc.prctl(4, 1, 0, 0, 0)",
        "libc.syscall(272, 0)",
        "libc.syscall(425, 8, None)",
        "libc.syscall(321, 0, None, 0)",
        "libc.syscall(434, os.getppid(), 0)",
        "libc.syscall(0x40000000 + 57)",
    ] {
        let code = format!("{ATTEMPT}\nresult = [{call}, ctypes.get_errno()]\n");
        assert_eq!(left(&code, "{}", 1), "{'result': [-1, 1]}", "{call}");
    }
    for code in [
        "attempt(resource.setrlimit, resource.RLIMIT_AS, (-1, -1))",
        "attempt(resource.setrlimit, resource.RLIMIT_CPU, (60, 60))",
        "attempt(resource.prlimit, os.getppid(), resource.RLIMIT_CPU)",
    ] {
        refused(code, &["PermissionError", "ValueError"]);
    }
}

/// The script is stopped for its time.
fn stopped(code: &str) {
    static IMPATIENT: OnceLock<Sandbox> = OnceLock::new();
    let sandbox = IMPATIENT.get_or_init(|| {
        let mut settings = common::settings();
        settings.limits.wall = Duration::from_secs(1);
        Sandbox::new(settings)
    });
    let start = Instant::now();
    let outcome = run_in(sandbox, code, "{}", 1);
    assert_eq!(outcome, Err(Failure::TimedOut), "{code}");
    assert!(start.elapsed() < Duration::from_secs(8), "{code}");
}

fn memory_and_time() {
    for code in [
        "a = bytearray(1 << 30)",
        "a = []\nwhile True:\n    a.append(bytearray(1 << 20))",
        "a = 'x' * (20 << 20)",
    ] {
        let outcome = run(code, "{}", 1);
        assert!(
            matches!(outcome, Err(Failure::Memory(_))),
            "{code}: {outcome:?}"
        );
    }
    assert_eq!(
        left("a = len(bytearray(200 << 20))", "{}", 1),
        "{'a': 209715200}"
    );
    stopped("while True: pass");
    stopped("import time\ntime.sleep(60)");
    stopped(
        "import signal\nfor n in range(1, 30):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\nwhile True: pass",
    );
    stopped(
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    );
    stopped("import re\nre.match('(a+)+$', 'a' * 60 + 'b')");
    stopped("a = 9 ** 9 ** 9");
}

fn crashes() {
    for code in [
        "os.abort()",
        "os._exit(7)",
        "import ctypes\nctypes.string_at(0)",
        "import sys\nsys.setrecursionlimit(10 ** 7)\ndef f(): f()\nf()",
        "os.close(3)",
        "os.write(3, b'X' * 100)",
        "os.write(3, b'O' + b'\\xff' * 4)",
        "os.write(3, b'O\\x02\\x00\\x00\\x00{]')",
    ] {
        let outcome = run(code, "{}", 1);
        assert!(outcome.is_err(), "{code}: {outcome:?}");
        assert_eq!(left("a = 1", "{}", 1), "{'a': 1}", "after {code}");
    }
}

fn what_a_child_holds() {
    // Only the three null devices and the socket to the server.
    let code = "open_files = []\nfor n in range(64):\n    try:\n        os.fstat(n)\n        open_files.append(n)\n    except OSError:\n        pass\nn = None";
    assert_eq!(
        left(code, "{}", 1),
        "{'open_files': [0, 1, 2, 3], 'n': None}"
    );
    // Nothing of the script before, nor of the server's environment.
    let secret = "secret = 'QUIET' + 'WORD'";
    assert_eq!(left(secret, "{}", 1), "{'secret': 'QUIETWORD'}");
    let search = "import gc\nword = 'QUIET' + 'WORD'\nfound = sum(1 for o in gc.get_objects() if isinstance(o, dict) and o is not globals() for v in o.values() if v == word)\ndel word, gc";
    assert_eq!(left(search, "{}", 1), "{'found': 0}");
    let environment = format!(
        "{ATTEMPT}\nnames = []\nfor name in ('PATH', 'HOME', 'USER', 'CARGO', 'STOA_SANDBOX_PYTHON'):\n    libc.getenv.restype = ctypes.c_char_p\n    names.append(libc.getenv(name.encode()))\nname = None\nnames = str(names)"
    );
    assert_eq!(
        left(&environment, "{}", 1),
        "{'names': '[None, None, None, None, None]', 'name': None}"
    );
    // It is no one: not root, and cannot become root.
    refused("attempt(os.setuid, 0)", &["PermissionError"]);
    assert_eq!(
        left("a = os.geteuid() == 0 or os.getuid() == 0", "{}", 1),
        "{'a': False}"
    );
}

/// Processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The name stands in parentheses and may hold anything.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = after.split_whitespace();
        let state = fields.next();
        if state != Some("Z") && fields.next() == Some(&parent.to_string()) {
            found.push(pid);
        }
    }
    found
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(done(), "{what}");
}

/// A sandbox of its own with a sleeping script, its warm process and the script's process.
fn sleeping(test: impl FnOnce(Sandbox, u32, u32)) {
    let mut settings = common::settings();
    settings.limits = Limits {
        wall: Duration::from_secs(20),
        ..Limits::default()
    };
    let before = children(std::process::id());
    let own = Sandbox::new(settings);
    own.layers().expect("scripts can run");
    let zygote = children(std::process::id())
        .into_iter()
        .find(|pid| !before.contains(pid))
        .expect("a warm process");
    let runner = own.clone();
    let thread = std::thread::spawn(move || {
        let job = Job {
            code: "import time\ntime.sleep(15)",
            globals: &Globals::new(),
            python_lib: None,
            seed: 1,
            cacheable: false,
        };
        runner.run(&job, Instant::now() + Duration::from_secs(2))
    });
    wait_until("the script started", || !children(zygote).is_empty());
    let child = children(zygote)
        .first()
        .copied()
        .expect("a script's process");
    test(own, zygote, child);
    let outcome = thread.join().expect("join");
    assert!(outcome.is_err());
}

fn kill(pid: u32) {
    let status = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
}

fn lives_and_deaths() {
    // The warm process dies: its scripts die with it, and the next script gets a new one.
    sleeping(|own, zygote, child| {
        kill(zygote);
        wait_until("the script died with its parent", || !is_alive(child));
        let job = Job {
            code: "a = 1",
            globals: &Globals::new(),
            python_lib: None,
            seed: 1,
            cacheable: false,
        };
        let outcome = own.run(&job, Instant::now() + Duration::from_secs(20));
        assert!(outcome.is_ok(), "{outcome:?}");
    });
    // The server gives up waiting: the script is killed, the warm process lives on.
    sleeping(|own, zygote, child| {
        wait_until("the script ended at the deadline", || !is_alive(child));
        assert!(is_alive(zygote));
        drop(own);
    });
}

fn everything() {
    files();
    network();
    processes();
    signals_and_tracing();
    memory_and_time();
    crashes();
    what_a_child_holds();
    lives_and_deaths();
}

/// Set in the second run, as a plain user.
const PLAIN: &str = "STOA_TEST_PLAIN_USER";

#[test]
fn no_way_out() {
    if !can_run() {
        return;
    }
    println!("layers: {:?}", sandbox().layers());
    everything();
    let root = sandbox().layers().is_ok_and(|layers| layers.dropped_root);
    if !root || std::env::var_os(PLAIN).is_some() {
        return;
    }
    let program = std::env::current_exe().expect("this test");
    let outcome = Command::new(program)
        .args(["--exact", "no_way_out", "--nocapture"])
        .env(PLAIN, "1")
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output();
    match outcome {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            println!("as a plain user:\n{text}");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{text}\n{errors}");
        }
        Err(error) => println!("not run as a plain user: {error}"),
    }
}

#[test]
fn scripts_do_not_disturb_each_other() {
    if !can_run() {
        return;
    }
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for n in 0..8 {
            let wrong = &wrong;
            scope.spawn(move || {
                for m in 0..5 {
                    let hostile = (n + m) % 3 == 0;
                    if hostile {
                        let _ = run("os._exit(9)", "{}", 1);
                        continue;
                    }
                    let got = left("b = a * 2", &format!("{{\"a\": {}}}", n * 100 + m), 1);
                    let a = n * 100 + m;
                    if got != format!("{{'a': {a}, 'b': {}}}", a * 2) {
                        wrong.lock().expect("lock").push(got);
                    }
                }
            });
        }
    });
    assert_eq!(wrong.into_inner().expect("lock"), Vec::<String>::new());
}
