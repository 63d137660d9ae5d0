//! Authenticators of REST views: which credential counts, and what its failure is (contracts/identity.md §5.1, §5.2).

use chrono::{DateTime, Utc};
use db::params;
use records::table::{Table, columns};
use serde_json::{Map, Value, json};

use crate::users::Account;
use crate::{Identity, Reply, RequestUser, Result, User, Via};

/// One authenticator of a view. The order of a view's list matters twice: the first that finds a user wins, and the
/// first of the list decides between 401 and 403 when nobody is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authenticator {
    /// `Authorization: JWT …` or the JWT cookies, of active users (§14).
    Jwt,
    /// The same, of inactive users too.
    JwtAllowInactive,
    /// `Authorization: Bearer …` of active users.
    Bearer,
    /// The same, of inactive users too.
    BearerAllowInactive,
    /// The session of an active user.
    Session,
    /// The session of any user.
    SessionAllowInactive,
}

/// The lists of §5.2.
pub mod authenticator_sets {
    use super::Authenticator::{
        self, Bearer, BearerAllowInactive, Jwt, JwtAllowInactive, Session, SessionAllowInactive,
    };

    /// The default of REST views.
    pub const DEFAULT: &[Authenticator] = &[Jwt, Session];
    /// Accounts, me, preferences, image; enrollment and its like (`[JBS]` of lms-api.md).
    pub const ANY_USER: &[Authenticator] =
        &[JwtAllowInactive, BearerAllowInactive, SessionAllowInactive];
    /// deactivate_logout.
    pub const JWT_SESSION_BEARER: &[Authenticator] = &[Jwt, Session, Bearer];
    /// Most course APIs.
    pub const COURSE: &[Authenticator] = &[Jwt, Bearer, Session];
    /// Third-party mapping.
    pub const JWT_BEARER: &[Authenticator] = &[Jwt, Bearer];
    /// `/oauth2/login/`: any token, inactive users too.
    pub const TOKEN_TO_SESSION: &[Authenticator] = &[BearerAllowInactive, JwtAllowInactive];
    /// One preference.
    pub const BEARER_SESSION: &[Authenticator] = &[BearerAllowInactive, SessionAllowInactive];
    /// email_opt_in, send_account_activation_email.
    pub const SESSION_ANY: &[Authenticator] = &[SessionAllowInactive];
}

/// What a request brings.
#[derive(Debug, Clone, Default)]
pub struct Credentials<'a> {
    /// The Authorization header.
    pub authorization: Option<&'a str>,
    /// The JWT of the cookies: both halves joined, or the whole one.
    pub jwt_cookie: Option<String>,
    /// The user of a verified session.
    pub session_user: Option<&'a User>,
    /// For an unsafe method, the reason for which the CSRF check fails ("CSRF token missing."); none when it passes or
    /// the method is safe.
    pub csrf_failure: Option<&'a str>,
}

/// Nobody was authenticated.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// No credential that this view reads: 401 (or 403, by the first authenticator), "Authentication credentials
    /// were not provided."
    NotProvided {
        /// 401 or 403.
        status: u16,
        /// WWW-Authenticate of a 401.
        challenge: Option<&'static str>,
    },
    /// A credential was refused: 401 with this body.
    Failed {
        /// WWW-Authenticate of the view's first authenticator.
        challenge: Option<&'static str>,
        /// `{"detail"}` or `{"error_code", "developer_message"}`.
        body: Map<String, Value>,
    },
    /// A session's CSRF check failed: 403 `{"detail":"CSRF Failed: …"}`.
    Csrf(String),
}

impl Refusal {
    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotProvided { status, .. } => *status,
            Self::Failed {
                challenge: Some(_), ..
            } => 401,
            Self::Failed {
                challenge: None, ..
            }
            | Self::Csrf(_) => 403,
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value {
        match self {
            Self::NotProvided { .. } => {
                json!({ "detail": "Authentication credentials were not provided." })
            }
            Self::Failed { body, .. } => Value::Object(body.clone()),
            Self::Csrf(reason) => json!({ "detail": format!("CSRF Failed: {reason}") }),
        }
    }

    /// WWW-Authenticate.
    #[must_use]
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NotProvided { challenge, .. } | Self::Failed { challenge, .. } => *challenge,
            Self::Csrf(_) => None,
        }
    }

    /// The whole reply.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let reply = Reply::rest(self.status(), self.body());
        match self.challenge() {
            Some(challenge) => reply.header("WWW-Authenticate", challenge),
            None => reply,
        }
    }
}

