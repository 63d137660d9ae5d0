//! Rows of the OAuth2 provider.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use db::{Db, Row, Tx, params};
use django_compat::signing::constant_time_eq;

use super::{DEFAULT_SCOPES, FURTHER_SCOPES, OAuthError};
use crate::{Form, Identity, Result, random};

/// Characters of codes and opaque tokens.
pub(super) const TOKEN_LENGTH: usize = 30;

/// A client: oauth2_provider_application with its access row and whether it is restricted.
#[derive(Debug, Clone)]
pub struct Application {
    /// Row id.
    pub id: i64,
    /// Public id.
    pub client_id: String,
    /// Secret, plain text as stored.
    pub client_secret: String,
    /// `confidential` or `public`.
    pub client_type: String,
    /// `authorization-code`, `implicit`, `password`, `client-credentials`, `openid-hybrid`.
    pub grant_type: String,
    /// Redirect URIs, separated by blanks.
    pub redirect_uris: String,
    /// Shown name.
    pub name: String,
    /// Owner.
    pub user_id: Option<i64>,
    /// Users are not asked.
    pub skip_authorization: bool,
    /// Scopes of oauth_dispatch_applicationaccess.
    pub access_scopes: Vec<String>,
    /// Filters of oauth_dispatch_applicationaccess.
    pub access_filters: Vec<String>,
    /// Has a row in oauth_dispatch_restrictedapplication.
    pub is_restricted: bool,
}

impl Application {
    fn from_row(row: &Row) -> db::Result<Self> {
        let list = |text: Option<String>| -> Vec<String> {
            text.unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Ok(Self {
            id: row.int("id")?,
            client_id: row.text("client_id")?,
            client_secret: row.text("client_secret")?,
            client_type: row.text("client_type")?,
            grant_type: row.text("authorization_grant_type")?,
            redirect_uris: row.text("redirect_uris")?,
            name: row.text("name")?,
            user_id: row.opt_int("user_id")?,
            skip_authorization: row.bool("skip_authorization")?,
            access_scopes: list(row.opt_text("access_scopes")?),
            access_filters: list(row.opt_text("access_filters")?),
            is_restricted: row.bool("is_restricted")?,
        })
    }

    /// Whether a secret is not needed for codes, passwords and refreshing.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.client_type == "public"
    }

    /// Whether every scope may be asked for by this client.
    #[must_use]
    pub fn allows_scopes<'a>(&self, mut scopes: impl Iterator<Item = &'a str>) -> bool {
        scopes.all(|scope| {
            DEFAULT_SCOPES.contains(&scope)
                || (FURTHER_SCOPES.contains(&scope)
                    && self.access_scopes.iter().any(|allowed| allowed == scope))
        })
    }

    /// Filters of its tokens (§5): the access row's, and `user:me` unless the client acts for itself.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let mut filters = self.access_filters.clone();
        if self.grant_type != "client-credentials" && !filters.iter().any(|f| f == "user:me") {
            filters.push("user:me".to_owned());
        }
        filters
    }
}

/// The client of an id.
pub async fn application_by_client_id(db: &Db, client_id: &str) -> Result<Option<Application>> {
    if client_id.is_empty() || client_id.len() > 100 {
        return Ok(None);
    }
    let row = db
        .read_one(
            "SELECT a.id, a.client_id, a.client_secret, a.client_type, a.authorization_grant_type, \
             a.redirect_uris, a.name, a.user_id, a.skip_authorization, \
             x.scopes AS access_scopes, x.filters AS access_filters, \
             EXISTS (SELECT 1 FROM oauth_dispatch_restrictedapplication r \
             WHERE r.application_id = a.id) AS is_restricted \
             FROM oauth2_provider_application a \
             LEFT JOIN oauth_dispatch_applicationaccess x ON x.application_id = a.id \
             WHERE a.client_id = ?",
            &params![client_id],
        )
        .await?;
    let found = row.as_ref().map(Application::from_row).transpose()?;
    Ok(found.filter(|application| application.client_id == client_id))
}

/// Tokens to store.
#[derive(Debug, Clone)]
pub(crate) struct NewTokens {
    pub application_id: i64,
    pub user_id: i64,
    pub scope: String,
    /// Seconds.
    pub expires_in: i64,
    /// With a refresh token.
    pub refreshable: bool,
    /// Of a restricted application: stored as expired in 1970.
    pub expired: bool,
}

/// Stored tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
}

/// A stored authorization code.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub id: i64,
    pub user_id: i64,
    pub redirect_uri: String,
    pub scope: String,
    pub code_challenge: String,
    pub code_challenge_method: String,
}

/// A live refresh token.
#[derive(Debug, Clone)]
pub(super) struct RefreshToken {
    pub id: i64,
    pub user_id: i64,
    pub access_token_id: i64,
    pub scope: String,
}

impl NewTokens {
    fn expires(&self, now: DateTime<Utc>) -> NaiveDateTime {
        if self.expired {
            DateTime::UNIX_EPOCH.naive_utc()
        } else {
            (now + TimeDelta::try_seconds(self.expires_in).unwrap_or_default()).naive_utc()
        }
    }
}

