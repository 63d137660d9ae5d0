//! What front ends read when they start (courseware.md §15.1).

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::EdxJson;

use crate::api::params::Params;
use crate::routes::{either, styled};
use crate::state::LmsState;

/// `/api/mfe_config/v1`
pub fn router(state: &LmsState) -> Router<LmsState> {
    let router = either(Router::new(), "/api/mfe_config/v1", get(config));
    styled(router, state, ErrorStyle::Detail)
}

/// The common part with that of one front end over it.
fn merged(common: &Map<String, Value>, overrides: &Map<String, Value>, mfe: Option<&str>) -> Value {
    let mut config = common.clone();
    let own = mfe
        .and_then(|name| overrides.get(name))
        .and_then(Value::as_object);
    config.extend(
        own.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    config.into()
}

async fn config(State(state): State<LmsState>, params: Params) -> Result<Response, WebError> {
    let settings = &state.settings;
    if !settings.enable_mfe_config_api {
        return Err(WebError::not_found());
    }
    let body = merged(
        &settings.mfe_config,
        &settings.mfe_config_overrides,
        params.get("mfe"),
    );
    Ok(EdxJson(StatusCode::OK, body).into_response())
}

#[cfg(test)]
mod tests {
    use super::merged;
    use serde_json::json;

    /// courseware.md §17, check 64.
    #[test]
    fn overrides() {
        let common = json!({"A": 1, "B": 2});
        let own = json!({"learning": {"B": 3}});
        let get = |mfe| merged(common.as_object().unwrap(), own.as_object().unwrap(), mfe);
        assert_eq!(get(Some("learning")), json!({"A": 1, "B": 3}));
        assert_eq!(get(None), common);
        assert_eq!(get(Some("authn")), common);
    }
}
