//! Access, block rendering, handlers and learner state.
