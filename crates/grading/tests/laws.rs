//! Laws of the grading arithmetic (contract async-and-events.md §8.2, §15).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its input has failed"
)]

use grading::{
    GradingPolicy, Subsection, course_percent, grade_course, merge_policy, policy_hash, studio,
    subsection_percent, weighted_score,
};
use proptest::prelude::*;
use serde_json::json;

fn policy(min: i64, drop: i64, weight: f64) -> GradingPolicy {
    GradingPolicy::parse(&json!({
        "GRADER": [{"type": "HW", "min_count": min, "drop_count": drop, "weight": weight}],
        "GRADE_CUTOFFS": {"B": 0.5, "A": 0.9},
    }))
    .unwrap()
}

fn graded(scores: &[(u32, u32)]) -> Vec<Subsection<'static>> {
    scores
        .iter()
        .map(|(earned, possible)| Subsection {
            format: "HW",
            graded: true,
            display_name: "Week",
            earned: f64::from(*earned.min(possible)),
            possible: f64::from(*possible),
        })
        .collect()
}

proptest! {
    /// A grade stays between nothing and everything, and so does each entry.
    #[test]
    fn grades_are_bounded(
        scores in prop::collection::vec((0_u32..20, 0_u32..20), 0..12), min in 0_i64..14, drop in 0_i64..14,
    ) {
        let grade = grade_course(&policy(min, drop, 1.0), &graded(&scores));
        prop_assert!((0.0..=1.0).contains(&grade.percent));
        prop_assert!(grade.section_breakdown.iter().all(|s| (0.0..=1.0).contains(&s.percent)));
    }

    /// Dropping more of the lowest never lowers the grade, while some stay.
    #[test]
    fn drops_never_hurt(
        scores in prop::collection::vec((0_u32..20, 1_u32..20), 2..12), min in 0_i64..14, drop in 0_i64..12,
    ) {
        let kept = (scores.len() as i64).max(min) - drop;
        prop_assume!(kept > 1);
        let at = |drop| grade_course(&policy(min, drop, 1.0), &graded(&scores)).unrounded_percent;
        prop_assert!(at(drop + 1) >= at(drop) - 1e-12);
    }

    /// The marks are as many as are dropped, and mark the lowest.
    #[test]
    fn marks_are_the_lowest(
        scores in prop::collection::vec((0_u32..20, 1_u32..20), 2..12), drop in 0_i64..12,
    ) {
        let entries = grade_course(&policy(0, drop, 1.0), &graded(&scores)).section_breakdown;
        let entries: Vec<_> = entries.into_iter().filter(|entry| !entry.prominent).collect();
        let marked = entries.iter().filter(|entry| entry.mark.is_some());
        prop_assert_eq!(marked.clone().count() as i64, drop.min(scores.len() as i64));
        let highest = marked.map(|entry| entry.percent).fold(0.0, f64::max);
        prop_assert!(entries.iter().filter(|e| e.mark.is_none()).all(|e| e.percent >= highest));
    }

    /// Rounding is idempotent and moves by at most half a percent and the 0.05 on top.
    #[test]
    fn rounding_is_idempotent(percent in 0.0..1.0_f64) {
        let once = course_percent(percent);
        prop_assert_eq!(course_percent(once), once);
        prop_assert!((once - percent).abs() <= 0.005_51);
    }

    /// Weights scale a score and keep its ratio.
    #[test]
    fn weights_keep_ratios(earned in 0.0..50.0_f64, possible in 0.5..50.0_f64, weight in 0.1..50.0_f64) {
        let (scaled, total) = weighted_score(Some(earned), possible, Some(weight)).unwrap();
        let ratio = scaled.unwrap() / total;
        prop_assert!((ratio - earned / possible).abs() < 1e-9);
        prop_assert!((subsection_percent(earned, possible) - earned / possible).abs() <= 5.1e-5);
    }

    /// What Studio's form shows reads back as what was stored.
    #[test]
    fn forms_read_back(min in 0_i64..20, drop in 0_i64..20, weight in 0_u32..=100) {
        let stored = json!({
            "GRADER": [{"type": "HW", "min_count": min, "drop_count": drop, "short_label": "H",
                        "weight": f64::from(weight) / 100.0}],
            "GRADE_CUTOFFS": {"Pass": 0.5},
        });
        let form = serde_json::Value::Object(studio::policy_form(&stored).unwrap());
        let back = studio::policy_from_form(&form).unwrap();
        let shares = [&stored, &back].map(|p| p["GRADER"][0]["weight"].as_f64().unwrap());
        prop_assert!((shares[0] - shares[1]).abs() < 1e-12);
        prop_assert_eq!(&back["GRADER"][0]["min_count"], &stored["GRADER"][0]["min_count"]);
        prop_assert_eq!(&back["GRADE_CUTOFFS"], &stored["GRADE_CUTOFFS"]);
    }

    /// Grace periods read back to the second.
    #[test]
    fn grace_periods_read_back(seconds in 1_u64..10_000_000) {
        let form = studio::grace_period(Some(seconds));
        prop_assert_eq!(studio::grace_period_seconds(&form), Ok(Some(seconds)));
    }

    /// The hash does not see the order of keys.
    #[test]
    fn hashes_ignore_key_order(a in any::<f64>(), b in "\\PC{0,8}") {
        prop_assume!(a.is_finite());
        prop_assert_eq!(
            policy_hash(&json!({"GRADER": a, "GRADE_CUTOFFS": b})),
            policy_hash(&json!({"GRADE_CUTOFFS": b, "GRADER": a})));
    }
}

/// A huge `min_count` is cut, not allocated.
#[test]
fn hostile_counts_are_bounded() {
    let grade = grade_course(&policy(i64::MAX, i64::MAX, 1.0), &[]);
    assert!(grade.section_breakdown.len() <= 10_001);
    let grade = grade_course(&policy(i64::MIN, i64::MIN, 1.0), &graded(&[(1, 2)]));
    assert_eq!(grade.section_breakdown.len(), 1);
}

/// olx.md §15.19: without a policy a course has the platform's.
#[test]
fn defaults_fill_in() {
    let policy = GradingPolicy::parse(&json!({})).unwrap();
    assert_eq!(policy.graders.len(), 4);
    assert_eq!(policy.cutoffs.iter().collect::<Vec<_>>(), [("Pass", 0.5)]);
    assert!(merge_policy(&json!([]), &json!(null)).is_err());
}

/// async-and-events.md §15: what the reference cannot read is an error, not a guess.
#[test]
fn broken_policies_fail() {
    for grader in [
        json!({"min_count": 1, "drop_count": 0}),
        json!({"type": "HW", "drop_count": 0}),
        json!({"type": "HW", "min_count": "abc", "drop_count": 0}),
        json!({"type": "HW", "min_count": 1, "drop_count": "1"}),
        json!({"type": "HW", "min_count": 1, "drop_count": 0, "weight": "0.5"}),
        json!("HW"),
    ] {
        assert!(GradingPolicy::parse(&json!({"GRADER": [grader]})).is_err());
    }
    assert!(GradingPolicy::parse(&json!({"GRADE_CUTOFFS": {"A": "0.9"}})).is_err());
}
