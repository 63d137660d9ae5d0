//! Headers that tell browsers what an answer may do (design principle 10).

use axum::http::header::{CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::request::Nonce;

/// Which content security policy an answer carries. A handler sets it as an extension of its response;
/// [`crate::PageContext::policy`] does so for pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PagePolicy {
    /// The platform's own pages: nothing runs but our files and what carries the answer's nonce; never framed.
    #[default]
    Platform,
    /// The same, with these origins in frames: the sign-out page, which tells other services.
    WithFrames(Vec<String>),
    /// Pages that show authors' content inline: its scripts, styles, frames and media from anywhere on https keep running;
    /// never framed.
    AuthorContent,
    /// The same content for front ends that frame it (`/xblock/{usage}`, `courseware.md` §10): these origins may,
    /// or anyone when the list is empty, as Open edX sends no `X-Frame-Options` there.
    Framed(Vec<String>),
}

impl PagePolicy {
    /// The policy's text. `form_origins` are where a form may end besides ourselves.
    #[must_use]
    pub fn header_value(&self, nonce: &Nonce, form_origins: &[String]) -> String {
        let forms = form_origins.join(" ");
        match self {
            Self::Platform => platform(nonce, &forms, ""),
            Self::WithFrames(origins) => platform(nonce, &forms, &origins.join(" ")),
            Self::AuthorContent => format!("{AUTHOR_CONTENT}; frame-ancestors 'none'"),
            Self::Framed(origins) if origins.is_empty() => AUTHOR_CONTENT.to_owned(),
            Self::Framed(origins) => {
                format!(
                    "{AUTHOR_CONTENT}; frame-ancestors 'self' {}",
                    origins.join(" ")
                )
            }
        }
    }
}

fn platform(nonce: &Nonce, forms: &str, frames: &str) -> String {
    let own = |origins: &str| format!("'self' {origins}").trim_end().to_owned();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{}'; style-src 'self'; img-src 'self' data: https:; \
         media-src 'self' https:; font-src 'self'; connect-src 'self'; frame-src {}; manifest-src 'self'; \
         form-action {}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
        nonce.as_str(),
        own(frames),
        own(forms)
    )
}

/// `http:` stands beside `https:` only for pages that are themselves on http, where browsers take it; on https mixed
/// content is blocked anyway.
const AUTHOR_CONTENT: &str = "default-src 'self' https: http: data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' https: \
     http: blob:; style-src 'self' 'unsafe-inline' https: http:; worker-src 'self' blob:; object-src 'none'; \
     base-uri 'self'; form-action 'self' https: http:";

const CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const TRANSPORT_SECURITY: HeaderName = HeaderName::from_static("strict-transport-security");

/// Adds the headers that an answer does not have yet.
pub(crate) fn secure(response: &mut Response, nonce: &Nonce, https: bool, form_origins: &[String]) {
    let policy = response
        .extensions_mut()
        .remove::<PagePolicy>()
        .unwrap_or_default();
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    let is_drawing = kind.is_some_and(|kind| kind.starts_with("image/svg"));
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if !headers.contains_key(&name)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    };
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(REFERRER_POLICY, "strict-origin-when-cross-origin");
    if !matches!(policy, PagePolicy::Framed(_)) {
        add(X_FRAME_OPTIONS, "DENY");
    }
    if https {
        add(TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_page {
        add(
            CONTENT_SECURITY_POLICY,
            &policy.header_value(nonce, form_origins),
        );
        // Third-party sign-in and payment windows must be able to speak to the page that opened them.
        add(OPENER_POLICY, "same-origin-allow-popups");
    } else if is_drawing {
        // An uploaded drawing opened in a tab is a document of our origin: its scripts must not run.
        add(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::response::{Html, IntoResponse};

    #[test]
    fn platform_pages_run_only_our_scripts() {
        let mut response = Html("x").into_response();
        let nonce = Nonce::draw();
        secure(&mut response, &nonce, true, &[]);
        let policy = response
            .headers()
            .get("content-security-policy")
            .unwrap()
            .to_str()
            .unwrap();
        assert!(policy.contains(&format!("'nonce-{}'", nonce.as_str())));
        assert!(!policy.contains("unsafe-inline"));
        assert_eq!(response.headers().get(X_FRAME_OPTIONS).unwrap(), "DENY");
        assert!(response.headers().contains_key("strict-transport-security"));
    }

    /// courseware.md §10.1: no X-Frame-Options on `/xblock/{U}`.
    #[test]
    fn framed_pages_may_be_framed() {
        let mut response = Html("x").into_response();
        response
            .extensions_mut()
            .insert(PagePolicy::Framed(vec!["https://mfe.example".into()]));
        secure(&mut response, &Nonce::draw(), false, &[]);
        assert!(!response.headers().contains_key(X_FRAME_OPTIONS));
        let policy = response
            .headers()
            .get("content-security-policy")
            .unwrap()
            .to_str()
            .unwrap();
        assert!(policy.ends_with("frame-ancestors 'self' https://mfe.example"));
    }

    #[test]
    fn a_header_of_the_handler_stays() {
        let mut response = Response::new(Body::empty());
        response
            .headers_mut()
            .insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        secure(&mut response, &Nonce::draw(), false, &[]);
        assert_eq!(
            response.headers().get(X_FRAME_OPTIONS).unwrap(),
            "SAMEORIGIN"
        );
    }
}
