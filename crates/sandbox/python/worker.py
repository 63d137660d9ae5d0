"""Runs one script in its confined child and sends back what it leaves (contract capa.md 6.1).

Frames are a letter, a length (four bytes, little endian) and that many bytes. To the child: `J` the job,
`G` the globals as JSON, `L` the course's library. From it: `O` the globals left, or `F` a failure.
"""

import ast
import gc
import io
import json
import os
import random
import resource
import signal
import struct
import sys
import traceback
import warnings
import zipfile

import random2

MEMORY_IMPORTER = None
# A library's sources may unpack to this many bytes.
MOST_LIBRARY = 32 << 20


def prepare(importer):
    """Called once in the warm process."""
    global MEMORY_IMPORTER
    MEMORY_IMPORTER = importer
    # What a first use would import, imported while files can still be read quickly.
    traceback.format_exception_only(ValueError, ValueError("x"))
    try:
        compile("(", "<string>", "exec")
    except SyntaxError as error:
        "".join(traceback.format_exception(type(error), error, error.__traceback__))
    run_code("a = 1", {"seed": 1}, 1)
    sys.modules.pop("random", None)
    sys.modules["random"] = random


def take(link, count):
    data = bytearray()
    while len(data) < count:
        piece = os.read(link, min(count - len(data), 1 << 20))
        if not piece:
            os._exit(123)
        data += piece
    return bytes(data)


def frame(link):
    kind, length = struct.unpack("<cI", take(link, 5))
    return kind, take(link, length)


def receive(link):
    """The job as the server sends it."""
    job = json.loads(frame(link)[1])
    job["globals"] = frame(link)[1]
    job["library"] = frame(link)[1]
    return job


def limit(job, memory):
    """Sets the limits of the kernel; the server chooses them."""
    def both(name, soft, hard):
        resource.setrlimit(name, (soft, hard))

    both(resource.RLIMIT_CPU, job["cpu"], job["cpu"] + 1)
    both(resource.RLIMIT_AS, memory << 20, memory << 20)
    both(resource.RLIMIT_FSIZE, 0, 0)
    both(resource.RLIMIT_CORE, 0, 0)
    both(resource.RLIMIT_NOFILE, 32, 32)
    both(resource.RLIMIT_NPROC, 0, 0)
    both(resource.RLIMIT_MEMLOCK, 0, 0)
    both(resource.RLIMIT_MSGQUEUE, 0, 0)


def send(link, kind, data):
    data = kind + struct.pack("<I", len(data)) + data
    at = 0
    while at < len(data):
        at += os.write(link, data[at:at + (1 << 20)])


class Silent:
    """Where printed text goes."""

    def write(self, *args, **kwargs):
        pass

    def flush(self, *args, **kwargs):
        pass


class Errors(io.StringIO):
    """Standard error, of which the first part is kept."""

    def write(self, text):
        if self.tell() < 100000:
            super().write(text)
        return len(text)


