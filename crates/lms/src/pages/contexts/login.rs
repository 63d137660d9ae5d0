//! The sign-in page (`identity.md` §6.2).

use serde::Serialize;
use web_kit::PageContext;

/// The form that works without script: `POST /login` with `email_or_username`, `password`, `next`, `remember`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoginPage {
    /// Checked redirect target, kept through the form.
    pub next: Option<String>,
    /// What the person typed as e-mail or username.
    pub identifier: String,
    /// Text of a failed sign-in as the platform words it; may hold HTML of ours, never input.
    pub error_html: Option<String>,
    /// Whether the identifier was left out.
    pub identifier_missing: bool,
    /// Whether the password was left out.
    pub password_missing: bool,
    /// Whether people may make accounts.
    pub can_register: bool,
    /// Other ways to sign in.
    pub providers: Vec<LoginProvider>,
}

/// Another way to sign in.
#[derive(Debug, Clone, Serialize)]
pub struct LoginProvider {
    /// Name of the provider.
    pub name: String,
    /// Where its sign-in starts.
    pub url: String,
}

impl PageContext for LoginPage {
    const TEMPLATE: &'static str = "login.html";

    fn samples() -> Vec<Self> {
        vec![
            Self {
                can_register: true,
                ..Self::default()
            },
            Self {
                next: Some("/dashboard?a=1&b=2".to_owned()),
                identifier: "amara@harbour.example\"><script>".to_owned(),
                error_html: Some("Email or password is <strong>incorrect</strong>.".to_owned()),
                identifier_missing: false,
                password_missing: true,
                can_register: true,
                providers: vec![LoginProvider {
                    name: "Harbour Institute".to_owned(),
                    url: "/auth/login/oidc/?auth_entry=login".to_owned(),
                }],
            },
        ]
    }
}
