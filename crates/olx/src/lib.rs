//! Course archives to and from a tree of blocks (olx.md).
//!
//! [`archive`] reads an archive or folder safely into files, [`read_course`] makes blocks of them.

pub mod archive;
pub mod error;
pub mod links;
pub mod policy;
mod read;
pub mod show;
mod source;
mod values;
mod write;
pub mod xml;

pub use archive::{ArchiveError, ArchiveFiles, FileData, Limits, read_archive, read_folder};
pub use error::{Error, Fault, Warning};
pub use read::{
    EncodedVideo, Environment, ImportedAsset, ImportedCourse, NewVideo, VideoRecord,
    VideoTranscript, default_grading_policy, default_tabs, read_course,
};
pub use source::{SourceKey, is_pointer, name_to_pathname, source_key};
pub use write::{
    AssetFile, Export, Exported, ExportedAsset, ExportedTranscript, ExportedVideo, write_course,
};
