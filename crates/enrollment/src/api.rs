//! The enrollment API (contracts/lms-api.md §1.1 to §1.3).

use std::collections::HashMap;

use chrono::{Datelike, NaiveDateTime};
use db::{Db, params};
use opaque_keys::CourseKey;
use records::course_modes::{self, CourseMode};
use records::course_overviews::{self, CourseOverview};
use records::enrollment::{self as rows, CourseEnrollment, CourseEnrollmentAllowed};
use records::history::Author;
use records::users::{self, User};
use records::{cohorts, preferences};
use serde_json::{Value, json};

use crate::access::{Policy, is_course_staff};
use crate::details::{course_json, enrollment_json, rest_datetime};
use crate::write::{change_in, enroll_in, replace_attributes};
use crate::{Access, Change, EnrollError, Error, Result, modes};

/// Modes that learners may ask for themselves.
const OPEN_MODES: [&str; 2] = [modes::AUDIT, modes::HONOR];
/// The attribute that credit demands, as `namespace:name`.
const CREDIT_ATTRIBUTE: &str = "credit:provider_id";
/// Age from which mail may be agreed to.
const EMAIL_OPTIN_MINIMUM_AGE: i64 = 13;

/// An answer of the API; no body means an empty one without content type.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Option<Value>,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    const fn empty(status: u16) -> Self {
        Self { status, body: None }
    }

    fn message(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            body: Some(json!({ "message": text.into() })),
        }
    }
}

/// Who calls the API.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The authenticated user; none when only an API key speaks.
    pub user: Option<&'a User>,
    /// A valid X-Edx-Api-Key was sent.
    pub has_api_key: bool,
}

impl Caller<'_> {
    fn is_staff(&self) -> bool {
        self.user
            .is_some_and(|user| user.is_staff && user.is_active)
    }

    /// Global staff or API key.
    fn is_trusted(&self) -> bool {
        self.has_api_key || self.is_staff()
    }

    fn is(&self, username: &str) -> bool {
        self.user.is_some_and(|user| user.username == username)
    }
}

/// Course details of one course; none if it is unknown.
async fn details(
    db: &Db,
    course: &CourseKey,
    now: NaiveDateTime,
    include_expired: bool,
) -> Result<Option<(CourseOverview, Vec<CourseMode>, Value)>> {
    let Some(overview) = course_overviews::get(db, course).await? else {
        return Ok(None);
    };
    let mode_rows = course_modes::of_course(db, course).await?;
    let json = course_json(&overview, &mode_rows, now, include_expired);
    Ok(Some((overview, mode_rows, json)))
}

/// `GET enrollment/{user},{C}` and `GET enrollment/{C}`: 200 with the object, 200 empty without a row, 404 empty for
/// another's enrollment.
pub async fn get_one(
    db: &Db,
    caller: Caller<'_>,
    username: Option<&str>,
    course: &CourseKey,
    now: NaiveDateTime,
) -> Result<Answer> {
    let own = caller.user.map(|user| user.username.as_str());
    let Some(username) = username.or(own) else {
        return Ok(Answer::empty(404));
    };
    if !caller.is_trusted() && !caller.is(username) {
        return Ok(Answer::empty(404));
    }
    let Some(user) = users::by_username(db, username).await? else {
        return Ok(Answer::empty(200));
    };
    let Some(row) = rows::get(db, user.id, course).await? else {
        return Ok(Answer::empty(200));
    };
    Ok(match details(db, course, now, false).await? {
        Some((_, _, course_json)) => {
            Answer::ok(enrollment_json(&row, &user.username, &course_json))
        }
        None => Answer::empty(200),
    })
}

/// `GET enrollment[?user=]`: active enrollments, oldest first. Of another user staff sees all; anyone else those in
/// courses where the caller is staff.
pub async fn list(
    db: &Db,
    caller: Caller<'_>,
    username: Option<&str>,
    now: NaiveDateTime,
) -> Result<Answer> {
    let own = caller.user.map(|user| user.username.as_str());
    let Some(username) = username.or(own) else {
        return Ok(Answer::ok(json!([])));
    };
    let Some(user) = users::by_username(db, username).await? else {
        return Ok(Answer::ok(json!([])));
    };
    let mut found = rows::of_user(db, user.id).await?;
    found.retain(|row| row.is_active);
    if !caller.is_trusted() && !caller.is(username) {
        let mut kept = Vec::new();
        for row in found {
            if let (Some(viewer), Ok(course)) = (caller.user, CourseKey::parse(&row.course_id))
                && is_course_staff(db, viewer, &course).await?
            {
                kept.push(row);
            }
        }
        found = kept;
    }
    Ok(Answer::ok(
        objects(db, &found, &user.username, now).await?.into(),
    ))
}

