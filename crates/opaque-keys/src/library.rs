//! Keys of v2 libraries, their blocks, collections and containers (courseware.md §1.4).
//!
//! The parts are checked with Python's `$`, so each may end in one newline (courseware.md §18).

use std::fmt;
use std::sync::Arc;

use crate::text::{all_of_line, is_word_char};
use crate::{InvalidKeyError, text_key};

/// `[a-zA-Z0-9_\-.]+`: organisation and types.
pub(crate) fn is_plain(text: &str) -> bool {
    all_of_line(text, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
    })
}

/// `[\w\-.]+`: slugs and ids.
fn is_slug(text: &str) -> bool {
    all_of_line(text, |c| matches!(c, '-' | '.') || is_word_char(c))
}

/// Splits `namespace:a:b…` into exactly `N` parts.
fn parts<'a, const N: usize>(text: &'a str, namespace: &str) -> Option<[&'a str; N]> {
    let rest = text.strip_prefix(namespace)?.strip_prefix(':')?;
    let mut out = [""; N];
    let mut parts = rest.split(':');
    for slot in &mut out {
        *slot = parts.next()?;
    }
    parts.next().is_none().then_some(out)
}

/// The key of a v2 library: `lib:ORG:SLUG`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryKeyV2 {
    org: Arc<str>,
    slug: Arc<str>,
}

impl LibraryKeyV2 {
    /// The key of library `slug` of `org`.
    pub fn new(org: &str, slug: &str) -> Result<Self, InvalidKeyError> {
        if is_plain(org) && is_slug(slug) {
            Ok(Self {
                org: org.into(),
                slug: slug.into(),
            })
        } else {
            Err(InvalidKeyError::new(
                "LibraryLocatorV2",
                format!("lib:{org}:{slug}"),
            ))
        }
    }

    /// Reads a `lib` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new("LibraryLocatorV2", text);
        let [org, slug] = parts(text, "lib").ok_or_else(invalid)?;
        Self::new(org, slug)
    }

    /// Organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// Name of the library.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl fmt::Display for LibraryKeyV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lib:{}:{}", self.org, self.slug)
    }
}

text_key!(LibraryKeyV2);

/// The key of a block of a v2 library: `lb:ORG:SLUG:TYPE:ID`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryUsageKeyV2 {
    library: LibraryKeyV2,
    block_type: Arc<str>,
    usage_id: Arc<str>,
}

impl LibraryUsageKeyV2 {
    /// The key of a block of `library`.
    pub fn new(
        library: LibraryKeyV2,
        block_type: &str,
        usage_id: &str,
    ) -> Result<Self, InvalidKeyError> {
        let good = is_plain(block_type) && is_slug(usage_id);
        let key = Self {
            library,
            block_type: block_type.into(),
            usage_id: usage_id.into(),
        };
        if good {
            Ok(key)
        } else {
            Err(InvalidKeyError::new("UsageKey", key.to_string()))
        }
    }

    /// Reads an `lb` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new("UsageKey", text);
        let [org, slug, block_type, usage_id] = parts(text, "lb").ok_or_else(invalid)?;
        Self::new(LibraryKeyV2::new(org, slug)?, block_type, usage_id)
    }

    /// Key of the library.
    #[must_use]
    pub fn library_key(&self) -> &LibraryKeyV2 {
        &self.library
    }

    /// Type of the block.
    #[must_use]
    pub fn block_type(&self) -> &str {
        &self.block_type
    }

    /// Id of the block in the library.
    #[must_use]
    pub fn usage_id(&self) -> &str {
        &self.usage_id
    }

    /// The text that serves as an id in pages: that of the key.
    #[must_use]
    pub fn html_id(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for LibraryUsageKeyV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LibraryKeyV2 { org, slug } = &self.library;
        write!(f, "lb:{org}:{slug}:{}:{}", self.block_type, self.usage_id)
    }
}

text_key!(LibraryUsageKeyV2);

/// The key of a collection of a v2 library: `lib-collection:ORG:SLUG:ID`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionKey {
    library: LibraryKeyV2,
    collection_id: Arc<str>,
}

impl CollectionKey {
    /// Reads a `lib-collection` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new("CollectionKey", text);
        let [org, slug, id] = parts(text, "lib-collection").ok_or_else(invalid)?;
        let library = LibraryKeyV2::new(org, slug)?;
        if is_slug(id) {
            Ok(Self {
                library,
                collection_id: id.into(),
            })
        } else {
            Err(invalid())
        }
    }

    /// Key of the library.
    #[must_use]
    pub fn library_key(&self) -> &LibraryKeyV2 {
        &self.library
    }

    /// Id of the collection.
    #[must_use]
    pub fn collection_id(&self) -> &str {
        &self.collection_id
    }
}

impl fmt::Display for CollectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LibraryKeyV2 { org, slug } = &self.library;
        write!(f, "lib-collection:{org}:{slug}:{}", self.collection_id)
    }
}

text_key!(CollectionKey);

/// The key of a container (unit, subsection, section) of a v2 library: `lct:ORG:SLUG:TYPE:ID`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerKey {
    library: LibraryKeyV2,
    container_type: Arc<str>,
    container_id: Arc<str>,
}

impl ContainerKey {
    /// Reads an `lct` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new("ContainerKey", text);
        let [org, slug, kind, id] = parts(text, "lct").ok_or_else(invalid)?;
        let library = LibraryKeyV2::new(org, slug)?;
        if is_plain(kind) && is_slug(id) {
            Ok(Self {
                library,
                container_type: kind.into(),
                container_id: id.into(),
            })
        } else {
            Err(invalid())
        }
    }

    /// Key of the library.
    #[must_use]
    pub fn library_key(&self) -> &LibraryKeyV2 {
        &self.library
    }

    /// Type, as `unit`.
    #[must_use]
    pub fn container_type(&self) -> &str {
        &self.container_type
    }

    /// Id of the container.
    #[must_use]
    pub fn container_id(&self) -> &str {
        &self.container_id
    }
}

impl fmt::Display for ContainerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LibraryKeyV2 { org, slug } = &self.library;
        write!(
            f,
            "lct:{org}:{slug}:{}:{}",
            self.container_type, self.container_id
        )
    }
}

text_key!(ContainerKey);
