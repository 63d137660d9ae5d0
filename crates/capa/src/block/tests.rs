#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method path is not general over lifetimes"
)]

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::*;

const USAGE: &str = "block-v1:Acme+Bio1+2025+type@problem+block@p1";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .expect("time")
        .with_timezone(&Utc)
}

/// One learner in front of one problem.
struct Learner {
    fields: ProblemFields,
    state: State,
    now: DateTime<Utc>,
    staff: bool,
}

impl Learner {
    fn new(data: &str) -> Self {
        let fields = ProblemFields {
            data: data.to_owned(),
            ..ProblemFields::default()
        };
        Self {
            fields,
            state: State::new(),
            now: at("2025-06-01T12:00:00Z"),
            staff: false,
        }
    }

    fn context<R>(&self, run: impl FnOnce(&BlockContext<'_>) -> R) -> R {
        let files = |_: &str| None;
        let urls = |html: &str| html.to_owned();
        run(&BlockContext {
            usage_key: USAGE,
            html_id: "p1",
            fields: &self.fields,
            user_id: Some(5),
            anonymous_student_id: "anon",
            is_staff: self.staff,
            detailed_errors: false,
            debug: false,
            now: self.now,
            random_seed: 123,
            ajax_url: "/h",
            static_url: "/static/",
            replace_urls: &urls,
            files: &files,
            python_lib: None,
            scripts: None,
            queue: None,
            queue_wait_seconds: 5,
            call_to_action: None,
        })
    }

    fn view(&mut self) -> View {
        let view = self.context(|cx| Block::view(cx, &self.state));
        self.state.extend(view.changes.clone());
        view
    }

    fn call(&mut self, dispatch: &str, form: &[(&str, &str)]) -> Outcome {
        let form: Vec<(String, String)> = form
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let outcome = self.context(|cx| Block::handle(cx, &self.state, dispatch, &form));
        self.state.extend(outcome.changes.clone());
        outcome
    }

    fn json(&mut self, dispatch: &str, form: &[(&str, &str)]) -> Value {
        match self.call(dispatch, form).body {
            Body::Json(value) => value,
            Body::Text(text) => panic!("{text}"),
        }
    }
}

const NUMBER: &str =
    "<problem><numericalresponse answer=\"4\"><textline/></numericalresponse></problem>";
const TWO: &str = "<problem><numericalresponse answer=\"4\"><textline/></numericalresponse><numericalresponse answer=\"5\"><textline/></numericalresponse></problem>";

// §1: what is stored after merely viewing, and after one submit
#[test]
fn viewing_and_submitting_store_the_known_keys() {
    let mut learner = Learner::new(NUMBER);
    learner.view();
    assert_eq!(
        Value::Object(learner.state.clone()),
        json!({"seed": 1, "input_state": {"p1_2_1": {}}, "score": {"raw_earned": 0, "raw_possible": 1}})
    );
    let outcome = learner.call("problem_check", &[("input_p1_2_1", "4")]);
    let mut keys: Vec<&str> = learner.state.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "attempts",
            "correct_map",
            "correct_map_history",
            "done",
            "input_state",
            "last_submission_time",
            "score",
            "score_history",
            "seed",
            "student_answers",
            "student_answers_history"
        ]
    );
    assert_eq!(
        learner.state["last_submission_time"],
        "2025-06-01T12:00:00Z"
    );
    assert_eq!(outcome.grade.expect("grade").value, Number::Int(1));
    assert_eq!(outcome.events.last().expect("event").name, "problem_check");
}

// §15.48
#[test]
fn no_attempt_is_left_after_the_last() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.max_attempts = Some(2);
    for _ in 0..2 {
        assert_eq!(
            learner.json("problem_check", &[("input_p1_2_1", "3")])["success"],
            "incorrect"
        );
    }
    let outcome = learner.call("problem_check", &[("input_p1_2_1", "4")]);
    let Body::Json(body) = outcome.body else {
        panic!("no json")
    };
    assert!(
        body["success"]
            .as_str()
            .expect("text")
            .starts_with("The state of this problem")
    );
    assert!(outcome.changes.is_empty());
    assert_eq!(outcome.events[0].payload["failure"], "closed");
    assert!(learner.view().content.contains(" disabled>"));
    assert_eq!(learner.state["attempts"], 2);
}

