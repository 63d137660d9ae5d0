//! Accounts, sessions and roles.
