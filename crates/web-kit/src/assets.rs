//! Files of `web/dist`, built by npm and kept inside the program.
//!
//! Names carry a hash of their content, so that browsers may keep them for ever. Without a build (a checkout that has
//! never run npm) the folder is empty: the program still compiles and pages still work, unstyled.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use crate::error::WebError;

#[derive(RustEmbed)]
#[folder = "../../web/dist/"]
struct Dist;

/// Where the files stand; beneath Open edX's static URL, in a folder that it does not have.
pub const PREFIX: &str = "/static/stoa/";

/// Names as templates say them → names with their hash, from the build's `manifest.json`.
static MANIFEST: LazyLock<HashMap<String, String>> = LazyLock::new(read_manifest);

fn read_manifest() -> HashMap<String, String> {
    Dist::get("manifest.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default()
}

/// The address of a built file, such as `/static/stoa/app-1A2B3C.css` for `app.css`.
#[must_use]
pub fn url(name: &str) -> String {
    // While developing, the folder is read anew on each call: the build may have run since the start.
    let hashed: Option<Cow<'_, str>> = if cfg!(debug_assertions) {
        read_manifest().remove(name).map(Cow::Owned)
    } else {
        MANIFEST
            .get(name)
            .map(|hashed| Cow::Borrowed(hashed.as_str()))
    };
    format!("{PREFIX}{}", hashed.as_deref().unwrap_or(name))
}

/// Whether a build is present.
#[must_use]
pub fn is_built() -> bool {
    Dist::get("manifest.json").is_some()
}

/// Serves the files under [`PREFIX`].
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(&format!("{PREFIX}{{*name}}"), get(serve))
}

async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = Dist::get(&name) else {
        return WebError::not_found().into_response();
    };
    let tag = tag(&file.metadata.sha256_hash());
    let unchanged = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|sent| {
            sent.split(',')
                .any(|sent| sent.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body_of(&name, file.data, &headers)
    };
    let is_hashed = name != "manifest.json";
    let cache = if is_hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kept = response.headers_mut();
    kept.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    kept.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        kept.insert(ETAG, tag);
    }
    response
}

/// The build leaves `name.gz` beside each file that shrinks, so that no request compresses it again.
fn body_of(name: &str, data: Cow<'static, [u8]>, headers: &HeaderMap) -> Response {
    let takes_gzip = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().starts_with("gzip"))
        });
    let packed = takes_gzip
        .then(|| Dist::get(&format!("{name}.gz")))
        .flatten();
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let text = kind.type_() == "text" || kind.subtype() == "javascript";
    let kind = if text {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_string()
    };
    let is_packed = packed.is_some();
    let data = packed.map_or(data, |packed| packed.data);
    let mut response = Response::new(match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    });
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    if is_packed {
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn tag(hash: &[u8; 32]) -> String {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(12) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt;

    #[tokio::test]
    async fn unknown_files_are_not_found() {
        let request = axum::http::Request::get("/static/stoa/no-such-file.css")
            .body(Body::empty())
            .unwrap();
        let response = router::<()>()
            .with_state(())
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_name_has_an_address() {
        assert!(url("app.css").starts_with("/static/stoa/app"));
    }
}
