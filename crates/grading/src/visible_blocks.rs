//! The record of the blocks that a subsection grade was taken over (async-and-events.md §8.3).

use crate::policy::hash_text;
use crate::python;

/// One scored block.
#[derive(Debug, Clone, PartialEq)]
pub struct VisibleBlock {
    /// Its usage key.
    pub locator: String,
    /// Its weight, if set.
    pub weight: Option<f64>,
    /// Raw points possible; none for scores out of submissions.
    pub raw_possible: Option<f64>,
    /// Whether it counts.
    pub graded: bool,
}

/// The blocks of a subsection as they are stored once for all learners who see the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleBlocks {
    /// `blocks_json` of the row.
    pub blocks_json: String,
    /// `hashed` of the row.
    pub hashed: String,
}

impl VisibleBlocks {
    /// The row of these blocks (in post-order, each once) of a course.
    #[must_use]
    pub fn new(course_key: &str, blocks: &[VisibleBlock]) -> Self {
        let blocks: Vec<serde_json::Value> = blocks
            .iter()
            .map(|block| {
                serde_json::json!({
                    "graded": block.graded,
                    "locator": block.locator,
                    "raw_possible": block.raw_possible,
                    "weight": block.weight,
                })
            })
            .collect();
        let blocks_json = python::sorted_json(
            &serde_json::json!({"blocks": blocks, "course_key": course_key, "version": 1}),
        );
        Self {
            hashed: hash_text(&blocks_json),
            blocks_json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: &str = "course-v1:OpenedX+DemoX+DemoCourse";

    /// The two hashes that async-and-events.md §8.3 states.
    #[test]
    fn hashes_of_the_contract() {
        assert_eq!(
            VisibleBlocks::new(COURSE, &[]).hashed,
            "5nNDueX5igrbxBNqKa1e9QESnnE="
        );
        let block = VisibleBlock {
            locator: "block-v1:OpenedX+DemoX+DemoCourse+type@problem+block@\
                      b20c43dfbd874a729762ab44a1dfc282"
                .to_owned(),
            weight: None,
            raw_possible: Some(1.0),
            graded: true,
        };
        let one = VisibleBlocks::new(COURSE, &[block]);
        assert_eq!(one.hashed, "p1a7lje92I45dMO/wO3GA1eDKlg=");
        assert!(
            one.blocks_json
                .contains("\"raw_possible\":1.0,\"weight\":null")
        );
    }
}
