//! The progress page (courseware.md §15.8).

use std::collections::HashMap;

use db::Db;
use grading::round_away_from_zero;
use modulestore::ModuleStore;
use serde_json::{Value, json};

use super::grades::{self, CourseScores, SubsectionScores};
use super::outline::OutlineTree;
use super::{Facts, Links, certificates, upgrade};
use crate::Result;
use crate::blocks_api::Allowed;
use crate::catalog::rest_date;
use crate::view::CourseView;

/// `null` where it is empty.
fn letter(grade: &grading::CourseGrade) -> Value {
    grade.letter_grade.clone().map_or(Value::Null, Value::from)
}

fn subsection(
    view: &CourseView,
    tree: &OutlineTree<'_>,
    one: &SubsectionScores<'_>,
    to_staff: bool,
    links: &Links<'_>,
) -> Value {
    let block = one.block;
    let closes = if view.course.course().flag("self_paced") {
        view.facts.end
    } else {
        view.date(block, "due")
    };
    let hidden = !to_staff && block.flag("hide_after_due") && grades::is_past(closes, view.now);
    let problems: Vec<Value> = one
        .problems
        .iter()
        .map(|score| json!({"earned": score.earned, "possible": score.possible}))
        .collect();
    let given = one
        .given
        .as_ref()
        .map(|row| json!({"system": row.system, "reason": row.override_reason}));
    json!({
        "assignment_type": block.field("format"),
        "block_key": block.usage_key().to_string(),
        "display_name": block.display_name(),
        "has_graded_assignment": block.flag("graded"),
        "override": given,
        "learner_has_access": !tree.is_gated(block.idx()),
        "num_points_earned": one.all.0,
        "num_points_possible": one.all.1,
        "percent_graded": one.percent(),
        "problem_scores": problems,
        "show_correctness": block.field("show_correctness"),
        "show_grades": one.is_shown(view, to_staff),
        "url": (!hidden).then(|| links.jump_to(block.usage_key())),
    })
}

/// A bucket of one assignment type.
#[derive(Default)]
struct Bucket {
    scores: Vec<f64>,
    shown: usize,
    hidden: usize,
    last_due: Option<chrono::DateTime<chrono::Utc>>,
}

/// `assignment_type_grade_summary` and `final_grades` (courseware.md §15.8, [MFE+]).
fn summary(view: &CourseView, scores: &CourseScores<'_>, to_staff: bool) -> (Vec<Value>, f64) {
    let mut buckets: HashMap<&str, Bucket> = HashMap::new();
    for one in scores.subsections() {
        let format = one.block.text("format").unwrap_or_default();
        if !one.block.flag("graded") || format.is_empty() {
            continue;
        }
        let bucket = buckets.entry(format).or_default();
        if one.block.text("show_correctness") == Some("past_due") {
            bucket.last_due = bucket.last_due.max(view.date(one.block, "due"));
        }
        if one.is_shown(view, to_staff) {
            let (earned, possible) = one.graded;
            bucket.shown += 1;
            bucket.scores.push(if possible > 0.0 {
                earned / possible
            } else {
                0.0
            });
        } else {
            bucket.hidden += 1;
        }
    }
    let mut rows = Vec::new();
    let mut total = 0.0;
    for grader in &scores.policy.graders {
        let mut bucket = buckets
            .remove(grader.assignment_type.as_str())
            .unwrap_or_default();
        let average = average(&mut bucket.scores, grader.min_count, grader.drop_count);
        let weighted = average * grader.weight;
        total += weighted;
        let hidden = match (bucket.hidden, bucket.shown) {
            (0, _) => "none",
            (_, 0) => "all",
            _ => "some",
        };
        let row = json!({
            "type": grader.assignment_type,
            "weight": grader.weight,
            "short_label": grader.short_label,
            "num_droppable": grader.drop_count,
            "average_grade": round_away_from_zero(average, 4),
            "weighted_grade": round_away_from_zero(weighted, 4),
            "last_grade_publish_date": rest_date(bucket.last_due.unwrap_or(view.now)),
            "has_hidden_contribution": hidden,
        });
        rows.push((grader.weight, row));
    }
    rows.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    (rows, round_away_from_zero(total, 4))
}

