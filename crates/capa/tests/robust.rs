//! No input makes the engine panic: arbitrary XML, answers and states (contract §2, §3).

use capa::{Environment, Problem, ProblemState};
use proptest::prelude::*;
use serde_json::{Value, json};

const PROBLEMS: [&str; 12] = [
    "<problem><multiplechoiceresponse partial_credit=\"points\"><choicegroup shuffle=\"true\"><choice correct=\"true\">a<choicehint>h</choicehint></choice><choice correct=\"partial\">b</choice></choicegroup></multiplechoiceresponse></problem>",
    "<problem><truefalseresponse><choicegroup answer-pool=\"2\"><choice correct=\"true\">a</choice><choice correct=\"false\">b</choice></choicegroup></truefalseresponse></problem>",
    "<problem><choiceresponse partial_credit=\"edc\"><checkboxgroup><choice correct=\"true\">a<choicehint selected=\"true\">x</choicehint></choice><choice correct=\"false\">b</choice><compoundhint value=\"A B\">c</compoundhint></checkboxgroup></choiceresponse></problem>",
    "<problem><optionresponse><optioninput><option correct=\"true\">a<optionhint>h</optionhint></option><option correct=\"false\">b</option></optioninput></optionresponse></problem>",
    "<problem><stringresponse answer=\"a+\" type=\"ci regexp\"><additional_answer answer=\"b\"/><stringequalhint answer=\"c\">x</stringequalhint><textline/></stringresponse></problem>",
    "<problem><numericalresponse answer=\"4\" partial_credit=\"list,close\"><responseparam type=\"tolerance\" default=\"5%\" partial_answers=\"7,8\"/><formulaequationinput/></numericalresponse></problem>",
    "<problem><numericalresponse answer=\"[1,3)\" partial_credit=\"close\"><textline math=\"1\"/></numericalresponse></problem>",
    "<problem><formularesponse answer=\"x^2\" samples=\"x@1:5#3\" type=\"cs\"><textline/><hintgroup><formulahint answer=\"x\" samples=\"x@1:5#3\" name=\"n\"/><hintpart on=\"n\"><text>t</text></hintpart></hintgroup></formularesponse></problem>",
    "<problem><imageresponse><imageinput src=\"/s.png\" width=\"10\" height=\"10\" rectangle=\"(1,1)-(3,3)\" regions=\"[[1,1],[5,1],[1,5]]\"/></imageresponse></problem>",
    "<problem><annotationresponse><annotationinput><options><option choice=\"correct\">a</option></options></annotationinput></annotationresponse></problem>",
    "<problem><choicetextresponse><radiotextgroup><choice correct=\"true\">x <numtolerance_input answer=\"1\"/></choice><choice correct=\"false\">y <decoy_input/></choice></radiotextgroup></choicetextresponse></problem>",
    "<problem><coderesponse><textbox/><codeparam/></coderesponse><customresponse><jsinput html_file=\"x\"/></customresponse></problem>",
];

fn anything() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        "[-+0-9.e*/^()a-z%|,\\[\\] ]{0,12}",
        "choice_[0-3]",
        "\\[[0-9]{1,3},[0-9]{1,3}\\]",
        Just("{\"options\": [0], \"comment\": \"c\"}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            (
                "(p_2_1_choiceinput_0bc|p_2_1_choiceinput_0_numtolerance_input_0|key)",
                inner
            )
                .prop_map(|(key, value)| json!({ key: value })),
        ]
    })
}

fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<choicegroup>",
            "</choicegroup>",
            "<choice correct=\"true\">",
            "</choice>",
            "<multiplechoiceresponse>",
            "</multiplechoiceresponse>",
            "<optioninput options=\"('a')\"/>",
            "<textline/>",
            "<stringresponse answer=\"a\">",
            "</stringresponse>",
            "<label>",
            "</label>",
            "<!-- c -->",
            "<?pi x?>",
            "&amp;",
            "&nbsp;",
            "<math>$x$</math>",
            "<solution>",
            "</solution>",
            "<clarification>",
            "</clarification>",
            "<script>",
            "</script>",
            "<![CDATA[",
            "]]>",
            "$seed",
            "<x:y xmlns:x=\"u\" x:z=\"1\"/>",
            "<demandhint><hint>",
            "</hint></demandhint>",
            "<hintgroup/>",
            "<targetedfeedbackset>",
            "</targetedfeedbackset>",
            "<description>",
            "</description>",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    // §3: marking, and showing what was marked
    #[test]
    fn marking_never_panics(which in 0..PROBLEMS.len(), answer in anything(), seed in any::<i64>()) {
        let env = Environment::default();
        let state = ProblemState::default();
        let mut problem = Problem::new(PROBLEMS[which], "p", &state, seed, &env).expect("loads");
        let answers = json!({"p_2_1": answer, "p_3_1": "x"});
        let answers = answers.as_object().cloned().expect("object");
        let _ = problem.grade(&answers, 1);
        problem.set_done(true);
        let _ = problem.get_html();
        let _ = problem.report();
        let _ = problem.submission(&answers, problem.correct_map(), &json!(1));
        // A state is readable after any answer, whether or not it can be shown.
        let state = ProblemState::from_json(&problem.state());
        let _ = Problem::new(PROBLEMS[which], "p", &state, 1, &env);
    }

    // §2: loading
    #[test]
    fn loading_never_panics(inside in markup()) {
        let env = Environment::default();
        for text in [format!("<problem>{inside}</problem>"), inside] {
            let _ = capa::max_score(&text, &|_| None);
            if let Ok(mut problem) = Problem::new(&text, "p", &ProblemState::default(), 1, &env) {
                let html = problem.get_html();
                prop_assert!(html.is_ok() || text.contains("targeted"));
                let _ = problem.question_answers();
                let _ = problem.demand_hint(3);
            }
        }
    }

    // §1: any stored state
    #[test]
    fn states_never_panic(which in 0..PROBLEMS.len(), answer in anything(), entry in anything()) {
        let state = ProblemState::from_json(&json!({
            "seed": 1, "student_answers": {"p_2_1": answer}, "correct_map": {"p_2_1": entry}, "done": true,
        }));
        let env = Environment::default();
        if let Ok(mut problem) = Problem::new(PROBLEMS[which], "p", &state, 1, &env) {
            let _ = problem.get_html();
            let _ = problem.score();
        }
    }
}

// §2.2: depth and size are bounded
#[test]
fn deep_and_large_problems_are_refused() {
    let deep = format!(
        "<problem>{}{}</problem>",
        "<p>".repeat(5000),
        "</p>".repeat(5000)
    );
    let env = Environment::default();
    assert!(Problem::new(&deep, "p", &ProblemState::default(), 1, &env).is_err());
    // As deep as can be, and again by an included file.
    let nested = |inside: &str| {
        format!(
            "<problem>{}{inside}{}</problem>",
            "<p>".repeat(250),
            "</p>".repeat(250)
        )
    };
    let files = |_: &str| {
        Some(nested(
            "<numericalresponse answer=\"1\"><textline/></numericalresponse>",
        ))
    };
    let reading = Environment {
        files: &files,
        ..Environment::default()
    };
    let mut deepest = Problem::new(
        &nested("<include file=\"x\"/>"),
        "p",
        &ProblemState::default(),
        1,
        &reading,
    )
    .expect("loads");
    assert!(deepest.get_html().expect("renders").contains("input_p_2_1"));
    let large = format!("<problem>{}</problem>", "x".repeat(11_000_000));
    assert!(Problem::new(&large, "p", &ProblemState::default(), 1, &env).is_err());
}
