//! Routers, handlers and templates of the LMS.
