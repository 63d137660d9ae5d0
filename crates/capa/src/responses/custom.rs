//! Answers checked by the author's Python (contract §3.8), and hint functions (§3.12).

use serde_json::Value;

use super::Responder;
use super::tidy::clean_message;
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{PyValue, parse_int, strip};
use crate::script::Globals;
use crate::xml::NodeId;

/// The class that hint functions expect in scope.
const CORRECT_MAP_PY: &str = include_str!("correctmap.py");

/// How answers are checked.
#[derive(Clone, Debug)]
enum Check {
    /// Code that runs in the problem's variables.
    Inline(String),
    /// A function of the problem's scripts.
    Function(String),
}

/// A custom response's attributes.
#[derive(Clone, Debug)]
pub(crate) struct Custom {
    expect: Option<String>,
    check: Check,
}

impl Custom {
    /// The expected answer.
    pub fn expect(&self) -> Option<&str> {
        self.expect.as_deref()
    }

    pub fn answers(&self, responder: &Responder) -> Vec<(String, Value)> {
        match &self.expect {
            Some(expect) if responder.inputs.len() == 1 && !expect.is_empty() => {
                vec![(
                    responder.answer_id().to_owned(),
                    Value::String(expect.clone()),
                )]
            }
            _ => responder.default_answers.clone(),
        }
    }
}

pub(super) fn setup(problem: &Problem<'_>, responder: &Responder) -> Result<Custom> {
    let tree = &problem.tree;
    let attr = |name: &str| {
        tree.get(responder.node, name)
            .filter(|text| !text.is_empty())
    };
    let expect = attr("expect").or_else(|| tree.get(responder.node, "answer"));
    let expect = expect.map(|text| problem.contextualize(text));
    if responder.inputs.is_empty() && expect.as_deref().is_some_and(|text| !text.is_empty()) {
        return Err(Error::other("a custom response without input"));
    }
    let inner = tree.descendants(responder.node, &|tag| tag == "answer");
    let check = match (inner.first(), attr("cfn")) {
        (Some(answer), _) if tree.get(*answer, "src").is_some() => {
            return Err(Error::other("an answer in a file"));
        }
        (Some(answer), _) => Check::Inline(tree.text(*answer).to_owned()),
        (None, Some(function)) => Check::Function(function.to_owned()),
        (None, None) => Check::Inline(String::new()),
    };
    Ok(Custom { expect, check })
}

/// Number after the last underscore.
fn position(id: &str) -> i64 {
    id.rsplit('_')
        .next()
        .and_then(parse_int)
        .unwrap_or(i64::MAX)
}

pub(super) fn score(
    problem: &mut Problem<'_>,
    responder: &Responder,
    custom: &Custom,
    answers: &Answers,
) -> Result<CorrectMap> {
    score_with(
        problem,
        responder,
        custom,
        answers,
        &mut |problem, ids, submission| check(problem, responder, custom, ids, submission),
    )
}

