//! Retiring accounts (contracts/identity.md §9).

mod actions;
mod partner;
mod queue;

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use db::{Row, Tx, params};
use records::users;
use serde_json::{Value, json};

use crate::session::Session;
use crate::{Error, Form, Identity, Reply, Result, User, passwords};

/// Name of the first state.
const PENDING: &str = "PENDING";
/// Distance of two states in the order.
const STEP: usize = 10;

/// Every state of the platform's default, in order.
pub const DEFAULT_STATES: [&str; 16] = [
    PENDING,
    "LOCKING_ACCOUNT",
    "LOCKING_COMPLETE",
    "RETIRING_FORUMS",
    "FORUMS_COMPLETE",
    "RETIRING_EMAIL_LISTS",
    "EMAIL_LISTS_COMPLETE",
    "RETIRING_ENROLLMENTS",
    "ENROLLMENTS_COMPLETE",
    "RETIRING_NOTES",
    "NOTES_COMPLETE",
    "RETIRING_LMS",
    "LMS_COMPLETE",
    "ERRORED",
    "ABORTED",
    "COMPLETE",
];

/// A row of user_api_userretirementstatus with its states.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    id: i64,
    user_id: i64,
    created: NaiveDateTime,
    modified: NaiveDateTime,
    original_username: String,
    original_email: String,
    original_name: String,
    retired_username: String,
    retired_email: String,
    responses: String,
    current: State,
    last: State,
    username: String,
    email: String,
    profile: Option<(i64, String)>,
}

/// A row of user_api_retirementstate.
#[derive(Debug, Clone)]
struct State {
    id: i64,
    name: String,
    order: i64,
    required: bool,
}

impl State {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "state_name": self.name,
            "state_execution_order": self.order,
        })
    }

    /// As messages name it.
    fn shown(&self) -> String {
        format!("{} (step {})", self.name, self.order)
    }
}

const SELECT: &str = "SELECT s.*, u.username, u.email, p.id AS profile_id, p.name AS profile_name, \
    c.state_name AS current_name, c.state_execution_order AS current_order, \
    c.required AS current_required, l.state_name AS last_name, \
    l.state_execution_order AS last_order, l.required AS last_required \
    FROM user_api_userretirementstatus s JOIN auth_user u ON u.id = s.user_id \
    LEFT JOIN auth_userprofile p ON p.user_id = u.id \
    JOIN user_api_retirementstate c ON c.id = s.current_state_id \
    JOIN user_api_retirementstate l ON l.id = s.last_state_id";

impl Status {
    fn from_row(row: &Row) -> db::Result<Self> {
        let state = |id: &str, name: &str, order: &str, required: &str| {
            Ok::<_, db::Error>(State {
                id: row.int(id)?,
                name: row.text(name)?,
                order: row.int(order)?,
                required: row.bool(required)?,
            })
        };
        let profile = match row.opt_int("profile_id")? {
            Some(id) => Some((id, row.text("profile_name")?)),
            None => None,
        };
        Ok(Self {
            id: row.int("id")?,
            user_id: row.int("user_id")?,
            created: row.datetime("created")?,
            modified: row.datetime("modified")?,
            original_username: row.text("original_username")?,
            original_email: row.text("original_email")?,
            original_name: row.text("original_name")?,
            retired_username: row.text("retired_username")?,
            retired_email: row.text("retired_email")?,
            responses: row.text("responses")?,
            current: state(
                "current_state_id",
                "current_name",
                "current_order",
                "current_required",
            )?,
            last: state("last_state_id", "last_name", "last_order", "last_required")?,
            username: row.text("username")?,
            email: row.text("email")?,
            profile,
        })
    }

    fn json(&self) -> Value {
        let profile = self
            .profile
            .as_ref()
            .map(|(id, name)| json!({ "id": id, "name": name }));
        json!({
            "id": self.id,
            "user": {
                "id": self.user_id,
                "username": self.username,
                "email": self.email,
                "profile": profile,
            },
            "current_state": self.current.json(),
            "last_state": self.last.json(),
            "created": moment(self.created),
            "modified": moment(self.modified),
            "original_username": self.original_username,
            "original_email": self.original_email,
            "original_name": self.original_name,
            "retired_username": self.retired_username,
            "retired_email": self.retired_email,
        })
    }
}