// §15.49
#[test]
fn submissions_wait() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.submission_wait_seconds = 180;
    learner.call("problem_check", &[("input_p1_2_1", "3")]);
    learner.now += Duration::seconds(60);
    assert_eq!(
        learner.json("problem_check", &[("input_p1_2_1", "4")])["success"],
        "You must wait at least 3 minutes between submissions. 2 minutes remaining."
    );
    learner.now += Duration::milliseconds(500);
    assert_eq!(
        learner.json("problem_check", &[("input_p1_2_1", "4")])["success"],
        "You must wait at least 3 minutes between submissions. 1 minute 59 seconds remaining."
    );
    assert_eq!(learner.state["attempts"], 1);
    assert_eq!(
        learner.state["student_answers_history"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

// §15.50
#[test]
fn a_survey_can_only_be_saved() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.max_attempts = Some(0);
    let view = learner.view();
    assert!(
        view.content
            .contains("data-should-enable-submit-button=\"False\"")
    );
    assert!(view.content.contains("class=\"save problem-action-btn"));
    let saved = learner.json("problem_save", &[("input_p1_2_1", "3")]);
    assert_eq!(saved["msg"], "Your answers have been saved.");
}

// §15.51
#[test]
fn always_needs_a_reset() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.rerandomize = Randomization::Always;
    learner.call("problem_check", &[("input_p1_2_1", "3")]);
    let outcome = learner.call("problem_check", &[("input_p1_2_1", "4")]);
    assert_eq!(outcome.events[0].payload["failure"], "unreset");
    assert_eq!(learner.json("problem_reset", &[])["success"], true);
    assert_eq!(learner.state["seed"], 123);
    assert_eq!(learner.state["attempts"], 1);
    assert_eq!(learner.state["correct_map"], json!({}));
    assert_eq!(learner.state["done"], false);
}

// §15.52
#[test]
fn answers_are_shown_when_allowed() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.showanswer = "attempted".to_owned();
    assert!(
        learner.json("problem_show", &[])["success"]
            .as_str()
            .expect("text")
            .starts_with("The state")
    );
    learner.call("problem_check", &[("input_p1_2_1", "3")]);
    assert_eq!(
        learner.json("problem_show", &[])["answers"],
        json!({"p1_2_1": "4"})
    );
}

// §15.53
#[test]
fn correctness_can_be_withheld() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.show_correctness = "never".to_owned();
    learner.staff = true;
    let reply = learner.json("problem_check", &[("input_p1_2_1", "4")]);
    assert_eq!(reply["success"], "submitted");
    assert_eq!(reply["current_score"], Value::Null);
    let html = reply["contents"].as_str().expect("html");
    assert!(html.contains("Answer submitted.") && html.contains("class=\"status submitted\""));
}

// §15.54
#[test]
fn weight_scales_what_is_shown() {
    let mut learner = Learner::new(TWO);
    learner.fields.weight = Some(5.0);
    let outcome = learner.call(
        "problem_check",
        &[("input_p1_2_1", "4"), ("input_p1_3_1", "4")],
    );
    let Body::Json(body) = outcome.body else {
        panic!("no json")
    };
    assert_eq!(body["current_score"], 2.5);
    assert_eq!(body["total_possible"], 5.0);
    assert!(
        body["contents"]
            .as_str()
            .expect("html")
            .contains("Partially correct (2.5/5 points)")
    );
    let grade = outcome.grade.expect("grade");
    assert_eq!(
        (grade.value, grade.max_value),
        (Number::Int(1), Number::Int(2))
    );
}

// §15.55
#[test]
fn forms_are_decoded() {
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let answers = decode_answers(&[
        pair("input_P_2_1[]", "choice_0"),
        pair("input_P_2_1[]", "choice_2"),
        pair("input_P_3_1{}", "{\"a\": \"b\"}"),
    ])
    .expect("answers");
    assert_eq!(
        Value::Object(answers),
        json!({"P_2_1": ["choice_0", "choice_2"], "P_3_1": {"a": "b"}})
    );
    assert!(decode_answers(&[pair("input_P_2_1{}", "not json")]).is_err());
    assert!(decode_answers(&[pair("nonsense", "1")]).is_err());
    assert!(decode_answers(&[pair("a_x", "1"), pair("b_x", "2")]).is_err());
}