class Exit:
    """`exit` and `quit`."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return "Use %s() or Ctrl-D (i.e. EOF) to exit" % self.name

    def __call__(self, code=None):
        raise SystemExit(code)


class LazyModule:
    """A module that is imported when it is first used."""

    def __init__(self, modname):
        self.__dict__["__modname"] = modname

    def __getattr__(self, name):
        modname = self.__dict__["__modname"]
        __import__(modname)
        found = sys.modules[modname]
        sub = "%s.%s" % (modname, name)
        self.__dict__.update({k: v for k, v in vars(found).items() if not k.startswith("__")})
        try:
            return getattr(found, name)
        except AttributeError:
            try:
                __import__(sub)
            except ModuleNotFoundError:
                raise AttributeError("module %r has no attribute %r" % (modname, name)) from None
            return LazyModule(sub)


LazyModule.__module__ = "builtins"

ASSUMED = (
    ("numpy", "numpy"), ("math", "math"), ("scipy", "scipy"), ("calc", "calc"), ("eia", "eia"),
    ("chemcalc", "chem.chemcalc"), ("chemtools", "chem.chemtools"), ("miller", "chem.miller"),
    ("draganddrop", "verifiers.draganddrop"),
)


def surroundings(space, seed):
    """Adds the names that every script sees."""
    import __future__

    generator = random2.Random(seed)
    generator.Random = random2.Random
    generator.SystemRandom = random2.SystemRandom
    sys.modules["random"] = generator
    space["absolute_import"] = __future__.absolute_import
    space["division"] = __future__.division
    space["os"] = os
    space["random_module"] = random2
    space["sys"] = sys
    space["xrange"] = range
    space["random"] = generator
    space["LazyModule"] = LazyModule
    for name, module in ASSUMED:
        space[name] = LazyModule(module)


def add_library(data):
    """Puts the course's `python_lib.zip` on the path."""
    sources = {}
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                name = item.filename
                if not name.endswith(".py") or item.is_dir():
                    continue
                size += item.file_size
                if size > MOST_LIBRARY:
                    raise MemoryError("python_lib.zip is too large")
                parts = name[:-3].split("/")
                package = parts[-1] == "__init__"
                if package:
                    parts.pop()
                sources[".".join(parts)] = (package, archive.read(item).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        # Python too ignores an archive that it cannot read.
        return {}
    # A folder without __init__ is a package without source.
    for name in list(sources):
        parts = name.split(".")
        for count in range(1, len(parts)):
            sources.setdefault(".".join(parts[:count]), (True, ""))
    sys.path.append("python_lib.zip")
    sys.meta_path.append(MEMORY_IMPORTER(sources, "python_lib.zip"))
    return sources


def run_code(code, space, seed):
    """Executes the code in `space`."""
    surroundings(space, seed)
    # The names above are set by lines before the script's first one, so neither a documentation string nor
    # `from __future__` stands first.
    try:
        tree = ast.parse("pass\n" + code, "<string>", "exec")
        ast.increment_lineno(tree, -1)
        tree.body[0].lineno = tree.body[0].end_lineno = 1
        compiled = compile(tree, "<string>", "exec", dont_inherit=True)
    except SyntaxError as error:
        if error.lineno is not None:
            error.lineno = max(error.lineno - 1, 1)
            if error.end_lineno is not None:
                error.end_lineno = max(error.end_lineno - 1, 1)
        raise
    exec(compiled, space)


SCIENCE = ("numpy", "scipy", "sympy", "symmath")
KEPT = (type(None), int, float, str, list, tuple, dict)


def left(space):
    """The names that survive, as JSON text."""
    pieces = []
    for name, value in list(space.items()):
        if name == "__builtins__" or not isinstance(name, str):
            continue
        try:
            if isinstance(value, bytes):
                value = value.decode("utf-8")
            if not isinstance(value, KEPT):
                continue
            text = json.dumps(value)
            key = json.dumps(name)
            # Half of a surrogate pair is no text outside Python.
            if "\\ud" in text + key and (lone_surrogate(value) or lone_surrogate(name)):
                continue
        except MemoryError:
            raise
        except Exception:
            continue
        pieces.append("%s: %s" % (key, text))
    return "{" + ", ".join(pieces) + "}"


def lone_surrogate(value):
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def refuse_constant(name):
    raise ValueError("Out of range float values are not JSON compliant: %s" % name)


def jailed(errors, code):
    return "Couldn't execute jailed code: stdout: b'', stderr: %r with status code: %d" % (
        errors.encode("utf-8", "backslashreplace"), code)


def shown_traceback(error):
    """The traceback as the jail's interpreter prints it: without this module's frames."""
    trace = error.__traceback__
    here = trace
    while here is not None and here.tb_frame.f_code.co_filename.startswith("<stoa stoa_worker"):
        here = here.tb_next
    lines = traceback.format_exception(type(error), error, here)
    if here is None and not isinstance(error, SyntaxError):
        lines.insert(0, "Traceback (most recent call last):\n")
    return "".join(lines)


def run(link, job):
    """Runs the job and answers."""
    gc.enable()
    warnings.simplefilter("ignore")
    import builtins

    builtins.exit, builtins.quit = Exit("exit"), Exit("quit")
    os.environ.clear()
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "TMPDIR": "./tmp"})
    sys.stdout = sys.__stdout__ = Silent()
    sys.stderr = sys.__stderr__ = errors = Errors()
    sys.argv = ["jailed_code"]
    # Every child begins with the state that these had when the warm process started.
    random2.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    failure = None
    kind = "script"
    try:
        try:
            space = json.loads(job["globals"])
            if job["library"]:
                sources = add_library(job["library"])
                if job["lean"] and any(
                        name in source for _, source in sources.values() for name in SCIENCE):
                    # The other warm process has these packages imported already.
                    send(link, b"R", b"")
                    return
            run_code(job["code"], space, job["seed"])
            answer = left(space)
            if "NaN" in answer or "Infinity" in answer:
                # Texts may hold these words too.
                json.loads(answer, parse_constant=refuse_constant)
        except SystemExit as ended:
            code = ended.code
            if code is None or code == 0:
                failure = "Expecting value: line 1 column 1 (char 0)"
            elif isinstance(code, int):
                failure = jailed(errors.getvalue(), code & 0xFF)
            else:
                failure = jailed("%s%s\n" % (errors.getvalue(), code), 1)
        except MemoryError as error:
            kind = "memory"
            error.__traceback__ = None
            failure = jailed("Traceback (most recent call last):\nMemoryError\n", 1)
        except BaseException as error:
            failure = jailed(errors.getvalue() + shown_traceback(error), 1)
        if failure is None:
            send(link, b"O", answer.encode("ascii"))
        else:
            send(link, b"F", json.dumps({"kind": kind, "text": failure}).encode("ascii"))
    except MemoryError:
        space = answer = None
        send(link, b"F", b'{"kind": "memory", "text": "MemoryError"}')
