//! Enrollment on both engines: SQLite always, MySQL or MariaDB where `STOA_TEST_MYSQL_URL` names one.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

mod api;
mod engines;
mod rows;
