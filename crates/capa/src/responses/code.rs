//! External graders (contract §3.10).

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{Kind, Responder};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::html5;
use crate::inputs::python_json;
use crate::problem::{Answers, Problem, escape_markup};
use crate::pyvalue::PyValue;
use crate::xml;

const INVALID: &str = "Invalid grader reply. Please contact the course staff.";

/// What goes to the grader, and what is shown around it.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub initial_display: Value,
    answer_display: Value,
    payload: Value,
    queue_name: Option<String>,
}

impl Code {
    pub fn displayed(&self) -> String {
        let answer = match &self.answer_display {
            Value::String(text) => escape_markup(text),
            _ => "None".to_owned(),
        };
        format!("<span class=\"code-answer\"><pre><code>{answer}</code></pre></span>")
    }
}

pub(super) fn setup(problem: &Problem<'_>, responder: &Responder) -> Result<Code> {
    let tree = &problem.tree;
    let param = tree.find(responder.node, "codeparam");
    let param = param.ok_or_else(|| Error::other("coderesponse without codeparam"))?;
    let text = |tag: &str, default: &str| match tree.find(param, tag) {
        Some(node) => tree
            .node(node)
            .text
            .clone()
            .map_or(Value::Null, Value::String),
        None => Value::String(default.to_owned()),
    };
    let queue_name = tree.get(responder.node, "queuename").map(str::to_owned);
    Ok(Code {
        initial_display: text("initial_display", ""),
        answer_display: text("answer_display", "No answer provided."),
        payload: text("grader_payload", ""),
        queue_name: queue_name.or_else(|| {
            problem
                .env
                .queue
                .map(crate::environment::GraderQueue::default_queue_name)
        }),
    })
}

/// Key of a submission: the queue's reply must name it.
pub(crate) fn queue_key(problem: &Problem<'_>, time: &str, answer_id: &str) -> String {
    let env = problem.env;
    let user = env.user_id.unwrap_or_default();
    let text = format!("{user}{time}{}{answer_id}", env.anonymous_student_id);
    hex::encode(Md5::digest(text.as_bytes()))
}

/// What the grader learns of the learner, as JSON text.
pub(crate) fn student_info(problem: &Problem<'_>, time: &str) -> String {
    python_json(&json!({
        "anonymous_student_id": problem.env.anonymous_student_id,
        "submission_time": time,
        "random_seed": problem.context.get("seed").map(PyValue::to_json),
    }))
}

pub(super) fn score(
    problem: &mut Problem<'_>,
    responder: &Responder,
    code: &Code,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let submission = answers.get(id).ok_or_else(|| Error::other("no answer"))?;
    let message = |text: String| Entry {
        msg: Value::String(text),
        ..Entry::default()
    };
    let Some(queue) = problem.env.queue else {
        let text = "Error: No grader has been set up for this problem.".to_owned();
        return Ok(CorrectMap::one(id, message(text)));
    };
    let time = queue.time();
    let key = queue_key(problem, &time, id);
    let header = json!({
        "lms_callback_url": queue.callback_url(),
        "lms_key": key,
        "queue_name": code.queue_name,
    });
    // Files travel beside the body.
    let files = submission.as_array().is_some_and(Vec::is_empty);
    let response = if files { json!("") } else { submission.clone() };
    problem
        .context
        .insert("submission".to_owned(), PyValue::from(&response));
    let body = json!({
        "grader_payload": code.payload,
        "student_info": student_info(problem, &time),
        "student_response": response,
    });
    let (failed, reply) = queue.send(&header, &body);
    let entry = if failed {
        message(format!(
            "Unable to deliver your submission to grader (Reason: {reply}). Please try again later."
        ))
    } else {
        Entry {
            correctness: Some("incomplete".to_owned()),
            queuestate: json!({"key": key, "time": time}),
            ..message(reply)
        }
    };
    Ok(CorrectMap::one(id, entry))
}

/// A grader's reply, when it can be read.
struct Reply {
    correct: bool,
    points: Value,
    message: String,
}

fn parse_reply(text: &str) -> Result<Option<Reply>> {
    let Ok(Value::Object(map)) = serde_json::from_str::<Value>(text) else {
        return Ok(None);
    };
    let (Some(correct), Some(points), Some(message)) =
        (map.get("correct"), map.get("score"), map.get("msg"))
    else {
        return Ok(None);
    };
    let message = message
        .as_str()
        .ok_or_else(|| Error::other("a message that is no text"))?;
    if xml::parse(message).is_err() {
        if !xml::is_text(message) {
            return Ok(None);
        }
        let fragment = html5::fragment(message);
        let root = fragment.root();
        if fragment.children(root).is_empty() && fragment.text(root).is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(Reply {
        correct: PyValue::from(correct).truthy(),
        points: points.clone(),
        message: message.to_owned(),
    }))
}

impl Problem<'_> {
    /// Takes an external grader's reply for the submission of that key. A reply that cannot be read drops the
    /// queue state whatever its key; a score that is no number is an error.
    pub fn score_update(&mut self, reply: &str, key: &str) -> Result<()> {
        let ids: Vec<String> = self
            .responders
            .iter()
            .filter(|responder| matches!(responder.kind, Kind::Code(_)))
            .map(|responder| responder.answer_id().to_owned())
            .collect();
        for id in ids {
            let Some(reply) = parse_reply(reply)? else {
                let msg = Value::String(INVALID.to_owned());
                self.correct_map.entries.insert(
                    id,
                    Entry {
                        msg,
                        ..Entry::default()
                    },
                );
                continue;
            };
            let mark = if reply.correct {
                "correct"
            } else {
                "incorrect"
            };
            self.context
                .insert("correct".to_owned(), PyValue::from(mark));
            let state = self.correct_map.get(&id).map(|entry| &entry.queuestate);
            let expected = state
                .and_then(|state| state.get("key"))
                .and_then(Value::as_str);
            if expected != Some(key) {
                continue;
            }
            let points = match &reply.points {
                Value::Bool(flag) => json!(i64::from(*flag)),
                points => {
                    let number = points
                        .as_f64()
                        .ok_or_else(|| Error::other("a text as score"))?;
                    if number < 0.0 {
                        json!(0)
                    } else {
                        points.clone()
                    }
                }
            };
            let entry = Entry {
                npoints: points,
                msg: Value::String(reply.message.replace("&nbsp;", "&#160;")),
                ..Entry::mark(mark)
            };
            self.correct_map.entries.insert(id, entry);
        }
        Ok(())
    }

    /// Takes the result of a run that is not graded, when the key is the input's.
    pub fn ungraded_response(&mut self, reply: &str, key: &str) -> Result<()> {
        for state in self.input_state.values_mut() {
            let Some(map) = state.as_object_mut() else {
                continue;
            };
            if map.get("queuekey").and_then(Value::as_str) != Some(key) {
                continue;
            }
            let reply: Map<String, Value> = serde_json::from_str(reply)
                .map_err(|_| Error::other("a reply that is not JSON"))?;
            map.insert("queuekey".to_owned(), Value::Null);
            map.insert("queuestate".to_owned(), Value::Null);
            map.insert(
                "queue_msg".to_owned(),
                reply.get("msg").cloned().unwrap_or_default(),
            );
        }
        Ok(())
    }
}
