//! What a script sees and what it leaves (contract capa.md §6.1, §6.2).

mod common;

use std::time::{Duration, Instant};

use capa::pyvalue::PyValue;
use common::{can_run, left};

// capa.md §6.1: which names come out
#[test]
fn json_values_come_out_in_their_order() {
    if !can_run() {
        return;
    }
    let code = "\na = (1, 2.5)\nb = {1: 'x', None: [True]}\nc = 1+2j\nd = {1, 2}\ne = b'caf\\xc3\\xa9'\nf = b'\\xff'\ng = [1, {2}]\nimport math\nh = math.pi\ndef i(): pass\nj = 2**70\nk = None\nl = 1e400 if False else 1e300\n";
    assert_eq!(
        left(code, "{\"seed\": 4}", 4),
        "{'seed': 4, 'a': [1, 2.5], 'b': {'1': 'x', 'null': [True]}, 'e': 'café', 'h': 3.141592653589793, 'j': 1180591620717411303424, 'k': None, 'l': 1e+300}"
    );
}

// capa.md §15.6, §15.7: random2's sequences
#[test]
fn random_numbers_are_those_of_python_2() {
    if !can_run() {
        return;
    }
    let code = "a=random.randint(1,100); b=random.choice(['x','y','z']); c=random.uniform(0,1)";
    assert_eq!(
        left(code, "{}", 1),
        "{'a': 14, 'b': 'z', 'c': 0.763774618976614}"
    );
    assert_eq!(
        left(code, "{}", 42),
        "{'a': 64, 'b': 'x', 'c': 0.27502931836911926}"
    );
}

// capa.md §6.1, §16: failures
#[test]
fn failures_are_the_jails() {
    if !can_run() {
        return;
    }
    for (code, want) in [
        (
            "1/0",
            "ZeroDivisionError: division by zero\\n' with status code: 1",
        ),
        (
            "raise SystemExit('bye')",
            "stdout: b'', stderr: b'bye\\n' with status code: 1",
        ),
        ("exit()", "Expecting value: line 1 column 1 (char 0)"),
        ("os._exit(3)", "stderr: b'' with status code: 3"),
        (
            "a = float('nan')",
            "not JSON compliant: NaN\\n' with status code: 1",
        ),
        (
            "def f(:",
            "SyntaxError: invalid syntax\\n' with status code: 1",
        ),
        (
            "from __future__ import division",
            "must occur at the beginning of the file\\n' with status code: 1",
        ),
    ] {
        let text = left(code, "{}", 1);
        assert!(text.ends_with(want), "{code}: {text}");
    }
}

// capa.md §6.1: the names that every script has
#[test]
fn names_in_scope() {
    if !can_run() {
        return;
    }
    let code = "import random as r\nfound = sorted(n for n in globals() if n != 'found')\nsame = r is random\nhave = [hasattr(random, n) for n in ('Random', 'SystemRandom', 'choices')]\nhalf = 1/2\npi = math.pi\nenviron = dict(os.environ)\n";
    assert_eq!(
        left(code, "{}", 1),
        "{'found': ['LazyModule', '__builtins__', 'absolute_import', 'calc', 'chemcalc', 'chemtools', 'division', 'draganddrop', 'eia', 'math', 'miller', 'numpy', 'os', 'r', 'random', 'random_module', 'scipy', 'sys', 'xrange'], 'same': True, 'have': [True, True, False], 'half': 0.5, 'pi': 3.141592653589793, 'environ': {'OPENBLAS_NUM_THREADS': '1', 'TMPDIR': './tmp'}}"
    );
}

#[test]
fn a_script_costs_little() {
    if !can_run() {
        return;
    }
    let _ = left("a = 1", "{}", 1);
    let start = Instant::now();
    for _ in 0..20 {
        let _ = left("a = 1", "{}", 1);
    }
    println!("{:?} a script", start.elapsed() / 20);
    assert!(start.elapsed() < Duration::from_secs(10));
}

