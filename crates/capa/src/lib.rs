//! The problem engine.
