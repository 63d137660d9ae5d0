//! The page after signing out (`identity.md` §6.2).

use serde::Serialize;
use web_kit::{PageContext, PagePolicy};

/// Tells other services in hidden frames, then goes on.
#[derive(Debug, Clone, Serialize)]
pub struct LogoutPage {
    /// Checked address to go to.
    pub target: String,
    /// Addresses of services that must forget the person too, each with `no_redirect=1`.
    pub logout_uris: Vec<String>,
}

impl PageContext for LogoutPage {
    const TEMPLATE: &'static str = "logout.html";

    fn policy(&self) -> PagePolicy {
        let origin = |uri: &String| {
            let (scheme, rest) = uri.split_once("://")?;
            Some(format!(
                "{scheme}://{}",
                rest.split(['/', '?', '#']).next()?
            ))
        };
        PagePolicy::WithFrames(self.logout_uris.iter().filter_map(origin).collect())
    }

    fn samples() -> Vec<Self> {
        vec![
            Self {
                target: "/".to_owned(),
                logout_uris: Vec::new(),
            },
            Self {
                target: "/courses?x=1".to_owned(),
                logout_uris: vec!["https://studio.example/logout/?no_redirect=1".to_owned()],
            },
        ]
    }
}
