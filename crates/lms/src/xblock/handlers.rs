//! Requests to handlers of blocks (courseware.md §9.1).
//!
//! Who asks is told by a JWT, a token or a session; sessions need a CSRF token for unsafe methods. The block must stand
//! in the course that the address names, and the person must be allowed to load it; enrollment is not asked for.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use courseware::CourseView;
use courseware::handlers::{self, Reply, UploadedFile};
use identity::Viewer;
use opaque_keys::{CourseKey, UsageKey, unquote_slashes};
use serde::Deserialize;
use url::form_urlencoded;
use web_kit::WebError;

use super::LARGEST_BODY;
use crate::auth::{AnyUserApi, Caller};
use crate::clock::Now;
use crate::state::LmsState;

/// Fields that one form may have.
const MOST_FIELDS: usize = 1000;
/// Bytes of one field of a form that is no file.
const LARGEST_FIELD: usize = 2_500_000;

/// What the address names.
#[derive(Deserialize)]
pub(super) struct Target {
    course: String,
    usage: String,
    name: String,
    /// What follows the handler's name; empty without.
    #[serde(default)]
    suffix: String,
}

impl Target {
    /// The block's key. An address that names a block of another course is none.
    fn usage(&self) -> Result<UsageKey, WebError> {
        let not_found = |_| WebError::not_found();
        let course = CourseKey::parse(&self.course).map_err(not_found)?;
        let usage = UsageKey::parse(&unquote_slashes(&self.usage)).map_err(not_found)?;
        if *usage.course_key() == course {
            Ok(usage)
        } else {
            Err(WebError::not_found())
        }
    }
}

pub(super) async fn answer(
    State(state): State<LmsState>,
    Path(target): Path<Target>,
    request: Request,
) -> Result<Response, WebError> {
    let state = &state;
    let (mut parts, body) = request.into_parts();
    let caller = Caller::<AnyUserApi>::from_request_parts(&mut parts, state).await?;
    let viewer = caller.viewer();
    if viewer.is_anonymous() && parts.method != Method::GET {
        return Ok((StatusCode::FORBIDDEN, Html("Unauthenticated")).into_response());
    }
    let usage = target.usage()?;
    let now = Now::of(&mut parts);
    let view = open(state, &viewer, &usage, now).await?;
    let block = view.find(&usage).ok_or_else(WebError::not_found)?;
    let loadable = view.block(block).map_err(|_| WebError::not_found())?;
    let call = read(target, Request::from_parts(parts, body), state).await?;
    let reply = state
        .runtime
        .handle(&view, loadable, &call)
        .await
        .map_err(WebError::internal)?;
    respond(reply)
}

pub(super) async fn answer_anybody(
    State(state): State<LmsState>,
    Path(target): Path<Target>,
    request: Request,
) -> Result<Response, WebError> {
    let state = &state;
    let (mut parts, body) = request.into_parts();
    let usage = target.usage()?;
    let now = Now::of(&mut parts);
    let view = open(state, &Viewer::anonymous(), &usage, now).await?;
    let call = read(target, Request::from_parts(parts, body), state).await?;
    let reply = state
        .runtime
        .handle_without_person(&view, &usage, &call)
        .await
        .map_err(WebError::internal)?;
    respond(reply)
}

async fn open(
    state: &LmsState,
    viewer: &Viewer,
    usage: &UsageKey,
    now: Now,
) -> Result<CourseView, WebError> {
    let course = usage.course_key();
    let rules = state.settings.rules();
    CourseView::open(&state.db, &state.store, course, viewer, rules, now.0)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)
}

/// Reads a request: forms into their fields, anything else as bytes. Files are measured, not kept.
async fn read(
    target: Target,
    request: Request,
    state: &LmsState,
) -> Result<handlers::Request, WebError> {
    let pairs = |bytes: &[u8]| -> Vec<(String, String)> {
        form_urlencoded::parse(bytes)
            .into_owned()
            .take(MOST_FIELDS)
            .collect()
    };
    let mut call = handlers::Request {
        is_post: request.method() == Method::POST,
        name: target.name,
        suffix: target.suffix.trim_matches('/').to_owned(),
        query: pairs(request.uri().query().unwrap_or_default().as_bytes()),
        ..handlers::Request::default()
    };
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        read_parts(&mut call, request, state).await?;
        return Ok(call);
    }
    let body = to_bytes(request.into_body(), LARGEST_BODY)
        .await
        .map_err(|_| WebError::too_large())?;
    if kind.starts_with("application/x-www-form-urlencoded") {
        call.form = pairs(&body);
    }
    call.body = body.to_vec();
    Ok(call)
}

async fn read_parts(
    call: &mut handlers::Request,
    request: Request,
    state: &LmsState,
) -> Result<(), WebError> {
    let broken = || WebError::bad_request("Invalid multipart body.");
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| broken())?;
    let mut count = 0;
    while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
        count += 1;
        if count > MOST_FIELDS {
            return Err(WebError::bad_request("Too many fields."));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let mut size = 0;
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
            size += chunk.len();
            if file.is_none() {
                if size > LARGEST_FIELD {
                    return Err(WebError::too_large());
                }
                text.extend_from_slice(&chunk);
            }
        }
        if let Some(file) = file {
            call.form.push((name.clone(), file.clone()));
            call.files.push(UploadedFile {
                field: name,
                name: file,
                size,
            });
        } else {
            let text = String::from_utf8_lossy(&text).into_owned();
            call.form.push((name, text));
        }
    }
    Ok(())
}

fn respond(reply: Reply) -> Result<Response, WebError> {
    if reply.status == 404 && reply.body.is_empty() {
        return Err(WebError::not_found());
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
