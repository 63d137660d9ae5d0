//! The one function for every redirect parameter (`identity.md` §6.2; design principle 10).

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Django's `urlquote` keeps these in a `next` parameter.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// Where a person may be sent.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// Host of the request, with its port, lower case.
    pub host: &'a str,
    /// Whether the request came by https; then a target with a scheme must be https too.
    pub secure: bool,
    /// Further hosts (`LOGIN_REDIRECT_WHITELIST`, our own front ends).
    pub hosts: &'a [String],
}

/// Returns `target` when it leads to a page of an allowed host; `None` otherwise.
///
/// The rules are Django's `url_has_allowed_host_and_scheme` in the order in which browsers would be fooled: white space
/// and control characters, back slashes read as slashes, three slashes, a scheme without a host, foreign schemes and
/// hosts, names with user information.
#[must_use]
pub fn safe_target<'t>(target: Option<&'t str>, allowed: Allowed<'_>) -> Option<&'t str> {
    let target = target?.trim();
    if target.is_empty() || target.len() > 4096 || target.chars().any(char::is_control) {
        return None;
    }
    let slashed = target.replace('\\', "/");
    (is_allowed(target, allowed) && is_allowed(&slashed, allowed)).then_some(target)
}

fn is_allowed(url: &str, allowed: Allowed<'_>) -> bool {
    if url.starts_with("///") || url.chars().next().is_none_or(char::is_whitespace) {
        return false;
    }
    let (scheme, rest) = split_scheme(url);
    let Some(rest) = rest.strip_prefix("//") else {
        // Without a host a scheme would start something else than a page: `javascript:`, `data:`, `http:x`.
        return scheme.is_none();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(['@', ' ']) || host.chars().any(char::is_whitespace) {
        return false;
    }
    let host = host.to_ascii_lowercase();
    let known = host == allowed.host
        || allowed
            .hosts
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&host));
    let scheme_fits = match scheme.as_deref() {
        None | Some("https") => true,
        Some("http") => !allowed.secure,
        Some(_) => false,
    };
    known && scheme_fits
}

/// The scheme, lower case, if what stands before the first colon can be one.
fn split_scheme(url: &str) -> (Option<String>, &str) {
    match url.split_once(':') {
        Some((head, rest))
            if head.starts_with(|c: char| c.is_ascii_alphabetic())
                && head
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (Some(head.to_ascii_lowercase()), rest)
        }
        _ => (None, url),
    }
}

/// Whether a target after sign-in is a page and not a file or a static asset, which would be a useless place to arrive.
#[must_use]
pub fn is_page_target(target: &str, static_prefix: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let extension = last
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let is_file = extension.is_some_and(|extension| {
        [
            "css", "js", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "woff", "woff2", "ttf",
            "map", "txt", "xml",
        ]
        .contains(&extension.as_str())
    });
    !is_file && !path.starts_with(static_prefix)
}

/// `/login?next=…` for a page that asks for a signed-in person.
#[must_use]
pub fn login_url(asked: &Uri) -> String {
    let next = asked
        .path_and_query()
        .map_or("/", axum::http::uri::PathAndQuery::as_str);
    let encoded = utf8_percent_encode(next, KEPT);
    format!("/login?next={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(target: &str, secure: bool) -> bool {
        let hosts = ["mfe.example".to_owned()];
        safe_target(
            Some(target),
            Allowed {
                host: "lms.example",
                secure,
                hosts: &hosts,
            },
        )
        .is_some()
    }

    /// identity.md §6.2: `next` is honoured only if its host is ours or listed.
    #[test]
    fn refuses_what_leads_elsewhere() {
        for bad in [
            "",
            " ",
            "//evil.example",
            "///evil.example",
            "////evil",
            "http:///evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https:evil.example",
            "http:\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://evil.example/",
            "https://lms.example@evil.example/",
            "https://lms.example:8/",
            "ftp://lms.example/",
            "/a\nb",
            "\u{1}/x",
            "HTTPS://EVIL.example",
            "https://lms.example.evil.example",
        ] {
            assert!(!safe(bad, false), "{bad:?}");
        }
    }

    #[test]
    fn takes_what_leads_home() {
        for good in [
            "/dashboard",
            "/courses/course-v1:A+B+C/about?x=1#y",
            "dashboard",
            "?q=1",
            "https://lms.example/x",
            "//lms.example/x",
            "https://MFE.example/learning",
            "http://lms.example/x",
            "/search?q=http://evil.example",
        ] {
            assert!(safe(good, false), "{good:?}");
        }
        assert!(!safe("http://lms.example/x", true));
    }

    #[test]
    fn files_are_no_pages() {
        assert!(is_page_target("/dashboard?x=a.css", "/static/"));
        assert!(is_page_target(
            "/courses/course-v1:A+B+2.0/about",
            "/static/"
        ));
        assert!(!is_page_target("/favicon.ico", "/static/"));
        assert!(!is_page_target("/static/x", "/static/"));
    }

    #[test]
    fn asks_to_sign_in_and_come_back() {
        assert_eq!(
            login_url(&Uri::from_static("/dashboard?a=1&b=2")),
            "/login?next=/dashboard%3Fa%3D1%26b%3D2"
        );
    }
}
