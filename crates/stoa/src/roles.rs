//! The routers of the roles, wired to the stores.

use axum::Router;

use crate::app::App;

/// One router a role.
pub struct Routers {
    /// LMS.
    pub lms: Router,
    /// Studio.
    pub studio: Router,
}

/// Builds every router.
pub fn routers(_app: &App) -> anyhow::Result<Routers> {
    Ok(Routers {
        lms: Router::new(),
        studio: Router::new(),
    })
}
