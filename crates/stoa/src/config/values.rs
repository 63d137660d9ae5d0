//! The types that settings have.

use std::fmt;
use std::path::PathBuf;

/// A type that a setting may have.
pub trait SettingValue: Sized {
    /// What is allowed, in words that complete "allowed is …".
    const ALLOWED: &'static str;
    /// Reads the trimmed text; `None` when it is not allowed.
    fn parse(text: &str) -> Option<Self>;
    /// The text that [`SettingValue::parse`] would read.
    fn show(&self) -> String;
}

/// An address and port to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub std::net::SocketAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl SettingValue for Address {
    const ALLOWED: &'static str = "an IP address and a port, as in 127.0.0.1:8000";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// The public address of a server or front end; kept without a final slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SettingValue for Origin {
    const ALLOWED: &'static str = "an address that begins with http:// or https://";
    fn parse(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))?;
        let clean = !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c == '"');
        clean.then(|| Self(text.trim_end_matches('/').to_owned()))
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl SettingValue for LogFormat {
    const ALLOWED: &'static str = "text or json";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

impl SettingValue for String {
    const ALLOWED: &'static str = "any text";
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl SettingValue for Vec<String> {
    const ALLOWED: &'static str = "a list of texts, in the environment separated by blanks";
    fn parse(text: &str) -> Option<Self> {
        Some(text.split_whitespace().map(str::to_owned).collect())
    }
    fn show(&self) -> String {
        self.join(" ")
    }
}

impl SettingValue for Vec<sandbox::Layer> {
    const ALLOWED: &'static str =
        "a list of landlock and namespaces, in the environment separated by blanks";
    fn parse(text: &str) -> Option<Self> {
        text.split_whitespace()
            .map(|word| match word {
                "landlock" => Some(sandbox::Layer::Landlock),
                "namespaces" => Some(sandbox::Layer::Namespaces),
                _ => None,
            })
            .collect()
    }
    fn show(&self) -> String {
        let words: Vec<_> = self
            .iter()
            .map(|layer| match layer {
                sandbox::Layer::Landlock => "landlock",
                sandbox::Layer::Namespaces => "namespaces",
            })
            .collect();
        words.join(" ")
    }
}

impl SettingValue for PathBuf {
    const ALLOWED: &'static str = "the path of a file or folder";
    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl SettingValue for bool {
    const ALLOWED: &'static str = "true or false";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// Nothing is written as empty text.
impl<T: SettingValue> SettingValue for Option<T> {
    const ALLOWED: &'static str = T::ALLOWED;
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(None)
        } else {
            T::parse(text).map(Some)
        }
    }
    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

macro_rules! numbers {
    ($($kind:ty => $allowed:literal),+) => {$(
        impl SettingValue for $kind {
            const ALLOWED: &'static str = $allowed;
            fn parse(text: &str) -> Option<Self> {
                text.replace('_', "").parse().ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

numbers!(u32 => "a whole number from 0 to 4294967295", u64 => "a whole number from 0 on");
