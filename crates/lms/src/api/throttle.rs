//! Limits of calls a minute (lms-api.md §0.2).

use chrono::{DateTime, Utc};
use identity::Viewer;
use web_kit::WebError;

use crate::auth::ClientAddress;
use crate::state::LmsState;

/// Calls a minute of one person, or of one address without a person.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Name of the counter.
    pub group: &'static str,
    /// For everybody.
    pub user: u32,
    /// For global staff.
    pub staff: u32,
}

const WINDOW: i64 = 60;

/// Counts a call; over the limit it is 429, unless limits are turned off (RateLimitConfiguration, asked for only
/// then).
pub async fn count(
    state: &LmsState,
    rate: Rate,
    viewer: &Viewer,
    address: &ClientAddress,
    now: DateTime<Utc>,
) -> Result<(), WebError> {
    let (key, limit) = match viewer.id {
        Some(id) if viewer.is_staff => (id.to_string(), rate.staff),
        Some(id) => (id.to_string(), rate.user),
        None => (format!("address {}", address.0), rate.user),
    };
    let second = now.timestamp();
    let limiter = state.identity.limiter();
    if !limiter.exceeded(rate.group, &key, limit, WINDOW, second) {
        return Ok(());
    }
    let table = "util_ratelimitconfiguration";
    let enabled = records::config::enabled(&state.db, table, &[])
        .await
        .map_err(WebError::internal)?;
    if enabled {
        let wait = WINDOW - second.rem_euclid(WINDOW);
        Err(WebError::throttled(u64::try_from(wait).unwrap_or(1)))
    } else {
        Ok(())
    }
}
