//! Accounts, sessions, tokens and roles (contracts/identity.md).
//!
//! [`Identity`] is the handle: a database and [`Settings`]. Its functions take plain values (form fields, header
//! texts, the clock) and return outcomes whose `reply()` says the exact status, body and cookies that each one has
//! on the wire; the HTTP layer only carries them.

pub mod accounts;
mod anonymous;
mod authenticate;
pub mod cookies;
pub mod email_change;
mod error;
mod form;
mod lockout;
mod login;
pub mod oauth;
pub mod passwords;
pub mod random;
mod rate;
pub mod registration;
mod reply;
pub mod reset;
pub mod retirement;
pub mod roles;
pub mod session;
mod settings;
pub mod third_party;
mod tokens;
mod users;
mod viewer;

pub use authenticate::{Authenticator, Credentials, Refusal, authenticator_sets};
pub use error::Error;
pub use form::Form;
pub use login::{ApiVersion, LoginFailure, LoginOutcome, LoginRequest, login_form};
pub use rate::RateLimiter;
pub use reply::{Body, Reply};
pub use roles::Roles;
pub use settings::{CookieNames, JwtSettings, Settings};
pub use tokens::JwtKeys;
pub use users::{NewUser, Persona, User};
pub use viewer::{RequestUser, Via, Viewer};

use std::sync::Arc;

use db::Db;

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The handle of accounts and sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity {
    db: Db,
    settings: Arc<Settings>,
    keys: Arc<JwtKeys>,
    limiter: Arc<RateLimiter>,
    outgoing: Option<third_party::Outgoing>,
}

impl Identity {
    /// Joins a database and settings.
    ///
    /// # Errors
    /// [`Error::Settings`] when a configured JWK is not a usable RSA key.
    pub fn new(db: Db, settings: Settings) -> Result<Self> {
        let keys = JwtKeys::from_settings(&settings.jwt)?;
        Ok(Self {
            db,
            settings: Arc::new(settings),
            keys: Arc::new(keys),
            limiter: Arc::new(RateLimiter::default()),
            outgoing: None,
        })
    }

    /// Gives it the program's outgoing HTTP client, without which no other provider can be asked.
    #[must_use]
    pub fn with_outgoing(mut self, outgoing: third_party::Outgoing) -> Self {
        self.outgoing = Some(outgoing);
        self
    }

    pub(crate) fn outgoing(&self) -> Option<&third_party::Outgoing> {
        self.outgoing.as_ref()
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Keys of the JSON web tokens.
    #[must_use]
    pub fn jwt_keys(&self) -> &JwtKeys {
        &self.keys
    }

    /// The counters of rate limits.
    #[must_use]
    pub fn limiter(&self) -> &RateLimiter {
        &self.limiter
    }
}
