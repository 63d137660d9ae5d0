//! Addresses in authors' HTML (courseware.md §2.6, "Rewriting inside rendered block HTML").
//!
//! Looking assets up costs a statement, so it is done once for everything that a page shows: [`Wanted`] collects the
//! names that texts mention, [`Links`] rewrites with what was found.

use std::collections::{HashMap, HashSet};

use modulestore::contentstore::ContentStore;
use opaque_keys::{AssetKey, CourseKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Result;

/// What Python's `quote(path, '/:+@')` keeps.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'+')
    .remove(b'@');

/// What Python's `urlencode` keeps; it writes blanks as `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b' ');

/// Assets that one page may name; those beyond are linked without their digest.
const MOST_ASSETS: usize = 2000;

/// The names behind `/static/` that texts mention.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    names: HashSet<String>,
}

impl Wanted {
    /// Takes up the names in a text.
    pub fn add(&mut self, text: &str) {
        for quoted in quoted(text, "/static/") {
            self.add_path(quoted.rest);
        }
    }

    /// Takes up one path, with or without `/static/` in front.
    pub fn add_path(&mut self, path: &str) {
        if self.names.len() >= MOST_ASSETS || is_left_alone(path) {
            return;
        }
        let (name, query) = split_path(path);
        if !name.is_empty() {
            self.names.insert(name.to_owned());
        }
        for (_, value) in query_pairs(query) {
            if let Some(path) = value.strip_prefix("/static/") {
                self.names.insert(split_path(path).0.to_owned());
            }
        }
    }

    /// Looks all of them up with one statement, none if there is nothing to look up.
    pub async fn find(self, course: &CourseKey, contents: &ContentStore) -> Result<Links> {
        let mut links = Links::new(course.clone());
        let keys: Vec<AssetKey> = self
            .names
            .iter()
            .filter_map(|name| AssetKey::for_path(course, name).ok())
            .collect();
        if !keys.is_empty() {
            links.digests = contents
                .find_many(&keys)
                .await?
                .into_iter()
                .filter_map(|(key, file)| Some((key, file.document.custom_md5?)))
                .collect();
        }
        Ok(links)
    }
}

/// Rewrites the addresses of one course.
#[derive(Debug, Clone)]
pub struct Links {
    course: CourseKey,
    digests: HashMap<AssetKey, String>,
}

impl Links {
    /// Links that know no digests: every asset is linked by its key alone.
    #[must_use]
    pub fn new(course: CourseKey) -> Self {
        Self {
            course,
            digests: HashMap::new(),
        }
    }

    /// Rewrites `/static/`, `/course/` and `/jump_to_id/` addresses that stand between quotes. A `static_asset_path`
    /// that is not empty names a folder of the server's own files.
    #[must_use]
    pub fn rewrite(&self, text: &str, static_asset_path: &str) -> String {
        let courses = format!("/courses/{}", self.course);
        let text = replace(text, "/static/", |rest| {
            if is_left_alone(rest) {
                None
            } else if static_asset_path.is_empty() {
                Some(self.asset_url(rest))
            } else {
                Some(format!("/static/{static_asset_path}/{rest}"))
            }
        });
        let text = replace(&text, "/course/", |rest| Some(format!("{courses}/{rest}")));
        replace(&text, "/jump_to_id/", |rest| {
            Some(format!("{courses}/jump_to_id/{rest}"))
        })
    }

    /// The address of an asset by its path, with or without `/static/` in front; an address of another kind stays.
    #[must_use]
    pub fn expand(&self, path: &str) -> String {
        match path.strip_prefix("/static/") {
            Some(rest) if !is_left_alone(rest) => self.asset_url(rest),
            _ => path.to_owned(),
        }
    }

    /// The address of the asset that a path below `/static/` names.
    fn asset_url(&self, path: &str) -> String {
        let (name, query) = split_path(path);
        let mut url = utf8_percent_encode(&self.asset_path(name), PATH).to_string();
        let mut sign = '?';
        for (key, value) in query_pairs(query) {
            let value = match value.strip_prefix("/static/") {
                Some(rest) => self.asset_path(split_path(rest).0),
                None => value,
            };
            url.push(sign);
            url.push_str(&form_encode(&key));
            url.push('=');
            url.push_str(&form_encode(&value));
            sign = '&';
        }
        url
    }

    /// The path of an asset, not quoted: versioned where its digest is known.
    fn asset_path(&self, name: &str) -> String {
        let Ok(key) = AssetKey::for_path(&self.course, name) else {
            return format!("/static/{name}");
        };
        let text = key.to_string().replacen("block@", "block/", 1);
        let slash = if text.starts_with('/') { "" } else { "/" };
        let excluded = name.to_lowercase().ends_with("html");
        match self.digests.get(&key) {
            Some(digest) if !excluded => format!("/assets/courseware/v1/{digest}{slash}{text}"),
            _ => format!("{slash}{text}"),
        }
    }
}

