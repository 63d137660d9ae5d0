//! Signing in and out with a session (contracts/identity.md §6.1, §6.2, §5.1).

use chrono::{DateTime, Utc};
use db::params;
use records::users;
use serde_json::{Map, Value, json};

use crate::cookies::{Cookie, ProfileImages, http_date};
use crate::oauth::application_by_client_id;
use crate::session::Session;
use crate::{Form, Identity, Reply, Result, User, random};

/// Window of the login limits, seconds.
const RATE_WINDOW: i64 = 300;

const MISSING: &str = "There was an error receiving your login information. Please email us.";
const INCORRECT: &str = "Email or password is incorrect.";
const TOO_MANY: &str = "Too many failed login attempts. Try again later.";
const RESET_LINK: &str =
    r##"<a http="#login" class="form-toggle" data-type="password-reset">here</a>"##;

/// Version in the path of login_session; `/login_ajax` is version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// Fields `email`, `password`.
    V1,
    /// Fields `email_or_username`, `password`.
    V2,
}

impl ApiVersion {
    /// Reads the path part after `/api/user/`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "v1" => Some(Self::V1),
            "v2" => Some(Self::V2),
            _ => None,
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::V1 => "email",
            Self::V2 => "email_or_username",
        }
    }
}

/// A POST of the login form; CSRF has been checked.
#[derive(Debug)]
pub struct LoginRequest<'a> {
    /// Version of the path.
    pub version: ApiVersion,
    /// Form fields; a JSON body acts as an empty form.
    pub form: &'a Form,
    /// Address of the client.
    pub ip: &'a str,
    /// The session that the request came with, signed in or not.
    pub session: Option<Session>,
}

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum LoginFailure {
    /// A required field is absent.
    MissingFields,
    /// Wrong password, or nobody of that name.
    Incorrect {
        /// Failures of the account so far; 0 if unknown.
        failure_count: i64,
    },
    /// Half of the allowed failures are used up.
    FewAttemptsLeft {
        /// Failures of the account so far.
        failure_count: i64,
        /// The limit.
        allowed: i64,
    },
    /// The account is locked.
    LockedOut {
        /// Minutes of a lock-out.
        minutes: i64,
    },
    /// Somebody came from another provider, and no account is linked to it: the password is asked for.
    NoLinkedAccount {
        /// The provider's name.
        provider: String,
    },
    /// Too many attempts for the account or from the address.
    RateLimited,
    /// Right password, but the account is not active; the activation e-mail is due again.
    Inactive {
        /// The user, whose activation e-mail is to be sent again.
        user: Box<User>,
    },
}

/// Outcome of a login.
#[derive(Debug)]
pub enum LoginOutcome {
    /// Signed in.
    Success(Box<LoginSuccess>),
    /// Refused: 400, or 403 without a linked account.
    Failure {
        /// Why.
        failure: LoginFailure,
        /// The reply.
        reply: Reply,
    },
}

/// A login that succeeded.
#[derive(Debug)]
pub struct LoginSuccess {
    /// The user.
    pub user: User,
    /// The session, stored.
    pub session: Session,
    /// 200 `{"success": true, "redirect_url": …}` with the cookies of §2.1.
    pub reply: Reply,
}

impl LoginOutcome {
    /// The reply.
    #[must_use]
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Success(success) => &success.reply,
            Self::Failure { reply, .. } => reply,
        }
    }
}

