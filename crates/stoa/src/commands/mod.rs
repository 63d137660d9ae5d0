//! One module a command.

pub mod config;
pub mod course;
pub mod demo;
pub mod doctor;
pub mod migrate;
pub mod serve;
pub mod user;

/// Writes a line to standard output: what the command was asked for.
#[expect(
    clippy::print_stdout,
    reason = "the one place that answers on standard output"
)]
pub fn print(text: &str) {
    println!("{text}");
}

/// Writes a line to standard error: what the person at the terminal should know.
#[expect(
    clippy::print_stderr,
    reason = "the one place that speaks on standard error"
)]
pub fn complain(text: &str) {
    eprintln!("{text}");
}
