//! Requests to a problem (contract §11) and regrading (§12).

use chrono::{NaiveDateTime, Timelike};
use serde_json::{Map, Value, json};

use super::forms::{decode_answers, last};
use super::{Block, BlockContext, Body, Form, GradeEvent, Outcome, Randomization, Score, State};
use crate::environment::ProblemState;
use crate::error::{Error, Result};
use crate::inputs::correct_status_html;
use crate::problem::Problem;

const DISPATCHES: [&str; 9] = [
    "hint_button",
    "problem_get",
    "problem_check",
    "problem_reset",
    "problem_save",
    "problem_show",
    "score_update",
    "input_ajax",
    "ungraded_response",
];

const GENERIC: &str = "We're sorry, there was an error with processing your request. Please try reloading your page and trying again.";
const STATE_CHANGED: &str =
    "The state of this problem has changed since you loaded this page. Please refresh your page.";

/// `1 hour 2 minutes 3 seconds`.
fn pretty_seconds(total: i64) -> String {
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    let mut parts = Vec::new();
    for (count, unit) in [(hours, "hour"), (minutes, "minute"), (seconds, "second")] {
        if count > 0 {
            parts.push(format!(
                "{count} {unit}{}",
                if count == 1 { "" } else { "s" }
            ));
        }
    }
    if parts.is_empty() {
        "0 seconds".to_owned()
    } else {
        parts.join(" ")
    }
}

fn reply(status: u16, body: Value) -> Outcome {
    Outcome {
        status,
        body: Body::Json(body),
        changes: State::new(),
        grade: None,
        events: Vec::new(),
    }
}

pub(super) fn handle(
    cx: &BlockContext<'_>,
    stored: &State,
    dispatch: &str,
    form: &Form,
) -> Outcome {
    if !DISPATCHES.contains(&dispatch) {
        return Outcome {
            body: Body::Text(format!("Error: {dispatch} is not a known capa action")),
            ..reply(200, Value::Null)
        };
    }
    let env = cx.environment();
    // A problem that does not load fails before any error is mapped.
    let mut block = match Block::load(cx, &env, stored) {
        Ok(block) => block,
        Err(error) => return reply(500, json!({"error": error.to_string()})),
    };
    let before = block.score.progress(cx.fields.weight);
    let attempts_before = block.attempts;
    let mut result = match block.dispatch(dispatch, form) {
        Ok(Some(result)) => result,
        Ok(None) => return reply(500, json!({"error": "the input takes no requests"})),
        Err(error) => {
            let text = if matches!(error, Error::NotFound(_)) {
                STATE_CHANGED
            } else {
                GENERIC
            };
            return Outcome {
                events: block.events,
                ..reply(200, json!({"success": text}))
            };
        }
    };
    let after = block.score.progress(cx.fields.weight);
    let (score, possible) = block.displayed_score();
    let changed = before != after || attempts_before != block.attempts;
    result.insert("progress_changed".to_owned(), json!(changed));
    result.insert("current_score".to_owned(), score);
    result.insert("total_possible".to_owned(), possible);
    result.insert("attempts_used".to_owned(), json!(block.attempts));
    let changes = block.changes();
    Outcome {
        status: 200,
        body: Body::Json(Value::Object(result)),
        changes,
        grade: block.grade.take(),
        events: std::mem::take(&mut block.events),
    }
}

type Answer = Result<Option<Map<String, Value>>>;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

