//! Who asks: extractors over crate `identity` (lms-api.md §0.1, identity.md §5.2).
//!
//! * Pages take [`Visitor`] (anybody) or [`SignedIn`] (401, which a tree of pages turns into a way to `/login?next=`).
//! * REST views take [`Caller`] (anybody) or [`Authenticated`] (401 or 403 when nobody is), both with the view's set
//!   of authenticators as a type: `Caller<CourseApi>`.
//!
//! The session is judged at most once a request, with at most two statements, however many extractors ask.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::extract::{FromRef, FromRequestParts, Request};
use axum::http::header::{ACCEPT, AUTHORIZATION, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use identity::cookies::Cookie;
use identity::session::{Session, SessionState};
use identity::{
    Authenticator, Body, Credentials, Identity, Refusal, Reply, RequestUser, User, Viewer,
    authenticator_sets,
};
use web_kit::request::cookie;
use web_kit::{Csrf, Origin, WebError, WebKit};

use crate::clock::Now;
use crate::state::LmsState;

/// Cookies that the answer to this request must set. The layer [`send_cookies`] sends them.
#[derive(Debug, Clone, Default)]
pub struct CookieJar(Arc<Mutex<Vec<Cookie>>>);

impl CookieJar {
    /// Adds cookies to the answer.
    pub fn add(&self, cookies: impl IntoIterator<Item = Cookie>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(cookies);
    }

    fn take(&self) -> Vec<Cookie> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn of(parts: &mut Parts) -> Self {
        parts.extensions.get_or_insert_default::<Self>().clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CookieJar {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// Middleware that gives a request its [`CookieJar`] and [`Now`], and sends the cookies with the answer.
pub async fn send_cookies(mut request: Request, next: Next) -> Response {
    let jar = CookieJar::default();
    request.extensions_mut().insert(jar.clone());
    let now = request
        .extensions()
        .get::<Now>()
        .copied()
        .unwrap_or_else(|| Now(Utc::now()));
    request.extensions_mut().insert(now);
    let mut response = next.run(request).await;
    set_cookies(response.headers_mut(), &jar.take(), now.0);
    response
}

/// Adds Set-Cookie headers; what cannot stand in a header is left out.
fn set_cookies(headers: &mut HeaderMap, cookies: &[Cookie], now: DateTime<Utc>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.header(now)) {
            headers.append(SET_COOKIE, value);
        }
    }
}

/// Carries an outcome of crate `identity` over the wire.
#[must_use]
pub fn respond(reply: &Reply, now: DateTime<Utc>) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match &reply.body {
        Body::Empty => status.into_response(),
        _ => (status, reply.body_text()).into_response(),
    };
    let headers = response.headers_mut();
    match reply.content_type() {
        Some(kind) => {
            headers.insert(
                axum::http::header::CONTENT_TYPE,
                HeaderValue::from_static(kind),
            );
        }
        None => {
            headers.remove(axum::http::header::CONTENT_TYPE);
        }
    }
    for (name, value) in &reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    set_cookies(headers, &reply.cookies, now);
    response
}

/// The session of a request, judged once and kept among its extensions.
async fn session_state(
    parts: &mut Parts,
    identity: &Identity,
) -> Result<Arc<SessionState>, WebError> {
    if let Some(state) = parts.extensions.get::<Arc<SessionState>>() {
        return Ok(Arc::clone(state));
    }
    let now = Now::of(parts).0;
    let name = &identity.settings().session_cookie_name;
    let sent = cookie(&parts.headers, name);
    let state = identity
        .session_from_cookie(sent, now)
        .await
        .map_err(WebError::internal)?;
    if matches!(state, SessionState::Stale) {
        CookieJar::of(parts).add(identity.settings().login_cookie_deletions(true));
    }
    if let (Some(user), Some(persona)) = (state.user(), state.persona()) {
        // Pages that are made after this one know whom they address and in which language.
        if persona.language.is_some() {
            parts.extensions.remove::<web_kit::Locale>();
        }
        parts.extensions.insert(web_kit::Viewer {
            username: user.username.clone(),
            name: persona.name.clone(),
            is_staff: user.is_staff,
            time_zone: persona.time_zone.clone(),
            language: persona.language.clone(),
        });
    }
    let state = Arc::new(state);
    parts.extensions.insert(Arc::clone(&state));
    Ok(state)
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Answers the two states of a session that end a request (identity.md §1.1, §2).
fn refuse_session(
    state: &SessionState,
    parts: &mut Parts,
    identity: &Identity,
) -> Result<(), WebError> {
    match state {
        SessionState::Bad => {
            let path = parts
                .uri
                .path_and_query()
                .map_or("/", axum::http::uri::PathAndQuery::as_str);
            let reply = identity.bad_cookie_reply(path, accepts_html(&parts.headers), false);
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::UNAUTHORIZED);
            let mut error = WebError::empty(status);
            for (name, value) in &reply.headers {
                if name.eq_ignore_ascii_case("location")
                    && let Ok(value) = HeaderValue::from_str(value)
                {
                    error = error.header(LOCATION, value);
                }
            }
            CookieJar::of(parts).add(reply.cookies);
            Err(error)
        }
        SessionState::Disabled(..) if accepts_html(&parts.headers) => {
            Err(WebError::forbidden("Your account has been disabled."))
        }
        SessionState::Disabled(_, user) => Err(WebError::authentication_failed(format!(
            "User disabled by admin: {}",
            user.username
        ))),
        _ => Ok(()),
    }
}

/// Whoever looks at a page: signed in or not.
#[derive(Debug, Clone)]
pub struct Visitor(Arc<SessionState>);

impl Visitor {
    /// The signed-in user.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.0.user()
    }

    /// The viewer, anonymous when nobody is signed in.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.user().map_or_else(Viewer::anonymous, Viewer::from)
    }

    /// The usable session, signed in or anonymous.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.0.session()
    }

    /// The user, or the 401 that pages turn into a redirect to the sign-in page.
    pub fn require(&self) -> Result<&User, WebError> {
        self.user().ok_or_else(WebError::not_authenticated)
    }
}

