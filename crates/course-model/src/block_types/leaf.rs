//! Leaf types with files of their own (courseware.md §12, capa.md §1).

use super::Default::{Bool, Dict, Float, Int, List, Null, Text};
use super::common::RAW;
use super::{Row, Spec};
use crate::fields::FieldType as T;
use crate::fields::Scope as S;

const HTML: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Text")),
    ("data", T::String, S::Content, Text("")),
    ("source_code", T::String, S::Settings, Null),
    ("use_latex_compiler", T::Boolean, S::Settings, Bool(false)),
    ("editor", T::String, S::Settings, Text("visual")),
];

const ABOUT: &[Row] = &[("display_name", T::String, S::Settings, Text("overview"))];

const COURSE_INFO: &[Row] = &[
    ("items", T::List, S::Content, List),
    ("data", T::String, S::Content, Text("<ol></ol>")),
];

const STATIC_TAB: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Empty")),
    ("course_staff_only", T::Boolean, S::Settings, Bool(false)),
    (
        "data",
        T::String,
        S::Content,
        Text("<p>Add the content you want students to see on this page.</p>\n"),
    ),
];

const PROBLEM: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Blank Problem"),
    ),
    ("attempts", T::Integer, S::UserState, Int(0)),
    ("max_attempts", T::Integer, S::Settings, Null),
    ("grading_method", T::String, S::Settings, Text("last_score")),
    ("due", T::Date, S::Settings, Null),
    ("graceperiod", T::Timedelta, S::Settings, Null),
    ("show_correctness", T::String, S::Settings, Text("always")),
    ("showanswer", T::String, S::Settings, Text("finished")),
    (
        "attempts_before_showanswer_button",
        T::Integer,
        S::Settings,
        Int(0),
    ),
    ("force_save_button", T::Boolean, S::Settings, Bool(false)),
    ("show_reset_button", T::Boolean, S::Settings, Bool(false)),
    ("rerandomize", T::Randomization, S::Settings, Text("never")),
    (
        "data",
        T::XmlString,
        S::Content,
        Text("<problem></problem>"),
    ),
    ("correct_map", T::Dict, S::UserState, Dict),
    ("correct_map_history", T::List, S::UserState, List),
    ("input_state", T::Dict, S::UserState, Dict),
    ("student_answers", T::Dict, S::UserState, Dict),
    ("student_answers_history", T::List, S::UserState, List),
    ("score", T::Score, S::UserState, Null),
    ("score_history", T::ListScore, S::UserState, List),
    ("has_saved_answers", T::Boolean, S::UserState, Bool(false)),
    ("done", T::Boolean, S::UserState, Bool(false)),
    ("seed", T::Integer, S::UserState, Null),
    ("last_submission_time", T::Date, S::UserState, Null),
    ("submission_wait_seconds", T::Integer, S::Settings, Int(0)),
    ("weight", T::Float, S::Settings, Null),
    ("markdown", T::String, S::Settings, Null),
    ("markdown_edited", T::Boolean, S::Settings, Bool(false)),
    ("source_code", T::String, S::Settings, Null),
    ("use_latex_compiler", T::Boolean, S::Settings, Bool(false)),
    ("matlab_api_key", T::String, S::Settings, Null),
];

const VIDEO: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Video")),
    (
        "saved_video_position",
        T::RelativeTime,
        S::UserState,
        Text("00:00:00"),
    ),
    (
        "youtube_id_1_0",
        T::String,
        S::Settings,
        Text("3_yD_cEKoCk"),
    ),
    ("youtube_id_0_75", T::String, S::Settings, Text("")),
    ("youtube_id_1_25", T::String, S::Settings, Text("")),
    ("youtube_id_1_5", T::String, S::Settings, Text("")),
    ("start_time", T::RelativeTime, S::Settings, Text("00:00:00")),
    ("end_time", T::RelativeTime, S::Settings, Text("00:00:00")),
    ("download_video", T::Boolean, S::Settings, Bool(false)),
    ("html5_sources", T::List, S::Settings, List),
    ("track", T::String, S::Settings, Text("")),
    ("download_track", T::Boolean, S::Settings, Bool(false)),
    ("sub", T::String, S::Settings, Text("")),
    ("transcript_url", T::String, S::Settings, Text("")),
    ("show_captions", T::Boolean, S::Settings, Bool(true)),
    ("transcripts", T::Dict, S::Settings, Dict),
    ("transcript_language", T::String, S::Preferences, Text("en")),
    (
        "transcript_download_format",
        T::String,
        S::Preferences,
        Text("srt"),
    ),
    ("speed", T::Float, S::UserState, Null),
    ("global_speed", T::Float, S::Preferences, Float(1.0)),
    ("auto_advance", T::Boolean, S::Preferences, Bool(true)),
    ("youtube_is_available", T::Boolean, S::UserInfo, Bool(true)),
    ("handout", T::String, S::Settings, Null),
    ("only_on_web", T::Boolean, S::Settings, Bool(false)),
    ("edx_video_id", T::String, S::Settings, Text("")),
    (
        "transcript_download_role",
        T::String,
        S::Settings,
        Text("*"),
    ),
    ("bumper_last_view_date", T::Datetime, S::Preferences, Null),
    (
        "bumper_do_not_show_again",
        T::Boolean,
        S::Preferences,
        Bool(false),
    ),
    ("public_access", T::Boolean, S::Settings, Bool(false)),
    ("thumbnail", T::String, S::Settings, Text("")),
    ("license", T::String, S::Content, Null),
];