impl Block<'_> {
    fn dispatch(&mut self, dispatch: &str, form: &Form) -> Answer {
        let result = match dispatch {
            "problem_get" => json!({"html": self.problem_html(true)?}),
            "problem_check" => self.check(form)?,
            "problem_save" => self.save(form)?,
            "problem_reset" => self.reset()?,
            "problem_show" => self.show()?,
            "hint_button" => self.hint(form)?,
            "input_ajax" => return self.input_request(form),
            "score_update" => self.score_update(form)?,
            _ => self.ungraded_response(form)?,
        };
        Ok(Some(object(result)))
    }

    /// Score and possible score as shown: withheld where correctness is, `(0, 0)` without progress.
    pub(super) fn displayed_score(&self) -> (Value, Value) {
        let (score, possible) = match self.score.progress(self.cx.fields.weight) {
            Some(progress) => (progress.earned.to_json(), progress.possible.to_json()),
            None => (json!(0), json!(0)),
        };
        let score = if self.cx.correctness_available() {
            score
        } else {
            Value::Null
        };
        (score, possible)
    }

    fn publish_grade(&mut self, only_if_higher: Option<bool>, grader_response: bool) {
        self.grade = Some(GradeEvent {
            value: self.score.earned,
            max_value: self.score.possible,
            only_if_higher,
            grader_response,
        });
    }

    /// Adds the order of shuffled choices to an event's payload.
    fn unmask(&self, payload: &mut Value) {
        if let (Some(map), Some(permutation)) =
            (payload.as_object_mut(), self.problem.permutation())
        {
            map.insert("permutation".to_owned(), permutation);
        }
    }

    fn unmasked(&mut self, name: &'static str, mut payload: Value, more: Value) {
        if let (Some(map), Value::Object(more)) = (payload.as_object_mut(), more) {
            map.extend(more);
        }
        self.unmask(&mut payload);
        self.event(name, payload);
    }

    fn variant(&self) -> Value {
        if self.cx.fields.rerandomize == Randomization::Never {
            json!("")
        } else {
            json!(self.seed)
        }
    }

    fn check(&mut self, form: &Form) -> Result<Value> {
        let fields = self.cx.fields;
        let info = json!({"state": self.problem.state(), "problem_id": self.cx.usage_key});
        self.problem.set_saved_answers(false);
        let answers = decode_answers(form)?;
        self.student_answers_history
            .push(Value::Object(answers.clone()));
        let info = with(info, "answers", Value::Object(answers.clone()));
        if self.is_closed() {
            self.unmasked("problem_check_fail", info, json!({"failure": "closed"}));
            return Err(Error::NotFound("Problem is closed.".to_owned()));
        }
        if self.done && fields.rerandomize == Randomization::Always {
            self.unmasked("problem_check_fail", info, json!({"failure": "unreset"}));
            return Err(Error::NotFound(
                "Problem must be reset before it can be submitted again.".to_owned(),
            ));
        }
        if self.problem.is_queued() && self.queued_seconds() < self.cx.queue_wait_seconds {
            let wait = self.cx.queue_wait_seconds;
            let text = format!("You must wait at least {wait} seconds between submissions.");
            return Ok(json!({"success": text, "html": ""}));
        }
        if let Some(last_time) = self.last_submission_time
            && fields.submission_wait_seconds > 0
        {
            let elapsed = (self.cx.now - last_time).num_milliseconds() as f64 / 1000.0;
            let wait = fields.submission_wait_seconds;
            if elapsed < wait as f64 {
                let remaining = (wait as f64 - elapsed) as i64;
                let text = format!(
                    "You must wait at least {} between submissions. {} remaining.",
                    pretty_seconds(wait),
                    pretty_seconds(remaining)
                );
                return Ok(json!({"success": text, "html": ""}));
            }
        }
        if let Err(error) = self.problem.grade(&answers, self.attempts + 1) {
            // The answers are kept though they were not graded.
            self.take_state();
            self.take_score();
            return match error.learner_message() {
                Some(_) if self.cx.is_staff => {
                    Ok(json!({"success": format!("Staff debug info: {}", traceback(&error))}))
                }
                Some(text) => Ok(json!({"success": text})),
                None if self.cx.debug => Ok(json!({
                    "success": format!("Error checking problem: {error}\nTraceback:\n{error}"),
                })),
                None => Err(error),
            };
        }
        self.attempts += 1;
        self.problem.set_done(true);
        self.take_state();
        self.take_score();
        self.score_history.push(self.score.to_json());
        self.last_submission_time = self.cx.now.with_nanosecond(0).or(Some(self.cx.now));
        self.publish_grade(None, false);
        for mut hint in self.problem.take_hint_events() {
            hint = with(hint, "module_id", json!(self.cx.usage_key));
            self.event("edx.problem.hint.feedback_displayed", hint);
        }
        let map = self.problem.correct_map();
        let right = map
            .entries
            .values()
            .all(crate::correct_map::Entry::is_correct);
        let success = if right { "correct" } else { "incorrect" };
        let more = json!({
            "grade": self.score.earned.to_json(),
            "max_grade": self.score.possible.to_json(),
            "correct_map": map.to_json(),
            "success": success,
            "attempts": self.attempts,
            "submission": self.problem.submission(&answers, map, &self.variant()),
        });
        self.unmasked("problem_check", info, more);
        let success = if self.cx.correctness_available() {
            success
        } else {
            "submitted"
        };
        let contents = self.problem_html(true)?;
        Ok(json!({"success": success, "contents": contents}))
    }

    /// Seconds since the latest answer went to the external grader.
    fn queued_seconds(&self) -> i64 {
        let times = self
            .problem
            .correct_map()
            .entries
            .values()
            .filter_map(|entry| {
                let text = entry.queuestate.get("time")?.as_str()?;
                NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()
            });
        times.max().map_or(i64::MAX, |time| {
            (self.cx.now - time.and_utc()).num_seconds()
        })
    }

    fn save(&mut self, form: &Form) -> Result<Value> {
        let fields = self.cx.fields;
        let info = json!({"state": self.problem.state(), "problem_id": self.cx.usage_key});
        let answers = decode_answers(form)?;
        let info = with(info, "answers", Value::Object(answers.clone()));
        let survey = fields.max_attempts == Some(0);
        if self.is_closed() && !survey {
            self.unmasked("save_problem_fail", info, json!({"failure": "closed"}));
            return Ok(json!({"success": false, "msg": "Problem is closed."}));
        }
        if self.done && fields.rerandomize == Randomization::Always {
            self.unmasked("save_problem_fail", info, json!({"failure": "done"}));
            return Ok(json!({
                "success": false, "msg": "Problem needs to be reset prior to save.",
            }));
        }
        self.problem.set_student_answers(answers);
        self.problem.set_saved_answers(true);
        self.take_state();
        self.take_score();
        self.unmasked("save_problem_success", info, json!({}));
        let msg = if survey {
            "Your answers have been saved."
        } else {
            "Your answers have been saved but not graded. Click 'Submit' to grade them."
        };
        Ok(json!({"success": true, "msg": msg, "html": self.problem_html(false)?}))
    }

    fn reset(&mut self) -> Result<Value> {
        let info = json!({"old_state": self.problem.state(), "problem_id": self.cx.usage_key});
        let refused = if self.is_closed() {
            Some((
                "closed",
                "You cannot select Reset for a problem that is closed.",
            ))
        } else if self.problem.is_done() {
            None
        } else {
            Some((
                "not_done",
                "You must submit an answer before you can select Reset.",
            ))
        };
        if let Some((failure, msg)) = refused {
            self.event("reset_problem_fail", with(info, "failure", json!(failure)));
            return Ok(json!({"success": false, "msg": msg}));
        }
        if matches!(
            self.cx.fields.rerandomize,
            Randomization::Always | Randomization::OnReset
        ) {
            self.seed = self.cx.new_seed();
        }
        self.renew()?;
        self.publish_grade(None, false);
        let state = self.problem.state();
        self.event("reset_problem", with(info, "new_state", state));
        Ok(json!({"success": true, "html": self.problem_html(false)?}))
    }

    /// Puts a fresh problem of the current seed in place.
    pub(super) fn renew(&mut self) -> Result<()> {
        let fields = self.cx.fields;
        let state = ProblemState::default();
        self.problem = Problem::new(&fields.data, self.cx.html_id, &state, self.seed, self.env)?;
        self.take_state();
        self.take_score();
        Ok(())
    }

    fn show(&mut self) -> Result<Value> {
        self.event("showanswer", json!({"problem_id": self.cx.usage_key}));
        if !self.answer_available() {
            return Err(Error::NotFound("Answer is not available".to_owned()));
        }
        let mut answers = self.problem.question_answers();
        self.take_state();
        for value in answers.values_mut() {
            if let Value::String(text) = value {
                *text = (self.cx.replace_urls)(text);
            }
        }
        Ok(json!({"answers": answers, "correct_status_html": correct_status_html()}))
    }

    fn hint(&mut self, form: &Form) -> Result<Value> {
        let index = last(form, "hint_index").and_then(crate::pyvalue::parse_int);
        let index = index.ok_or_else(|| Error::other("hint_index"))?;
        let hint = self
            .problem
            .demand_hint(index)
            .ok_or_else(|| Error::other("no hints"))?;
        let payload = json!({
            "module_id": self.cx.usage_key, "hint_index": hint.index, "hint_len": hint.count,
            "hint_text": hint.text,
        });
        self.event("edx.problem.hint.demandhint_displayed", payload);
        Ok(json!({
            "success": true, "hint_index": hint.index, "should_enable_next_hint": hint.more(),
            "msg": (self.cx.replace_urls)(&hint.html),
        }))
    }

    fn input_request(&mut self, form: &Form) -> Answer {
        let input = last(form, "input_id").ok_or_else(|| Error::other("input_id"))?;
        let dispatch = last(form, "dispatch").ok_or_else(|| Error::other("dispatch"))?;
        let mut data = Map::new();
        for (key, value) in form {
            data.insert(key.clone(), Value::String(value.clone()));
        }
        let reply = self.problem.input_ajax(input, dispatch, &data)?;
        self.take_state();
        Ok(match reply {
            Value::Object(map) => Some(map),
            _ => None,
        })
    }

    fn score_update(&mut self, form: &Form) -> Result<Value> {
        let key = last(form, "queuekey").ok_or_else(|| Error::other("queuekey"))?;
        let message = last(form, "xqueue_body").ok_or_else(|| Error::other("xqueue_body"))?;
        self.problem.score_update(message, key)?;
        self.take_state();
        self.take_score();
        self.publish_grade(None, true);
        Ok(json!({}))
    }

    fn ungraded_response(&mut self, form: &Form) -> Result<Value> {
        let key = last(form, "queuekey").ok_or_else(|| Error::other("queuekey"))?;
        let message = last(form, "xqueue_body").ok_or_else(|| Error::other("xqueue_body"))?;
        self.problem.ungraded_response(message, key)?;
        self.take_state();
        Ok(json!({}))
    }

    /// Grades the stored answers again (contract §12). The correct map is replaced in any case; with
    /// `only_if_higher` score and grade only when they do not fall.
    pub fn rescore(cx: &BlockContext<'_>, stored: &State, only_if_higher: bool) -> Result<Outcome> {
        let env = cx.environment();
        let mut block = Block::load(cx, &env, stored)?;
        let info = json!({"state": block.problem.state(), "problem_id": cx.usage_key});
        if !block.problem.supports_rescoring() {
            block.unmasked(
                "problem_rescore_fail",
                info,
                json!({"failure": "unsupported"}),
            );
            return Err(Error::Other(
                "Problem's definition does not support rescoring.".to_owned(),
            ));
        }
        if !block.done {
            return Err(Error::NotFound(
                "Problem must be answered before it can be graded again.".to_owned(),
            ));
        }
        let old = block.score.clone();
        block.problem.regrade(block.attempts)?;
        block.take_state();
        let new = Score::of(&block.problem);
        let part = |score: &Score| {
            let possible = score.possible.as_f64();
            if possible > 0.0 {
                score.earned.as_f64() / possible
            } else {
                0.0
            }
        };
        let mut outcome = reply(200, json!({}));
        if !only_if_higher || part(&new) >= part(&old) {
            block.score = new.clone();
            block.publish_grade(Some(only_if_higher), false);
        }
        let map = block.problem.correct_map();
        let right = map
            .entries
            .values()
            .all(crate::correct_map::Entry::is_correct);
        let more = json!({
            "orig_score": old.earned.to_json(), "orig_total": old.possible.to_json(),
            "new_score": new.earned.to_json(), "new_total": new.possible.to_json(),
            "correct_map": map.to_json(),
            "success": if right { "correct" } else { "incorrect" },
            "attempts": block.attempts,
        });
        block.unmasked("problem_rescore", info, more);
        outcome.changes = block.changes();
        outcome.grade = block.grade.take();
        outcome.events = std::mem::take(&mut block.events);
        Ok(outcome)
    }
}

fn with(mut value: Value, key: &str, part: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.insert(key.to_owned(), part);
    }
    value
}

/// What staff see of an error that has a message.
fn traceback(error: &Error) -> String {
    let class = match error {
        Error::Problem(_) => "LoncapaProblemError",
        Error::Response(_) => "ResponseError",
        _ => "StudentInputError",
    };
    format!("Traceback (most recent call last):\n{class}: {error}\n")
}

#[cfg(test)]
mod tests {
    use super::pretty_seconds;

    // §15.49
    #[test]
    fn seconds_in_words() {
        assert_eq!(pretty_seconds(123), "2 minutes 3 seconds");
        assert_eq!(pretty_seconds(3601), "1 hour 1 second");
        assert_eq!(pretty_seconds(120), "2 minutes");
        assert_eq!(pretty_seconds(0), "0 seconds");
    }
}
