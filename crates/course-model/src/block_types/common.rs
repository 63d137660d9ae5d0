//! Fields that several types share.

use super::Default::{Bool, Dict, Int, List, Null, Text};
use super::Row;
use crate::fields::FieldType as T;
use crate::fields::Scope as S;

/// Inheritable fields (courseware.md §3).
pub(super) const INHERITABLE: &[Row] = &[
    ("graded", T::Boolean, S::Settings, Bool(false)),
    ("start", T::Date, S::Settings, Text("2030-01-01T00:00:00Z")),
    ("due", T::Date, S::Settings, Null),
    ("relative_weeks_due", T::Integer, S::Settings, Null),
    (
        "visible_to_staff_only",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
    ("course_edit_method", T::String, S::Settings, Text("Studio")),
    ("giturl", T::String, S::Settings, Null),
    ("xqa_key", T::String, S::Settings, Null),
    ("graceperiod", T::Timedelta, S::Settings, Null),
    ("group_access", T::GroupAccess, S::Settings, Dict),
    ("showanswer", T::String, S::Settings, Text("finished")),
    ("show_correctness", T::String, S::Settings, Text("always")),
    ("rerandomize", T::String, S::Settings, Text("never")),
    ("days_early_for_beta", T::Float, S::Settings, Null),
    ("static_asset_path", T::String, S::Settings, Text("")),
    ("use_latex_compiler", T::Boolean, S::Settings, Bool(false)),
    ("max_attempts", T::Integer, S::Settings, Null),
    ("matlab_api_key", T::String, S::Settings, Null),
    ("user_partitions", T::UserPartitionList, S::Settings, List),
    (
        "video_speed_optimizations",
        T::Boolean,
        S::Settings,
        Bool(true),
    ),
    ("video_auto_advance", T::Boolean, S::Settings, Bool(false)),
    ("video_bumper", T::Dict, S::Settings, Dict),
    ("show_reset_button", T::Boolean, S::Settings, Bool(false)),
    ("edxnotes", T::Boolean, S::Settings, Bool(false)),
    ("edxnotes_visibility", T::Boolean, S::UserInfo, Bool(true)),
    ("in_entrance_exam", T::Boolean, S::Settings, Bool(false)),
    ("self_paced", T::Boolean, S::Settings, Bool(false)),
    ("hide_from_toc", T::Boolean, S::Settings, Bool(false)),
];

/// Fields of every block besides the inheritable ones.
pub(super) const EVERY: &[Row] = &[
    ("display_name", T::String, S::Settings, Null),
    ("format", T::String, S::Settings, Null),
    ("chrome", T::String, S::Settings, Null),
    ("default_tab", T::String, S::Settings, Null),
    ("source_file", T::String, S::Settings, Null),
    ("name", T::String, S::Settings, Null),
    ("tags", T::List, S::Settings, List),
    ("copied_from_block", T::String, S::Settings, Null),
    ("upstream", T::String, S::Settings, Null),
    ("upstream_version", T::Integer, S::Settings, Null),
    ("upstream_version_declined", T::Integer, S::Settings, Null),
    ("upstream_display_name", T::String, S::Settings, Null),
    ("upstream_max_attempts", T::Integer, S::Settings, Null),
    ("downstream_customized", T::List, S::Settings, List),
];

/// Fields of types with a file of their own.
pub(super) const FILE_BASED: &[Row] = &[("xml_attributes", T::Dict, S::Settings, Dict)];

/// The fields of sequences and units.
pub(super) const SEQUENCE: &[Row] = &[
    ("position", T::Integer, S::UserState, Null),
    ("due", T::Date, S::Settings, Null),
    ("relative_weeks_due", T::Integer, S::Settings, Null),
    ("hide_after_due", T::Boolean, S::Settings, Bool(false)),
    ("is_entrance_exam", T::Boolean, S::Settings, Bool(false)),
];

/// Timed and proctored exams (courseware.md §13).
pub(super) const EXAM: &[Row] = &[
    ("is_time_limited", T::Boolean, S::Settings, Bool(false)),
    ("default_time_limit_minutes", T::Integer, S::Settings, Null),
    ("is_proctored_enabled", T::Boolean, S::Settings, Bool(false)),
    ("exam_review_rules", T::String, S::Settings, Text("")),
    ("is_practice_exam", T::Boolean, S::Settings, Bool(false)),
    ("is_onboarding_exam", T::Boolean, S::Settings, Bool(false)),
];

/// Content that is the raw XML of the element.
pub(super) const RAW: &[Row] = &[("data", T::XmlString, S::Content, Text(""))];

/// Choice of children from a library or bank.
pub(super) const ITEM_BANK: &[Row] = &[
    ("max_count", T::Integer, S::Settings, Int(1)),
    ("selected", T::List, S::UserState, List),
    (
        "allow_resetting_children",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
];