// §15.56
#[test]
fn demand_hints_go_round() {
    let mut learner = Learner::new(
        "<problem><p/><demandhint><hint>one</hint><hint>two</hint></demandhint></problem>",
    );
    let reply = learner.json("hint_button", &[("hint_index", "3"), ("input_id", "x")]);
    assert_eq!(reply["hint_index"], 1);
    assert_eq!(reply["should_enable_next_hint"], false);
    assert_eq!(
        reply["msg"].as_str().expect("msg").matches("<li").count(),
        2
    );
}

// §15.57
#[test]
fn saved_answers_show_as_unanswered() {
    let mut learner = Learner::new(NUMBER);
    learner.call("problem_check", &[("input_p1_2_1", "3")]);
    learner.json("problem_save", &[("input_p1_2_1", "4")]);
    let html = learner.view().content;
    assert!(html.contains("class=\"status unanswered\""));
    assert!(html.contains("Your answers were previously saved."));
    assert_eq!(learner.state["has_saved_answers"], true);
    learner.call("problem_check", &[("input_p1_2_1", "4")]);
    assert_eq!(learner.state["has_saved_answers"], false);
}

// §15.69
#[test]
fn an_unreadable_answer_keeps_the_old_marks() {
    let mut learner = Learner::new(NUMBER);
    learner.call("problem_check", &[("input_p1_2_1", "4")]);
    let reply = learner.json("problem_check", &[("input_p1_2_1", "(2+3")]);
    assert_eq!(
        reply["success"],
        "Invalid Input: Parentheses are unmatched. 1 parentheses were opened but never closed."
    );
    assert_eq!(learner.state["student_answers"], json!({"p1_2_1": "(2+3"}));
    assert_eq!(learner.state["attempts"], 1);
    assert_eq!(learner.state["score"]["raw_earned"], 1);
    assert_eq!(
        learner.state["student_answers_history"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        learner.state["correct_map_history"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

// §15.58
#[test]
fn rescoring_moves_the_score() {
    let mut learner = Learner::new(NUMBER);
    learner.call("problem_check", &[("input_p1_2_1", "4")]);
    learner.fields.data = NUMBER.replace('4', "5");
    let higher = learner
        .context(|cx| Block::rescore(cx, &learner.state, true))
        .expect("rescored");
    assert!(higher.grade.is_none());
    assert!(!higher.changes.contains_key("score") && higher.changes.contains_key("correct_map"));
    let any = learner
        .context(|cx| Block::rescore(cx, &learner.state, false))
        .expect("rescored");
    assert_eq!(any.grade.expect("grade").value, Number::Int(0));
    assert!(!any.changes.contains_key("attempts"));
}

// §15.8
#[test]
fn variants_by_learner() {
    for (user, seed) in [(1, 13), (5, 17), (42, 17), (1000, 9)] {
        assert_eq!(per_student_seed(Some(user), USAGE), seed);
    }
}

// §11: unknown dispatch, generic errors, problems that do not load
#[test]
fn errors_are_mapped() {
    let mut learner = Learner::new(NUMBER);
    let text = Body::Text("Error: x is not a known capa action".to_owned());
    assert_eq!(learner.call("x", &[]).body, text);
    let sorry = learner.json("problem_check", &[("nonsense", "1")]);
    assert!(
        sorry["success"]
            .as_str()
            .expect("text")
            .starts_with("We're sorry")
    );
    assert_eq!(
        learner
            .call("input_ajax", &[("input_id", "p1_2_1"), ("dispatch", "x")])
            .status,
        500
    );
    learner.fields.data = "<problem>".to_owned();
    assert_eq!(learner.call("problem_get", &[]).status, 500);
    assert!(
        learner
            .view()
            .html
            .starts_with("<p>Could not format HTML for problem.")
    );
}

// §8: the closing date and its grace
#[test]
fn grace_prolongs_the_due_date() {
    let mut learner = Learner::new(NUMBER);
    learner.fields.due = Some(at("2025-06-01T11:00:00Z"));
    assert!(learner.context(|cx| cx.is_past_due()));
    let value = json!("1 day 12 hours 59 minutes 59 seconds");
    let fields = ProblemFields::read(&|key| (key == "graceperiod").then(|| value.clone()));
    assert_eq!(fields.graceperiod, Some(133_199));
    learner.fields.graceperiod = fields.graceperiod;
    assert!(!learner.context(|cx| cx.is_past_due()));
}
