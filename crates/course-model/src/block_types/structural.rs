//! Types with children (courseware.md §11).

use super::Default::{Bool, Dict, Int, List, Null, Text};
use super::common::{EXAM, ITEM_BANK, RAW, SEQUENCE};
use super::{Row, Spec};
use crate::fields::FieldType as T;
use crate::fields::Scope as S;

const CHAPTER: &[Row] = &[("highlights", T::List, S::Settings, List)];

const VERTICAL: &[Row] = &[("discussion_enabled", T::Boolean, S::Settings, Bool(true))];

const RANDOMIZE: &[Row] = &[("choice", T::Integer, S::UserState, Null)];

const LIBRARY_CONTENT: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Randomized Content Block"),
    ),
    ("source_library_id", T::String, S::Settings, Null),
    ("source_library_version", T::String, S::Settings, Null),
    ("capa_type", T::String, S::Settings, Text("any")),
];

const ITEMBANK: &[Row] = &[("display_name", T::String, S::Settings, Text("Problem Bank"))];

const SPLIT_TEST: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Content Experiment"),
    ),
    ("user_partitions", T::UserPartitionList, S::Settings, List),
    ("user_partition_id", T::Integer, S::Content, Int(-1)),
    ("group_id_to_child", T::ReferenceValueDict, S::Content, Dict),
];

const CONDITIONAL: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Conditional")),
    ("show_tag_list", T::ReferenceList, S::Content, Null),
    ("sources_list", T::ReferenceList, S::Content, Null),
    ("conditional_attr", T::String, S::Content, Text("correct")),
    ("conditional_value", T::String, S::Content, Text("True")),
    (
        "conditional_message",
        T::String,
        S::Content,
        Text("You must complete {link} before you can access this unit."),
    ),
];

pub(super) const SPECS: &[Spec] = &[
    Spec::parent(&["chapter"], &[CHAPTER, SEQUENCE, EXAM]),
    Spec::parent(&["sequential", "videosequence"], &[SEQUENCE, EXAM]),
    Spec::parent(&["vertical", "wrapper"], &[VERTICAL, SEQUENCE]),
    Spec::parent(&["randomize"], &[RANDOMIZE, SEQUENCE]),
    Spec::parent(&["library_content"], &[LIBRARY_CONTENT, ITEM_BANK]),
    Spec::parent(&["itembank"], &[ITEMBANK, ITEM_BANK]),
    Spec::parent(&["split_test"], &[SPLIT_TEST, SEQUENCE, EXAM]),
    Spec::parent(&["conditional"], &[CONDITIONAL, SEQUENCE]),
    // Bare containers of older courses.
    Spec::leaf(&["custom_tag_template"], &[RAW]).detached(),
];
