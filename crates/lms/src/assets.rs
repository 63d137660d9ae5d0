//! Assets of courses by their keys (courseware.md §2.6).
//!
//! The paths stand at the root and hold slashes of their own, so they are told by their beginning, where no route fits.
//!
//! What authors upload is never a page of our origin: documents that could run scripts are served under a sandboxing
//! content security policy, so that they run in an origin of their own.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, EXPIRES, IF_MODIFIED_SINCE, LAST_MODIFIED, LOCATION, RANGE, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use identity::Roles;
use identity::roles::studio;
use modulestore::contentstore::ContentStore;
use modulestore::store::StoredFile;
use opaque_keys::AssetKey;
use percent_encoding::percent_decode_str;
use web_kit::WebError;

use crate::auth::Visitor;
use crate::clock::Now;
use crate::state::LmsState;

/// Name of the file that holds the library of authors' scripts.
const CODE_LIBRARY: &str = "python_lib.zip";
/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;
/// What an uploaded document may do: run scripts in an origin of its own.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-presentation";
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// Answers requests that no route takes: those for assets, and "not found" for all others.
pub async fn fallback(
    State(state): State<LmsState>,
    request: Request,
) -> Result<Response, WebError> {
    let path = request.uri().path();
    let is_asset = [
        "/asset-v1:",
        "/asset-v1%3A",
        "/asset-v1%3a",
        "/c4x/",
        "/assets/courseware/",
    ]
    .iter()
    .any(|start| path.starts_with(start));
    if !is_asset {
        return Err(WebError::not_found());
    }
    let (mut parts, _) = request.into_parts();
    serve(&state, &mut parts).await
}

/// The key and, of a versioned path, the digest that a path names.
fn read_path(path: &str) -> Option<(AssetKey, Option<String>)> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let (digest, rest) = match path.strip_prefix("/assets/courseware/") {
        None => (None, &*path),
        Some(rest) => {
            let versioned = rest.strip_prefix('v').and_then(|rest| {
                let (number, rest) = rest.split_once('/')?;
                let is_number = number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit());
                is_number.then_some(rest)
            });
            let (digest, rest) = versioned.unwrap_or(rest).split_once('/')?;
            let is_digest = digest.len() == 32
                && digest
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !is_digest {
                return None;
            }
            (Some(digest.to_owned()), rest)
        }
    };
    let text = rest.trim_start_matches('/');
    let text = if text.starts_with("c4x/") {
        format!("/{text}")
    } else {
        text.replacen("block/", "block@", 1)
    };
    Some((AssetKey::parse(&text).ok()?, digest))
}

async fn serve(state: &LmsState, parts: &mut Parts) -> Result<Response, WebError> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(WebError::method_not_allowed(&parts.method, "GET, HEAD"));
    }
    let Some((key, digest)) = read_path(parts.uri.path()) else {
        return Err(WebError::plain(StatusCode::BAD_REQUEST, ""));
    };
    let contents = state.store.contentstore();
    let file = contents
        .find(&key)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    if let Some(asked) = digest
        && let Some(stored) = file.document.digest()
        && asked != stored
    {
        let text = key.to_string().replacen("block@", "block/", 1);
        let target = format!(
            "/assets/courseware/v1/{stored}/{}",
            text.trim_start_matches('/')
        );
        return Ok((StatusCode::MOVED_PERMANENTLY, [(LOCATION, target)]).into_response());
    }
    let is_library = key.path() == CODE_LIBRARY;
    let is_restricted = is_library || file.document.locked;
    if is_restricted && !may_read(state, parts, &key, is_library).await? {
        return Ok((StatusCode::FORBIDDEN, "Unauthorized").into_response());
    }
    let now = Now::of(parts).0;
    Ok(send(
        state,
        &parts.headers,
        &parts.method,
        contents,
        file,
        is_restricted,
        now,
    ))
}

/// Whether a person may read a locked asset, or the code library.
async fn may_read(
    state: &LmsState,
    parts: &mut Parts,
    key: &AssetKey,
    is_library: bool,
) -> Result<bool, WebError> {
    let visitor = Visitor::from_request_parts(parts, state).await?;
    let viewer = visitor.viewer();
    let Some(user_id) = viewer.id else {
        return Ok(false);
    };
    let course = key.course_key();
    if is_library {
        let roles = Roles::load(&state.db, &viewer)
            .await
            .map_err(WebError::internal)?;
        // Studio's right to read.
        return Ok(roles.studio_permissions(course) & studio::VIEW_CONTENT != 0);
    }
    if viewer.is_staff || viewer.is_superuser {
        return Ok(true);
    }
    let place = records::enrollment::get(&state.db, user_id, course)
        .await
        .map_err(WebError::internal)?;
    Ok(place.is_some_and(|place| place.is_active))
}

/// The part of a file that `Range` asks for: none for the whole of it, an error for one that cannot be given.
fn range_of(header: Option<&str>, length: u64) -> Result<Option<Range<u64>>, ()> {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (first.trim(), last.trim()) {
        ("", "") => return Ok(None),
        ("", last) => match number(last) {
            Some(count) => length.saturating_sub(count)..length,
            None => return Ok(None),
        },
        (first, "") => match number(first) {
            Some(first) => first..length,
            None => return Ok(None),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
            (Some(_), Some(_)) => return Err(()),
            _ => return Ok(None),
        },
    };
    if range.start >= length || range.is_empty() {
        return Err(());
    }
    Ok(Some(range))
}

