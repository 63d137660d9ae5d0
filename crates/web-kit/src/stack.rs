//! The layers around every router, in the order in which they must stand.
//!
//! From the outside in: request number and origin · metrics and access log · load limit · deadline · panics ·
//! compression · security headers · language · cross-site cookie · body limit · the routes.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, LOCATION, VARY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::assets;
use crate::csrf;
use crate::error::{ErrorStyle, WebError, method_not_allowed, restyle};
use crate::i18n::{self, Catalogues, Locale, negotiate};
use crate::metrics::Metrics;
use crate::render::{Render, Site, TemplateSet, Viewer, ViewerSlot};
use crate::request::{Nonce, Origin, REQUEST_ID_HEADER, RequestId};
use crate::security;

/// A future of an answer, as the counter of statements wraps it.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
/// Runs an answering future and tells how many database statements it has run.
pub type CountStatements = fn(Answering) -> Pin<Box<dyn Future<Output = (Response, u64)> + Send>>;

/// How the web roles behave.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The installation's name and addresses.
    pub site: Arc<Site>,
    /// Language of people who ask for none that we have.
    pub language: String,
    /// Whether `X-Forwarded-Proto` and `-Host` come from a proxy of ours.
    pub behind_proxy: bool,
    /// `CSRF_TRUSTED_ORIGINS`.
    pub trusted_origins: Vec<String>,
    /// Origins that a form of ours may end at after its redirects: front ends, clients of OAuth. Browsers apply a page's
    /// `form-action` to them too.
    pub form_origins: Vec<String>,
    /// `LOGIN_REDIRECT_WHITELIST`.
    pub redirect_hosts: Vec<String>,
    /// Requests that may run at once; more are answered 503.
    pub max_active: usize,
    /// Time until an answer's head must be ready.
    pub deadline: Duration,
    /// Bytes of a request's body, unless a route says otherwise.
    pub body_limit: usize,
    /// Bytes of a form that is read to find its token.
    pub form_limit: usize,
    /// Operator's templates that replace ours.
    pub templates: Option<PathBuf>,
    /// Operator's catalogues that replace ours text by text.
    pub locales: Option<PathBuf>,
    /// Whether templates are read again on every page.
    pub reload_templates: bool,
    /// Counts database statements per request, for `/metrics`.
    pub count_statements: Option<CountStatements>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site: Arc::default(),
            language: "en".to_owned(),
            behind_proxy: false,
            trusted_origins: Vec::new(),
            form_origins: Vec::new(),
            redirect_hosts: Vec::new(),
            max_active: 512,
            deadline: Duration::from_secs(30),
            body_limit: 8 * 1024 * 1024,
            form_limit: 8 * 1024 * 1024,
            templates: None,
            locales: None,
            reload_templates: cfg!(debug_assertions),
            count_statements: None,
        }
    }
}

/// What handlers and layers share; cheap to clone. A router's state hands it out by `FromRef`.
#[derive(Debug, Clone)]
pub struct WebKit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    render: Render,
    metrics: Metrics,
    active: Semaphore,
}

impl WebKit {
    /// Loads catalogues and prepares templates of the given sets beside the base ones.
    pub fn new(settings: Settings, sets: &[TemplateSet]) -> Result<Self, i18n::Error> {
        let catalogues = Catalogues::load(settings.locales.as_deref())?;
        let render = Render::new(
            catalogues,
            sets,
            settings.templates.as_deref(),
            settings.reload_templates,
        );
        let active = Semaphore::new(settings.max_active.clamp(1, Semaphore::MAX_PERMITS));
        Ok(Self(Arc::new(Inner {
            settings,
            render,
            metrics: Metrics::default(),
            active,
        })))
    }

