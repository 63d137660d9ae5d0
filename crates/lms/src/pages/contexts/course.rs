//! What every page of one course shows around its content.

use serde::Serialize;

/// How far a thing is: a shape and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Nothing of it is complete.
    None,
    /// Something of it is complete.
    Part,
    /// All of it is complete.
    Done,
    /// It cannot be opened now.
    Locked,
}

impl Mark {
    /// The mark of a number of completed parts.
    #[must_use]
    pub fn of(done: usize, total: usize) -> Self {
        match done {
            0 => Self::None,
            done if done >= total => Self::Done,
            _ => Self::Part,
        }
    }
}

/// The bar with the course's name and pages.
#[derive(Debug, Clone, Serialize)]
pub struct CourseFrame {
    /// Course key.
    pub key: String,
    /// Display name.
    pub title: String,
    /// Organisation as shown.
    pub org: String,
    /// Number as shown.
    pub number: String,
    /// The course's own language (its `language` setting); authors' content is marked with it.
    pub language: Option<String>,
    /// Address of the outline.
    pub home_url: String,
    /// The course's pages.
    pub tabs: Vec<Tab>,
    /// For staff only.
    pub staff: Option<StaffBar>,
}

/// One page of a course.
#[derive(Debug, Clone, Serialize)]
pub struct Tab {
    /// Title; built-in ones are translated, authors' own are not.
    pub title: String,
    /// Whether the title is the platform's word and not the author's.
    pub is_builtin: bool,
    /// Address.
    pub url: String,
    /// Whether it is the page shown.
    pub is_current: bool,
}

/// What staff see above the content.
#[derive(Debug, Clone, Serialize)]
pub struct StaffBar {
    /// Where the thing shown can be edited.
    pub studio_url: Option<String>,
    /// Whose view is shown, if not one's own.
    pub viewing_as: Option<String>,
}

impl CourseFrame {
    /// The course of the samples.
    pub(crate) fn sample() -> Self {
        let key = "course-v1:HarbourX+TID101+2027_T1";
        let tab = |title: &str, path: &str, is_builtin| Tab {
            title: title.to_owned(),
            is_builtin,
            url: format!("/learning/course/{key}/{path}"),
            is_current: path == "home",
        };
        Self {
            key: key.to_owned(),
            title: "Introduction to Tides".to_owned(),
            org: "HarbourX".to_owned(),
            number: "TID101".to_owned(),
            language: Some("en".to_owned()),
            home_url: format!("/learning/course/{key}/home"),
            tabs: vec![
                tab("Course", "home", true),
                tab("Progress", "progress", true),
                tab("Dates", "dates", true),
                tab("Syllabus & <reading>", "syllabus", false),
            ],
            staff: None,
        }
    }

    /// The same course as its staff see it.
    pub(crate) fn staff_sample() -> Self {
        Self {
            staff: Some(StaffBar {
                studio_url: Some("http://localhost:8001/container/x".to_owned()),
                viewing_as: Some("amara".to_owned()),
            }),
            ..Self::sample()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn marks_of_counts() {
        assert_eq!(Mark::of(0, 0), Mark::None);
        assert_eq!(Mark::of(1, 3), Mark::Part);
        assert_eq!(Mark::of(3, 3), Mark::Done);
    }
}
