//! One suite for both engines: SQLite always, MySQL or MariaDB where `STOA_TEST_MYSQL_URL` names
//! one (an address without a schema). The suite makes one schema and keeps its rows apart by key.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

mod courses;
mod engines;
mod learners;
mod migrations;
mod people;
mod text;
mod versions;
