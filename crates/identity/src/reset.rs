//! Activating accounts and resetting passwords (contracts/identity.md §7.3).

use chrono::{DateTime, Utc};
use db::params;
use django_compat::encoding::{base36_decode, base36_encode};
use django_compat::tokens::{ResetUser, TOKEN_EPOCH, check_reset_token, reset_token};
use records::history::Author;
use records::users;
use serde_json::{Value, json};

use crate::passwords::{Attributes, broken_rules};
use crate::{Form, Identity, Reply, Result, User, lockout};

/// Lifetime of a reset link, seconds: PASSWORD_RESET_TIMEOUT.
const RESET_TIMEOUT: i64 = 259_200;
/// Requests for one address from one client in a minute.
const REQUESTS_PER_MINUTE: u32 = 1;
/// Requests for one address in an hour.
const REQUESTS_PER_HOUR: u32 = 2;
/// Requests of any kind from one client in a minute.
const REQUESTS_PER_IP: u32 = 30;
const IN_PROGRESS: &str =
    "Your previous request is in progress, please try again in a few moments.";

/// What an activation link did. Always 302 to `/dashboard` with a flash message of this level.
#[derive(Debug, Clone, PartialEq)]
pub enum ActivationOutcome {
    /// Activated now.
    Activated(Box<User>),
    /// It was active before.
    AlreadyActive(Box<User>),
    /// No such key, or somebody else is signed in.
    Failed,
}

impl ActivationOutcome {
    /// Level of the message: `success`, `info` or `error`; also `account_activation_status` of the micro-frontend.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Activated(_) => "success",
            Self::AlreadyActive(_) => "info",
            Self::Failed => "error",
        }
    }
}

/// A signed-in user's or visitor's request for a reset mail.
#[derive(Debug, Clone, Copy)]
pub struct ResetRequest<'a> {
    /// Form fields.
    pub form: &'a Form,
    /// Who is signed in.
    pub user: Option<&'a User>,
    /// Address of the client.
    pub ip: &'a str,
}

fn seconds_since_epoch(now: DateTime<Utc>) -> i64 {
    now.timestamp() - TOKEN_EPOCH
}

fn bound(user: &User) -> ResetUser<'_> {
    ResetUser {
        id: user.id,
        password: &user.password,
        email: &user.email,
        last_login: user.last_login,
    }
}

impl Identity {
    /// `GET /activate/<key>`: activates, and enrolls the user where an e-mail permission says so.
    pub async fn activate(
        &self,
        key: &str,
        signed_in: Option<&User>,
        now: DateTime<Utc>,
    ) -> Result<ActivationOutcome> {
        let Some(registration) = users::registration_by_key(self.db(), key).await? else {
            return Ok(ActivationOutcome::Failed);
        };
        if signed_in.is_some_and(|user| user.id != registration.user_id) {
            return Ok(ActivationOutcome::Failed);
        }
        let Some(mut user) = users::by_id(self.db(), registration.user_id).await? else {
            return Ok(ActivationOutcome::Failed);
        };
        if user.is_active {
            return Ok(ActivationOutcome::AlreadyActive(Box::new(user)));
        }
        self.activate_user(&mut user, now).await?;
        Ok(ActivationOutcome::Activated(Box::new(user)))
    }

    /// Activates a user and turns waiting e-mail permissions into enrollments.
    pub(crate) async fn activate_user(&self, user: &mut User, now: DateTime<Utc>) -> Result<()> {
        let id = user.id;
        self.db()
            .write(|mut tx| async move { users::activate(&mut tx, id, now.naive_utc()).await })
            .await?;
        user.is_active = true;
        let author = Author::user(now.naive_utc(), id);
        match enrollment::enroll_allowed(self.db(), user, &author).await {
            Ok(_) => {}
            // The account is active whatever becomes of the enrollments.
            Err(error) => tracing::error!(%error, user_id = id, "waiting enrollments failed"),
        }
        Ok(())
    }