impl<S> FromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let identity = Identity::from_ref(state);
        let session = session_state(parts, &identity).await?;
        refuse_session(&session, parts, &identity)?;
        Ok(Self(session))
    }
}

/// A signed-in user of a page; everybody else is sent to sign in.
#[derive(Debug, Clone)]
pub struct SignedIn(pub User);

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        visitor.require().cloned().map(Self)
    }
}

/// The authenticators of a REST view, as a type.
pub trait AuthSet: Send + Sync + 'static {
    /// In order; the first decides between 401 and 403.
    const SET: &'static [Authenticator];
}

/// The default of REST views: JWT, then session, of active users.
#[derive(Debug, Clone, Copy)]
pub struct RestApi;

impl AuthSet for RestApi {
    const SET: &'static [Authenticator] = authenticator_sets::DEFAULT;
}

/// `[JBS]`: JWT, Bearer, session, of inactive users too.
#[derive(Debug, Clone, Copy)]
pub struct AnyUserApi;

impl AuthSet for AnyUserApi {
    const SET: &'static [Authenticator] = authenticator_sets::ANY_USER;
}

/// JWT, Bearer, session, of active users: most course APIs.
#[derive(Debug, Clone, Copy)]
pub struct CourseApi;

impl AuthSet for CourseApi {
    const SET: &'static [Authenticator] = authenticator_sets::COURSE;
}

/// Bearer, session, of inactive users too: bookmarks, preferences.
#[derive(Debug, Clone, Copy)]
pub struct BearerOrSession;

impl AuthSet for BearerOrSession {
    const SET: &'static [Authenticator] = authenticator_sets::BEARER_SESSION;
}

/// Session of any user alone.
#[derive(Debug, Clone, Copy)]
pub struct SessionApi;

impl AuthSet for SessionApi {
    const SET: &'static [Authenticator] = authenticator_sets::SESSION_ANY;
}

/// The answer to a refused caller (identity.md §5.2).
#[must_use]
pub fn refusal_error(refusal: &Refusal) -> WebError {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let body = refusal.body();
    let error = match body.get("detail").and_then(serde_json::Value::as_str) {
        Some(text) => WebError::new(status, text.to_owned()),
        None => WebError::json(status, body),
    };
    match refusal.challenge() {
        Some(challenge) => error.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge)),
        None => error,
    }
}

