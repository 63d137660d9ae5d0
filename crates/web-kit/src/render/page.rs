//! What every page needs besides its own context.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::csrf::Csrf;
use crate::error::WebError;
use crate::i18n::{Locale, negotiate};
use crate::request::{Nonce, Origin, RequestId, cookie};
use crate::security::PagePolicy;
use crate::stack::WebKit;

/// A template's typed context.
///
/// Tests render every type with each of its samples, in every language, strictly.
pub trait PageContext: Serialize {
    /// Name of the template, such as `dashboard.html`.
    const TEMPLATE: &'static str;

    /// The content security policy; pages with authors' content answer [`PagePolicy::AuthorContent`].
    fn policy(&self) -> PagePolicy {
        PagePolicy::Platform
    }

    /// Contexts that show the page empty, usual and full.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// The signed-in person, as pages show them. A router's authentication announces it by [`Viewer::enter`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Viewer {
    /// Username.
    pub username: String,
    /// Full name; may be empty.
    pub name: String,
    /// Global staff.
    pub is_staff: bool,
    /// Their `time_zone` preference.
    pub time_zone: Option<String>,
    /// Their `pref-lang` preference.
    pub language: Option<String>,
}

/// Where the outermost layer learns who was signed in, so that its error pages greet the same person.
#[derive(Debug, Clone, Default)]
pub(crate) struct ViewerSlot(Arc<OnceLock<Viewer>>);

impl Viewer {
    /// Makes the person known to the request: pages rendered for it, error pages too, show them and take their language
    /// and time zone.
    pub fn enter(self, parts: &mut Parts) {
        if let Some(slot) = parts.extensions.get::<ViewerSlot>() {
            // A second announcement of the same request changes nothing.
            let _ = slot.0.set(self.clone());
        }
        parts.extensions.insert(self);
    }

    /// The person of a request, if one has entered.
    pub(crate) fn of(extensions: &axum::http::Extensions) -> Option<Self> {
        let entered = || extensions.get::<ViewerSlot>().and_then(|slot| slot.0.get());
        extensions.get::<Self>().or_else(entered).cloned()
    }

    /// One or two letters for the round button.
    #[must_use]
    pub fn initials(&self) -> String {
        let shown = if self.name.trim().is_empty() {
            &self.username
        } else {
            &self.name
        };
        let mut words = shown.split_whitespace();
        let first = words.next().and_then(|word| word.chars().next());
        let last = words.next_back().and_then(|word| word.chars().next());
        first
            .into_iter()
            .chain(last)
            .flat_map(char::to_uppercase)
            .collect()
    }
}

/// The installation, as pages show it.
#[derive(Debug, Clone, Serialize)]
pub struct Site {
    /// `PLATFORM_NAME`.
    pub name: String,
    /// Address that people write to; empty hides it.
    pub support_email: String,
    /// `zone` of people without a preference.
    pub time_zone: String,
    /// Studio's address; empty hides links to it.
    pub studio_url: String,
    /// The learning front end's address, `…/learning` of our own unless another is configured.
    pub learning_url: String,
    /// Footer links: label (translated if the catalogue has it) and address.
    pub footer: Vec<(String, String)>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Stoa".to_owned(),
            support_email: String::new(),
            time_zone: "UTC".to_owned(),
            studio_url: String::new(),
            learning_url: "/learning".to_owned(),
            footer: Vec::new(),
        }
    }
}

/// Renders pages for one request: an extractor for handlers.
#[derive(Debug, Clone)]
pub struct Page {
    kit: WebKit,
    locale: Locale,
    nonce: Nonce,
    request_id: RequestId,
    csrf: Csrf,
    path: String,
    theme: Option<&'static str>,
    viewer: Option<Viewer>,
}

impl<S> FromRequestParts<S> for Page
where
    S: Send + Sync,
    WebKit: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_parts(&WebKit::from_ref(state), parts))
    }
}

/// Values of `page` in templates.
#[derive(Serialize)]
struct Chrome<'a> {
    lang: &'a str,
    dir: &'a str,
    nonce: &'a str,
    request_id: &'a str,
    csrf_token: String,
    path: &'a str,
    theme: Option<&'a str>,
    zone: &'a str,
    viewer: Option<ViewerChrome<'a>>,
    site: &'a Site,
    languages: Vec<Language<'a>>,
}

#[derive(Serialize)]
struct ViewerChrome<'a> {
    username: &'a str,
    name: &'a str,
    initials: String,
    is_staff: bool,
}

#[derive(Serialize)]
struct Language<'a> {
    code: &'a str,
    name: &'a str,
}

