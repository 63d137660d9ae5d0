//! The OAuth2 endpoints (identity.md §4).

use axum::extract::{RawQuery, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use identity::Form;
use identity::oauth::{AuthorizeOutcome, AuthorizeRequest, ConsentForm, TokenRequest};
use web_kit::{Page, WebError};

use crate::auth::{ClientAddress, SignedIn, respond};
use crate::clock::Now;
use crate::form::{FormBody, query_form};
use crate::pages::contexts::{AuthorizeErrorPage, AuthorizePage};
use crate::state::LmsState;

/// Calls of the token endpoint an address and minute (RATELIMIT_RATE).
const TOKENS_PER_MINUTE: u32 = 120;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `POST /oauth2/access_token`
pub async fn access_token(
    State(state): State<LmsState>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    Now(now): Now,
    headers: HeaderMap,
    FormBody(form): FormBody,
) -> Result<Response, WebError> {
    let limiter = state.identity.limiter();
    let limit = TOKENS_PER_MINUTE;
    if limiter.exceeded("oauth token", &address.0, limit, 60, now.timestamp()) {
        return Err(WebError::throttled(60));
    }
    let request = TokenRequest {
        form: &form,
        authorization: text(&headers, AUTHORIZATION.as_str()),
        has_query: query.is_some_and(|query| !query.is_empty()),
        token_type: text(&headers, "x-token-type"),
    };
    let reply = state
        .identity
        .access_token(&request, now)
        .await
        .map_err(WebError::internal)?;
    Ok(respond(&reply, now))
}

/// `POST /oauth2/revoke_token`
pub async fn revoke_token(
    State(state): State<LmsState>,
    Now(now): Now,
    headers: HeaderMap,
    FormBody(form): FormBody,
) -> Result<Response, WebError> {
    let authorization = text(&headers, AUTHORIZATION.as_str());
    let reply = state
        .identity
        .revoke_token(&form, authorization, now)
        .await
        .map_err(WebError::internal)?;
    Ok(respond(&reply, now))
}

/// `GET /oauth2/authorize`
pub async fn authorize(
    State(state): State<LmsState>,
    SignedIn(user): SignedIn,
    RawQuery(query): RawQuery,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let fields = query_form(query.as_deref());
    decide(&state, &page, &fields, &user, None, now).await
}

/// `POST /oauth2/authorize`: the consent form.
pub async fn consent(
    State(state): State<LmsState>,
    SignedIn(user): SignedIn,
    Now(now): Now,
    page: Page,
    FormBody(fields): FormBody,
) -> Result<Response, WebError> {
    let allowed = fields.get("allow").is_some();
    decide(&state, &page, &fields, &user, Some(allowed), now).await
}

async fn decide(
    state: &LmsState,
    page: &Page,
    fields: &Form,
    user: &identity::User,
    consent: Option<bool>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Response, WebError> {
    let request = AuthorizeRequest {
        fields,
        user,
        consent,
    };
    let outcome = state
        .identity
        .authorize(&request, now)
        .await
        .map_err(WebError::internal)?;
    match outcome {
        AuthorizeOutcome::Redirect(target) => {
            let target = HeaderValue::from_str(&target).map_err(WebError::internal)?;
            Ok((StatusCode::FOUND, [(LOCATION, target)]).into_response())
        }
        AuthorizeOutcome::Ask(form) => page.render(&consent_page(*form)),
        AuthorizeOutcome::Invalid(sentence) => {
            let mut response = page.render(&AuthorizeErrorPage {
                error: "invalid_request",
                sentence: sentence.to_owned(),
            })?;
            *response.status_mut() = StatusCode::BAD_REQUEST;
            Ok(response)
        }
    }
}

fn consent_page(form: ConsentForm) -> AuthorizePage {
    AuthorizePage {
        client: form.application.name.clone(),
        scopes: form.scopes,
        hidden: form
            .hidden
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// `GET /auth/jwks.json`: the public keys of our tokens.
pub async fn jwks(State(state): State<LmsState>, Now(now): Now) -> Response {
    let reply = match state.identity.jwt_keys().public_set() {
        Some(keys) => identity::Reply::platform(200, keys.clone()),
        None => {
            identity::Reply::platform(400, serde_json::json!({ "error": "JWK set is not found" }))
        }
    };
    let mut response = respond(&reply, now);
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}
