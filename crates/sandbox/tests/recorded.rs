//! The recorded cases of `calc` hold for the helper that scripts import (contract capa.md §10): the crate `calc`
//! answers the same cases.

mod common;

use std::io::Read;
use std::path::PathBuf;

use capa::pyvalue::PyValue;
use common::{can_run, run};

/// Answers cases and collects the ids of those that differ.
const CHECK: &str = r#"
import json
from calc.preview import latex_preview
from chem import chemcalc as chemistry

def read(value):
    if isinstance(value, dict):
        return complex(float(value["re"]), float(value["im"]))
    return float(value) if isinstance(value, str) else value

def show(value):
    value = float(value)
    return value if abs(value) < float("inf") else str(value)

def answer(op, given):
    if op == "evaluate":
        functions = {name: calc.DEFAULT_FUNCTIONS[known] for name, known in given.get("functions", {}).items()}
        variables = {name: read(value) for name, value in given.get("variables", {}).items()}
        value = calc.evaluator(variables, functions, given["expression"], given.get("case_sensitive", False))
        if isinstance(value, complex):
            return {"re": show(value.real), "im": show(value.imag)}
        return {"re": show(value), "im": 0.0}
    if op == "calculate_text":
        try:
            return {"result": str(calc.evaluator({}, {}, given["expression"]))}
        except Exception:
            return {"result": "Invalid syntax"}
    if op == "latex":
        return {"latex": latex_preview(given["expression"])}
    if op == "chem_render":
        return {"html": chemistry.render_to_html(given["equation"])}
    if op == "chem_equations_equal":
        return chemistry.chemical_equations_equal(given["a"], given["b"], given["exact"])
    if op == "chem_divide":
        ratio = chemistry.divide_chemical_expression(given["a"], given["b"], given["ignore_state"])
        return ratio if ratio is False else float(ratio)
    return chemistry.compare_chemical_expression(given["a"], given["b"], given["ignore_state"])

def same(a, b):
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return a is b or a == b
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))

def failure(error):
    name = type(error).__name__
    if name in ("UndefinedVariable", "UnmatchedParenthesis"):
        return "%s: %s" % (name, error)
    if name == "ValueError" and "factorial" in str(error):
        return "ValueError: factorial"
    return name

wrong = []
for line in lines:
    case = json.loads(line)
    try:
        got = answer(case["op"], case["in"])
        fine = "out" in case and same(case["out"], got)
    except Exception as error:
        got = failure(error)
        fine = "error" in case and case["error"] in (None, got)
    if not fine:
        wrong.append("%s: %r" % (case["id"], got))
"#;

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("STOA_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("golden/vectors/calc");
    folder.is_dir().then_some(folder)
}

#[test]
fn the_helpers_answer_the_recorded_cases() {
    let Some(folder) = folder() else {
        println!("skipped: no recorded cases here");
        return;
    };
    if !can_run() {
        return;
    }
    let mut cases = 0;
    for name in ["evaluate", "calculate", "latex", "chem"] {
        let file = std::fs::File::open(folder.join(format!("{name}.ndjson.gz"))).expect("open");
        let mut text = String::new();
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .expect("read");
        let lines: Vec<&str> = text.lines().collect();
        for chunk in lines.chunks(100) {
            let globals = serde_json::json!({ "lines": chunk }).to_string();
            let left = run(CHECK, &globals, 1).expect("the cases run");
            assert_eq!(
                left.get("wrong"),
                Some(&PyValue::List(Vec::new())),
                "{name}"
            );
            cases += chunk.len();
        }
    }
    println!("{cases} recorded cases");
    assert!(cases > 1000);
}
