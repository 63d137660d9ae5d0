//! Keys of definitions: the content of blocks apart from their place in a course.

use std::fmt;
use std::sync::Arc;

use crate::aside::depth_allowed;
use crate::library::is_plain;
use crate::text::{all_of, all_of_line, is_id_char, is_object_id, is_word_char};
use crate::{AsideVersion, InvalidKeyError, text_key};

/// The version of a bundle file: a number, or the name of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BundleVersion {
    /// Number of a version.
    Number(u64),
    /// Name of a draft.
    Draft(String),
}

/// The key of a definition.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefinitionKey {
    /// A definition document: `def-v1:ID+type@TYPE`.
    Definition {
        /// Document id, 24 hex digits.
        definition_id: Arc<str>,
        /// Block type.
        block_type: Arc<str>,
    },
    /// A file of a content bundle, as older libraries had them: `bundle-olx:UUID:VERSION:TYPE:PATH`.
    Bundle {
        /// Id of the bundle.
        bundle_uuid: String,
        /// Version or draft.
        version: BundleVersion,
        /// Block type.
        block_type: String,
        /// Path of the file in the bundle.
        olx_path: String,
    },
    /// An aside of a definition: `aside-def-v1` and `aside-def-v2`.
    Aside {
        /// Key of the definition.
        definition_key: Box<DefinitionKey>,
        /// Type of the aside.
        aside_type: String,
        /// How the two are joined.
        version: AsideVersion,
    },
}

impl DefinitionKey {
    /// The key of a definition document; the id is 24 lower-case hex digits.
    pub fn new(definition_id: &str, block_type: &str) -> Result<Self, InvalidKeyError> {
        if is_object_id(definition_id) && all_of(block_type, is_id_char) {
            Ok(Self::Definition {
                definition_id: definition_id.into(),
                block_type: block_type.into(),
            })
        } else {
            let text = format!("def-v1:{definition_id}+type@{block_type}");
            Err(InvalidKeyError::new("DefinitionKey", text))
        }
    }

    /// Reads a definition key of any namespace.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        Self::read(text, 0).ok_or_else(|| InvalidKeyError::new("DefinitionKey", text))
    }

    fn read(text: &str, depth: u8) -> Option<Self> {
        let (namespace, rest) = text.split_once(':')?;
        match namespace {
            "def-v1" => {
                let (id, block_type) = rest.split_once("+type@")?;
                Self::new(id, block_type).ok()
            }
            "bundle-olx" => Self::read_bundle(rest),
            "aside-def-v1" => Self::read_aside(rest, AsideVersion::V1, depth),
            "aside-def-v2" => Self::read_aside(rest, AsideVersion::V2, depth),
            _ => None,
        }
    }

    fn read_bundle(rest: &str) -> Option<Self> {
        let mut parts = rest.splitn(4, ':');
        let (bundle_uuid, version) = (parts.next()?, parts.next()?);
        let (block_type, olx_path) = (parts.next()?, parts.next()?);
        let version = if all_of(version, |c| c.is_ascii_digit()) {
            if version.len() > 1 && version.starts_with('0') {
                return None;
            }
            BundleVersion::Number(version.parse().ok()?)
        } else if version.is_empty() || version.chars().all(|c| !c.is_ascii() && c.is_numeric()) {
            return None;
        } else {
            BundleVersion::Draft(version.to_owned())
        };
        let path_char = |c| matches!(c, '-' | '.' | '/') || is_word_char(c);
        (is_uuid(bundle_uuid) && is_plain(block_type) && all_of_line(olx_path, path_char)).then(
            || Self::Bundle {
                bundle_uuid: bundle_uuid.to_owned(),
                version,
                block_type: block_type.to_owned(),
                olx_path: olx_path.to_owned(),
            },
        )
    }

    fn read_aside(rest: &str, version: AsideVersion, depth: u8) -> Option<Self> {
        let (inner, aside_type) = version.split(rest)?;
        if !depth_allowed(depth) {
            return None;
        }
        let definition_key = Box::new(Self::read(&inner, depth + 1)?);
        version
            .can_wrap(&definition_key.to_string())
            .then_some(Self::Aside {
                definition_key,
                aside_type,
                version,
            })
    }

    /// Block type.
    #[must_use]
    pub fn block_type(&self) -> &str {
        match self {
            Self::Definition { block_type, .. } => block_type,
            Self::Bundle { block_type, .. } => block_type,
            Self::Aside { definition_key, .. } => definition_key.block_type(),
        }
    }

    /// Namespace in which the key is printed.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        match self {
            Self::Definition { .. } => "def-v1",
            Self::Bundle { .. } => "bundle-olx",
            Self::Aside {
                version: AsideVersion::V1,
                ..
            } => "aside-def-v1",
            Self::Aside {
                version: AsideVersion::V2,
                ..
            } => "aside-def-v2",
        }
    }
}

/// Whether `text` is a UUID in its standard form: lower-case hex digits in groups of 8-4-4-4-12.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl fmt::Display for DefinitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.namespace())?;
        match self {
            Self::Definition {
                definition_id,
                block_type,
            } => {
                write!(f, "{definition_id}+type@{block_type}")
            }
            Self::Bundle {
                bundle_uuid,
                version,
                block_type,
                olx_path,
            } => {
                match version {
                    BundleVersion::Number(number) => write!(f, "{bundle_uuid}:{number}")?,
                    BundleVersion::Draft(name) => write!(f, "{bundle_uuid}:{name}")?,
                }
                write!(f, ":{block_type}:{olx_path}")
            }
            Self::Aside {
                definition_key,
                aside_type,
                version,
            } => f.write_str(&version.join(&definition_key.to_string(), aside_type)),
        }
    }
}

text_key!(DefinitionKey);