impl Identity {
    /// `POST …/login_session/` and `/login_ajax`: fields, lock-out, rate limit, password, active, in that order.
    pub async fn login(
        &self,
        request: LoginRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<LoginOutcome> {
        let given = request.form.get(request.version.field());
        let fail = |failure| Ok(self.refuse_login(failure, given));
        let running = self.running_pipeline(request.session.as_ref(), now).await?;
        if let Some(running) = &running
            && given.is_none()
            && request.form.get("password").is_none()
        {
            let provider = self.provider(&running.backend).await?;
            let provider = provider.map(|provider| provider.name).unwrap_or_default();
            return fail(LoginFailure::NoLinkedAccount { provider });
        }
        let (Some(name), Some(password)) = (given, request.form.get("password")) else {
            return fail(LoginFailure::MissingFields);
        };
        let mut user = users::by_email(self.db(), name).await?;
        if user.is_none() && request.version == ApiVersion::V2 {
            user = users::by_username(self.db(), name).await?;
        }
        let settings = self.settings();
        let minutes = settings.max_failed_login_attempts_lockout_period_secs / 60;
        if let Some(user) = &user
            && self.is_locked_out(user.id, now).await?
        {
            return fail(LoginFailure::LockedOut { minutes });
        }
        // The limit counts for the account reached, whatever it was called.
        let reached = user.as_ref().map_or(name, |user| user.email.as_str());
        let seconds = now.timestamp();
        let limiter = self.limiter();
        let per_account = settings.login_attempts_per_account;
        if limiter.exceeded("login account", reached, per_account, RATE_WINDOW, seconds)
            || limiter.exceeded(
                "login address",
                request.ip,
                settings.login_attempts_per_ip,
                RATE_WINDOW,
                seconds,
            )
        {
            return fail(LoginFailure::RateLimited);
        }
        let id = user.as_ref().map(|user| user.id);
        let Some(user) = self.check_password(user, password).await? else {
            let Some(id) = id else {
                return fail(LoginFailure::Incorrect { failure_count: 0 });
            };
            let failures = self.count_failure(id, now).await?;
            let allowed = settings.max_failed_login_attempts_allowed;
            return fail(if failures.locked {
                LoginFailure::LockedOut { minutes }
            } else if settings.enable_max_failed_login_attempts && failures.count * 2 >= allowed {
                LoginFailure::FewAttemptsLeft {
                    failure_count: failures.count,
                    allowed,
                }
            } else {
                LoginFailure::Incorrect {
                    failure_count: failures.count,
                }
            });
        };
        if !user.is_active {
            self.count_failure(user.id, now).await?;
            return fail(LoginFailure::Inactive {
                user: Box::new(user),
            });
        }
        let age = settings.login_session_age;
        let session = self.start_login(request.session, &user, age, now).await?;
        let redirect_url = match running {
            Some(running) => Some(format!("/auth/complete/{}/?", running.backend)),
            None => self.login_redirect(request.form),
        };
        let reply = Reply::platform(
            200,
            json!({ "success": true, "redirect_url": redirect_url }),
        )
        .cookies(self.login_cookies(&user, &session, now).await?);
        Ok(LoginOutcome::Success(Box::new(LoginSuccess {
            user,
            session,
            reply,
        })))
    }

    fn refuse_login(&self, failure: LoginFailure, given: Option<&str>) -> LoginOutcome {
        let settings = self.settings();
        if let LoginFailure::NoLinkedAccount { provider } = &failure {
            let platform = &settings.platform_name;
            let value = format!(
                "You've successfully signed in to your {provider} account, but it isn't linked with \
                 a {platform} account yet. Sign in with your {platform} password to link the two."
            );
            let body = json!({
                "success": false,
                "value": value,
                "error_code": "third-party-auth-with-no-linked-account",
            });
            let reply = Reply::platform(403, body);
            return LoginOutcome::Failure { failure, reply };
        }
        let (value, code, context) = match &failure {
            LoginFailure::MissingFields => (MISSING.to_owned(), None, None),
            LoginFailure::RateLimited | LoginFailure::NoLinkedAccount { .. } => {
                (TOO_MANY.to_owned(), None, None)
            }
            LoginFailure::Incorrect { failure_count } => (
                INCORRECT.to_owned(),
                Some("incorrect-email-or-password"),
                Some(json!({ "failure_count": failure_count })),
            ),
            LoginFailure::FewAttemptsLeft {
                failure_count,
                allowed,
            } => {
                let left = allowed - failure_count;
                (
                    format!(
                        "{INCORRECT}<li>You have {left} more sign-in attempts before your account is \
                         temporarily locked.</li><li>If you&#39;ve forgotten your password, click \
                         {RESET_LINK} to reset.</li>"
                    ),
                    Some("failed-login-attempt"),
                    Some(json!({
                        "remaining_attempts": left,
                        "allowed_failure_attempts": allowed,
                        "failure_count": failure_count,
                    })),
                )
            }
            LoginFailure::LockedOut { minutes } => (
                format!(
                    "To protect your account, it\u{2019}s been temporarily locked. Try again in \
                     {minutes} minutes.<li>To be on the safe side, you can reset your password \
                     {RESET_LINK} before you try again."
                ),
                Some("account-locked-out"),
                Some(json!({ "locked_out_period": minutes })),
            ),
            LoginFailure::Inactive { .. } => (
                "None".to_owned(),
                Some("inactive-user"),
                Some(json!({
                    "platformName": settings.platform_name,
                    "supportLink": settings.activation_email_support_link,
                })),
            ),
        };
        let email = match &failure {
            LoginFailure::Inactive { user } => Some(user.email.as_str()),
            _ => given,
        };
        let mut body = Map::new();
        body.insert("success".into(), false.into());
        body.insert("value".into(), value.into());
        if let Some(code) = code {
            body.insert("error_code".into(), code.into());
        }
        if let Some(context) = context {
            body.insert("context".into(), context);
        }
        body.insert("email".into(), email.into());
        LoginOutcome::Failure {
            failure,
            reply: Reply::platform(400, Value::Object(body)),
        }
    }

    /// Hosts that a redirect may go to: our own and LOGIN_REDIRECT_WHITELIST.
    pub(crate) fn safe_hosts(&self) -> Vec<String> {
        let settings = self.settings();
        let mut hosts = settings.login_redirect_whitelist.clone();
        hosts.extend(host(&settings.lms_root_url));
        hosts
    }

    /// `redirect_url` of a login: only where the sign-in pages are a micro-frontend.
    fn login_redirect(&self, form: &Form) -> Option<String> {
        let settings = self.settings();
        if !settings.enable_authn_microfrontend {
            return None;
        }
        let hosts = self.safe_hosts();
        let next = form
            .get("next")
            .filter(|next| django_compat::redirect::is_safe(next, &hosts, settings.is_https()));
        let next = next.map(django_compat::redirect::trimmed);
        let kept: Vec<(&str, &str)> = [
            "course_id",
            "enrollment_action",
            "course_mode",
            "email_opt_in",
            "purchase_workflow",
        ]
        .into_iter()
        .filter_map(|name| form.get(name).map(|value| (name, value)))
        .collect();
        let target = if kept.is_empty() {
            next.unwrap_or("/dashboard").to_owned()
        } else {
            let quote = django_compat::encoding::quote_plus;
            let mut query: Vec<String> = kept
                .iter()
                .map(|(name, value)| format!("{name}={}", quote(value)))
                .collect();
            query.push(format!("next={}", quote(next.unwrap_or("/dashboard"))));
            format!("/account/finish_auth?{}", query.join("&"))
        };
        Some(settings.absolute(&target))
    }

    /// All cookies of a login: `edxloggedin`, `edx-user-info`, the JWT halves, a new CSRF secret and the session's
    /// (§2.1). Stores the tokens behind the JWT.
    pub async fn login_cookies(
        &self,
        user: &User,
        session: &Session,
        now: DateTime<Utc>,
    ) -> Result<Vec<Cookie>> {
        let settings = self.settings();
        let age = match session.expiry(settings.session_cookie_age) {
            0 => None,
            age => Some(age),
        };
        let images = self.profile_images_of(user).await?;
        let resume = self.resume_block(user.id).await?;
        let mut cookies = settings.user_info_cookies(user, &images, resume.as_deref(), age);
        cookies.extend(self.jwt_login_cookies(user, now).await?);
        cookies.push(settings.csrf_cookie(&random::text(django_compat::csrf::SECRET_LENGTH)?));
        cookies.extend(self.session_cookie(session, now)?);
        Ok(cookies)
    }

    async fn profile_images_of(&self, user: &User) -> Result<ProfileImages> {
        let profile = users::profile(self.db(), user.id).await?;
        let uploaded = profile.and_then(|profile| profile.profile_image_uploaded_at);
        Ok(self.settings().profile_images(&user.username, uploaded))
    }

    /// Where the user last completed something, if completion is tracked.
    async fn resume_block(&self, user_id: i64) -> Result<Option<String>> {
        let row = self
            .db()
            .read_one(
                "SELECT course_key, block_key FROM completion_blockcompletion \
                 WHERE user_id = ? AND EXISTS (SELECT 1 FROM waffle_switch \
                 WHERE name = 'completion.enable_completion_tracking' AND active = 1) \
                 ORDER BY modified DESC LIMIT 1",
                &params![user_id],
            )
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (course, block) = (row.text("course_key")?, row.text("block_key")?);
        Ok(Some(
            self.settings()
                .absolute(&format!("/courses/{course}/jump_to/{block}")),
        ))
    }

    /// The two JWT cookies, with the token rows that stand behind them.
    async fn jwt_login_cookies(&self, user: &User, now: DateTime<Utc>) -> Result<Vec<Cookie>> {
        let settings = self.settings();
        let client_id = &settings.jwt.login_client_id;
        let Some(application) = application_by_client_id(self.db(), client_id).await? else {
            tracing::error!(client_id, "the application of login cookies is missing");
            return Ok(Vec::new());
        };
        let token = self.cookie_jwt(user, &application, now).await?;
        Ok(settings.jwt_cookies(&token))
    }

    /// `POST /login_refresh`: 200 with six keys and new JWT cookies for a session user (active or not); 401
    /// `"Unauthorized"` otherwise. A GET is 405 without body.
    pub async fn login_refresh(&self, user: Option<&User>, now: DateTime<Utc>) -> Result<Reply> {
        let Some(user) = user else {
            return Ok(Reply::platform(401, json!("Unauthorized")));
        };
        let cookies = self.jwt_login_cookies(user, now).await?;
        let age = self.settings().jwt.in_cookie_expiration;
        let expires = now + chrono::TimeDelta::try_seconds(age).unwrap_or_default();
        let body = json!({
            "success": true,
            "user_id": user.id,
            "response_epoch_seconds": now.timestamp_micros() as f64 / 1e6,
            "response_http_date": http_date(now),
            "expires": http_date(expires),
            "expires_epoch_seconds": expires.timestamp(),
        });
        Ok(Reply::platform(200, body).cookies(cookies))
    }

    /// `GET|POST /logout`: the session ends; the cookies to send back delete sessionid and the four login cookies.
    /// The page itself (200) is the caller's.
    pub async fn logout(
        &self,
        session: Option<&Session>,
        user: Option<&User>,
    ) -> Result<Vec<Cookie>> {
        if let Some(session) = session {
            self.end_session(session, user).await?;
        }
        Ok(self.settings().login_cookie_deletions(true))
    }

    /// `GET /csrf/api/v1/token`: 200 `{"csrfToken": masked}` with the CSRF cookie; `secret` is that of the request's
    /// cookie, if it has a good one.
    pub fn csrf_token(&self, secret: Option<&str>) -> Result<Reply> {
        let length = django_compat::csrf::SECRET_LENGTH;
        let secret = match secret.and_then(|cookie| django_compat::csrf::unmask(cookie).ok()) {
            Some(secret) => secret,
            None => random::text(length)?,
        };
        let token = django_compat::csrf::mask(&secret, &random::text(length)?)
            .map_err(|error| crate::Error::Invalid(error.to_string()))?;
        Ok(Reply::rest(200, json!({ "csrfToken": token }))
            .cookies([self.settings().csrf_cookie(&secret)]))
    }
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().map(str::to_owned)
}

/// `GET …/login_session/`: the form's description, the same for both versions.
#[must_use]
pub fn login_form(platform_name: &str) -> Value {
    let field = |name: &str, label: &str, kind: &str, instructions: String, limits: Value| {
        json!({
            "name": name,
            "label": label,
            "type": kind,
            "defaultValue": "",
            "placeholder": "",
            "instructions": instructions,
            "exposed": true,
            "required": true,
            "restrictions": limits,
            "errorMessages": {},
            "supplementalLink": "",
            "supplementalText": "",
            "loginIssueSupportLink": "",
        })
    };
    json!({
        "method": "post",
        "submit_url": "/api/user/v1/account/login_session/",
        "fields": [
            field(
                "email",
                "Email",
                "email",
                format!("The email address you used to register with {platform_name}"),
                json!({ "min_length": 3, "max_length": 254 }),
            ),
            field("password", "Password", "password", String::new(), json!({ "max_length": 5000 })),
        ],
    })
}