const JWT_CHALLENGE: &str = "JWT realm=\"api\"";
const BEARER_CHALLENGE: &str = "Bearer realm=\"api\"";

fn challenge_of(set: &[Authenticator]) -> Option<&'static str> {
    match set.first() {
        Some(Authenticator::Jwt | Authenticator::JwtAllowInactive) => Some(JWT_CHALLENGE),
        Some(Authenticator::Bearer | Authenticator::BearerAllowInactive) => Some(BEARER_CHALLENGE),
        _ => None,
    }
}

fn detail(text: impl Into<String>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("detail".into(), text.into().into());
    body
}

fn bearer_error(code: &str, message: impl Into<String>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("error_code".into(), code.into());
    body.insert("developer_message".into(), message.into().into());
    body
}

/// What one authenticator says.
enum Verdict {
    Found(Box<RequestUser>),
    Pass,
    Fail(Map<String, Value>),
    Csrf(String),
}

impl Identity {
    /// Asks a view's authenticators in order. `Ok(Err(refusal))` means that nobody is authenticated: views open to
    /// the public go on as anonymous for [`Refusal::NotProvided`] and answer every other refusal.
    pub async fn authenticate_request(
        &self,
        credentials: &Credentials<'_>,
        set: &[Authenticator],
        now: DateTime<Utc>,
    ) -> Result<Result<RequestUser, Refusal>> {
        let challenge = challenge_of(set);
        for authenticator in set {
            let verdict = match authenticator {
                Authenticator::Jwt => self.by_jwt(credentials, false, now).await?,
                Authenticator::JwtAllowInactive => self.by_jwt(credentials, true, now).await?,
                Authenticator::Bearer => self.by_bearer(credentials, false, now).await?,
                Authenticator::BearerAllowInactive => {
                    self.by_bearer(credentials, true, now).await?
                }
                Authenticator::Session => by_session(credentials, false),
                Authenticator::SessionAllowInactive => by_session(credentials, true),
            };
            match verdict {
                Verdict::Found(user) => return Ok(Ok(*user)),
                Verdict::Pass => {}
                Verdict::Fail(body) => return Ok(Err(Refusal::Failed { challenge, body })),
                Verdict::Csrf(reason) => return Ok(Err(Refusal::Csrf(reason))),
            }
        }
        let status = if challenge.is_some() { 401 } else { 403 };
        Ok(Err(Refusal::NotProvided { status, challenge }))
    }

    async fn by_jwt(
        &self,
        credentials: &Credentials<'_>,
        allow_inactive: bool,
        now: DateTime<Utc>,
    ) -> Result<Verdict> {
        let words: Vec<&str> = credentials
            .authorization
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        if let &[scheme, token] = words.as_slice() {
            if !scheme.eq_ignore_ascii_case("jwt") {
                return Ok(Verdict::Pass);
            }
            return Ok(match self.jwt_user(token, allow_inactive, now).await? {
                Ok(user) => Verdict::Found(Box::new(user)),
                Err(body) => Verdict::Fail(body),
            });
        }
        let Some(token) = &credentials.jwt_cookie else {
            return Ok(Verdict::Pass);
        };
        let found = self.jwt_user(token, allow_inactive, now).await?;
        let session = credentials.session_user;
        match found {
            Ok(user) => match credentials.csrf_failure {
                None => Ok(Verdict::Found(Box::new(user))),
                Some(reason) if session.is_some_and(|s| s.username != user.user.username) => {
                    Ok(Verdict::Csrf(reason.to_owned()))
                }
                Some(_) => Ok(Verdict::Pass),
            },
            Err(body) => {
                // A cookie that names another user than the session must not fall back to that session.
                let named = unverified_username(token);
                match session {
                    Some(session) if named.as_deref() != Some(session.username.as_str()) => {
                        Ok(Verdict::Fail(body))
                    }
                    _ => Ok(Verdict::Pass),
                }
            }
        }
    }

    /// The user of a token, from the database: claims never win over it (§14).
    async fn jwt_user(
        &self,
        token: &str,
        allow_inactive: bool,
        now: DateTime<Utc>,
    ) -> Result<Result<RequestUser, Map<String, Value>>> {
        let Ok(claims) = self.verify_jwt(token, now) else {
            return Ok(Err(detail("Invalid token.")));
        };
        let username = ["preferred_username", "username"]
            .iter()
            .find_map(|name| claims.get(*name).and_then(Value::as_str))
            .filter(|name| !name.is_empty());
        let Some(username) = username else {
            return Ok(Err(detail(
                "JWT must include a preferred_username or username claim!",
            )));
        };
        let Some(account) = self.account_by_username(username).await? else {
            return Ok(Err(detail(format!(
                "[edx-drf-extensions] User retrieval failed for username {username}."
            ))));
        };
        if account.is_closed() {
            return Ok(Err(detail(format!("User disabled by admin: {username}"))));
        }
        if !allow_inactive && !account.user.is_active {
            return Ok(Err(detail(format!("User inactive or deleted: {username}"))));
        }
        Ok(Ok(RequestUser {
            user: account.user,
            via: Via::Jwt(claims),
        }))
    }

