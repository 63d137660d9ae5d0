//! Unit `grading`.

use grading::{
    Error, GradeCutoffs, GradingPolicy, ProblemScore, Subsection, aggregate_scores, compare_scores,
    course_percent, grade_course, merge_policy, policy_hash, round_away_from_zero, studio,
    subsection_percent, weighted_score,
};
use serde_json::{Value, json};

use crate::Answer;

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    run(op, input).map_err(|error| error.to_string())
}

fn run(op: &str, input: &Value) -> Result<Value, Error> {
    let get = |key: &str| input.get(key).unwrap_or(&Value::Null);
    let optional = |key: &str| get(key).as_f64();
    let number = |key: &'static str| optional(key).ok_or(Error::Null(key));
    let list = |key: &str| get(key).as_array().cloned().unwrap_or_default();
    match op {
        "grade_course" => {
            let policy = GradingPolicy::parse(get("policy"))?;
            let subsections = list("subsections");
            let subsections: Vec<Subsection<'_>> = subsections
                .iter()
                .map(|subsection| {
                    let text = |key: &str| {
                        subsection
                            .get(key)
                            .and_then(Value::as_str)
                            .unwrap_or_default()
                    };
                    let points =
                        |key: &str| subsection.get(key).and_then(Value::as_f64).unwrap_or(0.0);
                    Subsection {
                        format: text("format"),
                        graded: subsection
                            .get("graded")
                            .and_then(Value::as_bool)
                            .unwrap_or(false),
                        display_name: text("display_name"),
                        earned: points("earned"),
                        possible: points("possible"),
                    }
                })
                .collect();
            let grade = grade_course(&policy, &subsections);
            let order: Vec<String> = grade.grade_breakdown.keys().cloned().collect();
            let mut out = serde_json::to_value(grade).unwrap_or_default();
            if let Some(out) = out.as_object_mut() {
                out.insert("grade_breakdown_order".to_owned(), json!(order));
            }
            Ok(out)
        }
        "course_percent" => Ok(json!(course_percent(number("percent")?))),
        "letter_grade" => {
            let cutoffs = GradeCutoffs::parse(get("cutoffs"))?;
            Ok(json!(cutoffs.letter_grade(number("percent")?)))
        }
        "passed" => {
            let cutoffs = GradeCutoffs::parse(get("cutoffs"))?;
            Ok(json!(cutoffs.passed(number("percent")?)))
        }
        "subsection_percent" => Ok(json!(subsection_percent(
            number("earned")?,
            number("possible")?
        ))),
        "weighted_score" => {
            let score = weighted_score(
                optional("raw_earned"),
                number("raw_possible")?,
                optional("weight"),
            )?;
            Ok(json!([score.0, score.1]))
        }
        "round_away_from_zero" => {
            let digits = get("digits").as_i64().unwrap_or(0) as i32;
            Ok(json!(round_away_from_zero(number("number")?, digits)))
        }
        "compare_scores" => {
            let (higher, first, second) = compare_scores(
                (number("earned1")?, number("possible1")?),
                (number("earned2")?, number("possible2")?),
                get("treat_undefined_as_zero").as_bool().unwrap_or(false),
            )?;
            Ok(json!([higher, first, second]))
        }
        "aggregate_scores" => {
            // Attempts are date-times, which these cases give as texts: the recording refused them.
            let scores = list("scores")
                .iter()
                .map(|score| {
                    let points = |key: &str| score.get(key).and_then(Value::as_f64).unwrap_or(0.0);
                    match score.get("first_attempted") {
                        None | Some(Value::Null) => Ok(ProblemScore::<i64> {
                            earned: points("earned"),
                            possible: points("possible"),
                            graded: score
                                .get("graded")
                                .and_then(Value::as_bool)
                                .unwrap_or(false),
                            first_attempted: None,
                        }),
                        Some(_) => Err(Error::Shape {
                            part: "first_attempted",
                            expected: "a date-time",
                        }),
                    }
                })
                .collect::<Result<Vec<_>, _>>()?;
            let (all, graded) = aggregate_scores(&scores);
            let form = |sum: &grading::AggregatedScore<i64>| {
                json!({
                    "earned": sum.earned,
                    "possible": sum.possible,
                    "graded": sum.graded,
                    "first_attempted": sum.first_attempted,
                })
            };
            Ok(json!({"all": form(&all), "graded": form(&graded)}))
        }
        "short_labels" => {
            let policy =
                GradingPolicy::parse(&json!({"GRADER": get("graders"), "GRADE_CUTOFFS": {}}))?;
            let mut labels = policy.short_labels();
            let labels: Vec<Option<String>> = list("types")
                .iter()
                .map(|kind| labels.next_label(kind.as_str().unwrap_or_default()))
                .collect();
            Ok(json!(labels))
        }
        "merge_policy" => merge_policy(get("current"), get("course_policy")),
        "policy_hash" => Ok(json!(policy_hash(get("policy")))),
        "studio_parse_grader" => studio::parse_grader(get("grader")),
        "studio_grader_json" => {
            studio::grader_json(get("index").as_u64().unwrap_or(0) as usize, get("grader"))
        }
        // The form takes durations, which these cases give as numbers: the recording refused them.
        "studio_grace_period" if get("seconds").is_null() => Ok(studio::grace_period(None)),
        _ => Err(Error::Shape {
            part: "the operation",
            expected: "a known one",
        }),
    }
}
