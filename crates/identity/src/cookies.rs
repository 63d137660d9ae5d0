//! Cookies of a login (contracts/identity.md §2, §2.1, §3).

use chrono::{DateTime, TimeDelta, Utc};
use django_compat::pyjson::{Style, dumps};
use serde_json::{Map, Value, json};

use crate::{Settings, User};

/// Default of EDXMKTG_LOGGED_IN_COOKIE_NAME.
pub const LOGGED_IN: &str = "edxloggedin";
/// Default of EDXMKTG_USER_INFO_COOKIE_NAME.
pub const USER_INFO: &str = "edx-user-info";
/// JWT_AUTH_COOKIE_HEADER_PAYLOAD
pub const JWT_HEADER_PAYLOAD: &str = "edx-jwt-cookie-header-payload";
/// JWT_AUTH_COOKIE_SIGNATURE
pub const JWT_SIGNATURE: &str = "edx-jwt-cookie-signature";
/// JWT_AUTH_COOKIE: both halves joined; a client may also send it itself.
pub const JWT: &str = "edx-jwt-cookie";
/// The CSRF secret.
pub const CSRF: &str = "csrftoken";
/// Lifetime of the CSRF cookie, seconds.
pub const CSRF_AGE: i64 = 31_449_600;

/// A cookie to set, or (`max_age` 0) to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Name.
    pub name: String,
    /// Value as it goes over the wire, quoted where need be.
    pub value: String,
    /// Seconds; none for a browser session.
    pub max_age: Option<i64>,
    /// Domain.
    pub domain: Option<String>,
    /// Kept from scripts.
    pub http_only: bool,
    /// Sent over https only.
    pub secure: bool,
    /// `Lax`, `None` or nothing.
    pub same_site: Option<&'static str>,
}

impl Cookie {
    /// A cookie without attributes beyond its lifetime.
    #[must_use]
    pub fn new(name: &str, value: impl Into<String>, max_age: Option<i64>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            max_age,
            domain: None,
            http_only: false,
            secure: false,
            same_site: None,
        }
    }

    /// The deletion of a cookie.
    #[must_use]
    pub fn deletion(name: &str, domain: Option<&str>) -> Self {
        let mut cookie = Self::new(name, "\"\"", Some(0));
        cookie.domain = domain.map(str::to_owned);
        cookie
    }

    /// The text of a Set-Cookie header, attributes in Django's order.
    #[must_use]
    pub fn header(&self, now: DateTime<Utc>) -> String {
        let mut text = format!("{}={}", self.name, self.value);
        if let Some(domain) = &self.domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        if let Some(age) = self.max_age {
            let expires = if age == 0 {
                DateTime::UNIX_EPOCH
            } else {
                now + TimeDelta::try_seconds(age).unwrap_or_default()
            };
            text.push_str("; expires=");
            text.push_str(&http_date(expires));
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        if let Some(age) = self.max_age {
            text.push_str("; Max-Age=");
            text.push_str(&age.to_string());
        }
        text.push_str("; Path=/");
        if let Some(policy) = self.same_site {
            text.push_str("; SameSite=");
            text.push_str(policy);
        }
        if self.secure {
            text.push_str("; Secure");
        }
        text
    }
}

/// A moment as HTTP writes it.
#[must_use]
pub fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Quotes a value as Python's `http.cookies` does, when it holds anything but token characters.
#[must_use]
pub fn quote(value: &str) -> String {
    let plain = !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&b));
    if plain {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for byte in value.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b',' => out.push_str("\\054"),
            b';' => out.push_str("\\073"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let (high, middle, low) = (byte >> 6, (byte >> 3) & 7, byte & 7);
                out.push('\\');
                for digit in [high, middle, low] {
                    out.push(char::from(b'0' + digit));
                }
            }
        }
    }
    out.push('"');
    out
}

