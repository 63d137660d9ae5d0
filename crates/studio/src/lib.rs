//! Routers and handlers of Studio: until authoring has its pages, a heartbeat and a page that says what is to come.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::Response;
use axum::routing::get;
use modulestore::ModuleStore;
use web_kit::pages::{StudioToComePage, heartbeat};
use web_kit::{ErrorStyle, Page, WebError, WebKit};

/// What every handler of Studio shares.
#[derive(Clone)]
pub struct StudioState {
    /// Courses and their assets.
    pub store: ModuleStore,
    /// Public address of the LMS, without a slash at its end.
    pub lms_url: String,
    /// Templates, languages, metrics.
    pub kit: WebKit,
}

impl FromRef<StudioState> for WebKit {
    fn from_ref(state: &StudioState) -> Self {
        state.kit.clone()
    }
}

/// Studio as it is served.
pub fn app(state: StudioState) -> Router {
    let kit = state.kit.clone();
    let switches = web_kit::pages::router()
        .layer(axum::middleware::from_fn_with_state(
            kit.clone(),
            web_kit::csrf::protect,
        ))
        .with_state(kit.clone());
    let router = Router::new()
        .route("/", get(to_come))
        .route("/home/", get(to_come))
        .route("/heartbeat", get(alive))
        .route("/heartbeat/", get(alive))
        .with_state(state)
        .merge(switches);
    web_kit::stack::serve_with(&kit, ErrorStyle::Page, router)
}

async fn to_come(State(state): State<StudioState>, page: Page) -> Result<Response, WebError> {
    page.render(&StudioToComePage {
        lms_url: state.lms_url,
    })
}

async fn alive(State(state): State<StudioState>) -> Response {
    heartbeat(state.store.health()).await
}
