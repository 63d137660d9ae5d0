//! Formula and chemistry expressions.
