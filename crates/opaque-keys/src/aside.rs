//! Keys of asides, which wrap the key of their block (courseware.md §1.4).

use std::fmt;

use crate::{AnyUsageKey, CourseKey, InvalidKeyError, text_key};

/// Keys nest at most this deep. Each level doubles the escapes, so longer ones are of no use.
const MAX_DEPTH: u8 = 8;

/// How an aside key joins the key inside and the aside's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AsideVersion {
    /// Escapes `::` and `$`; the inner key may neither hold `::` nor end in `:`.
    V1,
    /// Escapes every `:` and `$`.
    V2,
}

impl AsideVersion {
    fn encode(self, text: &str) -> String {
        let colons = if self == Self::V1 { "::" } else { ":" };
        text.replace('$', "$$")
            .replace(colons, &format!("${colons}"))
    }

    /// The text that encodes to `text`, if there is just one.
    fn decode(self, text: &str) -> Option<String> {
        match self {
            Self::V1 => {
                let decoded = text.replace("$::", "::").replace("$$", "$");
                (self.encode(&decoded) == text).then_some(decoded)
            }
            Self::V2 => {
                let escaped = |at: usize| at.checked_sub(1).map(|at| text.as_bytes().get(at));
                if text
                    .match_indices(':')
                    .any(|(at, _)| escaped(at) != Some(Some(&b'$')))
                {
                    return None;
                }
                let decoded = text.replace("$:", ":");
                // A run of `$` is whole pairs.
                let runs = decoded.split(|c| c != '$');
                runs.into_iter()
                    .all(|run| run.len().is_multiple_of(2))
                    .then(|| decoded.replace("$$", "$"))
            }
        }
    }

    /// Joins an inner key and a type.
    pub(crate) fn join(self, inner: &str, aside_type: &str) -> String {
        format!("{}::{}", self.encode(inner), self.encode(aside_type))
    }

    /// Splits what [`Self::join`] joined. A v1 text without `::` is an inner key with an empty type.
    pub(crate) fn split(self, text: &str) -> Option<(String, String)> {
        let (inner, aside_type) = match self {
            Self::V1 => text.split_once("::").unwrap_or((text, "")),
            Self::V2 => text.rsplit_once("::")?,
        };
        Some((self.decode(inner)?, self.decode(aside_type)?))
    }

    /// Whether a key that prints as `inner` can be wrapped.
    pub(crate) fn can_wrap(self, inner: &str) -> bool {
        self == Self::V2 || !(inner.contains("::") || inner.ends_with(':'))
    }
}

/// Whether keys at this depth are still read.
pub(crate) fn depth_allowed(depth: u8) -> bool {
    depth < MAX_DEPTH
}

/// The key of an aside of a block: `aside-usage-v2:BLOCK::TYPE`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsideUsageKey {
    usage_key: AnyUsageKey,
    aside_type: String,
    version: AsideVersion,
}

impl AsideUsageKey {
    /// The key of the aside of type `aside_type` of a block. Version 1 cannot wrap a key that prints with
    /// `::` in it or `:` at its end.
    pub fn new(
        usage_key: AnyUsageKey,
        aside_type: &str,
        version: AsideVersion,
    ) -> Result<Self, InvalidKeyError> {
        let inner = usage_key.to_string();
        if version.can_wrap(&inner) {
            Ok(Self {
                usage_key,
                aside_type: aside_type.to_owned(),
                version,
            })
        } else {
            Err(InvalidKeyError::new("AsideUsageKey", inner))
        }
    }

    /// Reads an `aside-usage-v1` or `aside-usage-v2` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        Self::parse_nested(text, 0)
    }

    pub(crate) fn parse_nested(text: &str, depth: u8) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new("AsideUsageKey", text);
        let (version, rest) = match text.split_once(':') {
            Some(("aside-usage-v1", rest)) => (AsideVersion::V1, rest),
            Some(("aside-usage-v2", rest)) => (AsideVersion::V2, rest),
            _ => return Err(invalid()),
        };
        let (inner, aside_type) = version.split(rest).ok_or_else(invalid)?;
        if !depth_allowed(depth) {
            return Err(invalid());
        }
        let usage_key = AnyUsageKey::parse_nested(&inner, depth + 1).map_err(|_| invalid())?;
        Self::new(usage_key, &aside_type, version).map_err(|_| invalid())
    }

    /// Key of the block.
    #[must_use]
    pub fn usage_key(&self) -> &AnyUsageKey {
        &self.usage_key
    }

    /// Type of the aside.
    #[must_use]
    pub fn aside_type(&self) -> &str {
        &self.aside_type
    }

    /// Namespace in which the key is printed.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        match self.version {
            AsideVersion::V1 => "aside-usage-v1",
            AsideVersion::V2 => "aside-usage-v2",
        }
    }

    /// The aside of the same block in another course.
    pub fn map_into_course(&self, course: &CourseKey) -> Result<Self, InvalidKeyError> {
        Self::new(
            self.usage_key.map_into_course(course)?,
            &self.aside_type,
            self.version,
        )
    }
}

impl fmt::Display for AsideUsageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = self
            .version
            .join(&self.usage_key.to_string(), &self.aside_type);
        write!(f, "{}:{joined}", self.namespace())
    }
}

text_key!(AsideUsageKey);
