//! Enrollment of learners in course runs.
