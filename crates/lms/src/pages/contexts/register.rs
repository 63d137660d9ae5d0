//! Making an account and getting back into one (`identity.md` §7).

use serde::Serialize;
use web_kit::PageContext;

/// A field of a form that is described by data.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormField {
    /// Name in the form.
    pub name: String,
    /// Label; translated if the catalogue has it.
    pub label: String,
    /// `text`, `email`, `password`, `select`, `textarea` or `checkbox`.
    pub kind: &'static str,
    /// What stands in it; never a password.
    pub value: String,
    /// Whether it must be filled.
    pub required: bool,
    /// A hint under the label.
    pub hint: String,
    /// What is wrong with it; empty when nothing is.
    pub error: String,
    /// Value for `autocomplete`; empty for none.
    pub autocomplete: &'static str,
    /// Choices of a `select`: value and name.
    pub options: Vec<(String, String)>,
}

/// The page at `/register`; its form posts to the same address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RegisterPage {
    /// Checked redirect target, kept through the form.
    pub next: Option<String>,
    /// Fields in their order.
    pub fields: Vec<FormField>,
    /// A fault of the whole form.
    pub error: Option<String>,
}

/// The page at `/password_assistance`; its form posts `email` to the same address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PasswordAssistancePage {
    /// What was typed.
    pub email: String,
    /// Whether the mail is on its way, if there is such an account.
    pub is_sent: bool,
    /// Why it is not.
    pub error: Option<String>,
}

/// The page behind the link in that mail; its form posts `new_password1` and `new_password2` to the same address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PasswordResetPage {
    /// Whether the link still holds.
    pub is_valid: bool,
    /// Whether the new password is set.
    pub is_done: bool,
    /// What is wrong with the passwords.
    pub error: Option<String>,
}

impl PageContext for RegisterPage {
    const TEMPLATE: &'static str = "register.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, label: &str, kind, autocomplete| FormField {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            required: true,
            autocomplete,
            ..FormField::default()
        };
        let fields = vec![
            field("name", "Full Name", "text", "name"),
            FormField {
                value: "a\"b".to_owned(),
                error: "It looks like this username is already taken".to_owned(),
                hint: "The name that will identify you in your courses.".to_owned(),
                ..field("username", "Public Username", "text", "username")
            },
            field("email", "Email", "email", "email"),
            field("password", "Password", "password", "new-password"),
            FormField {
                options: vec![
                    (String::new(), "--".to_owned()),
                    ("PT".to_owned(), "Portugal".to_owned()),
                ],
                value: "PT".to_owned(),
                ..field(
                    "country",
                    "Country or Region of Residence",
                    "select",
                    "country",
                )
            },
            FormField {
                required: false,
                ..field("goals", "Tell us why you're interested", "textarea", "")
            },
            field(
                "honor_code",
                "I agree to the Terms of Service and Honor Code",
                "checkbox",
                "",
            ),
        ];
        vec![
            Self {
                fields: fields.clone(),
                ..Self::default()
            },
            Self {
                next: Some("/courses/x?y=1".to_owned()),
                fields,
                error: Some("Account creation not allowed.".to_owned()),
            },
        ]
    }
}

impl PageContext for PasswordAssistancePage {
    const TEMPLATE: &'static str = "password_assistance.html";

    fn samples() -> Vec<Self> {
        vec![
            Self::default(),
            Self {
                email: "amara@harbour.example".to_owned(),
                is_sent: true,
                error: None,
            },
            Self {
                error: Some("No email address provided.".to_owned()),
                ..Self::default()
            },
        ]
    }
}

impl PageContext for PasswordResetPage {
    const TEMPLATE: &'static str = "password_reset.html";

    fn samples() -> Vec<Self> {
        vec![
            Self::default(),
            Self {
                is_valid: true,
                ..Self::default()
            },
            Self {
                is_valid: true,
                error: Some("This password is too short.".to_owned()),
                is_done: false,
            },
            Self {
                is_valid: true,
                is_done: true,
                error: None,
            },
        ]
    }
}