/// Inserts the access row and, if wanted, its refresh row.
pub(super) async fn insert_tokens(
    tx: &mut Tx,
    new: &NewTokens,
    tokens: &Tokens,
    source_refresh_token: Option<i64>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let time = now.naive_utc();
    let access_id = tx
        .insert_returning_id(
            "INSERT INTO oauth2_provider_accesstoken (token, expires, scope, application_id, \
             user_id, created, updated, source_refresh_token_id, id_token_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            &params![
                &tokens.access,
                new.expires(now),
                &new.scope,
                new.application_id,
                new.user_id,
                time,
                time,
                source_refresh_token
            ],
        )
        .await?;
    if let Some(refresh) = &tokens.refresh {
        tx.execute(
            "INSERT INTO oauth2_provider_refreshtoken (token, access_token_id, application_id, \
             user_id, created, updated, revoked) VALUES (?, ?, ?, ?, ?, ?, NULL)",
            &params![
                refresh,
                access_id,
                new.application_id,
                new.user_id,
                time,
                time
            ],
        )
        .await?;
    }
    Ok(())
}

impl Identity {
    /// Draws and stores tokens.
    pub(crate) async fn store_tokens(&self, new: &NewTokens, now: DateTime<Utc>) -> Result<Tokens> {
        let tokens = draw_tokens(new.refreshable)?;
        let shared = &tokens;
        self.db()
            .write(|mut tx| async move { insert_tokens(&mut tx, new, shared, None, now).await })
            .await?;
        Ok(tokens)
    }

    /// The client that a request's credentials show (§4.1): Basic first, then the form; a public client needs no
    /// secret where `allow_public`.
    pub(super) async fn client(
        &self,
        authorization: Option<&str>,
        form: &Form,
        allow_public: bool,
    ) -> Result<Result<Application, OAuthError>> {
        if let Some((id, secret)) = authorization.and_then(basic_credentials)
            && let Some(client) = application_by_client_id(self.db(), &id).await?
            && constant_time_eq(&client.client_secret, &secret)
        {
            return Ok(Ok(client));
        }
        let id = form.text("client_id");
        let secret = form.text("client_secret");
        let Some(client) = application_by_client_id(self.db(), id).await? else {
            return Ok(Err(OAuthError::INVALID_CLIENT));
        };
        let known = if secret.is_empty() {
            allow_public && client.is_public()
        } else {
            constant_time_eq(&client.client_secret, secret)
        };
        Ok(if known {
            Ok(client)
        } else {
            Err(OAuthError::INVALID_CLIENT)
        })
    }
}

pub(super) fn draw_tokens(refreshable: bool) -> Result<Tokens> {
    let refresh = if refreshable {
        Some(random::text(TOKEN_LENGTH)?)
    } else {
        None
    };
    Ok(Tokens {
        access: random::text(TOKEN_LENGTH)?,
        refresh,
    })
}

/// Id and secret of a Basic header, form-decoded.
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = django_compat::encoding::a2b_base64(encoded.trim().as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((unquote_plus(id), unquote_plus(secret)))
}

/// Python's `unquote_plus`.
pub(super) fn unquote_plus(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|d| std::str::from_utf8(d).ok());
        match (byte, digits.and_then(|d| u8::from_str_radix(d, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The unexpired code of a client, compared exactly.
pub(super) async fn grant(
    db: &Db,
    code: &str,
    application_id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Grant>> {
    let row = db
        .read_one(
            "SELECT id, code, user_id, redirect_uri, scope, code_challenge, code_challenge_method \
             FROM oauth2_provider_grant WHERE code = ? AND application_id = ? AND expires > ?",
            &params![code, application_id, now.naive_utc()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    if row.text("code")? != code {
        return Ok(None);
    }
    Ok(Some(Grant {
        id: row.int("id")?,
        user_id: row.int("user_id")?,
        redirect_uri: row.text("redirect_uri")?,
        scope: row.text("scope")?,
        code_challenge: row.text("code_challenge")?,
        code_challenge_method: row.text("code_challenge_method")?,
    }))
}

/// The live refresh token of a client, whose access row still exists, compared exactly.
pub(super) async fn refresh_token(
    db: &Db,
    token: &str,
    application_id: i64,
) -> Result<Option<RefreshToken>> {
    let rows = db
        .read(
            "SELECT r.id, r.token, r.user_id, a.id AS access_token_id, a.scope AS scope \
             FROM oauth2_provider_refreshtoken r \
             JOIN oauth2_provider_accesstoken a ON a.id = r.access_token_id \
             WHERE r.token = ? AND r.application_id = ? AND r.revoked IS NULL",
            &params![token, application_id],
        )
        .await?;
    for row in rows {
        if row.text("token")? == token {
            return Ok(Some(RefreshToken {
                id: row.int("id")?,
                user_id: row.int("user_id")?,
                access_token_id: row.int("access_token_id")?,
                scope: row.text("scope")?,
            }));
        }
    }
    Ok(None)
}

/// Deletes an access token; rows that point at it let go first, since the keys have no action of their own.
pub(super) async fn delete_access_token(tx: &mut Tx, id: i64) -> db::Result<()> {
    tx.execute(
        "UPDATE oauth2_provider_refreshtoken SET access_token_id = NULL WHERE access_token_id = ?",
        &params![id],
    )
    .await?;
    tx.execute(
        "DELETE FROM oauth2_provider_accesstoken WHERE id = ?",
        &params![id],
    )
    .await
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §4.1: Basic credentials are form-decoded.
    #[test]
    fn basic() {
        assert_eq!(
            basic_credentials("Basic cGVlci1jYzpwZWVyLWNjLXNlY3JldA=="),
            Some(("peer-cc".into(), "peer-cc-secret".into()))
        );
        assert_eq!(unquote_plus("a%3Ab+c%zz"), "a:b c%zz");
        assert_eq!(basic_credentials("Bearer x"), None);
    }
}