/// Enrollment objects of one user, in three statements; rows without overview are left out.
pub async fn objects(
    db: &Db,
    found: &[CourseEnrollment],
    username: &str,
    now: NaiveDateTime,
) -> Result<Vec<Value>> {
    let ids: Vec<String> = found.iter().map(|row| row.course_id.clone()).collect();
    let overviews: HashMap<String, CourseOverview> = course_overviews::get_many(db, &ids)
        .await?
        .into_iter()
        .map(|overview| (overview.id.clone(), overview))
        .collect();
    let mut mode_rows: HashMap<String, Vec<CourseMode>> = HashMap::new();
    for mode in course_modes::of_courses(db, &ids).await? {
        mode_rows
            .entry(mode.course_id.clone())
            .or_default()
            .push(mode);
    }
    let none = Vec::new();
    Ok(found
        .iter()
        .filter_map(|row| {
            let overview = overviews.get(&row.course_id)?;
            let course_modes = mode_rows.get(&row.course_id).unwrap_or(&none);
            let course = course_json(overview, course_modes, now, false);
            Some(enrollment_json(row, username, &course))
        })
        .collect())
}

/// `GET course/{C}[?include_expired=1]`: for anyone.
pub async fn course_details(
    db: &Db,
    course: &CourseKey,
    include_expired: bool,
    now: NaiveDateTime,
) -> Result<Answer> {
    Ok(match details(db, course, now, include_expired).await? {
        Some((_, _, json)) => Answer::ok(json),
        None => Answer::message(400, format!("No course found for course ID '{course}'")),
    })
}

/// `GET roles/[?course_id=]`: the caller's own roles.
pub async fn own_roles(db: &Db, user: &User, course_id: Option<&str>) -> Result<Answer> {
    let found = records::roles::of_user(db, user.id).await?;
    let list: Vec<Value> = found
        .iter()
        .filter(|row| course_id.is_none_or(|id| row.course_id == id))
        .map(|row| json!({ "org": row.org, "course_id": row.course_id, "role": row.role }))
        .collect();
    Ok(Answer::ok(
        json!({ "roles": list, "is_staff": user.is_staff }),
    ))
}

/// What `POST enrollment` asks, checked as far as it can be without the database.
struct Wish<'a> {
    course: CourseKey,
    mode: Option<&'a str>,
    is_active: Option<bool>,
    force: bool,
    attributes: Vec<(String, String, String)>,
    cohort: Option<&'a str>,
    email_opt_in: Option<bool>,
}

