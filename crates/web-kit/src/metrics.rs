//! What an operator can watch at `/metrics`, in OpenMetrics text.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::WebError;

/// Labels of what is counted by route. The route is its template, never a path: keys of courses would make endless
/// series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

/// The same with the class of the answer's status, such as `2xx`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: String,
}

/// Counters of the web roles; cheap to clone. Other parts of the program register their own by [`Metrics::register`].
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    requests: Family<Answer, Counter>,
    seconds: Family<Route, Histogram>,
    statements: Family<Route, Counter>,
    panics: Counter,
    refused: Counter,
    active: Gauge<i64, AtomicI64>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// Upper bounds in seconds: 1 ms to 10 s, about a factor of two apart.
const BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("stoa");
        let requests = Family::default();
        let seconds: Family<Route, Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let statements = Family::default();
        let (panics, refused, active) = (Counter::default(), Counter::default(), Gauge::default());
        registry.register(
            "http_requests",
            "Answers by route and class of status",
            Family::clone(&requests),
        );
        registry.register(
            "http_request_seconds",
            "Time until the answer's head was ready",
            seconds.clone(),
        );
        registry.register(
            "http_statements",
            "Database statements run for requests",
            Family::clone(&statements),
        );
        registry.register(
            "http_panics",
            "Requests that ended in a panic",
            panics.clone(),
        );
        registry.register(
            "http_refused",
            "Requests refused because too many were running",
            refused.clone(),
        );
        registry.register("http_active", "Requests running now", active.clone());
        Self(Arc::new(Inner {
            registry: Mutex::new(registry),
            requests,
            seconds,
            statements,
            panics,
            refused,
            active,
        }))
    }
}

impl Metrics {
    /// Lets another part of the program add its own metrics.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self
            .0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner));
    }

    /// The page that collectors read.
    #[must_use]
    pub fn response(&self) -> Response {
        let mut text = String::new();
        let registry = self
            .0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => (
                [(
                    CONTENT_TYPE,
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                )],
                text,
            )
                .into_response(),
            Err(error) => WebError::internal(error).into_response(),
        }
    }

    pub(crate) fn started(&self) {
        self.0.active.inc();
    }

    pub(crate) fn ended(&self) {
        self.0.active.dec();
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        let status = format!("{}xx", status / 100);
        let labels = Route {
            method: method.clone(),
            route: route.clone(),
        };
        self.0
            .requests
            .get_or_create(&Answer {
                method,
                route,
                status,
            })
            .inc();
        self.0
            .seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    pub(crate) fn statements(&self, method: &str, route: &str, count: u64) {
        let labels = Route {
            method: method.to_owned(),
            route: route.to_owned(),
        };
        self.0.statements.get_or_create(&labels).inc_by(count);
    }

    pub(crate) fn panicked(&self) {
        self.0.panics.inc();
    }

    pub(crate) fn refused(&self) {
        self.0.refused.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shows_counts_by_route() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/courses/{course_id}", 404, Duration::from_millis(3));
        metrics.statements("GET", "/courses/{course_id}", 4);
        let body = axum::body::to_bytes(metrics.response().into_body(), 100_000)
            .await
            .unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains(
            "stoa_http_requests_total{method=\"GET\",route=\"/courses/{course_id}\",status=\"4xx\"} 1"
        ));
        assert!(text.contains(
            "stoa_http_statements_total{method=\"GET\",route=\"/courses/{course_id}\"} 4"
        ));
        assert!(text.ends_with("# EOF\n"));
    }
}
