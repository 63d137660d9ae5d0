//! Routers, handlers and templates of the LMS.

pub mod pages;
