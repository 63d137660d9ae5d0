//! `stoa demo`: a site with a course and people, set up once, then run.

use std::time::Instant;

use identity::NewUser;
use opaque_keys::CourseKey;
use rust_embed::RustEmbed;

use crate::app::App;
use crate::commands::{course, serve, user};
use crate::config::Config;

/// The demo course, written for this project, as OLX.
#[derive(RustEmbed)]
#[folder = "../../courses/demo"]
struct DemoCourse;

/// The people of the demo: name, and what they may.
const PEOPLE: &[(&str, Part)] = &[
    ("staff", Part::Staff),
    ("author", Part::Author),
    ("ada", Part::Learner),
    ("ben", Part::Learner),
    ("chi", Part::Learner),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Global staff.
    Staff,
    /// Instructor of the course.
    Author,
    /// Enrolled in the course.
    Learner,
}

/// Password of everybody in the demo: it listens on this machine alone unless told otherwise.
const PASSWORD: &str = "stoa-demo";

/// Sets up what is missing, prints where to go and how to sign in, and serves.
pub async fn demo(config: Config) -> anyhow::Result<()> {
    let begun = Instant::now();
    let app = App::open(&config).await?;
    let key = set_up(&app).await?;
    let (lms, studio) = (config.lms_address(), config.studio_address());
    let mut lines = vec![
        String::new(),
        format!("Learners   {lms}/"),
        format!("Course     {lms}/learning/course/{key}/home"),
        format!("Authors    {studio}/"),
        String::new(),
        format!("Sign in with one of these e-mail addresses and the password {PASSWORD}:"),
    ];
    for (name, part) in PEOPLE {
        let part = match part {
            Part::Staff => "staff: sees everything",
            Part::Author => "author of the demo course",
            Part::Learner => "learner",
        };
        lines.push(format!("  {:24} {part}", email(name)));
    }
    lines.push(String::new());
    lines.push(format!(
        "Data in {}. Stop with Ctrl-C.",
        config.data_dir.display()
    ));
    let ready = move || {
        lines.push(format!(
            "Ready after {:.1} s.",
            begun.elapsed().as_secs_f64()
        ));
        super::print(&lines.join("\n"));
    };
    serve::serve_app(app, ready).await
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// Imports the course and creates the people where they are missing.
async fn set_up(app: &App) -> anyhow::Result<CourseKey> {
    let folder = tempfile::tempdir()?;
    for path in DemoCourse::iter() {
        let Some(file) = DemoCourse::get(&path).filter(|_| path != "README.md") else {
            continue;
        };
        let place = folder.path().join(path.as_ref());
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(place, file.data)?;
    }
    let files = olx::read_folder(folder.path(), &olx::Limits::default())?;
    let key = authoring::target_key(&files)?;
    if app.store.course_index(&key).await?.is_none() {
        course::import(app, folder.path(), Some(key.clone()), true).await?;
    }
    let identity = app.identity()?;
    for (name, part) in PEOPLE {
        if records::users::by_username(&app.db, name).await?.is_some() {
            continue;
        }
        let new = NewUser {
            username: (*name).to_owned(),
            email: email(name),
            password: Some(PASSWORD.to_owned()),
            name: (*name).to_owned(),
            is_active: true,
            is_staff: *part == Part::Staff,
            ..NewUser::default()
        };
        user::create(&identity, &new).await?;
        match part {
            Part::Staff => {}
            Part::Author => user::grant(app, name, &key, "instructor").await?,
            Part::Learner => user::enroll_in(app, name, &key, "audit").await?,
        }
    }
    Ok(key)
}
