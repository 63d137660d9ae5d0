//! What can go wrong below the outcomes that clients see.

/// Failure of a store, of the settings or of the machine; never something a client did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused or failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// A setting is unusable.
    #[error("setting {0}")]
    Settings(String),
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
    /// A password could not be hashed.
    #[error("password hashing: {0}")]
    Hashing(String),
    /// A token could not be signed.
    #[error("token signing: {0}")]
    Signing(#[from] django_compat::jwt::TokenError),
    /// A row that must be there is not: the text says which.
    #[error("missing row: {0}")]
    MissingRow(&'static str),
    /// A username or e-mail address is taken.
    #[error("{0} is already in use")]
    Taken(&'static str),
    /// A value is not acceptable; the text is shown to the user.
    #[error("{0}")]
    Invalid(String),
}