// capa.md §10.2: helpers of special inputs
#[test]
fn helpers_grade_special_inputs() {
    if !can_run() {
        return;
    }
    for (expression, want) in [
        (
            "miller.grade('{\"lattice\": \"bcc\", \"points\": [[\"1.00\", \"0.00\", \"0.00\"], [\"0.00\", \"1.00\", \"0.00\"], [\"0.00\", \"0.00\", \"1.00\"]]}', {'lattice': 'bcc', 'miller': '(1,1,1)'})",
            "True",
        ),
        (
            "miller.grade('{\"lattice\": \"bcc\", \"points\": [[\"1.00\", \"0.00\", \"0.00\"], [\"0.00\", \"1.00\", \"0.00\"], [\"0.00\", \"0.00\", \"1.00\"]]}', {'lattice': 'bcc', 'miller': '(-1, -1, -1)'})",
            "True",
        ),
        (
            "miller.grade('{\"lattice\": \"sc\", \"points\": [[\"1.00\", \"0.00\", \"0.00\"], [\"0.00\", \"1.00\", \"0.00\"], [\"0.00\", \"0.00\", \"1.00\"]]}', {'lattice': 'bcc', 'miller': '(1,1,1)'})",
            "False",
        ),
        (
            "miller.miller([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])",
            "'(0,0,1)'",
        ),
        (
            "miller.miller([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) in ('(1,-1,0)', '(-1,1,0)')",
            "True",
        ),
        (
            "chemtools.vsepr_grade(chemtools.vsepr_parse_user_answer('{\"geometry\": \"AX2E0\", \"atoms\": {\"c0\": \"B\", \"p0\": \"F\", \"p1\": \"Cl\"}}'), chemtools.vsepr_build_correct_answer(geometry='AX2E0', atoms={'c0': 'B', 'p0': 'Cl', 'p1': 'F'}))",
            "True",
        ),
        (
            "chemtools.vsepr_grade({'geometry': 'AX2E0', 'atoms': {'c0': 'B', 'a0': 'F'}}, {'geometry': 'AX2E0', 'atoms': {'c0': 'B', 'p0': 'F'}})",
            "False",
        ),
        (
            "chemtools.vsepr_grade({'geometry': 'AX2E0', 'atoms': {'c0': 'B', 'a0': 'F'}}, {'geometry': 'AX2E0', 'atoms': {'c0': 'B', 'p0': 'F'}}, True)",
            "True",
        ),
        (
            "draganddrop.grade('[{\"1\": \"t1\"}, {\"2\": [13, 20]}]', {'1': 't1', '2': [10, 20]})",
            "True",
        ),
        (
            "draganddrop.grade('[{\"2\": [23, 20]}]', {'2': [10, 20]})",
            "False",
        ),
        (
            "draganddrop.grade('[{\"2\": [23, 20]}]', {'2': [[10, 20], 15]})",
            "True",
        ),
        (
            "draganddrop.grade('[{\"1\": \"t1\"}, {\"x\": \"t9\"}]', {'1': 't1'})",
            "False",
        ),
        (
            "draganddrop.grade('[{\"a\": {\"b\": {\"c\": \"t\"}}}]', {'a': 't[c][b]'})",
            "True",
        ),
        (
            "draganddrop.grade('[{\"a\": \"t1\"}, {\"a\": \"t2\"}]', [{'draggables': ['a', 'a'], 'targets': ['t2', 't1'], 'rule': 'unordered_equal+number'}])",
            "True",
        ),
        (
            "draganddrop.grade('[{\"a\": \"t1\"}]', [{'draggables': ['a', 'a'], 'targets': ['t2', 't1'], 'rule': 'anyof+number'}])",
            "False",
        ),
        (
            "[eia.iseia(r) for r in (4700, 0.47, 101, 1e6, -5)]",
            "[True, True, False, True, False]",
        ),
        ("eia.iseia(10100, [eia.E192])", "True"),
    ] {
        let code = format!("result = {expression}");
        assert_eq!(
            left(&code, "{}", 1),
            format!("{{'result': {want}}}"),
            "{expression}"
        );
    }
}

// capa.md §3.9: needs sympy; says so without
#[test]
fn symbolic_answers() {
    if !can_run() {
        return;
    }
    let code = "from symmath import symmath_check\nresult = symmath_check('2*x', 'x+x')\ndel symmath_check\n";
    let got = left(code, "{}", 1);
    let installed = common::sandbox().versions().is_ok_and(|versions| {
        versions
            .iter()
            .any(|(name, v)| name == "sympy" && v.is_some())
    });
    if installed {
        assert_eq!(
            got,
            "{'result': {'ok': True, 'msg': '<p>You entered: [mathjax]2 x[/mathjax]<br/></p>'}}"
        );
    } else {
        assert!(
            got.contains("need the Python package sympy, which is not installed"),
            "{got}"
        );
    }
}

