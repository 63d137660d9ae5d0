//! Which language a person reads (`identity.md` §1.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use super::{Catalogues, Locale};
use crate::request::cookie;

/// Cookie that carries the preference.
pub const COOKIE: &str = "openedx-language-preference";

/// Chooses: the cookie, then the person's `pref-lang`, then `Accept-Language`, then the site's default, then English.
///
/// A signed-in person's cookie is rewritten from the preference on every answer, so that both agree but for the request
/// that changes one of them.
#[must_use]
pub fn negotiate(
    catalogues: &Catalogues,
    preference: Option<&str>,
    headers: &HeaderMap,
    default: &str,
) -> Locale {
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map(accepted)
        .unwrap_or_default();
    cookie(headers, COOKIE)
        .into_iter()
        .chain(preference)
        .chain(accepted)
        .chain([default])
        .find_map(|code| find(catalogues, code))
        .unwrap_or_else(|| catalogues.english())
}

/// The catalogue of a code, of its base language, or of a sister variant (`es-ar` reads `es-419`).
fn find(catalogues: &Catalogues, code: &str) -> Option<Locale> {
    if code.is_empty() || code.len() > 32 {
        return None;
    }
    let code = code.to_ascii_lowercase().replace('_', "-");
    let base = code.split('-').next().unwrap_or_default();
    catalogues
        .get(&code)
        .or_else(|| catalogues.get(base))
        .or_else(|| {
            catalogues
                .iter()
                .find(|locale| locale.code().split('-').next() == Some(base))
        })
        .cloned()
}

/// Codes of `Accept-Language`, best first; at most 20 are read.
fn accepted(header: &str) -> Vec<&str> {
    let mut codes: Vec<(&str, f32)> = header
        .split(',')
        .take(20)
        .filter_map(|part| {
            let mut pieces = part.trim().split(';');
            let code = pieces.next()?.trim();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(Some(1.0), |weight| weight.parse().ok())?;
            (weight > 0.0 && code != "*").then_some((code, weight))
        })
        .collect();
    codes.sort_by(|one, two| two.1.total_cmp(&one.1));
    codes.into_iter().map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// identity.md §1.1: cookie, then preference, then Accept-Language.
    #[test]
    fn order_of_choice() {
        let catalogues = Catalogues::load(None).unwrap();
        let mut headers = HeaderMap::new();
        let chosen = |headers: &HeaderMap, preference| {
            negotiate(&catalogues, preference, headers, "en")
                .code()
                .to_owned()
        };
        assert_eq!(chosen(&headers, None), "en");
        headers.insert(
            ACCEPT_LANGUAGE,
            HeaderValue::from_static("tlh, en;q=0.2, ar-EG;q=0.9"),
        );
        assert_eq!(chosen(&headers, None), "ar");
        assert_eq!(chosen(&headers, Some("es-419")), "es");
        headers.insert(
            "cookie",
            HeaderValue::from_static("openedx-language-preference=ar"),
        );
        assert_eq!(chosen(&headers, Some("es-419")), "ar");
        headers.insert(
            "cookie",
            HeaderValue::from_static("openedx-language-preference=xx"),
        );
        assert_eq!(chosen(&headers, Some("es")), "es");
    }
}