impl Page {
    /// Gathers what the layers have left in a request.
    #[must_use]
    pub fn from_parts(kit: &WebKit, parts: &Parts) -> Self {
        let viewer = Viewer::of(&parts.extensions);
        let default = &kit.settings().language;
        let preference = viewer
            .as_ref()
            .and_then(|viewer| viewer.language.as_deref());
        let locale = negotiate(
            kit.render().catalogues(),
            preference,
            &parts.headers,
            default,
        );
        let theme = match cookie(&parts.headers, THEME_COOKIE) {
            Some("dark") => Some("dark"),
            Some("light") => Some("light"),
            _ => None,
        };
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", axum::http::uri::PathAndQuery::as_str);
        Self {
            kit: kit.clone(),
            locale,
            nonce: parts
                .extensions
                .get::<Nonce>()
                .cloned()
                .unwrap_or_else(Nonce::draw),
            request_id: parts
                .extensions
                .get::<RequestId>()
                .cloned()
                .unwrap_or_else(|| RequestId::accept_or_draw(&parts.headers)),
            csrf: Csrf::of(parts),
            path: path.to_owned(),
            theme,
            viewer,
        }
    }

    /// The same page for a signed-in person, where a handler has authenticated by itself. Their preferred language is
    /// taken unless the request's cookie says another.
    #[must_use]
    pub fn with_viewer(mut self, viewer: Viewer, parts: &Parts) -> Self {
        let default = &self.kit.settings().language;
        self.locale = negotiate(
            self.kit.render().catalogues(),
            viewer.language.as_deref(),
            &parts.headers,
            default,
        );
        self.viewer = Some(viewer);
        self
    }

    /// The page's language, for texts that a handler words itself.
    #[must_use]
    pub fn locale(&self) -> &Locale {
        &self.locale
    }

    /// The signed-in person.
    #[must_use]
    pub fn viewer(&self) -> Option<&Viewer> {
        self.viewer.as_ref()
    }

    /// Name of the zone in which the page tells dates.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.viewer
            .as_ref()
            .and_then(|viewer| viewer.time_zone.as_deref())
            .filter(|zone| !zone.is_empty())
            .unwrap_or(&self.kit.settings().site.time_zone)
    }

    /// The page as text.
    pub fn html<C: PageContext>(&self, context: &C) -> Result<String, super::Error> {
        self.kit
            .render()
            .render(&self.locale, C::TEMPLATE, &self.chrome(), context)
    }

    /// The page as an answer, with its policy and language.
    pub fn render<C: PageContext>(&self, context: &C) -> Result<Response, WebError> {
        let html = self.html(context).map_err(WebError::internal)?;
        let mut response = Html(html).into_response();
        response.extensions_mut().insert(context.policy());
        if let Ok(code) = HeaderValue::from_str(self.locale.code()) {
            response
                .headers_mut()
                .insert(HeaderName::from_static("content-language"), code);
        }
        Ok(response)
    }

    /// The page, or bare words if even that fails: for error pages, which must not fail.
    pub(crate) fn render_or_plain<C: PageContext>(&self, context: &C) -> Response {
        self.render(context).unwrap_or_else(|error| {
            tracing::error!(%error, "error page failed");
            let words = format!(
                "<!doctype html><title>Error</title><p>Something went wrong on our side. Request number: {}</p>",
                self.request_id.as_str()
            );
            (StatusCode::INTERNAL_SERVER_ERROR, Html(words)).into_response()
        })
    }

    fn chrome(&self) -> Value {
        let site: &Arc<Site> = &self.kit.settings().site;
        let languages = self
            .kit
            .render()
            .catalogues()
            .iter()
            .map(|locale| Language {
                code: locale.code(),
                name: locale.name(),
            })
            .collect();
        let viewer = self.viewer.as_ref().map(|viewer| ViewerChrome {
            username: &viewer.username,
            name: if viewer.name.trim().is_empty() {
                &viewer.username
            } else {
                &viewer.name
            },
            initials: viewer.initials(),
            is_staff: viewer.is_staff,
        });
        Value::from(Serde(Chrome {
            lang: self.locale.code(),
            dir: self.locale.direction(),
            nonce: self.nonce.as_str(),
            request_id: self.request_id.as_str(),
            csrf_token: self.csrf.token(),
            path: &self.path,
            theme: self.theme,
            zone: self.zone(),
            viewer,
            site,
            languages,
        }))
    }
}

/// Cookie of the chosen theme.
pub(crate) const THEME_COOKIE: &str = "stoa-theme";

/// Scheme and host of a request, from the layer or read anew.
pub(crate) fn origin_of(parts: &Parts) -> Origin {
    parts
        .extensions
        .get::<Origin>()
        .cloned()
        .unwrap_or_else(|| Origin::read(&parts.uri, &parts.headers, false))
}

#[cfg(test)]
mod tests {
    use super::Viewer;

    #[test]
    fn initials() {
        let viewer = |name: &str| Viewer {
            username: "amara".into(),
            name: name.into(),
            is_staff: false,
            time_zone: None,
            language: None,
        };
        assert_eq!(viewer("Amara Maria Lindqvist").initials(), "AL");
        assert_eq!(viewer("élodie").initials(), "É");
        assert_eq!(viewer(" ").initials(), "A");
    }
}
