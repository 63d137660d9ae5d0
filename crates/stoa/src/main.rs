//! The program: configuration, wiring and commands. Everything it does lives in the crates below it.

mod app;
mod commands;
mod config;
mod logs;
mod roles;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stoa: an Open edX installation in one program.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// Configuration file [default: $STOA_CONFIG, else stoa.toml here if there is one].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every role in this process.
    Serve,
    /// Sets up a site with a demo course and people, runs it and prints how to sign in.
    Demo,
    /// Creates the tables that are missing; leaves existing ones as they are.
    Migrate,
    /// Checks configuration, stores, python, clock and disk, and says what to do.
    Doctor,
    /// Shows the configuration in force.
    Config {
        /// Documents every setting instead.
        #[arg(long)]
        explain: bool,
    },
    /// Accounts.
    #[command(subcommand)]
    User(commands::user::UserCommand),
    /// Enrolls a user in a course.
    Enroll {
        /// Name of the user.
        user: String,
        /// Key of the course.
        course: String,
        /// Enrollment mode.
        #[arg(long, default_value = "audit")]
        mode: String,
    },
    /// Courses: import, export, list, show, delete.
    #[command(subcommand)]
    Course(commands::course::CourseCommand),
}

/// The file named, or the one that stands in the working folder.
fn config_file(named: Option<PathBuf>) -> Option<PathBuf> {
    named
        .or_else(|| std::env::var_os("STOA_CONFIG").map(PathBuf::from))
        .or_else(|| Some(PathBuf::from("stoa.toml")).filter(|path| path.exists()))
}

fn run(cli: Cli) -> anyhow::Result<()> {
    if matches!(cli.command, Command::Config { explain: true }) {
        commands::print(&config::explain());
        return Ok(());
    }
    let variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = Config::load(config_file(cli.config).as_deref(), &variables)?;
    logs::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => commands::serve::serve(config).await,
            Command::Demo => commands::demo::demo(config).await,
            Command::Migrate => commands::migrate::migrate(&config).await,
            Command::Doctor => commands::doctor::doctor(&config).await,
            Command::Config { .. } => {
                commands::config::show(&config);
                Ok(())
            }
            Command::User(command) => commands::user::run(&config, command).await,
            Command::Enroll { user, course, mode } => {
                commands::user::enroll(&config, &user, &course, &mode).await
            }
            Command::Course(command) => commands::course::run(&config, command).await,
        }
    })
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::complain(&format!("stoa: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
