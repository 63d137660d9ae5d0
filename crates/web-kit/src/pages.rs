//! Pages that every role shows, and the small forms of the footer (language, theme).

use std::time::Duration;

use axum::extract::{Form, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::WebError;
use crate::i18n;
use crate::redirect::{Allowed, safe_target};
use crate::render::{PageContext, origin_of};
use crate::stack::WebKit;

/// The page of an error.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage {
    status: u16,
    /// Which words the template takes: `csrf`, `forbidden`, `not_found`, `method`, `large`, `throttled`, `busy`,
    /// `broken` or `request`.
    kind: &'static str,
    /// The error's own sentence, shown for the person's own requests only.
    detail: Option<String>,
    /// Where "Try again" leads; only for pages that were asked for.
    retry: Option<String>,
}

impl ErrorPage {
    /// Chooses the words for an error.
    #[must_use]
    pub fn new(error: &WebError, asked: &Uri) -> Self {
        let status = error.status();
        let is_csrf = error
            .text()
            .is_some_and(|text| text.starts_with("CSRF verification failed"));
        let kind = match status {
            _ if is_csrf => "csrf",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND | StatusCode::GONE => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method",
            StatusCode::PAYLOAD_TOO_LARGE => "large",
            StatusCode::TOO_MANY_REQUESTS => "throttled",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => "busy",
            status if status.is_server_error() => "broken",
            _ => "request",
        };
        let detail = matches!(kind, "request" | "csrf")
            .then(|| error.text().map(str::to_owned))
            .flatten();
        let retry = matches!(kind, "throttled" | "busy" | "broken")
            .then(|| asked.path_and_query().map(ToString::to_string))
            .flatten();
        Self {
            status: status.as_u16(),
            kind,
            detail,
            retry,
        }
    }
}

impl PageContext for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let asked = Uri::from_static("/learning/course/course-v1:A+B+C/home?x=1");
        [
            WebError::internal("x"),
            WebError::not_found(),
            WebError::permission_denied(),
            WebError::throttled(30),
            WebError::unavailable(5),
            WebError::too_large(),
            WebError::bad_request("Course id not specified"),
            WebError::new(StatusCode::METHOD_NOT_ALLOWED, "x"),
            crate::csrf::Refused("CSRF cookie not set.".to_owned()).into_page_error(),
        ]
        .iter()
        .map(|error| Self::new(error, &asked))
        .collect()
    }
}

/// What Studio's port shows until authoring exists (design: "Decided").
#[derive(Debug, Clone, Serialize)]
pub struct StudioToComePage {
    /// Address of the LMS.
    pub lms_url: String,
}

impl PageContext for StudioToComePage {
    const TEMPLATE: &'static str = "studio_to_come.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            lms_url: "http://localhost:8000".to_owned(),
        }]
    }
}

/// Time that stores have to answer a heartbeat.
const PATIENCE: Duration = Duration::from_secs(5);

/// The answer of `/heartbeat`: 200 with `{store: {"status": true, "message": "OK"}}`, 503 when a store is wrong or
/// does not answer in time. What is wrong goes to the log.
pub async fn heartbeat(
    stores: impl Future<Output = [(&'static str, Option<String>); 2]>,
) -> Response {
    let Ok(stores) = tokio::time::timeout(PATIENCE, stores).await else {
        let body = json!({ "stores": { "status": false, "message": "no answer in time" } });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    };
    let mut body = serde_json::Map::new();
    for (name, wrong) in &stores {
        if let Some(error) = wrong {
            tracing::error!(store = name, error, "heartbeat failed");
        }
        let message = if wrong.is_none() { "OK" } else { "fail" };
        let value = json!({ "status": wrong.is_none(), "message": message });
        body.insert((*name).to_owned(), value);
    }
    let status = if stores.iter().all(|(_, wrong)| wrong.is_none()) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(serde_json::Value::Object(body))).into_response()
}

/// `POST /i18n/setlang/` (Django's) and `POST /stoa/theme`: set a cookie and go back. Mount under [`crate::csrf::protect`].
pub fn router() -> Router<WebKit> {
    Router::new()
        .route("/i18n/setlang/", post(set_language))
        .route("/stoa/theme", post(set_theme))
}

#[derive(Deserialize)]
struct LanguageForm {
    language: String,
    next: Option<String>,
}

async fn set_language(
    State(kit): State<WebKit>,
    parts: Parts,
    Form(form): Form<LanguageForm>,
) -> Result<Response, WebError> {
    let locale = kit
        .render()
        .catalogues()
        .get(&form.language)
        .ok_or_else(|| WebError::bad_request("No such language"))?;
    let cookie = format!(
        "{}={}; Max-Age=1209600; Path=/; SameSite=Lax",
        i18n::COOKIE,
        locale.code()
    );
    go_back(&kit, &parts, form.next.as_deref(), &cookie)
}

#[derive(Deserialize)]
struct ThemeForm {
    theme: String,
    next: Option<String>,
}

async fn set_theme(
    State(kit): State<WebKit>,
    parts: Parts,
    Form(form): Form<ThemeForm>,
) -> Result<Response, WebError> {
    let name = crate::render::THEME_COOKIE;
    let cookie = match form.theme.as_str() {
        theme @ ("dark" | "light") => {
            format!("{name}={theme}; Max-Age=31536000; Path=/; SameSite=Lax")
        }
        _ => format!("{name}=; Max-Age=0; Path=/; SameSite=Lax"),
    };
    go_back(&kit, &parts, form.next.as_deref(), &cookie)
}

fn go_back(
    kit: &WebKit,
    parts: &Parts,
    next: Option<&str>,
    cookie: &str,
) -> Result<Response, WebError> {
    let origin = origin_of(parts);
    let allowed = Allowed {
        host: &origin.host,
        secure: origin.secure,
        hosts: &kit.settings().redirect_hosts,
    };
    let target = safe_target(next, allowed).unwrap_or("/");
    let mut response = StatusCode::FOUND.into_response();
    let location = HeaderValue::from_str(target).map_err(WebError::internal)?;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(
        SET_COOKIE,
        HeaderValue::from_str(cookie).map_err(WebError::internal)?,
    );
    Ok(response)
}