/// Reads what [`quote`] wrote.
#[must_use]
pub fn unquote(value: &str) -> String {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return value.to_owned();
    };
    let bytes = inner.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        if let Some(&[high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7']) =
            bytes.get(at + 1..at + 4)
        {
            out.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
            at += 4;
        } else {
            out.extend(bytes.get(at + 1));
            at += 2;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Settings {
    /// The session cookie: `SameSite=None; Secure` where the public address is https, else `Lax` (§14).
    #[must_use]
    pub fn session_cookie(&self, value: String, max_age: Option<i64>) -> Cookie {
        Cookie {
            name: self.session_cookie_name.clone(),
            value,
            max_age,
            domain: self.session_cookie_domain.clone(),
            http_only: true,
            secure: self.is_https(),
            same_site: Some(if self.is_https() { "None" } else { "Lax" }),
        }
    }

    /// The CSRF cookie.
    #[must_use]
    pub fn csrf_cookie(&self, secret: &str) -> Cookie {
        Cookie {
            secure: self.is_https(),
            same_site: Some("Lax"),
            ..Cookie::new(&self.cookie_names.csrf, secret, Some(CSRF_AGE))
        }
    }

    /// `edxloggedin` and `edx-user-info`.
    #[must_use]
    pub fn user_info_cookies(
        &self,
        user: &User,
        images: &ProfileImages,
        resume_block: Option<&str>,
        max_age: Option<i64>,
    ) -> Vec<Cookie> {
        let mut urls = Map::new();
        urls.insert("logout".into(), self.absolute("/logout").into());
        urls.insert(
            "account_settings".into(),
            self.account_microfrontend_url.clone().into(),
        );
        let profile = format!(
            "{}/u/{}",
            origin(&self.profile_microfrontend_url),
            user.username
        );
        urls.insert("learner_profile".into(), profile.into());
        if let Some(block) = resume_block {
            urls.insert("resume_block".into(), block.into());
        }
        let info = json!({
            "version": 1,
            "username": user.username,
            "email": user.email,
            "header_urls": urls,
            "user_image_urls": images.by_size(),
        });
        vec![
            self.shared_cookie(&self.cookie_names.logged_in, "true".into(), max_age, false),
            self.shared_cookie(
                &self.cookie_names.user_info,
                quote(&dumps(&info, Style::DEFAULT)),
                max_age,
                false,
            ),
        ]
    }

    /// The two halves of a JWT.
    #[must_use]
    pub fn jwt_cookies(&self, token: &str) -> Vec<Cookie> {
        let Some((header_payload, signature)) = django_compat::jwt::split(token) else {
            return Vec::new();
        };
        let age = Some(self.jwt.in_cookie_expiration);
        vec![
            self.shared_cookie(
                &self.cookie_names.jwt_header_payload,
                header_payload,
                age,
                false,
            ),
            self.shared_cookie(&self.cookie_names.jwt_signature, signature, age, true),
        ]
    }

    fn shared_cookie(
        &self,
        name: &str,
        value: String,
        max_age: Option<i64>,
        http_only: bool,
    ) -> Cookie {
        Cookie {
            domain: self.session_cookie_domain.clone(),
            http_only,
            secure: self.is_https(),
            ..Cookie::new(name, value, max_age)
        }
    }

    /// Deletion of the four login cookies and, with `session`, of the session cookie, which then carries
    /// `SameSite=None; Secure` on http too (§2.1).
    #[must_use]
    pub fn login_cookie_deletions(&self, session: bool) -> Vec<Cookie> {
        let domain = self.session_cookie_domain.as_deref();
        let names = &self.cookie_names;
        let mut out: Vec<Cookie> = [
            &names.jwt_header_payload,
            &names.jwt_signature,
            &names.logged_in,
            &names.user_info,
        ]
        .iter()
        .map(|name| Cookie::deletion(name, domain))
        .collect();
        if session {
            out.push(Cookie {
                same_site: Some("None"),
                secure: true,
                ..Cookie::deletion(&self.session_cookie_name, domain)
            });
        }
        out
    }
}

/// Scheme and host of an address; its path is lost, as in the reference (§2.1).
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(start..).unwrap_or_default();
    let end = rest.find('/').map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or(url)
}

/// Absolute addresses of a user's profile image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileImages {
    /// Whether the user uploaded one.
    pub has_image: bool,
    /// 500 pixels.
    pub full: String,
    /// 120 pixels.
    pub large: String,
    /// 50 pixels.
    pub medium: String,
    /// 30 pixels.
    pub small: String,
}

impl ProfileImages {
    /// `{full, large, medium, small}`
    #[must_use]
    pub fn by_size(&self) -> Value {
        json!({
            "full": self.full,
            "large": self.large,
            "medium": self.medium,
            "small": self.small,
        })
    }

    /// The object of the accounts API (§8).
    #[must_use]
    pub fn account_json(&self) -> Value {
        json!({
            "has_image": self.has_image,
            "image_url_full": self.full,
            "image_url_large": self.large,
            "image_url_medium": self.medium,
            "image_url_small": self.small,
        })
    }
}

impl Settings {
    /// Addresses of a user's image, or of the default one (§8, §8.2).
    #[must_use]
    pub fn profile_images(
        &self,
        username: &str,
        uploaded_at: Option<chrono::NaiveDateTime>,
    ) -> ProfileImages {
        let url = |size: u32| {
            if let Some(time) = uploaded_at {
                let name = profile_image_name(&self.profile_image_hash_seed, username);
                let base = &self.profile_image_base_url;
                let version = time.and_utc().timestamp();
                self.absolute(&format!("{base}{name}_{size}.jpg?v={version}"))
            } else {
                let base = &self.static_url;
                self.absolute(&format!("{base}images/profiles/default_{size}.png"))
            }
        };
        ProfileImages {
            has_image: uploaded_at.is_some(),
            full: url(500),
            large: url(120),
            medium: url(50),
            small: url(30),
        }
    }
}

/// File name of a user's image without size: MD5 of seed and username.
#[must_use]
pub fn profile_image_name(seed: &str, username: &str) -> String {
    django_compat::ids::md5_hex(&format!("{seed}{username}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §2.1: quoting of edx-user-info.
    #[test]
    fn quoting() {
        let value = r#"{"version": 1, "email": "a;b"}"#;
        let quoted = quote(value);
        assert_eq!(quoted, r#""{\"version\": 1\054 \"email\": \"a\073b\"}""#);
        assert_eq!(unquote(&quoted), value);
        assert_eq!(quote("true"), "true");
        assert_eq!(unquote("plain"), "plain");
    }

    /// contracts/identity.md §2.1: order of attributes and the deletion's form.
    #[test]
    fn headers() {
        let now = DateTime::from_timestamp(1_795_476_591, 0).unwrap();
        let settings = Settings::default();
        assert_eq!(
            settings.csrf_cookie("x").header(now),
            "csrftoken=x; expires=Mon, 22 Nov 2027 23:29:51 GMT; Max-Age=31449600; Path=/; SameSite=Lax"
        );
        let deletion = settings.login_cookie_deletions(true).pop().unwrap();
        assert_eq!(
            deletion.header(now),
            "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure"
        );
    }

    #[test]
    fn origins() {
        assert_eq!(
            origin("http://localhost:1995/profile"),
            "http://localhost:1995"
        );
        assert_eq!(origin("http://localhost:1995"), "http://localhost:1995");
    }
}
