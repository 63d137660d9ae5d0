//! Unit `capa`.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use capa::{CorrectMap, Environment, Error, GraderQueue, Problem, ProblemState};
use sandbox::{Sandbox, Settings};
use serde_json::{Map, Value, json};

use crate::Answer;

/// The recorded queue: answers every send alike and keeps what was sent.
struct Queue {
    error: bool,
    message: String,
    time: String,
    sent: std::cell::RefCell<Vec<Value>>,
}

impl GraderQueue for Queue {
    fn send(&self, header: &Value, body: &Value) -> (bool, String) {
        self.sent
            .borrow_mut()
            .push(json!({"header": header, "body": body}));
        (self.error, self.message.clone())
    }

    fn callback_url(&self) -> String {
        "http://lms/callback/score_update".to_owned()
    }

    fn time(&self) -> String {
        self.time.clone()
    }

    fn default_queue_name(&self) -> String {
        "Org-Course".to_owned()
    }
}

/// Scripts run in the interpreter of `STOA_SANDBOX_PYTHON`, or the default one.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let mut settings = Settings::default();
        if let Some(python) = std::env::var_os("STOA_SANDBOX_PYTHON") {
            settings.python = python.into();
        }
        Sandbox::new(settings)
    })
}

/// The members under `python_lib/` as the archive that a course has; none when there are none.
fn python_lib(files: &HashMap<String, String>) -> Option<Vec<u8>> {
    let members: Vec<_> = files
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("python_lib/")?, text)))
        .collect();
    if members.is_empty() {
        return None;
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .ok()?;
        archive.write_all(text.as_bytes()).ok()?;
    }
    Some(archive.finish().ok()?.into_inner())
}

fn text(error: &Error) -> String {
    error.learner_message().unwrap_or_else(|| error.to_string())
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    run(op, input).map_err(|error| text(&error))
}

fn run(op: &str, input: &Value) -> Result<Value, Error> {
    let field = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let files: HashMap<String, String> = input
        .get("files")
        .and_then(|files| serde_json::from_value(files.clone()).ok())
        .unwrap_or_default();
    let read = |name: &str| {
        files
            .get(name)
            .filter(|_| !name.starts_with("python_lib/"))
            .cloned()
    };
    let queue = input.get("queue").map(|queue| Queue {
        error: match queue.get("error") {
            Some(Value::Bool(error)) => *error,
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            _ => false,
        },
        message: queue
            .get("msg")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        time: queue
            .get("time")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        sent: std::cell::RefCell::default(),
    });
    let scripts = sandbox().for_request(Instant::now() + Duration::from_secs(10));
    let python_lib = python_lib(&files);
    let env = Environment {
        scripts: Some(&scripts),
        python_lib: python_lib.as_deref(),
        anonymous_student_id: "5afe5d9bb03796557ee2614f5c9611fb",
        user_id: Some(7),
        correctness_available: input.get("withhold") != Some(&Value::Bool(true)),
        files: &read,
        queue: queue.as_ref().map(|queue| queue as &dyn GraderQueue),
        ..Environment::default()
    };
    let xml = field("xml");
    if op == "max_score" {
        return capa::max_score(xml, &read).map(Value::from);
    }
    let mut state = ProblemState::from_json(input.get("state").unwrap_or(&Value::Null));
    let seed = input.get("seed").and_then(Value::as_i64).unwrap_or(1);
    let attempt = input.get("attempt").and_then(Value::as_i64).unwrap_or(1);
    let graded = matches!(op, "grade" | "render_graded" | "submission");
    if graded {
        state.has_saved_answers = false;
    }
    let mut problem = if op == "report" {
        Problem::for_report(xml, field("problem_id"), &state, &env)?
    } else {
        Problem::new(xml, field("problem_id"), &state, seed, &env)?
    };
    let answers = input
        .get("answers")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    if graded {
        problem.grade(&answers, attempt)?;
        problem.set_done(true);
    }
    Ok(match op {
        "render" | "render_after" | "render_graded" => json!({"html": problem.render()?}),
        "answers" => Value::Object(problem.question_answers()),
        "grade" => {
            let mut out = graded_json(&problem);
            if let (Some(map), Some(queue)) = (out.as_object_mut(), &queue) {
                map.insert("sent".to_owned(), Value::Array(queue.sent.take()));
            }
            out
        }
        "score_update" => {
            problem.score_update(field("score_msg"), field("queuekey"))?;
            json!({
                "correct_map": problem.correct_map().to_json(),
                "score": problem.score(),
                "max_score": problem.max_score(),
            })
        }
        "submission" => problem.submission(&answers, problem.correct_map(), &Value::Null),
        "report" => {
            let row = |row: capa::ReportRow| {
                let mut out = Map::new();
                out.insert("answer_id".to_owned(), json!(row.answer_id));
                out.insert("question".to_owned(), json!(row.question));
                out.insert("answer".to_owned(), json!(row.answer));
                if let Some(correct) = row.correct_answer {
                    out.insert("correct_answer".to_owned(), json!(correct));
                }
                Value::Object(out)
            };
            problem.report()?.into_iter().map(row).collect()
        }
        "hint" => {
            let index = input
                .get("index")
                .and_then(Value::as_i64)
                .unwrap_or_default();
            let hint = problem
                .demand_hint(index)
                .ok_or_else(|| Error::other("no hints"))?;
            json!({
                "hint_index": hint.index, "should_enable_next_hint": hint.more(), "html": hint.html,
            })
        }
        "input_ajax" => {
            let data = input
                .get("data")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            problem.input_ajax(field("input_id"), field("dispatch"), &data)?
        }
        other => return Err(Error::other(format!("no operation {other}"))),
    })
}

fn graded_json(problem: &Problem<'_>) -> Value {
    let map: &CorrectMap = problem.correct_map();
    json!({
        "correct_map": map.to_json(),
        "overall_message": map.overall_message,
        "score": problem.score(),
        "max_score": problem.max_score(),
        "state": problem.state(),
    })
}