    /// How the roles behave.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The template engine.
    #[must_use]
    pub fn render(&self) -> &Render {
        &self.0.render
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

/// Puts the layers around a router whose state is already given, and adds `/metrics` and the built files.
///
/// Errors that no layer inside has styled, and routes that do not exist, get `style`: [`ErrorStyle::Page`] for the LMS and
/// Studio, whose API trees style themselves.
pub fn serve_with(kit: &WebKit, style: ErrorStyle, router: Router) -> Router {
    let router = router.fallback(|| async { WebError::not_found() });
    serve_whole(kit, style, router)
}

/// [`serve_with`] for a router whose own fallback answers what no route takes.
pub fn serve_whole(kit: &WebKit, style: ErrorStyle, router: Router) -> Router {
    let metrics = kit.metrics().clone();
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Precise(5))
        .compress_when(
            SizeAbove::new(512)
                .and(NotForContentType::IMAGES)
                .and(NotForContentType::new("video/"))
                .and(NotForContentType::new("audio/"))
                .and(NotForContentType::new("application/zip"))
                .and(NotForContentType::new("application/gzip"))
                .and(NotForContentType::SSE),
        );
    router
        .route("/metrics", get(move || async move { metrics.response() }))
        .merge(assets::router())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(kit.settings().body_limit))
        // Inside the cookie and the compression, so that error pages have both; `observe` styles what arises outside.
        .layer(middleware::from_fn_with_state(
            (kit.clone(), style),
            crate::error::style,
        ))
        .layer(middleware::from_fn(csrf::layer))
        .layer(middleware::from_fn_with_state(kit.clone(), speak))
        .layer(compression)
        .layer(middleware::from_fn_with_state(
            (kit.clone(), style),
            observe,
        ))
}

/// Chooses the language and names it in the answer (`identity.md` §1.1). Who is signed in is known only inside, so pages
/// choose again; what they have named stays.
async fn speak(State(kit): State<WebKit>, mut request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(assets::PREFIX) {
        return next.run(request).await;
    }
    let preference = Viewer::of(request.extensions()).and_then(|viewer| viewer.language);
    let default = &kit.settings().language;
    let catalogues = kit.render().catalogues();
    let locale = negotiate(
        catalogues,
        preference.as_deref(),
        request.headers(),
        default,
    );
    request.extensions_mut().insert(locale.clone());
    let mut response = next.run(request).await;
    name_language(&mut response, &locale);
    response
}

fn name_language(response: &mut Response, locale: &Locale) {
    let headers = response.headers_mut();
    if !headers.contains_key(CONTENT_LANGUAGE)
        && let Ok(code) = HeaderValue::from_str(locale.code())
    {
        headers.insert(CONTENT_LANGUAGE, code);
    }
    headers.append(
        VARY,
        HeaderValue::from_static("Accept-Language, Cookie, origin"),
    );
}

/// Redirects are said to be HTML, as Django's are.
fn name_redirect(response: &mut Response) {
    let is_redirect =
        response.status().is_redirection() && response.headers().contains_key(LOCATION);
    if is_redirect && !response.headers().contains_key(CONTENT_TYPE) {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, html);
    }
}

/// The outermost layer: everything that must hold whatever happens inside.
async fn observe(
    State((kit, style)): State<(WebKit, ErrorStyle)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let settings = kit.settings();
    let id = RequestId::accept_or_draw(request.headers());
    let origin = Origin::read(request.uri(), request.headers(), settings.behind_proxy);
    let nonce = Nonce::draw();
    let https = origin.secure;
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(origin);
    extensions.insert(nonce.clone());
    extensions.insert(ViewerSlot::default());
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let request = Request::from_parts(parts, body);

    kit.metrics().started();
    let guard = Active(kit.metrics().clone());
    let span = tracing::info_span!("request", id = id.as_str(), %method, %route);
    let (response, statements) = {
        use tracing::Instrument as _;
        run(&kit, request, next).instrument(span.clone()).await
    };
    drop(guard);
    let _entered = span.enter();
    let mut response = restyle(&kit, style, &asked, response);
    name_redirect(&mut response);
    security::secure(&mut response, &nonce, https, &settings.form_origins);
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    let (status, took) = (response.status(), started.elapsed());
    let counted = counted_method(&method);
    kit.metrics()
        .answered(counted, &route, status.as_u16(), took);
    if let Some(count) = statements {
        kit.metrics().statements(counted, &route, count);
    }
    // The path is logged without its query, which may carry codes and tokens.
    tracing::info!(
        target: "access",
        status = status.as_u16(),
        path,
        duration_ms = took.as_secs_f64() * 1000.0,
        statements,
    );
    response
}