/// Asks the authenticators of `set` for a request.
async fn ask(
    parts: &mut Parts,
    identity: &Identity,
    kit: &WebKit,
    set: &[Authenticator],
) -> Result<Result<RequestUser, Refusal>, WebError> {
    let session = session_state(parts, identity).await?;
    refuse_session(&session, parts, identity)?;
    let now = Now::of(parts).0;
    let origin = parts
        .extensions
        .get::<Origin>()
        .cloned()
        .unwrap_or_else(|| Origin::read(&parts.uri, &parts.headers, kit.settings().behind_proxy));
    let csrf = Csrf::of(parts).check(
        &parts.method,
        &parts.headers,
        &origin,
        &kit.settings().trusted_origins,
        None,
    );
    let csrf_failure = csrf.err().map(|refused| refused.0);
    let credentials = Credentials {
        authorization: parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()),
        jwt_cookie: jwt_cookie(&parts.headers, identity),
        session_user: session.user(),
        csrf_failure: csrf_failure.as_deref(),
    };
    identity
        .authenticate_request(&credentials, set, now)
        .await
        .map_err(WebError::internal)
}

/// The JWT of the cookies: both halves joined, or the whole one (identity.md §5.1).
fn jwt_cookie(headers: &HeaderMap, identity: &Identity) -> Option<String> {
    let names = &identity.settings().cookie_names;
    let halves = cookie(headers, &names.jwt_header_payload)
        .zip(cookie(headers, &names.jwt_signature))
        .filter(|(head, signature)| !head.is_empty() && !signature.is_empty());
    match halves {
        Some((head, signature)) => Some(format!("{head}.{signature}")),
        None => cookie(headers, &names.jwt)
            .filter(|token| !token.is_empty())
            .map(str::to_owned),
    }
}

/// Whoever calls a REST view that is open to the public. A credential that is refused still ends the request.
#[derive(Debug, Clone)]
pub struct Caller<A> {
    /// The authenticated user, if any.
    pub user: Option<RequestUser>,
    set: PhantomData<A>,
}

impl<A> Caller<A> {
    /// The viewer, anonymous when nobody is authenticated.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.user
            .as_ref()
            .map_or_else(Viewer::anonymous, RequestUser::viewer)
    }
}

impl<S, A> FromRequestParts<S> for Caller<A>
where
    S: Send + Sync,
    A: AuthSet,
    Identity: FromRef<S>,
    WebKit: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let (identity, kit) = (Identity::from_ref(state), WebKit::from_ref(state));
        let user = match ask(parts, &identity, &kit, A::SET).await? {
            Ok(user) => Some(user),
            Err(Refusal::NotProvided { .. }) => None,
            Err(refusal) => return Err(refusal_error(&refusal)),
        };
        Ok(Self {
            user,
            set: PhantomData,
        })
    }
}

/// The authenticated caller of a REST view.
#[derive(Debug, Clone)]
pub struct Authenticated<A> {
    /// The user and the credential.
    pub user: RequestUser,
    set: PhantomData<A>,
}

impl<A> Authenticated<A> {
    /// The viewer.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.user.viewer()
    }
}

impl<S, A> FromRequestParts<S> for Authenticated<A>
where
    S: Send + Sync,
    A: AuthSet,
    Identity: FromRef<S>,
    WebKit: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let (identity, kit) = (Identity::from_ref(state), WebKit::from_ref(state));
        match ask(parts, &identity, &kit, A::SET).await? {
            Ok(user) => Ok(Self {
                user,
                set: PhantomData,
            }),
            Err(refusal) => Err(refusal_error(&refusal)),
        }
    }
}

/// Network address of the client, for limits that count addresses: the peer, or what a proxy of ours says.
#[derive(Debug, Clone)]
pub struct ClientAddress(pub String);

impl FromRequestParts<LmsState> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &LmsState,
    ) -> Result<Self, Self::Rejection> {
        let forwarded = state
            .kit
            .settings()
            .behind_proxy
            .then(|| parts.headers.get("x-forwarded-for"))
            .flatten()
            .and_then(|value| value.to_str().ok())
            .and_then(|list| list.split(',').next())
            .map(|address| address.trim().to_owned());
        let peer =
            Extension::<axum::extract::ConnectInfo<std::net::SocketAddr>>::from_request_parts(
                parts, state,
            )
            .await
            .map(|Extension(info)| info.0.ip().to_string());
        Ok(Self(forwarded.or(peer.ok()).unwrap_or_default()))
    }
}
