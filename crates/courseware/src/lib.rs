//! Access, block rendering, handlers and learner state.
//!
//! Everything starts from a [`CourseView`]: a version of a course as one person sees it now. What the person may see
//! is decided by [`access`] alone and handed on as proof values.

pub mod access;
pub mod blocks_api;
pub mod bookmarks;
pub mod catalog;
pub mod completion;
pub mod completion_api;
pub mod error;
pub mod handlers;
pub mod home;
pub mod index_dictionary;
pub mod languages;
pub mod learner;
pub mod links;
pub mod outline;
pub mod partitions;
pub mod random;
pub mod render;
pub mod resume;
pub mod runtime;
pub mod selection;
pub mod states;
pub mod unit;
pub mod updates;
pub mod view;

pub use error::{Error, Result};
pub use learner::Learner;
pub use runtime::{Runtime, RuntimeSettings};
pub use view::CourseView;
