//! Names of blocks: given, taken from a title, or made from the definition's text (olx.md §2).

use std::fmt::Write as _;
use std::sync::Arc;

use opaque_keys::clean;
use sha1::{Digest, Sha1};

use super::Loader;
use crate::error::Fault;
use crate::xml::Element;

/// Types of which one name stands for one block; a second one gets a name of its own (olx.md §2).
const UNIQUE: [&str; 7] = [
    "problem",
    "sequential",
    "video",
    "course",
    "chapter",
    "poll_question",
    "vertical",
];

impl Loader<'_, '_, '_> {
    /// Finds the name of a node and sees that it is new (olx.md §2).
    pub(super) fn make_name_unique(
        &mut self,
        element: &mut Element,
        text: &str,
        file: &Arc<str>,
        bytes: bool,
    ) {
        let tag = element.tag();
        let named = if let Some(name) = element.get("url_name") {
            name.to_owned()
        } else if let Some(slug) = element.remove("slug") {
            slug
        } else {
            let name = element.get("name").or_else(|| element.get("display_name"));
            name.map(clean).unwrap_or_default()
        };
        let unique = UNIQUE.contains(&tag.as_str());
        let mut name = named;
        if name.is_empty() {
            name = fallback_name(&tag, "", text, bytes);
            if unique {
                self.track(Fault::new(
                    file,
                    element.line,
                    format!("PROBLEM: no name of any kind specified for {tag}.  Student state will not be properly tracked for this block."),
                ));
            }
        }
        let used = self.used_names.entry(tag.clone()).or_default();
        if unique && used.contains(&name) {
            let fresh = fallback_name(&tag, &name, text, bytes);
            used.insert(fresh.clone());
            self.track(Fault::new(
                file,
                element.line,
                format!("PROBLEM: Non-unique url_name in xml.  This may break state tracking for content.  url_name={name}."),
            ));
            name = fresh;
        } else {
            used.insert(name.clone());
        }
        element.set("url_name", name);
    }
}

/// A name from the text of the definition. An old hash at the end of a name is not kept.
fn fallback_name(tag: &str, name: &str, text: &str, bytes: bool) -> String {
    let hash_at = name.len().saturating_sub(12);
    let hashed = name.starts_with(tag)
        && name.len() >= 12
        && name.is_char_boundary(hash_at)
        && name
            .get(hash_at..)
            .is_some_and(|end| end.bytes().all(|b| b.is_ascii_hexdigit()));
    let name = if hashed {
        name.get(tag.len() + 1..hash_at).unwrap_or_default()
    } else {
        name
    };
    let mut hash = Sha1::new();
    if bytes && !text.is_ascii() {
        let mut ascii = String::with_capacity(text.len() + 64);
        for c in text.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                let _ = write!(ascii, "&#{};", c as u32);
            }
        }
        hash.update(ascii);
    } else {
        hash.update(text);
    }
    let digest = hash.finalize();
    let mut out = String::from(tag);
    if !name.is_empty() {
        out.push('_');
        out.push_str(name);
    }
    out.push('_');
    for byte in digest.iter().take(6) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
