//! Pages of the LMS: their typed contexts and the templates they fill.
//!
//! A handler gathers facts, fills a context of [`contexts`] and calls [`web_kit::Page::render`]. Nothing here reads a
//! store or decides who may see what.

pub mod blocks;
pub mod contexts;

use rust_embed::RustEmbed;
use web_kit::render::TemplateSet;

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Templates;

/// The templates of this crate, for [`web_kit::WebKit::new`].
#[must_use]
pub fn templates() -> TemplateSet {
    TemplateSet::of::<Templates>()
}