/// A client's invented methods must not make endless series.
fn counted_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

/// Counts a request as active until it is dropped, also when the client goes away in between.
struct Active(Metrics);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// Load limit, deadline and panics.
async fn run(kit: &WebKit, request: Request, next: Next) -> (Response, Option<u64>) {
    // Whoever watches the service must see it even when it refuses everyone else.
    let is_watched = matches!(request.uri().path(), "/metrics" | "/heartbeat");
    let permit = kit.0.active.try_acquire();
    if permit.is_err() && !is_watched {
        kit.metrics().refused();
        return (WebError::unavailable(2).into_response(), None);
    }
    let answering: Answering = Box::pin(next.run(request));
    let counted = async {
        match kit.settings().count_statements {
            Some(count) => {
                let (response, statements) = count(answering).await;
                (response, Some(statements))
            }
            None => (answering.await, None),
        }
    };
    let caught = CatchUnwind(Box::pin(counted));
    match tokio::time::timeout(kit.settings().deadline, caught).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(panic)) => {
            kit.metrics().panicked();
            tracing::error!(panic = %panic_text(panic.as_ref()), "request panicked");
            (
                WebError::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on the server. Please try again.",
                )
                .into_response(),
                None,
            )
        }
        Err(_) => {
            tracing::warn!("request passed its deadline");
            (WebError::unavailable(5).into_response(), None)
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no text)".to_owned())
}

/// A future that ends with the panic of the one inside it, as `futures::FutureExt::catch_unwind` does.
struct CatchUnwind<F>(Pin<Box<F>>);