/// `POST enrollment` (§1.3): the checks in their order, then update or creation.
pub async fn post(
    db: &Db,
    caller: Caller<'_>,
    body: &Value,
    policy: Policy,
    now: NaiveDateTime,
) -> Result<Answer> {
    let course_id = body
        .get("course_details")
        .and_then(|details| details.get("course_id"))
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty());
    let Some(course_id) = course_id else {
        return Ok(Answer::message(
            400,
            "Course ID must be specified to create a new enrollment.",
        ));
    };
    let no_course = || {
        Ok(Answer::message(
            400,
            format!("No course '{course_id}' found for enrollment"),
        ))
    };
    let Ok(course) = CourseKey::parse(course_id) else {
        return no_course();
    };
    let given = body
        .get("user")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let email = body
        .get("email")
        .and_then(Value::as_str)
        .filter(|email| !email.is_empty());
    let username = match (given, email) {
        (Some(name), _) => {
            if !caller.is(name) && !caller.is_trusted() {
                return Ok(Answer::empty(404));
            }
            name.to_owned()
        }
        (None, Some(email)) => {
            if !caller.is_trusted() {
                return Ok(Answer::empty(404));
            }
            match users::by_email(db, email).await? {
                Some(user) => user.username,
                None => {
                    return Ok(Answer::message(
                        406,
                        format!("The user with the email address {email} does not exist."),
                    ));
                }
            }
        }
        (None, None) => match caller.user {
            Some(user) => user.username.clone(),
            None => return Ok(Answer::message(406, "The user  does not exist.")),
        },
    };
    let mode = body.get("mode").and_then(Value::as_str);
    if let Some(mode) = mode
        && !OPEN_MODES.contains(&mode)
        && !caller.is_trusted()
    {
        return Ok(Answer::message(
            403,
            format!("User does not have permission to create enrollment with mode [{mode}]."),
        ));
    }
    let Some(user) = users::by_username(db, &username).await? else {
        return Ok(Answer::message(
            406,
            format!("The user {username} does not exist."),
        ));
    };
    let is_active = match flag(body, "is_active") {
        Ok(flag) => flag,
        Err(text) => {
            return Ok(Answer::message(
                400,
                format!("'{text}' is an invalid enrollment activation status."),
            ));
        }
    };
    let force = match flag(body, "force_enrollment") {
        Ok(flag) => flag.unwrap_or(false) && caller.is_staff(),
        Err(text) => {
            return Ok(Answer::message(
                400,
                format!("'{text}' is an invalid force enrollment status."),
            ));
        }
    };
    let attributes = match attributes(body) {
        Ok(attributes) => attributes,
        Err(answer) => return Ok(answer),
    };
    let wish = Wish {
        course,
        mode,
        is_active,
        force,
        attributes,
        cohort: body
            .get("cohort")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty()),
        email_opt_in: flag(body, "email_opt_in").unwrap_or(None),
    };
    let stored = rows::get(db, user.id, &wish.course).await?;
    let Some((_, mode_rows, _)) = details(db, &wish.course, now, false).await? else {
        return no_course();
    };
    let update = stored.filter(|row| {
        caller.is_trusted()
            && (wish.mode.is_some_and(|mode| mode != row.mode)
                || wish.is_active.is_some_and(|active| active != row.is_active))
    });
    let answer = match update {
        Some(row) => update_row(db, caller, &user, row, &wish, &mode_rows, now).await?,
        None => create_row(db, caller, &user, &wish, &mode_rows, policy, now).await?,
    };
    Ok(answer)
}

/// A boolean or null field; anything else is an error with the value's text.
fn flag(body: &Value, name: &str) -> std::result::Result<Option<bool>, String> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) => Err(text.clone()),
        Some(other) => Err(other.to_string()),
    }
}

fn attributes(body: &Value) -> std::result::Result<Vec<(String, String, String)>, Answer> {
    let Some(items) = body.get("enrollment_attributes").and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let field = |name: &str| match item.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let (Some(namespace), Some(name)) = (field("namespace"), field("name")) else {
            return Err(Answer::message(
                400,
                "'namespace' not in enrollment attribute",
            ));
        };
        let Some(value) = field("value") else {
            let text = "'value' not in enrollment attribute";
            return Err(Answer::message(400, text));
        };
        out.push((namespace, name, value));
    }
    Ok(out)
}

/// The refusal of a mode that the course does not offer, or none. Expired ones count when `include_expired`.
async fn mode_refusal(
    db: &Db,
    wish: &Wish<'_>,
    mode: &str,
    mode_rows: &[CourseMode],
    include_expired: bool,
    now: NaiveDateTime,
) -> Result<Option<Answer>> {
    let include_expired = include_expired || wish.is_active == Some(false);
    let id = records::keys::course_text(&wish.course);
    let offered = modes::offered(mode_rows, &id, now, include_expired, false);
    if offered.iter().any(|offer| offer.mode_slug == mode) {
        return Ok(None);
    }
    let course = details(db, &wish.course, now, include_expired).await?;
    let message = format!(
        "The [{mode}] course mode is expired or otherwise unavailable for course run [{}].",
        wish.course
    );
    Ok(Some(Answer {
        status: 400,
        body: Some(json!({
            "message": message,
            "course_details": course.map(|(_, _, json)| json),
        })),
    }))
}

