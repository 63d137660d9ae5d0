//! Field types and scopes.

use serde::{Deserialize, Serialize};

/// What values a field takes and how they are stored and written (courseware.md §3, olx.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A bool; of texts only `true`, in any case, is true.
    Boolean,
    /// A whole number; the empty text is null.
    Integer,
    /// A number; the empty text is null.
    Float,
    /// A text without control characters.
    String,
    /// A text that must be well-formed XML.
    XmlString,
    /// A list.
    List,
    /// An object.
    Dict,
    /// A set; of a text, the set of its characters.
    Set,
    /// Any JSON value.
    Any,
    /// A moment as most blocks keep it: milliseconds, or text read leniently.
    Date,
    /// A moment as pure blocks keep it: written without zone; a number is a duration in seconds.
    Datetime,
    /// A duration in words: `2 days 3 hours`.
    Timedelta,
    /// A position in a video: `HH:MM:SS`.
    RelativeTime,
    /// Earned and possible points.
    Score,
    /// A list of scores.
    ListScore,
    /// When a problem draws new numbers: `always`, `onreset`, `never`, `per_student`.
    Randomization,
    /// The key of a block.
    Reference,
    /// Keys of blocks.
    ReferenceList,
    /// Keys of blocks by name.
    ReferenceValueDict,
    /// Group configurations.
    UserPartitionList,
    /// Partition id → ids of the groups that have access.
    GroupAccess,
    /// Pairs of title and address.
    TextbookList,
    /// Team sets of a course.
    TeamsConfig,
    /// An e-mail address; the empty text is null.
    EmailString,
    /// Name of a proctoring provider; the platform's default stands in for it while proctoring is off.
    ProctoringProvider,
    /// A date, or any text that is none.
    StringOrDate,
    /// Tabs of a course.
    TabList,
}

impl FieldType {
    /// Whether values are keys of blocks, kept as `[type, id]` in structure documents (courseware.md §2.2).
    #[must_use]
    pub fn is_reference(self) -> bool {
        matches!(
            self,
            Self::Reference | Self::ReferenceList | Self::ReferenceValueDict
        )
    }

    /// Whether values are moments, which structure documents may hold as dates of their own.
    #[must_use]
    pub fn is_date(self) -> bool {
        matches!(self, Self::Date | Self::Datetime | Self::StringOrDate)
    }

    /// Whether values are kept as text, written raw into attributes.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::String
                | Self::XmlString
                | Self::Randomization
                | Self::EmailString
                | Self::ProctoringProvider
        )
    }
}

/// Where the values of a field are kept (courseware.md §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// In the definition document.
    Content,
    /// In the structure document.
    Settings,
    /// In the structure document, as the order of children.
    Children,
    /// A learner's state of one block.
    UserState,
    /// One state of a block for all learners.
    UserStateSummary,
    /// A learner's state of one type of block.
    Preferences,
    /// A learner's state of all blocks.
    UserInfo,
}
