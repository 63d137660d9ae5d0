//! Sessions: the login API, its cookies, and who is signed in.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use identity::{
    ApiVersion, Identity, LoginFailure, LoginOutcome, LoginRequest, Reply, login_form as form,
};
use serde_json::json;
use web_kit::{Csrf, WebError};

use crate::auth::{AnyUserApi, Authenticated, ClientAddress, Visitor, respond};
use crate::clock::Now;
use crate::form::FormBody;
use crate::state::LmsState;

const LOGIN_METHODS: (HeaderName, &str) = (ALLOW, "GET, POST, HEAD, OPTIONS");
const READ_METHODS: (HeaderName, &str) = (ALLOW, "GET, HEAD, OPTIONS");

fn with_allow(mut response: Response, (name, methods): (HeaderName, &'static str)) -> Response {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(methods));
    response
}

/// `GET /csrf/api/v1/token`
pub async fn csrf_token(csrf: Csrf) -> Response {
    let body = Json(json!({ "csrfToken": csrf.token() })).into_response();
    with_allow(body, READ_METHODS)
}

/// `GET /api/user/v1/me`
pub async fn me(caller: Authenticated<AnyUserApi>) -> Response {
    let body = Json(json!({ "username": caller.user.user.username })).into_response();
    with_allow(body, READ_METHODS)
}

fn version(name: &str) -> Result<ApiVersion, WebError> {
    ApiVersion::by_name(name).ok_or_else(WebError::not_found)
}

/// `GET /api/user/v1|v2/account/login_session/`: the description of the form.
pub async fn login_form(
    State(state): State<LmsState>,
    Path(name): Path<String>,
    csrf: Csrf,
    Now(now): Now,
) -> Result<Response, WebError> {
    version(&name)?;
    csrf.ensure_cookie();
    let reply = Reply::platform(200, form(&state.settings.platform_name));
    Ok(with_allow(respond(&reply, now), LOGIN_METHODS))
}

/// `POST /api/user/v1|v2/account/login_session/`
pub async fn login_session(
    State(state): State<LmsState>,
    Path(name): Path<String>,
    visitor: Visitor,
    address: ClientAddress,
    Now(now): Now,
    FormBody(fields): FormBody,
) -> Result<Response, WebError> {
    let version = version(&name)?;
    let outcome = sign_in(&state.identity, version, &fields, &visitor, &address, now).await?;
    Ok(with_allow(respond(outcome.reply(), now), LOGIN_METHODS))
}

/// `POST /login_ajax`, the same as version 1.
pub async fn login_ajax(
    State(state): State<LmsState>,
    visitor: Visitor,
    address: ClientAddress,
    Now(now): Now,
    FormBody(fields): FormBody,
) -> Result<Response, WebError> {
    let version = ApiVersion::V1;
    let outcome = sign_in(&state.identity, version, &fields, &visitor, &address, now).await?;
    Ok(respond(outcome.reply(), now))
}

/// Signs a visitor in, with everything that follows a refusal.
pub async fn sign_in(
    identity: &Identity,
    version: ApiVersion,
    fields: &identity::Form,
    visitor: &Visitor,
    address: &ClientAddress,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<LoginOutcome, WebError> {
    let request = LoginRequest {
        version,
        form: fields,
        ip: &address.0,
        session: visitor.session().cloned(),
    };
    let outcome = identity
        .login(request, now)
        .await
        .map_err(WebError::internal)?;
    if let LoginOutcome::Failure {
        failure: LoginFailure::Inactive { user },
        ..
    } = &outcome
    {
        // The mail is sent again; that it cannot be sent changes nothing about the answer.
        if let Err(error) = identity.send_activation_email(user, now).await {
            tracing::warn!(%error, "the activation mail was not sent again");
        }
    }
    Ok(outcome)
}

/// `POST /login_refresh`: new JWT cookies for the session's user.
pub async fn login_refresh(
    State(state): State<LmsState>,
    visitor: Visitor,
    Now(now): Now,
) -> Result<Response, WebError> {
    let reply = state
        .identity
        .login_refresh(visitor.user(), now)
        .await
        .map_err(WebError::internal)?;
    Ok(respond(&reply, now))
}