async fn update_row(
    db: &Db,
    caller: Caller<'_>,
    user: &User,
    row: CourseEnrollment,
    wish: &Wish<'_>,
    mode_rows: &[CourseMode],
    now: NaiveDateTime,
) -> Result<Answer> {
    let mode_changed = wish.mode.is_some_and(|mode| mode != row.mode);
    let active_changed = wish.is_active.is_some_and(|active| active != row.is_active);
    if let Some(mode) = wish.mode {
        if mode_changed && active_changed && wish.is_active == Some(false) {
            return Ok(Answer::message(
                400,
                format!(
                    "Enrollment mode mismatch: active mode={}, requested mode={mode}. Won't deactivate.",
                    row.mode
                ),
            ));
        }
        let has_provider = wish
            .attributes
            .iter()
            .any(|(namespace, name, _)| format!("{namespace}:{name}") == CREDIT_ATTRIBUTE);
        if mode == modes::CREDIT && !wish.attributes.is_empty() && !has_provider {
            return Ok(Answer::message(
                400,
                format!(
                    "Missing enrollment attributes: requested mode={mode} required attributes=['{CREDIT_ATTRIBUTE}']"
                ),
            ));
        }
        let refusal = mode_refusal(db, wish, mode, mode_rows, caller.has_api_key, now).await?;
        if let Some(answer) = refusal {
            return Ok(answer);
        }
    }
    let cohort = match cohort_id(db, wish).await? {
        Ok(cohort) => cohort,
        Err(answer) => return Ok(answer),
    };
    let author = author(caller, now);
    let change = Change {
        mode: wish.mode,
        is_active: wish.is_active,
    };
    let (author, row) = (&author, &row);
    let row = db
        .write(|mut tx| async move {
            let stored = rows::get_locked(&mut tx, row.user_id, &wish.course).await?;
            let stored = stored.unwrap_or_else(|| row.clone());
            let row = change_in(&mut tx, stored, &wish.course, change, author).await?;
            follow_up(&mut tx, &row, wish, cohort).await?;
            Ok::<_, db::Error>(row)
        })
        .await?;
    finish(db, caller, user, &row, wish, now).await
}

async fn create_row(
    db: &Db,
    caller: Caller<'_>,
    user: &User,
    wish: &Wish<'_>,
    mode_rows: &[CourseMode],
    policy: Policy,
    now: NaiveDateTime,
) -> Result<Answer> {
    let id = records::keys::course_text(&wish.course);
    let mode = wish
        .mode
        .unwrap_or_else(|| modes::default_slug(mode_rows, &id, now));
    if let Some(answer) = mode_refusal(db, wish, mode, mode_rows, wish.force, now).await? {
        return Ok(answer);
    }
    let cohort = match cohort_id(db, wish).await? {
        Ok(cohort) => cohort,
        Err(answer) => return Ok(answer),
    };
    let access = if wish.force {
        Access::Forced
    } else {
        Access::Checked(policy)
    };
    let author = author(caller, now);
    let author = &author;
    let made = db
        .write(|mut tx| async move {
            let row = enroll_in(&mut tx, user, &wish.course, mode, access, author).await?;
            let row = if wish.is_active == Some(false) {
                let change = Change {
                    mode: None,
                    is_active: Some(false),
                };
                change_in(&mut tx, row, &wish.course, change, author).await?
            } else {
                row
            };
            follow_up(&mut tx, &row, wish, cohort).await?;
            Ok::<_, Error>(row)
        })
        .await;
    match made {
        Ok(row) => finish(db, caller, user, &row, wish, now).await,
        // Answered as stored; nothing else happens.
        Err(Error::Refused(EnrollError::AlreadyEnrolled)) => {
            get_one(
                db,
                Caller {
                    user: None,
                    has_api_key: true,
                },
                Some(&user.username),
                &wish.course,
                now,
            )
            .await
        }
        Err(Error::Refused(_)) => Ok(Answer::message(
            400,
            format!(
                "An error occurred while creating the new course enrollment for user '{}' in course '{}'",
                user.username, wish.course
            ),
        )),
        Err(error) => Err(error),
    }
}