    /// `POST /api/send_account_activation_email`: 200 empty.
    pub async fn send_activation_email(&self, user: &User, now: DateTime<Utc>) -> Result<Reply> {
        self.queue_mail("mail.activation", user.id, now).await?;
        Ok(Reply::empty(200))
    }

    /// `POST /account/password`: 200 empty whether or not the user exists; 400 without address; 403 when asked too
    /// often. The user's OAuth tokens are deleted.
    pub async fn request_password_reset(
        &self,
        request: &ResetRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let support = request
            .user
            .filter(|user| user.is_staff || user.is_superuser)
            .and(request.form.get("email_from_support_tools"));
        let email = support
            .or_else(|| request.user.map(|user| user.email.as_str()))
            .or_else(|| request.form.get("email"))
            .unwrap_or_default();
        if email.is_empty() {
            return Ok(Reply::text(400, "No email address provided."));
        }
        if self.reset_limited(email, request.ip, now) {
            return Ok(Reply::text(403, IN_PROGRESS));
        }
        self.start_reset(email, now).await?;
        Ok(Reply::text(200, ""))
    }

    /// `POST /password_reset/`, the page's form: the same as JSON.
    pub async fn request_password_reset_json(
        &self,
        request: &ResetRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let email = request.form.text("email");
        if self.reset_limited(email, request.ip, now) {
            let body = json!({ "success": false, "value": IN_PROGRESS });
            return Ok(Reply::platform(403, body));
        }
        self.start_reset(email, now).await?;
        Ok(Reply::platform(
            200,
            json!({ "success": true, "value": "" }),
        ))
    }

    fn reset_limited(&self, email: &str, ip: &str, now: DateTime<Utc>) -> bool {
        let (limiter, time) = (self.limiter(), now.timestamp());
        let both = format!("{ip} {email}");
        limiter.exceeded("reset client", &both, REQUESTS_PER_MINUTE, 60, time)
            | limiter.exceeded("reset address", email, REQUESTS_PER_HOUR, 3600, time)
            | limiter.exceeded("reset ip", ip, REQUESTS_PER_IP, 60, time)
    }

    async fn start_reset(&self, email: &str, now: DateTime<Utc>) -> Result<()> {
        let Some(user) = users::by_email(self.db(), email).await? else {
            return Ok(());
        };
        if !django_compat::passwords::is_usable(&user.password) {
            return Ok(());
        }
        self.delete_tokens(user.id).await?;
        self.queue_mail("mail.password_reset", user.id, now).await
    }

