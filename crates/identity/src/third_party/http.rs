//! What sign-in asks of the one outgoing HTTP client.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A request to another server.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// Absolute address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Form fields of a POST; none for a GET.
    pub form: Option<Vec<(&'static str, String)>>,
}

/// Its answer.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// Body, bounded by the client.
    pub body: Vec<u8>,
}

/// What sends requests: the program's one outgoing client, with its deadlines and address rules.
#[derive(Clone)]
pub struct Outgoing(Arc<Sender>);

type Sender = dyn Fn(HttpRequest) -> Answer + Send + Sync;
type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, String>> + Send>>;

impl Outgoing {
    /// Wraps the client's function; its error is a text for the log.
    pub fn new<F, W>(send: F) -> Self
    where
        F: Fn(HttpRequest) -> W + Send + Sync + 'static,
        W: Future<Output = Result<HttpResponse, String>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(send(request))))
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        (self.0)(request).await
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing")
    }
}
