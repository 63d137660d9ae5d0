//! Sessions in Django's formats (contracts/identity.md §2).
//!
//! The store is the table django_session, as with the engine `db`. [`Session::to_cache`] and
//! [`Session::from_cache`] give the record that the engine `cache` keeps under [`cache_key`], for a deployment that
//! shares sessions with Python services over Redis.

use chrono::{DateTime, TimeDelta, Utc};
use django_compat::pickle::{self, Value};
use django_compat::sessions::{self, SafeCookie, Serializer};
use records::sessions as rows;

use crate::cookies::Cookie;
use crate::users::Account;
use crate::{Identity, Persona, Result, User, random};

/// `_auth_user_backend` of password logins.
pub const PASSWORD_BACKEND: &str = "django.contrib.auth.backends.AllowAllUsersModelBackend";

const USER_ID: &str = "_auth_user_id";
const BACKEND: &str = "_auth_user_backend";
const HASH: &str = "_auth_user_hash";
const EXPIRY: &str = "_session_expiry";
/// Characters of a session key.
const KEY_LENGTH: usize = 32;
/// Characters of the safe cookie's salt.
const SALT_LENGTH: usize = 12;
/// Largest value of django_session.session_data that is written, bytes.
const MAX_DATA: usize = 1 << 20;

/// A session: a dict of Django values with its key. Unknown keys are kept.
#[derive(Debug, Clone, Default)]
pub struct Session {
    key: Option<String>,
    values: Vec<(String, Value)>,
    modified: bool,
}

impl Session {
    /// An empty session that is not stored yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with_values(key: String, value: Value) -> Self {
        let values = match value {
            Value::Dict(items) => items
                .into_iter()
                .filter_map(|(key, item)| key.as_text().map(|key| (key.to_owned(), item)))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            key: Some(key),
            values,
            modified: false,
        }
    }

    /// The session key; none before the first save.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether something changed since it was read: it must be saved and its cookie sent again.
    #[must_use]
    pub const fn is_modified(&self) -> bool {
        self.modified
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_text)
    }

    /// Sets a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.modified = true;
        match self.values.iter_mut().find(|(key, _)| key == name) {
            Some(slot) => slot.1 = value,
            None => self.values.push((name.to_owned(), value)),
        }
    }

    /// Sets a text.
    pub fn set_text(&mut self, name: &str, text: impl Into<String>) {
        self.set(name, Value::Text(text.into()));
    }

    /// Removes a value and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.values.iter().position(|(key, _)| key == name)?;
        self.modified = true;
        Some(self.values.remove(at).1)
    }

    /// auth_user.id of the signed-in user, unverified.
    #[must_use]
    pub fn user_id(&self) -> Option<i64> {
        self.text(USER_ID)?.parse().ok()
    }

    /// Seconds that the session lives from now: its own expiry, else `default`. 0 means a browser session.
    #[must_use]
    pub fn expiry(&self, default: i64) -> i64 {
        match self.get(EXPIRY) {
            Some(Value::Int(seconds)) => *seconds,
            _ => default,
        }
    }

    /// Sets the lifetime; 0 for a browser session.
    pub fn set_expiry(&mut self, seconds: i64) {
        self.set(EXPIRY, Value::Int(seconds));
    }

    /// The dict.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Dict(
            self.values
                .iter()
                .map(|(key, value)| (Value::Text(key.clone()), value.clone()))
                .collect(),
        )
    }

    /// The record of the engine `cache`: a pickle of protocol 4, which every Python client reads.
    #[must_use]
    pub fn to_cache(&self) -> Vec<u8> {
        pickle::dumps(&self.to_value(), 4)
    }

    /// Reads a record of the engine `cache`; what cannot be read is an empty session.
    #[must_use]
    pub fn from_cache(key: &str, record: &[u8]) -> Self {
        let value = pickle::loads(record).unwrap_or(Value::None);
        Self::with_values(key.to_owned(), value)
    }
}

/// Key of a session's record in a cache: Django's key, as edx-platform quotes it.
#[must_use]
pub fn cache_key(session_key: &str, key_prefix: &str, version: &str) -> String {
    let key = format!("{}{session_key}", sessions::CACHE_KEY_PREFIX);
    django_compat::ids::cache_key(&key, key_prefix, version)
}

/// Key of the cached row of a user that Python services read first; whoever changes auth_user deletes it.
#[must_use]
pub fn user_cache_key(user_id: i64, key_prefix: &str, version: &str) -> String {
    django_compat::ids::cache_key(&format!("auth.user:{user_id}"), key_prefix, version)
}

/// What a session cookie turned out to be.
#[derive(Debug, Clone)]
pub enum SessionState {
    /// No cookie, an unknown key, or nobody signed in.
    Anonymous(Option<Session>),
    /// Somebody is signed in.
    User(Session, Box<User>, Box<Persona>),
    /// The account is closed: standing `disabled`, or a password that was made unusable. The answer is 403 with
    /// the page "Your account has been disabled" for pages, 401 for calls (§1.1, §14).
    Disabled(Session, Box<User>),
    /// The password changed since: the session is deleted, the five cookies too, and the request goes on as
    /// anonymous.
    Stale,
    /// A cookie that was tampered with, is too old or is another user's: see [`Identity::bad_cookie_reply`].
    Bad,
}