/// Whether an address is not ours to rewrite: it says so itself, or it is a file of a block's package or of the
/// platform.
fn is_left_alone(rest: &str) -> bool {
    rest.ends_with("?raw") || rest.starts_with("xblock/") || rest.starts_with("stoa/")
}

/// A path without its fragment, and its query.
fn split_path(path: &str) -> (&str, &str) {
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    path.split_once('?').unwrap_or((path, ""))
}

/// Names and values of a query; blank values are dropped.
fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn form_encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY)
        .to_string()
        .replace(' ', "+")
}

/// A quoted address: where its text starts and ends, and what follows the prefix.
struct Quoted<'a> {
    /// Position of the prefix.
    start: usize,
    /// Position of the closing quote.
    end: usize,
    rest: &'a str,
}

/// The addresses that start with a prefix and stand between the same quotes, `"` or `'`, each perhaps after a
/// backslash; on one line.
fn quoted<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = Quoted<'a>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find(prefix)?;
            from = start + prefix.len();
            let before = text.get(..start)?;
            let quote = match before.as_bytes() {
                [.., b'\\', b'"'] => "\\\"",
                [.., b'\\', b'\''] => "\\'",
                [.., b'"'] => "\"",
                [.., b'\''] => "'",
                _ => continue,
            };
            let tail = text.get(from..)?;
            let line = tail.split_once('\n').map_or(tail, |(line, _)| line);
            let Some(length) = line.find(quote) else {
                continue;
            };
            let end = from + length;
            let rest = tail.get(..length)?;
            from = end;
            return Some(Quoted { start, end, rest });
        }
    })
}

fn replace(text: &str, prefix: &str, new: impl Fn(&str) -> Option<String>) -> String {
    let mut written = String::with_capacity(text.len() + 64);
    let mut copied = 0;
    for found in quoted(text, prefix) {
        let Some(address) = new(found.rest) else {
            continue;
        };
        written.push_str(text.get(copied..found.start).unwrap_or_default());
        written.push_str(&address);
        copied = found.end;
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn links() -> Links {
        let course = CourseKey::new("Acme", "Bio", "R1").unwrap();
        let mut links = Links::new(course.clone());
        for name in ["a b.png", "x.swf", "page.html"] {
            let key = AssetKey::for_path(&course, name).unwrap();
            links.digests.insert(key, "0".repeat(32));
        }
        links
    }

    /// courseware.md §17, check 23, and §2.6.
    #[test]
    fn addresses_between_quotes_are_rewritten() {
        let versioned = "/assets/courseware/v1/00000000000000000000000000000000";
        let asset = "/asset-v1:Acme+Bio+R1+type@asset+block";
        for (text, wanted) in [
            (
                "<img src=\"/static/a b.png\">",
                format!("<img src=\"{versioned}{asset}/a_b.png\">"),
            ),
            ("'/static/none.png#part'", format!("'{asset}/none.png'")),
            ("\"/static/x.js?raw\"", "\"/static/x.js?raw\"".into()),
            (
                "\"/static/xblock/resources/x.js\"",
                "\"/static/xblock/resources/x.js\"".into(),
            ),
            ("\"/static/page.html\"", format!("\"{asset}/page.html\"")),
            (
                "\"/static/x.swf?a=/static/a b.png&b=&c=1+2\"",
                format!(
                    "\"{versioned}{asset}/x.swf?a={}&c=1+2\"",
                    form_encode(&format!("{versioned}{asset}/a_b.png"))
                ),
            ),
            ("\\\"/static/q.png\\\"", format!("\\\"{asset}/q.png\\\"")),
            ("/static/a.png", "/static/a.png".into()),
            ("\"/static/a\n.png\"", "\"/static/a\n.png\"".into()),
            (
                "'/jump_to_id/u1'",
                "'/courses/course-v1:Acme+Bio+R1/jump_to_id/u1'".into(),
            ),
            (
                "\"/course/about\"",
                "\"/courses/course-v1:Acme+Bio+R1/about\"".into(),
            ),
        ] {
            assert_eq!(links().rewrite(text, ""), wanted, "{text}");
        }
        let folder = links().rewrite("\"/static/a.png\"", "toy");
        assert_eq!(folder, "\"/static/toy/a.png\"");
    }

    proptest! {
        /// What has no address between quotes stays as it is, and rewriting twice is rewriting once.
        #[test]
        fn rewriting_settles(text in "[a\"'\\\\/ ]{0,12}(/static/)?[a-z\"'\\\\?#=&./ ]{0,24}") {
            let once = links().rewrite(&text, "");
            prop_assert_eq!(links().rewrite(&once, ""), once.clone());
            if !text.contains("/static/") {
                prop_assert_eq!(once, text);
            }
        }
    }
}