// capa.md §6.1, last line: remembered results
#[test]
fn results_are_remembered_where_that_is_asked() {
    if !can_run() {
        return;
    }
    let globals = capa::script::Globals::new();
    let job = |cacheable| sandbox::Job {
        code: "a = random.SystemRandom().random()",
        globals: &globals,
        python_lib: None,
        seed: 1,
        cacheable,
    };
    let draw = |cacheable| {
        let deadline = Instant::now() + Duration::from_secs(20);
        common::sandbox().run(&job(cacheable), deadline).ok()
    };
    assert_eq!(draw(true), draw(true));
    assert_ne!(draw(false), draw(false));
    // One deadline a request: when it is over nothing runs, and that is not remembered.
    let late = common::sandbox().run(
        &sandbox::Job {
            code: "b = 5",
            ..job(true)
        },
        Instant::now(),
    );
    assert_eq!(late, Err(sandbox::Failure::TimedOut));
}

/// An archive with these members, made by Python.
fn archive(members: &str) -> Vec<u8> {
    let code = format!(
        "import io, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n    for n, t in {members}.items():\n        z.writestr(n, t)\ndata = list(b.getvalue())\n"
    );
    let globals = common::run(&code, "{}", 1).unwrap_or_default();
    match globals.get("data") {
        Some(PyValue::List(bytes)) => bytes
            .iter()
            .filter_map(|byte| match byte {
                PyValue::Int(byte) => u8::try_from(*byte).ok(),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

// capa.md §6.1: python_lib.zip
#[test]
fn a_course_has_a_library() {
    if !can_run() {
        return;
    }
    let library = archive(
        "{'gears.py': 'import random\\nRATIO = 4\\ndef teeth(): return random.randint(1, 100)\\n', 'parts/__init__.py': 'NAME = __name__', 'parts/cog.py': 'from . import NAME', 'bare/thing.py': 'X = 1', 'data.txt': 'no module', 'broken.py': 'def'}",
    );
    let globals = capa::script::Globals::new();
    let run = |code: &str, library: &[u8]| {
        let job = sandbox::Job {
            code,
            globals: &globals,
            python_lib: Some(library),
            seed: 1,
            cacheable: false,
        };
        common::sandbox()
            .run(&job, Instant::now() + Duration::from_secs(20))
            .map_or_else(|e| e.to_string(), |left| PyValue::Dict(left).repr())
    };
    assert_eq!(
        run(
            "import gears, parts.cog\nfrom bare.thing import X\na = [gears.RATIO, gears.teeth(), parts.cog.NAME]\nb = sys.path[-1]\n",
            &library
        ),
        "{'X': 1, 'a': [4, 14, 'parts'], 'b': 'python_lib.zip'}"
    );
    assert!(run("import broken", &library).contains("SyntaxError"));
    assert!(run("import data", &library).contains("No module named"));
    assert!(run("import gears", b"PK\x03\x04rubbish").contains("No module named"));
    // One that uses numpy is run where numpy is imported already, or fails as anywhere.
    let numeric =
        archive("{'heavy.py': 'import numpy\\nv = float(numpy.array([1.5, 2.5]).sum())\\n'}");
    let got = run("import heavy\nv = heavy.v\n", &numeric);
    assert!(
        got == "{'v': 4.0}" || got.contains("No module named"),
        "{got}"
    );
}

// capa.md §6.1: the packages are used where they are installed
#[test]
fn packages_are_used_where_they_are_installed() {
    if !can_run() {
        return;
    }
    let versions = common::sandbox().versions().unwrap_or_default();
    let has = |package: &str| {
        versions
            .iter()
            .any(|(name, version)| name == package && version.is_some())
    };
    let code = "a = float(numpy.linalg.det(numpy.eye(3)))\nb = numpy.float64(1.5)\nc = numpy.int64(3)\nd = [numpy.int64(1)]\nf = numpy.random.rand()\n";
    if !has("numpy") {
        println!("skipped: numpy is not installed");
        assert!(left(code, "{}", 1).contains("No module named"));
        return;
    }
    let got = left(code, "{}", 1);
    assert!(got.starts_with("{'a': 1.0, 'b': 1.5, 'f': 0."), "{got}");
    // Not seeded by the problem, nor by the warm process.
    assert_ne!(got, left(code, "{}", 1));
    if has("scipy") {
        let code = "from scipy import integrate\na = round(integrate.quad(lambda x: x * x, 0, 3)[0], 9)\nb = round(scipy.stats.norm.cdf(0), 3)\n";
        assert_eq!(left(code, "{}", 1), "{'a': 9.0, 'b': 0.5}");
    }
}
