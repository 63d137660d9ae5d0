//! Signing in and out by page (identity.md §6.2).

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use identity::{ApiVersion, Form, LoginFailure, LoginOutcome};
use web_kit::redirect::{Allowed, is_page_target, safe_target};
use web_kit::{Origin, Page, WebError};

use super::contexts::{LoginPage, LogoutPage};
use super::frame::found;
use crate::auth::{ClientAddress, Visitor, respond};
use crate::clock::Now;
use crate::form::{FormBody, query_form};
use crate::identity_api::sign_in;
use crate::state::LmsState;

/// Where people arrive who were not on their way.
const DASHBOARD: &str = "/dashboard";

/// The routes; unsafe requests need a CSRF token.
pub fn router() -> Router<LmsState> {
    Router::new()
        .route("/login", get(show).post(send))
        .route("/logout", get(sign_out).post(sign_out))
}

/// The checked `next` of a form or query.
fn next_of(state: &LmsState, parts: &Parts, fields: &Form, names: &[&str]) -> Option<String> {
    let settings = state.kit.settings();
    let origin = parts.extensions.get::<Origin>();
    let allowed = Allowed {
        host: origin.map_or("", |origin| &origin.host),
        secure: origin.is_some_and(|origin| origin.secure),
        hosts: &settings.redirect_hosts,
    };
    let given = names.iter().find_map(|name| fields.get(name));
    safe_target(given, allowed)
        .filter(|target| is_page_target(target, "/static/"))
        .map(str::to_owned)
}

/// `GET /login`: the form; who is signed in goes on.
async fn show(
    State(state): State<LmsState>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
    parts: Parts,
) -> Result<Response, WebError> {
    let fields = query_form(parts.uri.query());
    let next = next_of(&state, &parts, &fields, &["next"]);
    if let (Some(user), Some(session)) = (visitor.user(), visitor.session()) {
        let cookies = state
            .identity
            .login_cookies(user, session, now)
            .await
            .map_err(WebError::internal)?;
        let reply = identity::Reply::empty(302)
            .header("Location", next.as_deref().unwrap_or(DASHBOARD))
            .cookies(cookies);
        return Ok(respond(&reply, now));
    }
    page.render(&LoginPage {
        next,
        ..LoginPage::default()
    })
}

/// `POST /login`: the form without script.
async fn send(
    State(state): State<LmsState>,
    visitor: Visitor,
    address: ClientAddress,
    Now(now): Now,
    page: Page,
    parts: Parts,
    FormBody(fields): FormBody,
) -> Result<Response, WebError> {
    let next = next_of(&state, &parts, &fields, &["next"]);
    let identifier = fields.text("email_or_username").trim().to_owned();
    let form = LoginPage {
        next: next.clone(),
        identifier_missing: identifier.is_empty(),
        password_missing: fields.text("password").is_empty(),
        identifier: identifier.clone(),
        ..LoginPage::default()
    };
    if form.identifier_missing || form.password_missing {
        return refused(&page, &form);
    }
    let fields = Form::from([
        ("email_or_username", identifier.as_str()),
        ("password", fields.text("password")),
    ]);
    let version = ApiVersion::V2;
    match sign_in(&state.identity, version, &fields, &visitor, &address, now).await? {
        LoginOutcome::Success(success) => {
            let target = next.as_deref().unwrap_or(DASHBOARD);
            let reply = identity::Reply::empty(302)
                .header("Location", target)
                .cookies(success.reply.cookies);
            Ok(respond(&reply, now))
        }
        LoginOutcome::Failure { failure, .. } => {
            let error_html = Some(words(&page, &failure));
            refused(&page, &LoginPage { error_html, ..form })
        }
    }
}

fn refused(page: &Page, form: &LoginPage) -> Result<Response, WebError> {
    let mut response = page.render(form)?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}

/// A refusal in words for people; nothing that they typed is in it.
fn words(page: &Page, failure: &LoginFailure) -> String {
    let locale = page.locale();
    let plural = |count: i64| u64::try_from(count).unwrap_or(0);
    let fill = |text: &str, count: i64| text.replace("{count}", &count.to_string());
    match failure {
        LoginFailure::MissingFields | LoginFailure::Incorrect { .. } => locale
            .gettext("E-mail, username or password is incorrect.")
            .to_owned(),
        LoginFailure::FewAttemptsLeft {
            failure_count,
            allowed,
        } => {
            let left = allowed - failure_count;
            let text = locale.ngettext(
                "You have {count} more attempt before your account is locked for a while.",
                "You have {count} more attempts before your account is locked for a while.",
                plural(left),
            );
            let incorrect = locale.gettext("E-mail, username or password is incorrect.");
            format!("{incorrect} {}", fill(text, left))
        }
        LoginFailure::LockedOut { minutes } => {
            let text = locale.ngettext(
                "To protect your account, it is locked. Try again in {count} minute.",
                "To protect your account, it is locked. Try again in {count} minutes.",
                plural(*minutes),
            );
            fill(text, *minutes)
        }
        LoginFailure::NoLinkedAccount { .. } => locale
            .gettext("No account is linked to your sign-in elsewhere yet. Sign in with your password once.")
            .to_owned(),
        LoginFailure::RateLimited => locale
            .gettext("Too many attempts. Wait a few minutes and try again.")
            .to_owned(),
        LoginFailure::Inactive { .. } => locale
            .gettext(
                "Your account is not active yet. We have sent you the activation message again.",
            )
            .to_owned(),
    }
}

/// `GET|POST /logout`
async fn sign_out(
    State(state): State<LmsState>,
    visitor: Visitor,
    page: Page,
    parts: Parts,
    jar: crate::auth::CookieJar,
) -> Result<Response, WebError> {
    let fields = query_form(parts.uri.query());
    let target = next_of(&state, &parts, &fields, &["redirect_url", "next"]);
    let cookies = state
        .identity
        .logout(visitor.session(), visitor.user())
        .await
        .map_err(WebError::internal)?;
    jar.add(cookies);
    page.render(&LogoutPage {
        target: target.unwrap_or_else(|| "/".to_owned()),
        logout_uris: Vec::new(),
    })
}

/// `GET /`: who is signed in sees their courses, others the catalogue.
pub async fn root(visitor: Visitor) -> Response {
    found(if visitor.user().is_some() {
        DASHBOARD
    } else {
        "/courses"
    })
}
