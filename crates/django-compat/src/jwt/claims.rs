//! Claims of the platform's tokens (contracts/identity.md §5).

use serde_json::{Map, Value, json};

use super::keys::SigningKey;

/// Version of the claims' layout.
const VERSION: &str = "1.2.0";
/// Scopes of a token for which none were asked.
const DEFAULT_SCOPES: [&str; 2] = ["email", "profile"];

/// What the claims say about a user.
#[derive(Debug, Clone)]
pub struct JwtUser<'a> {
    /// auth_user.id
    pub id: i64,
    /// Username.
    pub username: &'a str,
    /// E-mail address.
    pub email: &'a str,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// auth_userprofile.name; none without a profile.
    pub name: Option<&'a str>,
    /// Global staff.
    pub is_staff: bool,
    /// Superuser.
    pub is_superuser: bool,
    /// Active account.
    pub is_active: bool,
}

/// All that goes into a token's claims.
#[derive(Debug, Clone)]
pub struct ClaimsRequest<'a> {
    /// The user that the token speaks for.
    pub user: JwtUser<'a>,
    /// Scopes in the order asked; none or empty means e-mail and profile.
    pub scopes: Option<&'a [String]>,
    /// The application's stored grant; empty for none.
    pub grant_type: &'a str,
    /// Seconds until expiry; none or zero means the default.
    pub expires_in: Option<i64>,
    /// JWT_ACCESS_TOKEN_EXPIRE_SECONDS.
    pub default_expiration: i64,
    /// The application is restricted.
    pub is_restricted: bool,
    /// Filters of the application's access row, plus `user:me` where the grant calls for it.
    pub filters: Option<&'a [String]>,
    /// System-wide roles, `role` or `role:context`.
    pub roles: &'a [String],
    /// The user's anonymous id without course.
    pub sub: &'a str,
    /// JWT_AUDIENCE
    pub audience: &'a str,
    /// JWT_ISSUER
    pub issuer: &'a str,
    /// Unix time, whole seconds.
    pub now: i64,
}

/// The scopes that a grant gives: those of a password grant always hold `user_id`.
#[must_use]
pub fn granted_scopes(scopes: &[String], grant_type: &str) -> Vec<String> {
    let mut granted = scopes.to_vec();
    if grant_type == "password" && !granted.iter().any(|scope| scope == "user_id") {
        granted.push("user_id".to_owned());
    }
    granted
}

/// The token's header: algorithm, type, and `kid` where JWT_AUTH_ADD_KID_HEADER asks for it.
#[must_use]
pub fn header_for(key: &SigningKey, kid_header: bool) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("alg".into(), key.algorithm().name().into());
    if kid_header && let Some(kid) = key.kid() {
        header.insert("kid".into(), kid.into());
    }
    header.insert("typ".into(), "JWT".into());
    header
}

/// The claims.
#[must_use]
pub fn build_claims(request: &ClaimsRequest<'_>) -> Map<String, Value> {
    let scopes: Vec<String> = match request.scopes {
        Some(scopes) if !scopes.is_empty() => scopes.to_vec(),
        _ => DEFAULT_SCOPES.map(str::to_owned).to_vec(),
    };
    let expires_in = match request.expires_in {
        None | Some(0) => request.default_expiration,
        Some(seconds) => seconds,
    };
    let user = &request.user;
    let mut claims = Map::new();
    let mut add = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    add("aud", json!(request.audience));
    add("exp", json!(request.now.saturating_add(expires_in)));
    add("grant_type", json!(request.grant_type));
    add("iat", json!(request.now));
    add("iss", json!(request.issuer));
    add("preferred_username", json!(user.username));
    add("scopes", json!(scopes));
    add("version", json!(VERSION));
    add("sub", json!(request.sub));
    add("filters", json!(request.filters.unwrap_or_default()));
    add("is_restricted", json!(request.is_restricted));
    add("email_verified", json!(user.is_active));
    for scope in &scopes {
        match scope.as_str() {
            "user_id" => add("user_id", json!(user.id)),
            "email" => add("email", json!(user.email)),
            "profile" => {
                add("name", json!(user.name));
                add("family_name", json!(user.last_name));
                add("given_name", json!(user.first_name));
                add("administrator", json!(user.is_staff));
                add("superuser", json!(user.is_superuser));
            }
            _ => {}
        }
    }
    if !request.roles.is_empty() {
        add("roles", json!(request.roles));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §5: a password grant always gives user_id, at the end.
    #[test]
    fn password_grant_adds_user_id() {
        let asked = vec!["email".to_owned()];
        assert_eq!(granted_scopes(&asked, "password"), ["email", "user_id"]);
        assert_eq!(granted_scopes(&asked, "client-credentials"), ["email"]);
    }
}
