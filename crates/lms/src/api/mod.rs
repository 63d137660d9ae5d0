//! REST views of the LMS.

pub mod blocks;
pub mod courses;
pub mod params;
pub mod throttle;
