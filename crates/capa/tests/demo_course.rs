//! Every problem of the demo course loads, renders and gives full marks for its right answers.

use std::path::Path;

use capa::{Environment, Problem, ProblemState};
use serde_json::{Value, json};

/// The right answer of each problem's only question.
fn right_answers() -> Vec<(&'static str, Value)> {
    vec![
        ("try_one", json!("choice_1")),
        ("try_list", json!(["choice_0", "choice_1", "choice_3"])),
        ("try_word", json!("Gnomon")),
        ("hour_question", json!("-2.5*15")),
        ("hw_length_problem", json!("2.08")),
        ("hw_noon_problem", json!("north")),
        (
            "hw_matters_problem",
            json!(["choice_0", "choice_1", "choice_2"]),
        ),
        ("exam_style", json!("choice_1")),
        ("exam_angle", json!("33")),
        ("exam_name", json!("solar noon")),
    ]
}

#[test]
fn demo_problems_can_be_solved() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../courses/demo/problem");
    let answers = right_answers();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), answers.len());
    let environment = Environment::default();
    for (name, answer) in answers {
        let text = std::fs::read_to_string(folder.join(name).with_extension("xml")).unwrap();
        let state = ProblemState::default();
        let mut problem = Problem::new(&text, name, &state, 1, &environment).unwrap();
        let html = problem.get_html().unwrap();
        assert!(html.contains(&format!("{name}_2_1")), "{name}: {html}");
        let wrong = json!({ format!("{name}_2_1"): "0" });
        if !answer.is_array() {
            problem.grade(wrong.as_object().unwrap(), 1).unwrap();
            assert_eq!(problem.score(), 0.0, "{name}");
        }
        let right = json!({ format!("{name}_2_1"): answer });
        problem.grade(right.as_object().unwrap(), 2).unwrap();
        assert_eq!(problem.score(), problem.max_score(), "{name}");
        problem.get_html().unwrap();
    }
}
