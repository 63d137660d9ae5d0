//! `stoa user …` and `stoa enroll`.

use anyhow::Context;
use chrono::Utc;
use clap::Subcommand;
use identity::{Identity, NewUser};
use opaque_keys::CourseKey;

use crate::app::App;
use crate::config::Config;

/// What can be done with accounts.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Creates an account, active at once.
    Create {
        /// Username.
        name: String,
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// Password.
        #[arg(long)]
        password: String,
        /// May see and do what global staff may.
        #[arg(long)]
        staff: bool,
        /// May do everything.
        #[arg(long)]
        superuser: bool,
    },
}

/// Runs a command.
pub async fn run(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    let identity = app.identity()?;
    match command {
        UserCommand::Create {
            name,
            email,
            password,
            staff,
            superuser,
        } => {
            let new = NewUser {
                username: name.clone(),
                email,
                password: Some(password),
                name: name.clone(),
                is_active: true,
                is_staff: staff || superuser,
                is_superuser: superuser,
                ..NewUser::default()
            };
            create(&identity, &new).await?;
            super::print(&format!("{name}: created"));
        }
    }
    app.close().await;
    Ok(())
}

/// Creates an account after the checks that registration makes.
pub async fn create(identity: &Identity, new: &NewUser) -> anyhow::Result<()> {
    identity
        .create_user(new, Utc::now())
        .await
        .with_context(|| format!("{} was not created", new.username))?;
    Ok(())
}

/// Enrolls a user by name in a course.
pub async fn enroll(config: &Config, user: &str, course: &str, mode: &str) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    enroll_in(&app, user, &CourseKey::parse(course)?, mode).await?;
    super::print(&format!("{user}: enrolled in {course} ({mode})"));
    app.close().await;
    Ok(())
}

/// Enrolls a user by name; done again it changes nothing.
pub async fn enroll_in(
    app: &App,
    user: &str,
    course: &CourseKey,
    mode: &str,
) -> anyhow::Result<()> {
    let row = records::users::by_username(&app.db, user)
        .await?
        .with_context(|| format!("there is no user {user}"))?;
    if app.store.course_index(course).await?.is_none() {
        anyhow::bail!("there is no course {course}");
    }
    let author = records::history::Author::nobody(Utc::now().naive_utc());
    enrollment::enroll(
        &app.db,
        &row,
        course,
        mode,
        enrollment::Access::Unchecked,
        &author,
    )
    .await?;
    Ok(())
}

/// Gives a user a role in a course; done again it changes nothing.
pub async fn grant(app: &App, user: &str, course: &CourseKey, role: &str) -> anyhow::Result<()> {
    let row = records::users::by_username(&app.db, user)
        .await?
        .with_context(|| format!("there is no user {user}"))?;
    let (org, key) = (course.org(), course.to_string());
    let (org, key) = (org, &key);
    app.db
        .write(|mut tx| async move { records::roles::add(&mut tx, row.id, org, key, role).await })
        .await?;
    Ok(())
}
