//! Keys of block types.

use std::fmt;

use crate::{InvalidKeyError, text_key};

/// A block type with its family. Types of the common family are printed bare (courseware.md §18).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockTypeKey {
    family: String,
    block_type: String,
}

const COMMON: &str = "xblock.v1";

impl BlockTypeKey {
    /// Reads `block-type-v1:FAMILY:TYPE`; any other text is a type of the common family, so this never fails.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let written = text
            .strip_prefix("block-type-v1:")
            .and_then(|rest| rest.split_once(':'));
        let (family, block_type) = match written {
            Some(("xmodule.v1", block_type)) => (COMMON, block_type),
            Some(written) => written,
            None => (COMMON, text),
        };
        Ok(Self {
            family: family.to_owned(),
            block_type: block_type.to_owned(),
        })
    }

    /// Family, as `xblock.v1`.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// The type.
    #[must_use]
    pub fn block_type(&self) -> &str {
        &self.block_type
    }

    /// Whether the key is printed bare.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.family == COMMON
    }
}

impl fmt::Display for BlockTypeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_deprecated() {
            f.write_str(&self.block_type)
        } else {
            write!(f, "block-type-v1:{}:{}", self.family, self.block_type)
        }
    }
}

text_key!(BlockTypeKey);
