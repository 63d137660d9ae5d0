//! `/heartbeat`: whether the stores answer, for load balancers and those who watch.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::state::LmsState;

/// The route, with and without its slash.
pub fn router() -> Router<LmsState> {
    Router::new()
        .route("/heartbeat", get(heartbeat))
        .route("/heartbeat/", get(heartbeat))
}

async fn heartbeat(State(state): State<LmsState>) -> Response {
    web_kit::pages::heartbeat(state.store.health()).await
}