    async fn by_bearer(
        &self,
        credentials: &Credentials<'_>,
        allow_inactive: bool,
        now: DateTime<Utc>,
    ) -> Result<Verdict> {
        let words: Vec<&str> = credentials
            .authorization
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let token = match words.as_slice() {
            [] => return Ok(Verdict::Pass),
            [_] => {
                return Ok(Verdict::Fail(bearer_error(
                    "token_not_provided",
                    "Invalid token header. No credentials provided.",
                )));
            }
            [scheme, ..] if !scheme.eq_ignore_ascii_case("bearer") => return Ok(Verdict::Pass),
            [_, token] => *token,
            _ => {
                return Ok(Verdict::Fail(bearer_error(
                    "token_malformed",
                    "Invalid token header. Token string should not contain spaces.",
                )));
            }
        };
        Ok(match self.bearer_user(token, allow_inactive, now).await? {
            Ok(user) => Verdict::Found(Box::new(user)),
            Err(body) => Verdict::Fail(body),
        })
    }

    /// The user of an opaque token.
    async fn bearer_user(
        &self,
        token: &str,
        allow_inactive: bool,
        now: DateTime<Utc>,
    ) -> Result<Result<RequestUser, Map<String, Value>>> {
        let nonexistent = || {
            Ok(Err(bearer_error(
                "token_nonexistent",
                "The provided access token does not match any valid tokens.",
            )))
        };
        if token.len() > 255 {
            return nonexistent();
        }
        let sql = format!(
            "SELECT {}, t.token AS token, t.expires AS expires, t.scope AS scope, \
             t.application_id AS application_id, st.account_status AS standing, \
             EXISTS (SELECT 1 FROM oauth2_provider_application a WHERE a.user_id = u.id) \
             AS owns_application \
             FROM oauth2_provider_accesstoken t JOIN auth_user u ON u.id = t.user_id \
             LEFT JOIN student_userstanding st ON st.user_id = u.id WHERE t.token = ?",
            columns::<User>("u.")
        );
        let rows = self.db().read(&sql, &params![token]).await?;
        // The column's collation ignores case, a token does not.
        let mut found = None;
        for row in rows {
            if row.text("token")? == token {
                found = Some(row);
            }
        }
        let Some(row) = found else {
            return nonexistent();
        };
        if row.datetime("expires")? <= now.naive_utc() {
            return Ok(Err(bearer_error(
                "token_expired",
                "The provided access token has expired and is no longer valid.",
            )));
        }
        let account = Account {
            user: User::from_row(&row)?,
            persona: crate::Persona::default(),
            disabled: row.opt_text("standing")?.as_deref() == Some("disabled"),
            owns_application: row.bool("owns_application")?,
        };
        let name = &account.user.username;
        if account.is_closed() {
            return Ok(Err(bearer_error(
                "user_is_disabled",
                format!("User disabled by admin: {name}"),
            )));
        }
        if !allow_inactive && !account.user.is_active {
            return Ok(Err(bearer_error(
                "user_not_active",
                format!("User inactive or deleted: {name}"),
            )));
        }
        let via = Via::Bearer {
            application_id: row.opt_int("application_id")?,
            scopes: row
                .text("scope")?
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        };
        Ok(Ok(RequestUser {
            user: account.user,
            via,
        }))
    }
}

fn by_session(credentials: &Credentials<'_>, allow_inactive: bool) -> Verdict {
    match credentials.session_user {
        Some(user) if allow_inactive || user.is_active => match credentials.csrf_failure {
            Some(reason) => Verdict::Csrf(reason.to_owned()),
            None => Verdict::Found(Box::new(RequestUser {
                user: user.clone(),
                via: Via::Session,
            })),
        },
        _ => Verdict::Pass,
    }
}

/// The username that a token claims, without any verification: only to see that it is not the session's.
fn unverified_username(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let payload = django_compat::encoding::b64u_decode(payload).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    ["preferred_username", "username"]
        .iter()
        .find_map(|name| claims.get(*name).and_then(Value::as_str))
        .map(str::to_owned)
}
