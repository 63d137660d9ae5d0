//! `/oauth2/authorize` (contracts/identity.md §4.4).

use chrono::{DateTime, TimeDelta, Utc};
use db::params;

use super::store::{TOKEN_LENGTH, unquote_plus};
use super::{Application, DEFAULT_SCOPES, NewTokens, application_by_client_id};
use crate::{Form, Identity, Result, User, random};

/// Lifetime of a code, seconds.
const CODE_AGE: i64 = 60;
/// Longest stored challenge.
const MAX_CHALLENGE: usize = 128;

/// A signed-in user's request for authorization: the query of a GET, or the form of the consent page, which carries
/// the same fields (its CSRF token has been checked).
#[derive(Debug, Clone, Copy)]
pub struct AuthorizeRequest<'a> {
    /// Query or form fields.
    pub fields: &'a Form,
    /// The user.
    pub user: &'a User,
    /// For the consent form's POST, whether `allow` was sent; none for a GET.
    pub consent: Option<bool>,
}

/// What the consent page shows and posts back.
#[derive(Debug, Clone)]
pub struct ConsentForm {
    /// The client.
    pub application: Application,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Hidden inputs, in order: redirect_uri, scope, nonce, client_id, state, response_type, code_challenge,
    /// code_challenge_method, claims.
    pub hidden: Vec<(&'static str, String)>,
}

/// Outcome of an authorization request.
#[derive(Debug, Clone)]
pub enum AuthorizeOutcome {
    /// 302 to this address: with a code, a token or an error.
    Redirect(String),
    /// 200 with the consent page.
    Ask(Box<ConsentForm>),
    /// 400 page "Error: invalid_request" with this sentence: there is no address to go back to.
    Invalid(&'static str),
}

impl Identity {
    /// Decides an authorization request. An anonymous visitor never comes here: 302 `/login?next=…`.
    pub async fn authorize(
        &self,
        request: &AuthorizeRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<AuthorizeOutcome> {
        let fields = request.fields;
        let client_id = fields.text("client_id");
        if client_id.is_empty() {
            return Ok(AuthorizeOutcome::Invalid("Missing client_id parameter."));
        }
        let Some(application) = application_by_client_id(self.db(), client_id).await? else {
            return Ok(AuthorizeOutcome::Invalid(
                "Invalid client_id parameter value.",
            ));
        };
        let redirect_uri = match redirect_uri(
            fields,
            &application,
            &self.settings().allowed_redirect_uri_schemes,
        ) {
            Ok(uri) => uri,
            Err(sentence) => return Ok(AuthorizeOutcome::Invalid(sentence)),
        };
        let state = fields.get("state");
        let back = |pairs: &[(&str, &str)]| {
            AuthorizeOutcome::Redirect(with_query(&redirect_uri, pairs, state, '?'))
        };
        let response_type = fields.text("response_type");
        match response_type {
            "" => {
                return Ok(back(&[
                    ("error", "invalid_request"),
                    ("error_description", "Missing response_type parameter."),
                ]));
            }
            "code" | "token" => {}
            _ => return Ok(back(&[("error", "unsupported_response_type")])),
        }
        let grant_fits = match response_type {
            "code" => application.grant_type == "authorization-code",
            _ => application.grant_type == "implicit",
        };
        if !grant_fits {
            return Ok(back(&[("error", "unauthorized_client")]));
        }
        let challenge = fields.text("code_challenge");
        let method = match (challenge, fields.text("code_challenge_method")) {
            ("", _) => "",
            (_, "") => "plain",
            (_, method) => method,
        };
        if challenge.len() > MAX_CHALLENGE || !matches!(method, "" | "plain" | "S256") {
            return Ok(back(&[
                ("error", "invalid_request"),
                ("error_description", "Transform algorithm not supported."),
            ]));
        }
        let scope = match fields.get("scope") {
            Some(scope) => scope.to_owned(),
            None => DEFAULT_SCOPES.join(" "),
        };
        if !application.allows_scopes(scope.split(' ')) {
            return Ok(back(&[("error", "invalid_scope")]));
        }
        let approved = match request.consent {
            Some(true) => true,
            Some(false) => return Ok(back(&[("error", "access_denied")])),
            None => self.is_approved(&application, request, &scope, now).await?,
        };
        if !approved {
            let hidden = vec![
                ("redirect_uri", redirect_uri),
                ("scope", scope.clone()),
                ("nonce", fields.text("nonce").to_owned()),
                ("client_id", application.client_id.clone()),
                ("state", state.unwrap_or_default().to_owned()),
                ("response_type", response_type.to_owned()),
                ("code_challenge", challenge.to_owned()),
                ("code_challenge_method", method.to_owned()),
                ("claims", fields.text("claims").to_owned()),
            ];
            let scopes = scope.split(' ').map(str::to_owned).collect();
            return Ok(AuthorizeOutcome::Ask(Box::new(ConsentForm {
                application,
                scopes,
                hidden,
            })));
        }
        if response_type == "token" {
            return self
                .implicit(
                    &application,
                    request.user,
                    &redirect_uri,
                    &scope,
                    state,
                    now,
                )
                .await;
        }
        let code = random::text(TOKEN_LENGTH)?;
        let expires = now + TimeDelta::try_seconds(CODE_AGE).unwrap_or_default();
        let nonce = fields.text("nonce");
        let values = params![
            &code,
            expires,
            &redirect_uri,
            &scope,
            application.id,
            request.user.id,
            now,
            now,
            challenge,
            method,
            nonce,
            "{}"
        ];
        self.db()
            .execute(
                "INSERT INTO oauth2_provider_grant (code, expires, redirect_uri, scope, \
                 application_id, user_id, created, updated, code_challenge, \
                 code_challenge_method, nonce, claims) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                &values,
            )
            .await?;
        Ok(back(&[("code", &code)]))
    }

    /// Whether the user need not be asked: the client skips it, or has had a token of these scopes before.
    async fn is_approved(
        &self,
        application: &Application,
        request: &AuthorizeRequest<'_>,
        scope: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        if application.skip_authorization {
            return Ok(true);
        }
        let only_live = match request.fields.text("approval_prompt") {
            "force" => return Ok(false),
            "auto" => true,
            _ => false,
        };
        let rows = self
            .db()
            .read(
                "SELECT scope, expires FROM oauth2_provider_accesstoken \
                 WHERE user_id = ? AND application_id = ? ORDER BY id DESC LIMIT 100",
                &params![request.user.id, application.id],
            )
            .await?;
        for row in rows {
            let text = row.text("scope")?;
            let had: Vec<&str> = text.split(' ').collect();
            if scope.split(' ').all(|part| had.contains(&part))
                && (!only_live || row.datetime("expires")? > now.naive_utc())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn implicit(
        &self,
        application: &Application,
        user: &User,
        redirect_uri: &str,
        scope: &str,
        state: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<AuthorizeOutcome> {
        let expires_in = self.settings().access_token_expire_seconds;
        let new = NewTokens {
            application_id: application.id,
            user_id: user.id,
            scope: scope.to_owned(),
            expires_in,
            refreshable: false,
            expired: application.is_restricted,
        };
        let tokens = self.store_tokens(&new, now).await?;
        let pairs = [
            ("access_token", tokens.access.as_str()),
            ("expires_in", &expires_in.to_string()),
            ("token_type", "Bearer"),
            ("scope", scope),
        ];
        Ok(AuthorizeOutcome::Redirect(with_query(
            redirect_uri,
            &pairs,
            state,
            '#',
        )))
    }
}

/// The address to go back to: the given one if it is registered, the registered one if none is given and it is the
/// only one.
fn redirect_uri(
    fields: &Form,
    application: &Application,
    schemes: &[String],
) -> Result<String, &'static str> {
    let registered: Vec<&str> = application.redirect_uris.split_whitespace().collect();
    match fields.get("redirect_uri").filter(|uri| !uri.is_empty()) {
        Some(uri) => {
            if !uri.contains("://") {
                return Err("Invalid redirect URI.");
            }
            if registered
                .iter()
                .any(|known| uri_matches(known, uri, schemes))
            {
                Ok(uri.to_owned())
            } else {
                Err("Mismatching redirect URI.")
            }
        }
        None => match registered.as_slice() {
            [only] => Ok((*only).to_owned()),
            _ => Err("Missing redirect URI."),
        },
    }
}

struct Parts<'a> {
    scheme: &'a str,
    netloc: &'a str,
    path: &'a str,
    query: Vec<(String, String)>,
}

fn parts(uri: &str) -> Option<Parts<'_>> {
    let uri = uri.split('#').next()?;
    let (scheme, rest) = uri.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (netloc, rest) = rest.split_at_checked(end)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unquote_plus(key), unquote_plus(value))
        })
        .collect();
    Some(Parts {
        scheme,
        netloc,
        path,
        query,
    })
}