impl<F: Future> Future for CatchUnwind<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        // A future that has panicked is never polled again: its state cannot be seen half changed.
        match std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::post;
    use tower::ServiceExt;

    fn app(change: impl FnOnce(&mut Settings)) -> Router {
        let mut settings = Settings::default();
        change(&mut settings);
        let kit = WebKit::new(settings, &[]).unwrap();
        let api = Router::new()
            .route("/api/gone", get(|| async { WebError::not_found() }))
            .route(
                "/api/panic",
                get(|| async { assert!(Vec::<u8>::new().len() > 1, "secret") }),
            )
            .layer(middleware::from_fn_with_state(
                (kit.clone(), ErrorStyle::Detail),
                crate::error::style,
            ));
        let pages = Router::new()
            .route("/page", get(|| async { WebError::permission_denied() }))
            .route("/mine", get(|| async { WebError::not_authenticated() }))
            .route(
                "/slow",
                get(|| async { tokio::time::sleep(Duration::from_mins(1)).await }),
            )
            .route(
                "/known",
                get(|request: Request| async {
                    let viewer = Viewer {
                        username: "amara".to_owned(),
                        name: "Amara Lindqvist".to_owned(),
                        is_staff: false,
                        time_zone: None,
                        language: None,
                    };
                    viewer.enter(&mut request.into_parts().0);
                    WebError::not_found()
                }),
            )
            .route("/form", post(|| async { "done" }))
            .merge(crate::pages::router().with_state(kit.clone()))
            .route_layer(middleware::from_fn_with_state(kit.clone(), csrf::protect));
        serve_with(&kit, ErrorStyle::Page, api.merge(pages))
    }

    async fn get_(app: Router, path: &str) -> (Response, String) {
        let request = Request::get(path)
            .header("host", "lms.example")
            .body(Body::empty())
            .unwrap();
        split(app.oneshot(request).await.unwrap()).await
    }

    async fn split(response: Response) -> (Response, String) {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 1_000_000).await.unwrap().to_vec()).unwrap();
        (Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn errors_take_the_style_of_their_tree() {
        let (response, body) = get_(app(|_| ()), "/api/gone").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(body, "{\"detail\":\"Not found.\"}");
        let (response, body) = get_(app(|_| ()), "/page").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(body.starts_with("<!doctype html>"), "{body}");
        let (response, body) = get_(app(|_| ()), "/nowhere").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(body.contains(response.headers()["x-request-id"].to_str().unwrap()));
        let (response, _) = get_(app(|_| ()), "/mine?a=1").await;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], "/login?next=/mine%3Fa%3D1");
    }

    /// lms-api.md §0.2: a method that a route lacks; and an error page greets whoever a handler has found signed in.
    #[tokio::test]
    async fn wrong_methods_and_known_people() {
        let request = Request::delete("/api/gone").body(Body::empty()).unwrap();
        let (response, _) = split(app(|_| ()).oneshot(request).await.unwrap()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET,HEAD");
        let (_, body) = get_(app(|_| ()), "/known").await;
        assert!(body.contains("Amara Lindqvist"), "{body}");
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_text() {
        let (response, body) = get_(app(|_| ()), "/api/panic").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!body.contains("secret"));
        assert!(response.headers().contains_key("x-request-id"));
    }

    #[tokio::test]
    async fn a_deadline_and_a_load_limit_answer_503() {
        let (response, _) = get_(app(|s| s.deadline = Duration::from_millis(20)), "/slow").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "5");
        let app = app(|s| s.max_active = 1);
        let slow = tokio::spawn(get_(app.clone(), "/slow"));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (response, _) = get_(app.clone(), "/page").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let (response, body) = get_(app, "/metrics").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(body.contains("stoa_http_refused_total 1"));
        slow.abort();
    }

    /// identity.md §1.1 and §3: headers of every answer; forms need their token.
    #[tokio::test]
    async fn headers_and_forms() {
        let (response, _) = get_(app(|_| ()), "/page").await;
        let headers = response.headers();
        assert_eq!(headers["content-language"], "en");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let vary: Vec<_> = headers
            .get_all("vary")
            .iter()
            .map(|v| v.to_str().unwrap())
            .collect();
        assert!(vary.join(", ").contains("Accept-Language"));

        let post = |token: &str| {
            Request::post("/form")
                .header("host", "lms.example")
                .header("cookie", "csrftoken=abcdefghijklmnopqrstuvwxyz012345")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(format!("a=1&csrfmiddlewaretoken={token}")))
                .unwrap()
        };
        let good = app(|_| ())
            .oneshot(post("abcdefghijklmnopqrstuvwxyz012345"))
            .await
            .unwrap();
        assert_eq!(good.status(), StatusCode::OK);
        let (bad, body) = split(app(|_| ()).oneshot(post("")).await.unwrap()).await;
        assert_eq!(bad.status(), StatusCode::FORBIDDEN);
        assert!(body.contains("<title>403 Forbidden"), "{body}");
    }

    #[tokio::test]
    async fn the_footer_forms_set_cookies_and_stay_here() {
        let request = Request::post("/i18n/setlang/")
            .header("host", "lms.example")
            .header("cookie", "csrftoken=abcdefghijklmnopqrstuvwxyz012345")
            .header("x-csrftoken", "abcdefghijklmnopqrstuvwxyz012345")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("language=es&next=//evil.example/"))
            .unwrap();
        let response = app(|_| ()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], "/");
        assert!(
            response.headers()["set-cookie"]
                .to_str()
                .unwrap()
                .starts_with("openedx-language-preference=es;")
        );
    }
}
