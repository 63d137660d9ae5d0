//! What a script sees and what it leaves (contract capa.md §6.1, §6.2).

mod common;

use std::time::{Duration, Instant};

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