/// The check: sets `correct`, `messages`, `overall_message` and perhaps `grade_decimals`.
pub(super) type CheckFunction<'f> =
    dyn FnMut(&mut Problem<'_>, &[&str], &[PyValue]) -> Result<()> + 'f;

pub(super) fn score_with(
    problem: &mut Problem<'_>,
    responder: &Responder,
    custom: &Custom,
    answers: &Answers,
    check: &mut CheckFunction<'_>,
) -> Result<CorrectMap> {
    let mut inputs: Vec<_> = responder.inputs.iter().collect();
    inputs.sort_by_key(|input| position(&input.id));
    let ids: Vec<&str> = inputs.iter().map(|input| input.id.as_str()).collect();
    let mut submission = Vec::new();
    for id in &ids {
        let answer = answers
            .get(*id)
            .ok_or_else(|| Error::Other(format!("error getting the answer of {id}")))?;
        submission.push(PyValue::from(answer));
    }
    if let ([id], [answer]) = (ids.as_slice(), submission.as_slice())
        && !answer.truthy()
    {
        let mut entry = Entry::mark("incorrect");
        if problem
            .tree
            .get(responder.node, "empty_answer_err")
            .is_some_and(|e| !e.is_empty())
        {
            entry.append_message("<span class=\"inline-error\">No answer entered!</span>");
        }
        return Ok(CorrectMap::one(id, entry));
    }
    let texts = |text: &str| PyValue::List(vec![PyValue::from(text); ids.len()]);
    let optional = |text: Option<&str>| text.map_or(PyValue::None, PyValue::from);
    let dynamath = ids
        .iter()
        .map(|id| {
            answers
                .get(&format!("{id}_dynamath"))
                .map_or(PyValue::None, PyValue::from)
        })
        .collect();
    let names = ids.iter().map(|id| PyValue::from(*id)).collect();
    let options = optional(problem.tree.get(responder.node, "options"));
    let values = [
        ("response_id", PyValue::from(responder.id.as_str())),
        ("expect", optional(custom.expect())),
        ("submission", PyValue::List(submission.clone())),
        ("idset", PyValue::List(names)),
        ("dynamath", PyValue::List(dynamath)),
        ("answers", PyValue::from(&Value::Object(answers.clone()))),
        ("correct", texts("unknown")),
        ("messages", texts("")),
        ("overall_message", PyValue::from("")),
        ("options", options),
        ("testdat", PyValue::from("hello world")),
        ("debug", PyValue::Bool(problem.env.debug)),
    ];
    for (name, value) in values {
        problem.context.insert(name.to_owned(), value);
    }
    check(problem, &ids, &submission)?;
    let context = &problem.context;
    let get = |name: &str| context.get(name).unwrap_or(&PyValue::None);
    let mut map = CorrectMap {
        overall_message: clean_message(get("overall_message")),
        ..CorrectMap::default()
    };
    let decimals = get("grade_decimals");
    for (k, input) in inputs.iter().enumerate() {
        let max = input.points;
        let correct = item(get("correct"), k)?;
        let message = item(get("messages"), k)?;
        let correctness = match &correct {
            PyValue::None => None,
            other => Some(other.str()),
        };
        let npoints = if decimals.truthy() {
            match item(decimals, k)? {
                PyValue::Int(decimal) => Value::from(max.saturating_mul(decimal)),
                PyValue::Bool(decimal) => Value::from(max * i64::from(decimal)),
                PyValue::Float(decimal) => Value::from(max as f64 * decimal),
                _ => return Err(Error::other("a grade that is no number")),
            }
        } else {
            match correctness.as_deref() {
                Some("correct") => Value::from(max),
                Some("partially-correct") => Value::from(max as f64 * 0.5),
                _ => Value::from(0),
            }
        };
        let entry = Entry {
            correctness,
            npoints,
            msg: message.to_json(),
            ..Entry::default()
        };
        map.entries.insert(input.id.clone(), entry);
    }
    Ok(map)
}

/// `value[index]` of a list or text.
fn item(value: &PyValue, index: usize) -> Result<PyValue> {
    match value {
        PyValue::List(items) => items.get(index).cloned(),
        PyValue::Str(text) => text.chars().nth(index).map(|c| PyValue::Str(c.to_string())),
        _ => None,
    }
    .ok_or_else(|| Error::other("too few results"))
}

fn check(
    problem: &mut Problem<'_>,
    responder: &Responder,
    custom: &Custom,
    ids: &[&str],
    submission: &[PyValue],
) -> Result<()> {
    match &custom.check {
        Check::Inline(code) if code.is_empty() => Ok(()),
        Check::Inline(code) => {
            let globals = problem.context.clone();
            let out = problem
                .run_code(code, &globals, &responder.id, true)
                .map_err(|error| Error::Response(error.0))?;
            problem.context.extend(out);
            Ok(())
        }
        Check::Function(function) => {
            let result = call(problem, responder, custom, function, submission)?;
            take_result(problem, ids.len(), &result)
        }
    }
}

fn call(
    problem: &Problem<'_>,
    responder: &Responder,
    custom: &Custom,
    function: &str,
    submission: &[PyValue],
) -> Result<PyValue> {
    let answer = match submission {
        [one] => one.clone(),
        many => PyValue::List(many.to_vec()),
    };
    let mut globals = Globals::new();
    globals.insert(
        "expect".to_owned(),
        custom.expect().map_or(PyValue::None, PyValue::from),
    );
    globals.insert("ans".to_owned(), answer);
    let mut arguments = String::new();
    let mut seen: Vec<&str> = Vec::new();
    let extra = problem
        .tree
        .get(responder.node, "cfn_extra_args")
        .unwrap_or_default();
    for name in extra.split_whitespace() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        arguments.push_str(", ");
        arguments.push_str(name);
        arguments.push('=');
        arguments.push_str(name);
        let value = problem.context.get(name).cloned().unwrap_or(PyValue::None);
        globals.insert(name.to_owned(), value);
    }
    let script = problem
        .context
        .get("script_code")
        .map(PyValue::str)
        .unwrap_or_default();
    let code = format!("{script}\ncfn_return = {function}(expect, ans{arguments})\n");
    let mut out = problem
        .run_code(&code, &globals, &responder.id, false)
        .map_err(|error| Error::Response(error.0))?;
    out.swap_remove("cfn_return")
        .ok_or_else(|| Error::Response("'cfn_return'".to_owned()))
}

/// The mark of an `ok` value: falsy and `false` are wrong, a text with `partial` is half right.
fn mark(ok: &PyValue) -> &'static str {
    let text = ok.str().to_lowercase();
    let text = strip(&text);
    if !ok.truthy() || text == "false" {
        "incorrect"
    } else if text.contains("partial") {
        "partially-correct"
    } else {
        "correct"
    }
}

