//! Extractors, errors, templates and telemetry of the web roles.
//!
//! What a router of Stoa needs besides its own handlers:
//!
//! * [`WebError`]: the one place where a failure becomes a body in Django REST framework's shapes, or a page;
//!   [`ErrorStyle`] is chosen by the tree of routes, never by a handler.
//! * [`stack::serve_with`]: request number, access log, metrics, panics, deadlines, load limit, compression,
//!   security headers, language, cross-site request checks — in the order in which they must stand.
//! * [`Page`] and [`PageContext`]: typed contexts of templates, rendered strictly, translated, escaped.
//! * [`redirect::safe_target`]: the only function that reads a redirect parameter.
//!
//! A handler of a page:
//!
//! ```text
//! async fn home(page: web_kit::Page, State(app): State<App>) -> Result<Response, WebError> {
//!     page.render(&DashboardPage { .. })
//! }
//! ```
//!
//! The state of a router provides the kit: `impl FromRef<App> for web_kit::WebKit`.

pub mod assets;
pub mod csrf;
pub mod error;
pub mod i18n;
pub mod json;
pub mod metrics;
pub mod pages;
pub mod redirect;
pub mod render;
pub mod request;
pub mod security;
pub mod stack;

mod random;

pub use csrf::Csrf;
pub use error::{ErrorStyle, WebError};
pub use i18n::{Catalogues, Locale};
pub use metrics::Metrics;
pub use render::{Page, PageContext, Render, Viewer};
pub use request::{Nonce, Origin, RequestId};
pub use security::PagePolicy;
pub use stack::{Settings, WebKit};
