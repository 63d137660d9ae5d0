"""The warm process: imports what scripts use, then forks a child for each script.

It runs no author's code itself. Its standard input and outputs are /dev/null; file 3 is a socket to the
server. The server sends eight bytes (wall time in milliseconds, address space in MiB; little endian)
together with one socket per script; the child talks to the server over that socket alone.
"""

import ctypes
import errno
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import socket
import struct
import sys
import time

CONTROL = 3
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_GET_NO_NEW_PRIVS = 1, 4, 22, 39
# Most scripts that may run at once; each holds two files.
MOST = 100


class MemoryImporter(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports modules whose sources are held in memory."""

    def __init__(self, sources, label):
        # module name -> (is a package, source)
        self.sources = sources
        self.label = label

    def find_spec(self, name, path=None, target=None):
        found = self.sources.get(name)
        if found is None:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=found[0])

    def is_package(self, name):
        return self.sources[name][0]

    def get_source(self, name):
        return self.sources[name][1]

    def get_code(self, name):
        return compile(self.get_source(name), "<%s %s>" % (self.label, name), "exec", dont_inherit=True)


def fail(text):
    """Tells the server why scripts cannot run, and ends."""
    answer = json.dumps({"error": text}).encode()
    os.write(CONTROL, struct.pack("<I", len(answer)) + answer)
    os._exit(1)


class Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


def main(setup):
    gc.disable()
    libc = ctypes.CDLL(None, use_errno=True)
    program = bytes.fromhex(setup["filter"])
    buffer = ctypes.create_string_buffer(program, len(program))
    script_filter = Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        fail("no_new_privs is not set")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

    sys.path[:] = setup["path"]
    sys.meta_path.append(MemoryImporter(setup["modules"], "stoa"))
    found = {}
    for name in setup["preload"]:
        try:
            module = __import__(name)
        except Exception:
            found[name] = None
        else:
            found[name] = str(getattr(module, "__version__", ""))
    for name in setup["warm"]:
        try:
            importlib.import_module(name)
        except Exception:
            pass
    worker = importlib.import_module("stoa_worker")
    worker.prepare(MemoryImporter)
    gc.collect()
    gc.freeze()

    answer = json.dumps({"python": sys.version.split()[0], "found": found}).encode()
    os.write(CONTROL, struct.pack("<I", len(answer)) + answer)
    serve(worker, libc, script_filter)


def serve(worker, libc, script_filter):
    control = socket.socket(fileno=CONTROL)
    poll = select.poll()
    poll.register(CONTROL, select.POLLIN)
    jobs = {}  # pidfd -> [pid, socket, deadline]
    by_socket = {}  # socket -> pidfd
    own = os.getpid()
    while True:
        now = time.monotonic()
        wait = None
        for pidfd, (_, _, deadline) in list(jobs.items()):
            if deadline <= now:
                kill(pidfd)
            else:
                left = deadline - now
                wait = left if wait is None else min(wait, left)
        # Killed children show up at once; the rounding up keeps the loop from spinning.
        for file, events in poll.poll(None if wait is None else int(wait * 1000) + 1):
            if file == CONTROL:
                if not events & select.POLLIN:
                    end(jobs)
                job = receive(control)
                if job is None:
                    end(jobs)
                wall, memory, link = job
                if len(jobs) >= MOST:
                    os.close(link)
                    continue
                pid = os.fork()
                if pid == 0:
                    child(worker, libc, script_filter, control, link, own, memory)
                pidfd = os.pidfd_open(pid)
                jobs[pidfd] = [pid, link, time.monotonic() + wall / 1000]
                by_socket[link] = pidfd
                poll.register(pidfd, select.POLLIN)
                # Only a hang-up is reported for it: the server gave up waiting.
                poll.register(link, 0)
            elif file in by_socket:
                poll.unregister(file)
                kill(by_socket[file])
            elif file in jobs:
                pid, link, _ = jobs.pop(file)
                del by_socket[link]
                _, status = os.waitpid(pid, 0)
                code = os.waitstatus_to_exitcode(status)
                try:
                    poll.unregister(link)
                except KeyError:
                    pass
                poll.unregister(file)
                os.set_blocking(link, False)
                try:
                    os.write(link, b"S" + struct.pack("<Ii", 4, code))
                except OSError:
                    pass
                os.close(link)
                os.close(file)


def kill(pidfd):
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def end(jobs):
    """The server is gone: nobody is left to answer."""
    for pidfd in jobs:
        kill(pidfd)
    os._exit(0)


def receive(control):
    try:
        data, files, _, _ = socket.recv_fds(control, 8, 1)
    except OSError:
        return None
    if len(data) != 8 or len(files) != 1:
        return None
    wall, memory = struct.unpack("<II", data)
    return wall, memory, files[0]


def child(worker, libc, script_filter, control, link, parent, memory):
    """Confines this process for good, then runs the script."""
    code = 120
    try:
        control.detach()
        link = os.dup2(link, CONTROL)
        os.closerange(CONTROL + 1, 65536)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(121)
        job = worker.receive(link)
        worker.limit(job, memory)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        if libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(script_filter), 0, 0) != 0:
            os._exit(122)
        worker.run(link, job)
        code = 0
    finally:
        os._exit(code)
