//! Accounts, sessions and tokens on both engines: SQLite always, MySQL or MariaDB where `STOA_TEST_MYSQL_URL` names
//! one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly too"
)]

mod accounts;
mod engines;
mod login;
mod oauth;
mod recorded;
mod registration;
mod requests;
mod retirement;
mod third_party;