impl SessionState {
    /// The signed-in user.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(_, user, _) => Some(user),
            _ => None,
        }
    }

    /// How to address the signed-in user.
    #[must_use]
    pub fn persona(&self) -> Option<&Persona> {
        match self {
            Self::User(_, _, persona) => Some(persona),
            _ => None,
        }
    }

    /// The session, if there is a usable one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Anonymous(session) => session.as_ref(),
            Self::User(session, ..) => Some(session),
            _ => None,
        }
    }

    /// Takes the session out.
    #[must_use]
    pub fn into_session(self) -> Option<Session> {
        match self {
            Self::Anonymous(session) => session,
            Self::User(session, ..) => Some(session),
            _ => None,
        }
    }
}

impl Identity {
    /// Judges the session cookie of a request: at most two statements.
    pub async fn session_from_cookie(
        &self,
        cookie: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<SessionState> {
        let Some(cookie) = cookie.filter(|value| !value.is_empty()) else {
            return Ok(SessionState::Anonymous(None));
        };
        let Ok(safe) = SafeCookie::parse(cookie) else {
            return Ok(SessionState::Bad);
        };
        let Some(session) = self.load_session(&safe.session_id, now).await? else {
            return Ok(SessionState::Anonymous(None));
        };
        let Some(user_id) = session.user_id() else {
            return Ok(SessionState::Anonymous(Some(session)));
        };
        let settings = self.settings();
        let valid = safe.verify(
            &user_id.to_string(),
            settings.signing_keys(),
            settings.session_cookie_age as f64,
            seconds(now),
        );
        if !valid {
            return Ok(SessionState::Bad);
        }
        let backend_known = session.text(BACKEND).is_some_and(|backend| {
            settings
                .authentication_backends
                .iter()
                .any(|known| known == backend)
        });
        let account = if backend_known {
            self.account_by_id(user_id).await?
        } else {
            None
        };
        let Some(account) = account else {
            return Ok(SessionState::Anonymous(Some(session)));
        };
        let hash = sessions::auth_hash(&account.user.password, &settings.secret_key);
        let fits = session
            .text(HASH)
            .is_some_and(|stored| django_compat::signing::constant_time_eq(stored, &hash));
        if !fits {
            self.delete_session(&safe.session_id).await?;
            return Ok(SessionState::Stale);
        }
        let Account { user, .. } = &account;
        if account.is_closed() {
            return Ok(SessionState::Disabled(session, Box::new(user.clone())));
        }
        Ok(SessionState::User(
            session,
            Box::new(account.user),
            Box::new(account.persona),
        ))
    }

    /// Reads a stored session that has not expired.
    pub async fn load_session(&self, key: &str, now: DateTime<Utc>) -> Result<Option<Session>> {
        if key.is_empty() || key.len() > 40 {
            return Ok(None);
        }
        let Some(row) = rows::get(self.db(), key, now.naive_utc()).await? else {
            return Ok(None);
        };
        let value = sessions::decode(
            &row.session_data,
            Serializer::Pickle,
            self.settings().signing_keys(),
        );
        Ok(Some(Session::with_values(row.session_key, value)))
    }

    /// Stores a session; a new one gets its key now.
    pub async fn save_session(&self, session: &mut Session, now: DateTime<Utc>) -> Result<()> {
        let key = match &session.key {
            Some(key) => key.clone(),
            None => random::lower(KEY_LENGTH)?,
        };
        let row = self.session_row(session, &key, now);
        if row.session_data.len() > MAX_DATA {
            return Err(crate::Error::Invalid("session data too large".into()));
        }
        let row = &row;
        self.db()
            .write(|mut tx| async move { rows::save(&mut tx, row).await })
            .await?;
        session.key = Some(key);
        session.modified = false;
        Ok(())
    }

    fn session_row(&self, session: &Session, key: &str, now: DateTime<Utc>) -> rows::Session {
        let settings = self.settings();
        // A browser session has no cookie age, but its record must end some day.
        let age = match session.expiry(settings.session_cookie_age) {
            0 => settings.session_cookie_age,
            age => age,
        };
        rows::Session {
            session_key: key.to_owned(),
            session_data: sessions::encode(
                &session.to_value(),
                Serializer::Pickle,
                &settings.secret_key,
                now.timestamp(),
            ),
            expire_date: (now + TimeDelta::try_seconds(age).unwrap_or_default()).naive_utc(),
        }
    }

    /// Removes a stored session.
    pub async fn delete_session(&self, key: &str) -> Result<()> {
        self.db()
            .write(|mut tx| async move { rows::delete(&mut tx, key).await })
            .await?;
        Ok(())
    }

    /// Signs a user in: the session gets a new key and keeps its data, or starts empty when it was another user's;
    /// the old record goes, and with PREVENT_CONCURRENT_LOGINS the user's previous session goes too.
    /// `age` is the lifetime in seconds, 0 for a browser session. One transaction.
    pub async fn start_login(
        &self,
        session: Option<Session>,
        user: &User,
        age: i64,
        now: DateTime<Utc>,
    ) -> Result<Session> {
        let settings = self.settings();
        let hash = sessions::auth_hash(&user.password, &settings.secret_key);
        let mut session = session.unwrap_or_default();
        let old_key = session.key.take();
        if let Some(previous) = session.user_id()
            && (previous != user.id || session.text(HASH) != Some(hash.as_str()))
        {
            session.values.clear();
        }
        session.set_text(USER_ID, user.id.to_string());
        session.set_text(BACKEND, PASSWORD_BACKEND);
        session.set_text(HASH, hash);
        session.set_expiry(age);
        session.set_text("email", user.email.clone());
        let key = random::lower(KEY_LENGTH)?;
        let row = self.session_row(&session, &key, now);
        let (row, old_key, key_ref) = (&row, &old_key, key.as_str());
        let exclusive = settings.prevent_concurrent_logins;
        self.db()
            .write(|mut tx| async move {
                crate::lockout::clear(&mut tx, user.id).await?;
                records::users::set_last_login(&mut tx, user.id, now.naive_utc()).await?;
                if let Some(old) = old_key {
                    rows::delete(&mut tx, old).await?;
                }
                if exclusive
                    && let Some(previous) = remember_session(&mut tx, user, Some(key_ref)).await?
                {
                    rows::delete(&mut tx, &previous).await?;
                }
                rows::save(&mut tx, row).await
            })
            .await?;
        session.key = Some(key);
        session.modified = false;
        Ok(session)
    }

    /// Ends a session: its record goes and the user's profile forgets it.
    pub async fn end_session(&self, session: &Session, user: Option<&User>) -> Result<()> {
        let Some(key) = session.key() else {
            return Ok(());
        };
        let exclusive = self.settings().prevent_concurrent_logins;
        self.db()
            .write(|mut tx| async move {
                rows::delete(&mut tx, key).await?;
                if exclusive && let Some(user) = user {
                    remember_session(&mut tx, user, None).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(())
    }

    /// The safe-session cookie of a stored session. Made anew each time it is set.
    pub fn session_cookie(&self, session: &Session, now: DateTime<Utc>) -> Result<Option<Cookie>> {
        let Some(key) = session.key() else {
            return Ok(None);
        };
        let settings = self.settings();
        let user_id = session.text(USER_ID).unwrap_or("None");
        let salt = random::text(SALT_LENGTH)?;
        let value =
            sessions::safe_cookie(key, user_id, &salt, &settings.secret_key, now.timestamp())
                .map_err(|error| crate::Error::Invalid(error.to_string()))?;
        let age = match session.expiry(settings.session_cookie_age) {
            0 => None,
            age => Some(age),
        };
        Ok(Some(settings.session_cookie(value, age)))
    }

    /// The answer to a bad session cookie: 401 without body for mobile apps and calls, 302 to `/login?next=` for
    /// a browser asking for a page; sessionid and the four login cookies are deleted.
    #[must_use]
    pub fn bad_cookie_reply(
        &self,
        path: &str,
        accepts_html: bool,
        is_mobile: bool,
    ) -> crate::Reply {
        let reply = if accepts_html && !is_mobile {
            let next = django_compat::encoding::quote_path(path);
            crate::Reply::empty(302).header("Location", format!("/login?next={next}"))
        } else {
            crate::Reply::empty(401)
        };
        reply.cookies(self.settings().login_cookie_deletions(true))
    }
}

/// Writes the key of the user's only session to auth_userprofile.meta and returns the one that was there.
async fn remember_session(
    tx: &mut db::Tx,
    user: &User,
    key: Option<&str>,
) -> db::Result<Option<String>> {
    let profile = records::users::profile(&mut *tx, user.id).await?;
    let mut profile = profile.unwrap_or_else(|| records::users::UserProfile {
        name: user.username.clone(),
        courseware: "course.xml".into(),
        user_id: user.id,
        ..Default::default()
    });
    let mut meta: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&profile.meta).unwrap_or_default();
    let previous = meta
        .get("session_id")
        .and_then(serde_json::Value::as_str)
        .filter(|old| Some(*old) != key)
        .map(str::to_owned);
    meta.insert("session_id".into(), key.into());
    profile.meta = django_compat::pyjson::dumps(
        &serde_json::Value::Object(meta),
        django_compat::pyjson::Style::DEFAULT,
    );
    records::users::save_profile(tx, &profile).await?;
    Ok(previous)
}

fn seconds(moment: DateTime<Utc>) -> f64 {
    moment.timestamp_micros() as f64 / 1e6
}
