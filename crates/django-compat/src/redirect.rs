//! The one judgement of a redirect parameter: `url_has_allowed_host_and_scheme` (contracts/identity.md §14).

use std::sync::LazyLock;

use regex::Regex;

use crate::encoding::is_python_space;

#[expect(
    clippy::unwrap_used,
    reason = "a constant pattern; a unit test compiles it"
)]
static CONTROL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\p{C}").unwrap());

/// Whether a redirect to `url` stays on one of the hosts (`host` or `host:port`, compared case-sensitively).
/// The text is judged without blanks around it: send [`trimmed`] text as Location, never the raw parameter.
#[must_use]
pub fn is_safe(url: &str, allowed_hosts: &[impl AsRef<str>], require_https: bool) -> bool {
    let url = trimmed(url);
    !url.is_empty()
        && check(url, allowed_hosts, require_https)
        && check(&url.replace('\\', "/"), allowed_hosts, require_https)
}

/// The parameter without the blanks that the judgement ignores.
#[must_use]
pub fn trimmed(url: &str) -> &str {
    url.trim_matches(is_python_space)
}

fn check(url: &str, allowed_hosts: &[impl AsRef<str>], require_https: bool) -> bool {
    if url.starts_with("///") || CONTROL.is_match(url) {
        return false;
    }
    let (scheme, rest) = split_scheme(url);
    let netloc = match rest.strip_prefix("//") {
        Some(after) => after.split(['/', '?', '#']).next().unwrap_or_default(),
        None => "",
    };
    if netloc.contains('[') != netloc.contains(']') {
        return false;
    }
    if netloc.is_empty() && !scheme.is_empty() {
        return false;
    }
    let effective = if scheme.is_empty() && !netloc.is_empty() {
        "http".to_owned()
    } else {
        scheme
    };
    let host_allowed =
        netloc.is_empty() || allowed_hosts.iter().any(|host| host.as_ref() == netloc);
    let scheme_allowed =
        effective.is_empty() || effective == "https" || (effective == "http" && !require_https);
    host_allowed && scheme_allowed
}

/// Splits `scheme:` off as Django's copy of `urlsplit` does.
fn split_scheme(url: &str) -> (String, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn judgements() {
        let hosts = ["good.com"];
        for (url, safe) in [
            ("/x", true),
            ("  /x\n", true),
            ("//good.com/x", true),
            ("//evil.com", false),
            ("/\\evil.com", false),
            ("\u{8}//evil.com", false),
            ("javascript:alert(1)", false),
            ("https://good.com@evil.com/", false),
            ("", false),
        ] {
            assert_eq!(is_safe(url, &hosts, false), safe, "{url:?}");
        }
        assert!(!is_safe("http://good.com", &hosts, true));
    }

    proptest! {
        #[test]
        fn a_foreign_host_is_never_safe(host in "[a-z]{1,8}\\.org", path in "[a-z/?#]{0,8}") {
            let hosts = ["good.com"];
            for prefix in ["//", "http://", "https://", "\\\\", "/\\"] {
                let url = format!("{prefix}{host}{path}");
                prop_assert!(!is_safe(&url, &hosts, false));
            }
        }
    }
}