fn author(caller: Caller<'_>, now: NaiveDateTime) -> Author<'static> {
    Author {
        now,
        user_id: caller.user.map(|user| user.id),
        reason: None,
    }
}

/// The cohort that a wish names, or the refusal.
async fn cohort_id(db: &Db, wish: &Wish<'_>) -> Result<std::result::Result<Option<i64>, Answer>> {
    let Some(name) = wish.cohort else {
        return Ok(Ok(None));
    };
    let found = cohorts::of_course(db, &wish.course).await?;
    Ok(match found.iter().find(|cohort| cohort.name == name) {
        Some(cohort) => Ok(Some(cohort.id)),
        None => Err(Answer::message(
            400,
            format!("An error occured while adding to cohort [{name}]"),
        )),
    })
}

async fn follow_up(
    tx: &mut db::Tx,
    row: &CourseEnrollment,
    wish: &Wish<'_>,
    cohort: Option<i64>,
) -> db::Result<()> {
    if !wish.attributes.is_empty() {
        replace_attributes(tx, row.id, &wish.attributes).await?;
    }
    if let Some(cohort) = cohort {
        cohorts::add_user(tx, cohort, row.user_id, &wish.course).await?;
    }
    Ok(())
}

/// Writes the caller's agreement to mail and answers with the object.
async fn finish(
    db: &Db,
    caller: Caller<'_>,
    user: &User,
    row: &CourseEnrollment,
    wish: &Wish<'_>,
    now: NaiveDateTime,
) -> Result<Answer> {
    if let (Some(agreed), Some(caller)) = (wish.email_opt_in, caller.user) {
        set_email_opt_in(db, caller.id, wish.course.org(), agreed, now).await?;
    }
    Ok(match details(db, &wish.course, now, false).await? {
        Some((_, _, course)) => Answer::ok(enrollment_json(row, &user.username, &course)),
        None => Answer::empty(200),
    })
}

/// Writes whether a user agrees to an organization's mail; never for people under 13 (contracts/identity.md §8.4).
pub async fn set_email_opt_in(
    db: &Db,
    user_id: i64,
    org: &str,
    agreed: bool,
    now: NaiveDateTime,
) -> Result<()> {
    let born = users::profile(db, user_id)
        .await?
        .and_then(|profile| profile.year_of_birth);
    let of_age = born.is_none_or(|year| i64::from(now.year()) - year > EMAIL_OPTIN_MINIMUM_AGE);
    let value = if agreed && of_age { "True" } else { "False" };
    db.write(|mut tx| async move {
        preferences::set_org_tag(&mut tx, user_id, org, "email-optin", value, now).await
    })
    .await?;
    Ok(())
}

/// `enrollment_allowed/`: an object of the list.
async fn allowed_json(db: &Db, row: &CourseEnrollmentAllowed) -> Result<Value> {
    let user = match row.user_id {
        Some(id) => users::by_id(db, id).await?.map(|user| user.username),
        None => None,
    };
    Ok(json!({
        "email": row.email,
        "course_id": row.course_id,
        "auto_enroll": row.auto_enroll,
        "created": row.created.map(rest_datetime),
        "user": user,
    }))
}

/// `GET enrollment_allowed/?email=`.
pub async fn allowed_list(db: &Db, email: &str) -> Result<Answer> {
    let mut list = Vec::new();
    for row in rows::allowed_of_email(db, email).await? {
        list.push(allowed_json(db, &row).await?);
    }
    Ok(Answer::ok(list.into()))
}

const ALLOWED_FIELDS: &str =
    "Please provide a value for 'email' and 'course_id' in the request data.";

fn allowed_fields(body: &Value) -> Option<(&str, &str)> {
    let field = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    Some((field("email")?, field("course_id")?))
}

/// `POST enrollment_allowed/`: 201, 400 without fields, 409 for one that is there.
pub async fn allowed_create(db: &Db, body: &Value, now: NaiveDateTime) -> Result<Answer> {
    let Some((email, course_id)) = allowed_fields(body) else {
        return Ok(Answer::message(400, ALLOWED_FIELDS));
    };
    let Ok(course) = CourseKey::parse(course_id) else {
        return Ok(Answer::message(400, ALLOWED_FIELDS));
    };
    let row = CourseEnrollmentAllowed {
        id: 0,
        email: email.to_owned(),
        course_id: records::keys::course_text(&course),
        auto_enroll: body
            .get("auto_enroll")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        created: Some(now),
        user_id: None,
    };
    let stored = &row;
    let made = db
        .write(|mut tx| async move { records::table::insert(&mut tx, stored).await })
        .await;
    match made {
        Ok(_) => Ok(Answer {
            status: 201,
            body: Some(allowed_json(db, &row).await?),
        }),
        Err(error) if error.is_unique() => Ok(Answer::message(
            409,
            format!(
                "An enrollment allowed with email {email} and course {course_id} already exists."
            ),
        )),
        Err(error) => Err(error.into()),
    }
}

/// `DELETE enrollment_allowed/`: 204, 404 when there is none.
pub async fn allowed_delete(db: &Db, body: &Value) -> Result<Answer> {
    let Some((email, course_id)) = allowed_fields(body) else {
        return Ok(Answer::message(400, ALLOWED_FIELDS));
    };
    let deleted = db
        .execute(
            "DELETE FROM student_courseenrollmentallowed WHERE email = ? AND course_id = ?",
            &params![email, course_id],
        )
        .await?;
    if deleted > 0 {
        return Ok(Answer::empty(204));
    }
    Ok(Answer::message(
        404,
        format!("An enrollment allowed with email {email} and course {course_id} doesn't exists."),
    ))
}