fn take_result(problem: &mut Problem<'_>, count: usize, result: &PyValue) -> Result<()> {
    let set = |problem: &mut Problem<'_>, name: &str, values: Vec<PyValue>| {
        problem
            .context
            .insert(name.to_owned(), PyValue::List(values));
    };
    let PyValue::Dict(map) = result else {
        set(problem, "correct", vec![PyValue::from(mark(result)); count]);
        return Ok(());
    };
    if let Some(ok) = map.get("ok") {
        let mark = mark(ok);
        let message = PyValue::Str(clean_message(map.get("msg").unwrap_or(&PyValue::None)));
        if count > 1 {
            problem
                .context
                .insert("overall_message".to_owned(), message);
        } else {
            set(problem, "messages", vec![message]);
        }
        let decimal = match map.get("grade_decimal") {
            Some(value) => value
                .as_float()
                .ok_or_else(|| Error::other("grade_decimal"))?,
            None => default_decimal(mark),
        };
        set(
            problem,
            "grade_decimals",
            vec![PyValue::Float(decimal); count],
        );
        set(problem, "correct", vec![PyValue::from(mark); count]);
        return Ok(());
    }
    let Some(list) = map.get("input_list") else {
        return Err(Error::Response(
            "CustomResponse: check function returned an invalid dictionary!".to_owned(),
        ));
    };
    let PyValue::List(list) = list else {
        return Err(Error::other("input_list"));
    };
    let (mut correct, mut messages, mut decimals) = (Vec::new(), Vec::new(), Vec::new());
    for entry in list {
        let PyValue::Dict(entry) = entry else {
            return Err(Error::other("input_list"));
        };
        let ok = entry.get("ok").ok_or_else(|| Error::other("no ok"))?;
        let mark = mark(ok);
        correct.push(PyValue::from(mark));
        messages.push(
            entry
                .get("msg")
                .map_or(PyValue::None, |msg| PyValue::Str(clean_message(msg))),
        );
        decimals.push(entry.get("grade_decimal").cloned().unwrap_or_else(|| {
            let text = ok.str().to_lowercase();
            PyValue::Float(match strip(&text) {
                "true" => 1.0,
                text if text.contains("partial") => 0.5,
                _ => 0.0,
            })
        }));
    }
    let overall = map
        .get("overall_message")
        .cloned()
        .unwrap_or_else(|| PyValue::from(""));
    problem
        .context
        .insert("overall_message".to_owned(), overall);
    set(problem, "messages", messages);
    set(problem, "grade_decimals", decimals);
    set(problem, "correct", correct);
    Ok(())
}

fn default_decimal(mark: &str) -> f64 {
    match mark {
        "correct" => 1.0,
        "partially-correct" => 0.5,
        _ => 0.0,
    }
}

/// Lets the author's function change the graded map.
pub(super) fn hint_function(
    problem: &Problem<'_>,
    responder: &Responder,
    group: NodeId,
    answers: &Answers,
    map: &CorrectMap,
    old: &CorrectMap,
) -> Result<CorrectMap> {
    let function = problem.tree.get(group, "hintfn").unwrap_or_default();
    let script = problem
        .context
        .get("script_code")
        .map(PyValue::str)
        .unwrap_or_default();
    let code = format!(
        "{CORRECT_MAP_PY}\n{script}\nnew_cmap = CorrectMap()\nnew_cmap.set_dict(new_cmap_dict)\nold_cmap = CorrectMap()\nold_cmap.set_dict(old_cmap_dict)\n{function}(answer_ids, student_answers, new_cmap, old_cmap)\nnew_cmap_dict.update(new_cmap.get_dict())\nold_cmap_dict.update(old_cmap.get_dict())\n"
    );
    let ids = responder
        .inputs
        .iter()
        .map(|input| PyValue::from(input.id.as_str()))
        .collect();
    let globals: Globals = [
        ("answer_ids".to_owned(), PyValue::List(ids)),
        (
            "student_answers".to_owned(),
            PyValue::from(&Value::Object(answers.clone())),
        ),
        ("new_cmap_dict".to_owned(), PyValue::from(&map.to_json())),
        ("old_cmap_dict".to_owned(), PyValue::from(&old.to_json())),
    ]
    .into_iter()
    .collect();
    let out = problem
        .run_code(&code, &globals, &responder.id, false)
        .map_err(|error| {
            Error::Response(format!(
                "Error {error} in evaluating hint function {function}.\nSee XML source line {}.",
                responder.line
            ))
        })?;
    // A map that JSON cannot hold does not come back; the old one stays.
    Ok(match out.get("new_cmap_dict") {
        Some(changed) => CorrectMap::from_json(&changed.to_json()),
        None => CorrectMap {
            overall_message: String::new(),
            ..map.clone()
        },
    })
}