    /// Deletes every code and token of a user.
    pub(crate) async fn delete_tokens(&self, user_id: i64) -> Result<()> {
        self.db()
            .write(|mut tx| async move {
                // Access and refresh rows point at each other.
                for sql in [
                    "DELETE FROM oauth2_provider_grant WHERE user_id = ?",
                    "UPDATE oauth2_provider_accesstoken SET source_refresh_token_id = NULL \
                     WHERE user_id = ?",
                    "DELETE FROM oauth2_provider_refreshtoken WHERE user_id = ?",
                    "DELETE FROM oauth2_provider_accesstoken WHERE user_id = ?",
                ] {
                    tx.execute(sql, &params![user_id]).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(())
    }

    /// `<b36 uid>-<token>` of a reset link for a user, made when the mail is sent.
    #[must_use]
    pub fn reset_link_token(&self, user: &User, now: DateTime<Utc>) -> String {
        let timestamp = u64::try_from(seconds_since_epoch(now)).unwrap_or_default();
        let token = reset_token(&bound(user), timestamp, &self.settings().secret_key);
        format!("{}-{token}", base36_encode(user.id.unsigned_abs()))
    }

    /// The user of a reset link's `<b36 uid>-<token>`, if the token is good.
    async fn reset_user(&self, uid_token: &str, now: DateTime<Utc>) -> Result<Option<User>> {
        let Some((uid, token)) = uid_token.split_once('-') else {
            return Ok(None);
        };
        let Some(id) = base36_decode(uid)
            .ok()
            .and_then(|id| i64::try_from(id).ok())
        else {
            return Ok(None);
        };
        let Some(user) = users::by_id(self.db(), id).await? else {
            return Ok(None);
        };
        let good = check_reset_token(
            &bound(&user),
            token,
            self.settings().signing_keys(),
            RESET_TIMEOUT,
            seconds_since_epoch(now),
        );
        Ok(good.then_some(user))
    }

    /// `POST …/password_reset/token/validate/`: 200 `{"is_valid": bool}`; true activates the account.
    pub async fn validate_reset_token(
        &self,
        token: &str,
        signed_in: Option<&User>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let found = self.reset_user(token, now).await?;
        let valid = match found {
            Some(mut user) if signed_in.is_none_or(|other| other.id == user.id) => {
                let retiring = self.is_retiring(user.id).await?;
                if !retiring && !user.is_active {
                    self.activate_user(&mut user, now).await?;
                }
                !retiring
            }
            _ => false,
        };
        Ok(Reply::rest(200, json!({ "is_valid": valid })))
    }

    /// Whether the user asked for the account to be deleted.
    pub(crate) async fn is_retiring(&self, user_id: i64) -> Result<bool> {
        let count = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM user_api_userretirementstatus WHERE user_id = ?",
                &params![user_id],
            )
            .await?;
        Ok(count > 0)
    }

    /// `POST /password/reset/<uid>-<token>/`: always 200 but for missing fields (400). Sets the password, clears the
    /// lock-out, queues the confirmation; nobody is signed in.
    pub async fn reset_password(
        &self,
        uid_token: &str,
        form: &Form,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let answer = |body: Value| Ok(Reply::platform(200, body));
        let (Some(first), Some(second)) = (form.get("new_password1"), form.get("new_password2"))
        else {
            let body = json!({ "reset_status": false, "err_msg": "This field is required." });
            return Ok(Reply::platform(400, body));
        };
        let Some(mut user) = self.reset_user(uid_token, now).await? else {
            return answer(json!({ "reset_status": false, "token_invalid": true }));
        };
        if first != second {
            return answer(json!({
                "reset_status": false,
                "err_msg": "An error has occurred. Try refreshing the page, or check your internet connection.",
            }));
        }
        let password = django_compat::ids::nfkc(first);
        let attributes = Attributes {
            username: &user.username,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
        };
        let broken = broken_rules(&password, Some(attributes));
        if !broken.is_empty() {
            return answer(json!({ "reset_status": false, "err_msg": broken.join(" ") }));
        }
        let encoded = self.encode_password(&password).await?;
        let (encoded, id) = (encoded.as_str(), user.id);
        self.db()
            .write(|mut tx| async move {
                users::set_password(&mut tx, id, encoded).await?;
                lockout::clear(&mut tx, id).await
            })
            .await?;
        if !user.is_active {
            self.activate_user(&mut user, now).await?;
        }
        self.queue_mail("mail.password_reset_done", id, now).await?;
        answer(json!({ "reset_status": true, "err_msg": "" }))
    }
}

/// `GET …/account/password_reset/`: the form's description.
#[must_use]
pub fn password_reset_form(platform_name: &str) -> Value {
    json!({
        "method": "post",
        "submit_url": "/account/password",
        "fields": [{
            "name": "email",
            "label": "Email",
            "type": "email",
            "defaultValue": "",
            "placeholder": "username@domain.com",
            "instructions": format!("The email address you used to register with {platform_name}"),
            "exposed": true,
            "required": true,
            "restrictions": { "min_length": 3, "max_length": 254 },
            "errorMessages": {},
            "supplementalLink": "",
            "supplementalText": "",
            "loginIssueSupportLink": "",
        }],
    })
}