const POLL_QUESTION: &[Row] = &[
    ("display_name", T::String, S::Settings, Null),
    ("voted", T::Boolean, S::UserState, Bool(false)),
    ("poll_answer", T::String, S::UserState, Text("")),
    ("poll_answers", T::Dict, S::UserStateSummary, Dict),
    ("answers", T::List, S::Content, List),
    ("question", T::String, S::Content, Text("")),
];

const WORD_CLOUD: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Word cloud")),
    ("instructions", T::String, S::Settings, Null),
    ("num_inputs", T::Integer, S::Settings, Int(5)),
    ("num_top_words", T::Integer, S::Settings, Int(250)),
    (
        "display_student_percents",
        T::Boolean,
        S::Settings,
        Bool(true),
    ),
    ("submitted", T::Boolean, S::UserState, Bool(false)),
    ("student_words", T::List, S::UserState, List),
    ("all_words", T::Dict, S::UserStateSummary, Dict),
    ("top_words", T::Dict, S::UserStateSummary, Dict),
];

const ANNOTATABLE: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Annotation")),
    (
        "data",
        T::XmlString,
        S::Content,
        Text("<annotatable></annotatable>"),
    ),
];

const LTI: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("LTI")),
    ("lti_id", T::String, S::Settings, Text("")),
    (
        "launch_url",
        T::String,
        S::Settings,
        Text("http://www.example.com"),
    ),
    ("custom_parameters", T::List, S::Settings, List),
    ("open_in_a_new_page", T::Boolean, S::Settings, Bool(true)),
    ("has_score", T::Boolean, S::Settings, Bool(false)),
    ("weight", T::Float, S::Settings, Float(1.0)),
    ("module_score", T::Float, S::UserState, Null),
    ("score_comment", T::String, S::UserState, Text("")),
    ("hide_launch", T::Boolean, S::Settings, Bool(false)),
    ("ask_to_send_username", T::Boolean, S::Settings, Bool(false)),
    ("ask_to_send_email", T::Boolean, S::Settings, Bool(false)),
    ("description", T::String, S::Settings, Text("")),
    ("button_text", T::String, S::Settings, Text("")),
    (
        "accept_grades_past_due",
        T::Boolean,
        S::Settings,
        Bool(true),
    ),
];

const ERROR: &[Row] = &[
    ("contents", T::String, S::Content, Null),
    ("error_msg", T::String, S::Content, Null),
];

/// Blocks whose type has no implementation (olx.md §3.4).
pub(super) const HIDDEN: Spec = Spec::leaf(&["hidden"], &[RAW]);

pub(super) const SPECS: &[Spec] = &[
    HIDDEN,
    Spec::leaf(&["html"], &[HTML]),
    Spec::leaf(&["about"], &[ABOUT, HTML]).detached(),
    Spec::leaf(&["course_info"], &[COURSE_INFO, HTML]).detached(),
    Spec::leaf(&["static_tab"], &[STATIC_TAB, HTML]).detached(),
    Spec::leaf(&["problem"], &[PROBLEM]).scored(),
    Spec::leaf(&["video", "videodev", "videoalpha"], &[VIDEO, RAW]),
    Spec::leaf(&["poll_question"], &[POLL_QUESTION]),
    Spec::leaf(&["word_cloud"], &[WORD_CLOUD, RAW]),
    Spec::leaf(&["annotatable"], &[ANNOTATABLE]),
    Spec::leaf(&["lti"], &[LTI, RAW]),
    Spec::leaf(&["customtag", "book", "slides", "image", "discuss"], &[RAW]),
    Spec::leaf(&["error"], &[ERROR, RAW]),
];