fn moment(moment: NaiveDateTime) -> String {
    if moment.nanosecond() / 1000 == 0 {
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

/// A bare JSON string with a status.
fn sentence(status: u16, text: impl Into<String>) -> Reply {
    Reply::rest(status, Value::String(text.into()))
}

/// 403 of somebody who may not.
fn forbidden() -> Reply {
    Reply::rest(
        403,
        json!({ "detail": "You do not have permission to perform this action." }),
    )
}

impl Identity {
    /// Whether a user holds a Django permission, by itself or through a group; superusers hold all.
    pub async fn has_permission(&self, user: &User, app: &str, codename: &str) -> Result<bool> {
        if !user.is_active {
            return Ok(false);
        }
        if user.is_superuser {
            return Ok(true);
        }
        let count = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM auth_permission p \
                 JOIN django_content_type t ON t.id = p.content_type_id \
                 WHERE t.app_label = ? AND p.codename = ? AND (EXISTS \
                 (SELECT 1 FROM auth_user_user_permissions d \
                 WHERE d.permission_id = p.id AND d.user_id = ?) OR EXISTS \
                 (SELECT 1 FROM auth_group_permissions g \
                 JOIN auth_user_groups m ON m.group_id = g.group_id \
                 WHERE g.permission_id = p.id AND m.user_id = ?))",
                &params![app, codename, user.id, user.id],
            )
            .await?;
        Ok(count > 0)
    }

    /// CanRetireUser: the retirement worker, superusers, and staff with the permission.
    pub async fn can_retire_users(&self, user: &User) -> Result<bool> {
        let worker = &self.settings().retirement_service_worker_username;
        if user.is_superuser || (!worker.is_empty() && user.username == *worker) {
            return Ok(true);
        }
        Ok(user.is_staff
            && self
                .has_permission(user, "user_api", "add_userretirementrequest")
                .await?)
    }

    /// Makes the configured states that are missing: the platform's management command.
    pub async fn ensure_retirement_states(&self) -> Result<()> {
        let states = &self.settings().retirement_states;
        self.db()
            .write(|mut tx| async move {
                for (index, name) in states.iter().enumerate() {
                    let required =
                        [PENDING, "ERRORED", "ABORTED", "COMPLETE"].contains(&name.as_str());
                    let dead_end = required && name != PENDING;
                    let order = index * STEP + 1;
                    let known = tx
                        .read_int(
                            "SELECT COUNT(*) AS n FROM user_api_retirementstate \
                             WHERE state_name = ? OR state_execution_order = ?",
                            &params![name, order],
                        )
                        .await?;
                    if known == 0 {
                        tx.execute(
                            "INSERT INTO user_api_retirementstate (state_name, \
                             state_execution_order, is_dead_end_state, required) \
                             VALUES (?, ?, ?, ?)",
                            &params![name, order, dead_end, required],
                        )
                        .await?;
                    }
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(())
    }

    /// The retirement of somebody who had this username.
    async fn retirement_of(&self, original_username: &str) -> Result<Option<Status>> {
        let sql = format!("{SELECT} WHERE s.original_username = ? ORDER BY s.id DESC LIMIT 1");
        let row = self
            .db()
            .read_one(&sql, &params![original_username])
            .await?;
        Ok(row.as_ref().map(Status::from_row).transpose()?)
    }

    /// Begins a retirement: the account cannot be used any more, its rows stay until the job has gone through them.
    ///
    /// # Errors
    /// [`Error::MissingRow`] when the states were never made.
    pub async fn start_retirement(&self, user: &User, now: DateTime<Utc>) -> Result<()> {
        let settings = self.settings();
        let salt = settings
            .retired_user_salts
            .last()
            .map(String::as_str)
            .unwrap_or_default();
        let ids = django_compat::ids::retired_value;
        let retired_username = ids(&user.username, salt, &settings.retired_username_fmt);
        let retired_email = ids(&user.email, salt, &settings.retired_email_fmt);
        let name = users::profile(self.db(), user.id)
            .await?
            .map(|profile| profile.name);
        let name = name.unwrap_or_default();
        let unusable = passwords::unusable()?;
        let (retired_username, retired_email) = (&retired_username, &retired_email);
        let (name, unusable) = (&name, &unusable);
        let started = self
            .db()
            .write(|mut tx| async move {
                let state = tx
                    .read_one(
                        "SELECT id FROM user_api_retirementstate \
                         ORDER BY state_execution_order LIMIT 1",
                        &[],
                    )
                    .await?;
                let Some(state) = state else { return Ok(false) };
                let state = state.int("id")?;
                tx.execute(
                    "INSERT INTO user_api_userretirementrequest (created, modified, user_id) \
                     VALUES (?, ?, ?)",
                    &params![now, now, user.id],
                )
                .await?;
                tx.execute(
                    "INSERT INTO user_api_userretirementstatus (created, modified, \
                     original_username, original_email, original_name, retired_username, \
                     retired_email, responses, current_state_id, last_state_id, user_id) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    &params![
                        now,
                        now,
                        &user.username,
                        &user.email,
                        name,
                        retired_username,
                        retired_email,
                        "Created in state PENDING (step 1) by create_retirement",
                        state,
                        state,
                        user.id
                    ],
                )
                .await?;
                close_account(&mut tx, user.id, retired_email, unusable).await?;
                Ok::<_, db::Error>(true)
            })
            .await?;
        if started {
            Ok(())
        } else {
            Err(Error::MissingRow("user_api_retirementstate"))
        }
    }

    /// `POST /accounts/deactivate_logout/` with `password`: 204 and the session ends; 403 with a wrong one.
    pub async fn deactivate_and_logout(
        &self,
        user: &User,
        form: &Form,
        session: Option<&Session>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.settings().enable_account_deletion {
            return Ok(Reply::empty(403));
        }
        let Some(password) = form.get("password") else {
            return Ok(sentence(400, "Could not verify user password: 'password'"));
        };
        if self.is_locked_out(user.id, now).await? {
            return Ok(sentence(403, ""));
        }
        if self
            .check_password(Some(user.clone()), password)
            .await?
            .is_none()
        {
            self.count_failure(user.id, now).await?;
            return Ok(sentence(403, ""));
        }
        self.start_retirement(user, now).await?;
        self.queue_mail_with(
            "mail.account_deleted",
            user.id,
            &json!({ "user_id": user.id, "email": user.email }),
            now,
        )
        .await?;
        let cookies = self.logout(session, None).await?;
        Ok(Reply::empty(204).cookies(cookies))
    }

    /// `POST /accounts/<u>/deactivate/`: permission student.can_deactivate_users; the password becomes unusable.
    pub async fn deactivate_user(
        &self,
        viewer: &User,
        username: &str,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self
            .has_permission(viewer, "student", "can_deactivate_users")
            .await?
        {
            return Ok(forbidden());
        }
        let Some(user) = users::by_username(self.db(), username).await? else {
            return Ok(Reply::empty(404));
        };
        let unusable = passwords::unusable()?;
        let (unusable, id) = (unusable.as_str(), user.id);
        self.db()
            .write(|mut tx| async move { users::set_password(&mut tx, id, unusable).await })
            .await?;
        self.account(viewer, username, false, now).await
    }

    /// `POST /v1/accounts/bulk_retire_users` `{"usernames":"a,b"}`: which could be retired and which not.
    pub async fn bulk_retire(
        &self,
        viewer: &User,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let names = body
            .get("usernames")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for name in names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let started = match users::by_username(self.db(), name).await? {
                Some(user) => match self.start_retirement(&user, now).await {
                    Ok(()) => true,
                    // In retirement already.
                    Err(Error::Db(error)) if error.is_unique() => false,
                    Err(error) => return Err(error),
                },
                None => false,
            };
            if started {
                done.push(name);
            } else {
                failed.push(name);
            }
        }
        Ok(Reply::rest(
            200,
            json!({ "successful_user_retirements": done, "failed_user_retirements": failed }),
        ))
    }
}

/// Takes every way in away: e-mail address, password, links, keys, tokens, and applications with all that was issued
/// through them.
async fn close_account(
    tx: &mut Tx,
    user_id: i64,
    retired_email: &str,
    unusable: &str,
) -> db::Result<()> {
    let sql = "UPDATE auth_user SET email = ?, password = ? WHERE id = ?";
    tx.execute(sql, &params![retired_email, unusable, user_id])
        .await?;
    let owned = "(SELECT id FROM oauth2_provider_application WHERE user_id = ?)";
    let mut statements = vec![
        "DELETE FROM social_auth_usersocialauth WHERE user_id = ?".to_owned(),
        "DELETE FROM auth_registration WHERE user_id = ?".to_owned(),
        "DELETE FROM auth_accountrecovery WHERE user_id = ?".to_owned(),
    ];
    for condition in [
        "user_id = ?".to_owned(),
        format!("application_id IN {owned}"),
    ] {
        statements.push(format!(
            "DELETE FROM oauth2_provider_grant WHERE {condition}"
        ));
        statements.push(format!(
            "UPDATE oauth2_provider_accesstoken SET source_refresh_token_id = NULL WHERE {condition}"
        ));
        statements.push(format!(
            "DELETE FROM oauth2_provider_refreshtoken WHERE {condition}"
        ));
        statements.push(format!(
            "DELETE FROM oauth2_provider_accesstoken WHERE {condition}"
        ));
    }
    for table in [
        "oauth_dispatch_applicationaccess",
        "oauth_dispatch_restrictedapplication",
        "oauth_dispatch_applicationorganization",
    ] {
        statements.push(format!(
            "DELETE FROM {table} WHERE application_id IN {owned}"
        ));
    }
    statements.push("DELETE FROM oauth2_provider_application WHERE user_id = ?".to_owned());
    for sql in &statements {
        tx.execute(sql, &params![user_id]).await?;
    }
    Ok(())
}
