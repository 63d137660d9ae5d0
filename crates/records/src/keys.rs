//! Keys as columns hold them: without branch and version (courseware.md §1.2).

use opaque_keys::{CourseKey, UsageKey};

/// Text of a course key for a column.
#[must_use]
pub fn course_text(key: &CourseKey) -> String {
    plain(key).map_or_else(|| key.to_string(), |plain| plain.to_string())
}

/// Text of a usage key for a column.
#[must_use]
pub fn usage_text(key: &UsageKey) -> String {
    plain(key.course_key())
        .and_then(|course| key.map_into_course(&course).ok())
        .map_or_else(|| key.to_string(), |plain| plain.to_string())
}

/// The key without branch and version, if it has any of them.
fn plain(key: &CourseKey) -> Option<CourseKey> {
    if key.branch().is_none() && key.version().is_none() {
        return None;
    }
    key.version_agnostic()
        .and_then(|key| key.for_branch(None))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_keys_without_branch_and_version() {
        let key = CourseKey::parse("course-v1:A+B+C+branch@draft-branch").unwrap();
        assert_eq!(course_text(&key), "course-v1:A+B+C");
        let usage = key.make_usage_key("problem", "p").unwrap();
        assert_eq!(usage_text(&usage), "block-v1:A+B+C+type@problem+block@p");
        let plain = CourseKey::parse("A/B/C").unwrap();
        assert_eq!(course_text(&plain), "A/B/C");
    }
}
