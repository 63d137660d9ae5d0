//! Tidying of messages.