/// Whether a given address fits a registered one: scheme (an allowed one), host and path equal, the registered query
/// contained; loopback addresses registered without port fit any port.
fn uri_matches(registered: &str, given: &str, schemes: &[String]) -> bool {
    let (Some(known), Some(uri)) = (parts(registered), parts(given)) else {
        return false;
    };
    let loopback = known.scheme == "http" && matches!(known.netloc, "127.0.0.1" | "[::1]");
    let netloc_fits = known.netloc == uri.netloc
        || (loopback
            && uri.netloc.strip_prefix(known.netloc).is_some_and(|rest| {
                rest.strip_prefix(':')
                    .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            }));
    schemes.iter().any(|scheme| scheme == uri.scheme)
        && known.scheme == uri.scheme
        && netloc_fits
        && known.path == uri.path
        && known.query.iter().all(|pair| uri.query.contains(pair))
}

fn with_query(uri: &str, pairs: &[(&str, &str)], state: Option<&str>, mark: char) -> String {
    let quote = django_compat::encoding::quote_plus;
    let mut out = uri.to_owned();
    let mut joint = if mark == '?' && uri.contains('?') {
        '&'
    } else {
        mark
    };
    let state = state
        .filter(|state| !state.is_empty())
        .map(|state| ("state", state));
    for (name, value) in pairs.iter().copied().chain(state) {
        out.push(joint);
        out.push_str(name);
        out.push('=');
        out.push_str(&quote(value));
        joint = '&';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §4.4: which addresses fit.
    #[test]
    fn redirect_addresses() {
        let schemes = ["http".to_owned(), "https".to_owned()];
        let uri_matches = |known: &str, given: &str| super::uri_matches(known, given, &schemes);
        let known = "http://client.test/cb?x=1";
        assert!(uri_matches(known, "http://client.test/cb?y=2&x=1"));
        assert!(!uri_matches(known, "http://client.test/cb"));
        assert!(!uri_matches(known, "https://client.test/cb?x=1"));
        assert!(!uri_matches(known, "http://client.test.evil/cb?x=1"));
        assert!(!uri_matches(
            "http://client.test/cb",
            "http://client.test/cb/../x"
        ));
        assert!(uri_matches(
            "http://127.0.0.1/cb",
            "http://127.0.0.1:4711/cb"
        ));
        assert!(!uri_matches(
            "http://127.0.0.1/cb",
            "http://127.0.0.1:evil/cb"
        ));
        assert!(!uri_matches(
            "http://127.0.0.1/cb",
            "http://127.0.0.1.evil/cb"
        ));
        assert!(!uri_matches("myapp://x/cb", "myapp://x/cb"));
    }

    #[test]
    fn answers() {
        assert_eq!(
            with_query("http://c/cb", &[("code", "a b")], Some("x&y"), '?'),
            "http://c/cb?code=a+b&state=x%26y"
        );
        assert_eq!(
            with_query("http://c/cb?q=1", &[("code", "a")], None, '?'),
            "http://c/cb?q=1&code=a"
        );
    }
}
