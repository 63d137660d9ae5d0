//! Course, usage, asset, library, aside and definition keys (courseware.md §1 and §18).
//!
//! A key is text of the form `namespace:rest`; the deprecated forms (`Acme/Bio/R1`, `i4x://…`, `/c4x/…`)
//! have no namespace. Each family has its own type with `parse`, `Display`, `FromStr` and serde as text:
//!
//! | type | texts |
//! |---|---|
//! | [`CourseKey`] | `course-v1`, `slashes`, `library-v1`, `ccx-v1`, `Org/Course/Run` |
//! | [`LibraryKeyV2`] | `lib` |
//! | [`LearningContextKey`] | either of the two |
//! | [`UsageKey`] | `block-v1`, `lib-block-v1`, `ccx-block-v1`, `location`, `i4x://` |
//! | [`LibraryUsageKeyV2`] | `lb` |
//! | [`AsideUsageKey`] | `aside-usage-v1`, `aside-usage-v2` |
//! | [`AnyUsageKey`] | any of the three |
//! | [`AssetKey`] | `asset-v1`, `/c4x/` |
//! | [`DefinitionKey`] | `def-v1`, `bundle-olx`, `aside-def-v1`, `aside-def-v2` |
//! | [`ContainerKey`], [`CollectionKey`] | `lct`, `lib-collection` |
//! | [`BlockTypeKey`] | `block-type-v1`, or a bare type |
//!
//! Keys are immutable, cheap to clone, and equal only when all their parts are, case included.

mod aside;
mod asset;
mod block_type;
mod course;
mod definition;
mod learning_context;
mod library;
mod locator;
mod text;
mod usage;

pub use aside::{AsideUsageKey, AsideVersion};
pub use asset::{AssetKey, thumbnail_name};
pub use block_type::BlockTypeKey;
pub use course::CourseKey;
pub use definition::{BundleVersion, DefinitionKey};
pub use learning_context::LearningContextKey;
pub use library::{CollectionKey, ContainerKey, LibraryKeyV2, LibraryUsageKeyV2};
pub use locator::decimal_value;
pub use text::{
    clean, clean_for_html, clean_for_url_name, clean_keeping_underscores, is_word_char,
    quote_slashes, unquote_slashes,
};
pub use usage::{AnyUsageKey, UsageKey};

/// The text is no key of the wanted family, or a key cannot hold the given part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{family}: {text}")]
pub struct InvalidKeyError {
    family: &'static str,
    text: String,
}

impl InvalidKeyError {
    pub(crate) fn new(family: &'static str, text: impl Into<String>) -> Self {
        Self {
            family,
            text: text.into(),
        }
    }

    /// What was to be read or made, as `CourseKey`.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// The text that is no such key.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Gives a key type `FromStr`, `Debug` and serde as text.
macro_rules! text_key {
    ($name:ident) => {
        impl ::std::str::FromStr for $name {
            type Err = $crate::InvalidKeyError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(::serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_key;

#[cfg(test)]
mod tests;