/// Whether browsers take files of this type for documents that run scripts.
fn is_document(content_type: &str) -> bool {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "text/html" || kind.ends_with("xml") || kind.ends_with("xsl")
}

fn send(
    state: &LmsState,
    headers: &HeaderMap,
    method: &Method,
    contents: ContentStore,
    file: StoredFile,
    is_restricted: bool,
    now: DateTime<Utc>,
) -> Response {
    let modified = DateTime::from_timestamp_millis(file.document.upload_date.timestamp_millis())
        .unwrap_or_default()
        .format(HTTP_DATE)
        .to_string();
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if header(IF_MODIFIED_SINCE) == Some(modified.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let length = u64::try_from(file.document.length).unwrap_or_default();
    let content_type = file
        .document
        .content_type
        .clone()
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let mut response = match range_of(header(RANGE), length) {
        Err(()) => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            put(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
            return response;
        }
        Ok(asked) => {
            let range = asked.clone().unwrap_or(0..length);
            let mut response = if *method == Method::HEAD {
                Response::new(Body::empty())
            } else {
                Response::new(stream(contents, file, range.clone()))
            };
            if asked.is_some() {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let last = range.end.saturating_sub(1);
                let text = format!("bytes {}-{last}/{length}", range.start);
                put(&mut response, CONTENT_RANGE, &text);
            }
            let sent = range.end - range.start;
            put(&mut response, CONTENT_LENGTH, &sent.to_string());
            response
        }
    };
    put(&mut response, ACCEPT_RANGES, "bytes");
    put(&mut response, CONTENT_TYPE, &content_type);
    put(&mut response, X_FRAME_OPTIONS, "ALLOW");
    put(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut response, VARY, "Origin");
    put(&mut response, LAST_MODIFIED, &modified);
    if is_document(&content_type) {
        put(&mut response, CONTENT_SECURITY_POLICY, SANDBOX);
    }
    let lifetime = state.settings.asset_cache_ttl;
    if is_restricted {
        put(&mut response, CACHE_CONTROL, "private, no-cache, no-store");
    } else if lifetime > 0 {
        let text = format!("public, max-age={lifetime}, s-maxage={lifetime}");
        put(&mut response, CACHE_CONTROL, &text);
        let expires = now + TimeDelta::seconds(lifetime.into());
        put(
            &mut response,
            EXPIRES,
            &expires.format(HTTP_DATE).to_string(),
        );
    }
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The bytes of a part of a file, read in pieces as the client takes them.
fn stream(contents: ContentStore, file: StoredFile, range: Range<u64>) -> Body {
    let pieces = futures_util::stream::unfold(range.start, move |from| {
        let (contents, file, end) = (contents.clone(), file.clone(), range.end);
        async move {
            if from >= end {
                return None;
            }
            let to = end.min(from + PIECE);
            match contents.read_range(&file, from..to).await {
                Ok(bytes) if bytes.is_empty() => None,
                Ok(bytes) => {
                    let next = from + bytes.len() as u64;
                    Some((Ok(bytes), next))
                }
                Err(error) => Some((Err(error), end)),
            }
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// courseware.md §2.6 and §17, check 19.
    #[test]
    fn ranges() {
        for (header, wanted) in [
            (None, Ok(None)),
            (Some("bytes=0-3"), Ok(Some(0..4))),
            (Some("bytes=4-"), Ok(Some(4..10))),
            (Some("bytes=-3"), Ok(Some(7..10))),
            (Some("bytes=-30"), Ok(Some(0..10))),
            (Some("bytes=8-99"), Ok(Some(8..10))),
            (Some("bytes=20-30"), Err(())),
            (Some("bytes=5-3"), Err(())),
            (Some("bytes=0-1,3-4"), Ok(None)),
            (Some("items=0-1"), Ok(None)),
            (Some("bytes=x-y"), Ok(None)),
        ] {
            assert_eq!(range_of(header, 10), wanted, "{header:?}");
        }
        assert_eq!(range_of(Some("bytes=0-3"), 0), Err(()));
    }

    /// courseware.md §2.6, "Served paths".
    #[test]
    fn paths() {
        let digest = "0123456789abcdef0123456789abcdef";
        let key = "asset-v1:Acme+Bio+R1+type@asset+block";
        let read =
            |path: &str| read_path(path).map(|(key, digest)| (key.to_string(), digest.is_some()));
        let plain = Some((format!("{key}@a.png"), false));
        assert_eq!(read(&format!("/{key}@a.png")), plain);
        assert_eq!(read(&format!("/{key}/a.png")), plain);
        assert_eq!(
            read("/asset-v1%3AAcme%2BBio%2BR1%2Btype%40asset%2Bblock%40a.png"),
            plain
        );
        let versioned = Some((format!("{key}@a.png"), true));
        assert_eq!(
            read(&format!("/assets/courseware/v1/{digest}/{key}/a.png")),
            versioned
        );
        assert_eq!(
            read(&format!("/assets/courseware/{digest}/{key}@a.png")),
            versioned
        );
        assert_eq!(
            read("/c4x/Acme/Bio/asset/a.png").map(|found| found.1),
            Some(false)
        );
        for bad in [
            "/assets/courseware/v1/x/asset-v1:Acme+Bio+R1+type@asset+block@a.png".to_owned(),
            format!("/assets/courseware/{key}@a.png"),
            "/asset-v1:nonsense".to_owned(),
            "/assets/courseware/".to_owned(),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_range_is_within_the_file(header in "bytes=[0-9,-]{0,12}", length in 0u64..2000) {
            if let Ok(Some(range)) = range_of(Some(&header), length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