/// Average of scores, filled up with zeros to `min_count`, without the lowest `drop_count`.
fn average(scores: &mut Vec<f64>, min_count: i64, drop_count: i64) -> f64 {
    /// More places than any policy has; beyond them zeros are only counted.
    const MOST: usize = 10_000;
    let wanted = usize::try_from(min_count).unwrap_or_default().min(MOST);
    if scores.len() < wanted {
        scores.resize(wanted, 0.0);
    }
    scores.sort_by(|one, other| other.total_cmp(one));
    let dropped = usize::try_from(drop_count).unwrap_or_default();
    scores.truncate(scores.len().saturating_sub(dropped));
    if scores.is_empty() {
        return 0.0;
    }
    scores.iter().sum::<f64>() / scores.len() as f64
}

fn policy(raw: &Value) -> Value {
    let graders = raw.get("GRADER").and_then(Value::as_array);
    let policies: Vec<Value> = graders
        .into_iter()
        .flatten()
        .map(|grader| {
            let number = |name: &str| grader.get(name).cloned().unwrap_or_else(|| 0.into());
            json!({
                "num_droppable": number("drop_count"),
                "num_total": grader.get("min_count").and_then(Value::as_f64).unwrap_or_default(),
                "short_label": grader.get("short_label").and_then(Value::as_str).unwrap_or_default(),
                "type": grader.get("type"),
                "weight": grader.get("weight").and_then(Value::as_f64).unwrap_or_default(),
            })
        })
        .collect();
    json!({"assignment_policies": policies, "grade_range": raw.get("GRADE_CUTOFFS")})
}

/// The answer of `GET /api/course_home/progress/C`. `to_staff`: whether who asks sees what learners do not.
pub async fn progress(
    db: &Db,
    store: &ModuleStore,
    allowed: Allowed<'_>,
    facts: &Facts,
    to_staff: bool,
    links: &Links<'_>,
) -> Result<Value> {
    let view = allowed.view();
    let scores = CourseScores::load(db, store, allowed).await?;
    let tree = OutlineTree::load_all(db, store, allowed).await?;
    let (complete, incomplete, locked) = tree.summary();
    let shown = scores.course_grade(|one| one.is_shown(view, to_staff));
    let whole = scores.course_grade(|_| true);
    let passed = whole.passed.unwrap_or_default();
    let sections: Vec<Value> = scores
        .sections
        .iter()
        .map(|(section, subsections)| {
            let subsections: Vec<Value> = subsections
                .iter()
                .map(|one| subsection(view, &tree, one, to_staff, links))
                .collect();
            json!({"display_name": section.display_name(), "subsections": subsections})
        })
        .collect();
    let (types, total) = summary(view, &scores, to_staff);
    let root = view.course.course();
    Ok(json!({
        "verified_mode": upgrade::verified_mode(view, facts),
        "access_expiration": upgrade::access_expiration(view, facts),
        "certificate_data": certificates::cert_data(view, facts, passed),
        "completion_summary": {
            "complete_count": complete,
            "incomplete_count": incomplete,
            "locked_count": locked,
        },
        "course_grade": {
            "letter_grade": letter(&shown),
            "percent": shown.percent,
            "is_passing": shown.passed.unwrap_or_default(),
        },
        "credit_course_requirements": null,
        "end": view.facts.end.map(rest_date),
        "enrollment_mode": view.learner.enrollment.as_ref().map(|place| place.mode.as_str()),
        "grading_policy": policy(&scores.raw_policy),
        "has_scheduled_content": tree.has_scheduled_content(),
        "section_scores": sections,
        "studio_url": (!links.studio_host.is_empty())
            .then(|| format!("//{}/settings/grading/{}", links.studio_host, view.facts.key)),
        "username": view.learner.viewer.username,
        "user_has_passing_grade": passed,
        "verification_data": {
            "link": null,
            "status": facts.verification_status(view.now),
            "status_date": null,
        },
        "disable_progress_graph": root.flag("disable_progress_graph"),
        "assignment_type_grade_summary": types,
        "final_grades": total,
    }))
}

#[cfg(test)]
mod tests {
    use super::average;

    /// courseware.md §17, check 61.
    #[test]
    fn averages() {
        assert_eq!(average(&mut vec![0.5, 1.0], 3, 0), 0.5);
        assert_eq!(average(&mut vec![0.5, 1.0], 3, 1), 0.75);
        assert_eq!(average(&mut vec![], 0, 2), 0.0);
        assert_eq!(average(&mut vec![1.0], -1, -5), 1.0);
    }
}
