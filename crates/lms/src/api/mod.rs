//! REST views of the LMS.

pub mod blocks;
pub mod bookmarks;
pub mod completion;
pub mod course_home;
pub mod courses;
pub mod courseware;
pub mod data;
pub mod learning_sequences;
pub mod mfe_config;
pub mod opened;
pub mod params;
pub mod throttle;
