//! Pages: typed contexts, strict templates, one environment per language.
//!
//! A template is looked up first in the operator's folder (`theme/templates`), then among those inside the program.
//! Everything printed is escaped; what is already HTML (authors' content, the output of the problem engine) is marked
//! with the `html` filter at the one place where a template prints it.

mod functions;
mod page;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use rust_embed::RustEmbed;

use crate::i18n::{Catalogues, Locale};

pub use page::{Page, PageContext, Site, Viewer};
pub(crate) use page::{THEME_COOKIE, ViewerSlot, origin_of};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct OwnTemplates;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("template {template}: {source:#}")]
pub struct Error {
    template: String,
    #[source]
    source: minijinja::Error,
}

/// A set of templates inside the program: a crate's `RustEmbed` folder.
#[derive(Clone, Copy)]
pub struct TemplateSet {
    get: fn(&str) -> Option<Cow<'static, [u8]>>,
    names: fn() -> Vec<String>,
}

impl TemplateSet {
    /// The templates of a folder that a crate embeds.
    #[must_use]
    pub fn of<E: RustEmbed>() -> Self {
        Self {
            get: |name| E::get(name).map(|file| file.data),
            names: || E::iter().map(Cow::into_owned).collect(),
        }
    }

    /// Names of all templates of the set.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        (self.names)()
    }

    /// Source of one template.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The base layout, the error page and what else every role shows.
#[must_use]
pub fn base_templates() -> TemplateSet {
    TemplateSet::of::<OwnTemplates>()
}

/// The template engine; cheap to clone.
#[derive(Clone)]
pub struct Render(Arc<Inner>);

struct Inner {
    environments: RwLock<BTreeMap<String, Environment<'static>>>,
    catalogues: Catalogues,
    /// Reads templates again on every page, for whoever is designing them.
    reload: bool,
}

impl std::fmt::Debug for Render {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Render")
    }
}

impl Render {
    /// Prepares an environment for each language. `overrides` is an operator's folder whose files replace templates of
    /// the same name; with `reload` they are read again on every page.
    #[must_use]
    pub fn new(
        catalogues: Catalogues,
        sets: &[TemplateSet],
        overrides: Option<&Path>,
        reload: bool,
    ) -> Self {
        let mut all = vec![base_templates()];
        all.extend_from_slice(sets);
        let environments = catalogues
            .iter()
            .map(|locale| {
                let environment =
                    environment(locale.clone(), all.clone(), overrides.map(Path::to_owned));
                (locale.code().to_owned(), environment)
            })
            .collect();
        Self(Arc::new(Inner {
            environments: RwLock::new(environments),
            catalogues,
            reload,
        }))
    }

    /// The languages at hand.
    #[must_use]
    pub fn catalogues(&self) -> &Catalogues {
        &self.0.catalogues
    }

    /// Renders a template with a context for `page` (see [`Page`]) and the page's own values.
    pub fn render<C: serde::Serialize>(
        &self,
        locale: &Locale,
        template: &str,
        page: &Value,
        context: &C,
    ) -> Result<String, Error> {
        let fail = |source| Error {
            template: template.to_owned(),
            source,
        };
        if self.0.reload {
            let mut environments = self
                .0
                .environments
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for environment in environments.values_mut() {
                environment.clear_templates();
            }
        }
        let environments = self
            .0
            .environments
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let environment = environments
            .get(locale.code())
            .or_else(|| environments.get("en"))
            .ok_or_else(|| {
                fail(minijinja::Error::new(
                    minijinja::ErrorKind::TemplateNotFound,
                    "no environment",
                ))
            })?;
        let own = Value::from(Serde(context));
        let merged = minijinja::context! { page => page.clone(), ..own };
        environment
            .get_template(template)
            .and_then(|template| template.render(merged))
            .map_err(fail)
    }
}

fn environment(
    locale: Locale,
    sets: Vec<TemplateSet>,
    overrides: Option<PathBuf>,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        if name.rsplit('.').next() == Some("txt") {
            AutoEscape::None
        } else {
            AutoEscape::Html
        }
    });
    environment.set_formatter(print_escaped);
    environment.set_loader(move |name| {
        if let Some(text) = overrides
            .as_deref()
            .and_then(|folder| read_override(folder, name))
        {
            return Ok(Some(text));
        }
        Ok(sets.iter().find_map(|set| set.source(name)))
    });
    functions::add(&mut environment, locale);
    environment
}

/// Escapes what HTML needs and no more: the engine's own way also escapes slashes, which makes a page of links half as
/// long again.
fn print_escaped(
    out: &mut minijinja::Output<'_>,
    state: &mut minijinja::State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let text = match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => text,
        _ => return minijinja::escape_formatter(out, state, value),
    };
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, special) = rest.split_at(at);
        out.write_str(before)?;
        out.write_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&#34;",
            _ => "&#39;",
        })?;
        rest = special.get(1..).unwrap_or_default();
    }
    Ok(out.write_str(rest)?)
}

/// A file of the operator's folder. Names come from our own templates, yet none may lead out of the folder.
fn read_override(folder: &Path, name: &str) -> Option<String> {
    let is_plain = name
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
    if !is_plain {
        return None;
    }
    std::fs::read_to_string(folder.join(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Greeting<'a> {
        name: &'a str,
    }

    fn render(folder: &Path, source: &str, locale: &str) -> Result<String, Error> {
        std::fs::write(folder.join("x.html"), source).unwrap();
        let catalogues = Catalogues::load(None).unwrap();
        let locale = catalogues.get(locale).unwrap().clone();
        let render = Render::new(catalogues, &[], Some(folder), false);
        render.render(
            &locale,
            "x.html",
            &context! { zone => "UTC" },
            &Greeting { name: "<b>" },
        )
    }

    #[test]
    fn escapes_translates_and_is_strict() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            render(folder.path(), "{{ name }}", "en").unwrap(),
            "&lt;b&gt;"
        );
        assert_eq!(
            render(folder.path(), "{{ _('Sign in') }}", "es").unwrap(),
            "Iniciar sesión"
        );
        let filled = render(folder.path(), "{{ _('Hello {n}', n=name) }}", "en").unwrap();
        assert_eq!(filled, "Hello &lt;b&gt;");
        let error = render(folder.path(), "{{ nothing }}", "en")
            .unwrap_err()
            .to_string();
        assert!(error.contains("x.html"), "{error}");
    }

    #[test]
    fn operators_replace_templates_but_not_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(render(folder.path(), "mine", "ar").unwrap(), "mine");
        assert!(read_override(folder.path(), "../x.html").is_none());
        assert!(read_override(folder.path(), "/etc/hostname").is_none());
    }
}
