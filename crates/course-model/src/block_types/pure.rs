//! Types written inline in their parent (olx.md §3.2).

use super::Default::{Bool, Dict, Float, Int, Json, List, Null, Text};
use super::{Row, Spec};
use crate::fields::FieldType as T;
use crate::fields::Scope as S;

/// `discussion_id` and `has_score` of the reference have computed defaults: a discussion without id takes
/// one derived from its usage key.
const DISCUSSION: &[Row] = &[
    ("discussion_id", T::String, S::Settings, Null),
    ("display_name", T::String, S::Settings, Text("Discussion")),
    (
        "discussion_category",
        T::String,
        S::Settings,
        Text("Week 1"),
    ),
    (
        "discussion_target",
        T::String,
        S::Settings,
        Text("Topic-Level Student-Visible Label"),
    ),
    ("sort_key", T::String, S::Settings, Null),
];

const POLL_BASE: &[Row] = &[
    ("private_results", T::Boolean, S::Content, Bool(false)),
    ("max_submissions", T::Integer, S::Content, Int(1)),
    ("submissions_count", T::Integer, S::UserState, Int(0)),
    ("feedback", T::String, S::Content, Text("")),
    (
        "active_export_task_id",
        T::String,
        S::UserStateSummary,
        Text(""),
    ),
    ("last_export_result", T::Dict, S::UserStateSummary, Null),
];

const POLL: &[Row] = &[
    ("display_name", T::String, S::Content, Text("Poll")),
    (
        "question",
        T::String,
        S::Content,
        Text("What is your favorite color?"),
    ),
    (
        "answers",
        T::List,
        S::Settings,
        Json(
            r#"[["R", {"label": "Red", "img": null, "img_alt": null}],
                ["B", {"label": "Blue", "img": null, "img_alt": null}],
                ["G", {"label": "Green", "img": null, "img_alt": null}],
                ["O", {"label": "Other", "img": null, "img_alt": null}]]"#,
        ),
    ),
    (
        "tally",
        T::Dict,
        S::UserStateSummary,
        Json(r#"{"R": 0, "B": 0, "G": 0, "O": 0}"#),
    ),
    ("choice", T::String, S::UserState, Null),
];

const SURVEY: &[Row] = &[
    ("display_name", T::String, S::Content, Text("Survey")),
    ("block_name", T::String, S::Content, Text("Poll")),
    (
        "answers",
        T::List,
        S::Settings,
        Json(r#"[["Y", "Yes"], ["N", "No"], ["M", "Maybe"]]"#),
    ),
    (
        "questions",
        T::List,
        S::Settings,
        Json(
            r#"[["enjoy", {"label": "Are you enjoying the course?", "img": null, "img_alt": null}],
                ["recommend", {"label": "Would you recommend this course to your friends?",
                               "img": null, "img_alt": null}],
                ["learn", {"label": "Do you think you will learn a lot?",
                           "img": null, "img_alt": null}]]"#,
        ),
    ),
    (
        "tally",
        T::Dict,
        S::UserStateSummary,
        Json(
            r#"{"enjoy": {"Y": 0, "N": 0, "M": 0}, "recommend": {"Y": 0, "N": 0, "M": 0},
                "learn": {"Y": 0, "N": 0, "M": 0}}"#,
        ),
    ),
    ("choices", T::Dict, S::UserState, Dict),
];

const DRAG_AND_DROP: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Drag and Drop"),
    ),
    ("mode", T::String, S::Settings, Text("standard")),
    ("max_attempts", T::Integer, S::Settings, Null),
    ("show_title", T::Boolean, S::Settings, Bool(true)),
    ("question_text", T::String, S::Settings, Text("")),
    ("show_question_header", T::Boolean, S::Settings, Bool(true)),
    ("showanswer", T::String, S::Settings, Text("finished")),
    ("weight", T::Float, S::Settings, Int(1)),
    ("item_background_color", T::String, S::Settings, Text("")),
    ("item_text_color", T::String, S::Settings, Text("")),
    ("max_items_per_zone", T::Integer, S::Settings, Null),
    // The reference fills a new block with a worked example; here it starts empty.
    (
        "data",
        T::Dict,
        S::Content,
        Json(r#"{"zones": [], "items": [], "feedback": {"start": "", "finish": ""}}"#),
    ),
    ("item_state", T::Dict, S::UserState, Dict),
    ("attempts", T::Integer, S::UserState, Int(0)),
    ("completed", T::Boolean, S::UserState, Bool(false)),
    ("grade", T::Float, S::UserState, Int(0)),
    ("raw_earned", T::Float, S::UserState, Int(0)),
    ("raw_possible", T::Float, S::UserState, Int(1)),
];

const DONE: &[Row] = &[
    ("done", T::Boolean, S::UserState, Bool(false)),
    ("align", T::String, S::Settings, Text("left")),
    ("display_name", T::String, S::Settings, Text("Completion")),
    ("start", T::Datetime, S::Settings, Null),
    ("due", T::Datetime, S::Settings, Null),
    ("weight", T::Float, S::Settings, Null),
];

const EDX_SGA: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Staff Graded Assignment"),
    ),
    ("weight", T::Float, S::Settings, Null),
    ("points", T::Integer, S::Settings, Int(100)),
    ("showanswer", T::String, S::Settings, Text("past_due")),
    ("solution", T::String, S::Settings, Text("")),
    ("staff_score", T::Integer, S::Settings, Null),
    ("comment", T::String, S::UserState, Text("")),
    ("annotated_sha1", T::String, S::UserState, Null),
    ("annotated_filename", T::String, S::UserState, Null),
    ("annotated_mimetype", T::String, S::UserState, Null),
    ("annotated_timestamp", T::Datetime, S::UserState, Null),
];

const LTI_CONSUMER: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("LTI Consumer")),
    ("description", T::String, S::Settings, Text("")),
    ("config_type", T::String, S::Settings, Text("new")),
    ("lti_version", T::String, S::Settings, Text("lti_1p1")),
    ("external_config", T::String, S::Settings, Null),
    ("lti_1p3_passport_id", T::String, S::Settings, Text("")),
    ("lti_1p3_launch_url", T::String, S::Settings, Text("")),
    ("lti_1p3_oidc_url", T::String, S::Settings, Text("")),
    ("lti_1p3_redirect_uris", T::List, S::Settings, List),
    (
        "lti_1p3_tool_key_mode",
        T::String,
        S::Settings,
        Text("public_key"),
    ),
    ("lti_1p3_tool_keyset_url", T::String, S::Settings, Text("")),
    ("lti_1p3_tool_public_key", T::String, S::Settings, Text("")),
    ("lti_1p3_enable_nrps", T::Boolean, S::Settings, Bool(false)),
    ("lti_1p3_client_id", T::String, S::Settings, Text("")),
    ("lti_1p3_block_key", T::String, S::Settings, Text("")),
    (
        "lti_advantage_deep_linking_enabled",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
    (
        "lti_advantage_deep_linking_launch_url",
        T::String,
        S::Settings,
        Text(""),
    ),
    (
        "lti_advantage_ags_mode",
        T::String,
        S::Settings,
        Text("declarative"),
    ),
    ("lti_id", T::String, S::Settings, Text("")),
    ("launch_url", T::String, S::Settings, Text("")),
    ("custom_parameters", T::List, S::Settings, List),
    ("launch_target", T::String, S::Settings, Text("iframe")),
    ("button_text", T::String, S::Settings, Text("")),
    ("inline_height", T::Integer, S::Settings, Int(800)),
    ("modal_height", T::Integer, S::Settings, Int(80)),
    ("modal_width", T::Integer, S::Settings, Int(80)),
    ("has_score", T::Boolean, S::Settings, Bool(false)),
    ("weight", T::Float, S::Settings, Float(1.0)),
    ("module_score", T::Float, S::UserState, Null),
    ("score_comment", T::String, S::UserState, Text("")),
    ("hide_launch", T::Boolean, S::Settings, Bool(false)),
    (
        "accept_grades_past_due",
        T::Boolean,
        S::Settings,
        Bool(true),
    ),
    ("ask_to_send_username", T::Boolean, S::Settings, Bool(false)),
    (
        "ask_to_send_full_name",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
    ("ask_to_send_email", T::Boolean, S::Settings, Bool(false)),
    ("enable_processors", T::Boolean, S::Settings, Bool(false)),
];

const GOOGLE_CALENDAR: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Google Calendar"),
    ),
    ("calendar_id", T::String, S::Settings, Text("")),
    ("default_view", T::Integer, S::Settings, Int(1)),
];

const GOOGLE_DOCUMENT: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Google Document"),
    ),
    ("embed_code", T::String, S::Settings, Text("")),
    ("alt_text", T::String, S::Settings, Text("")),
];

const RECOMMENDER: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("RecommenderXBlock"),
    ),
    ("seen", T::Boolean, S::UserInfo, Bool(false)),
    ("version", T::String, S::Content, Text("recommender.v1.0")),
    ("intro_enabled", T::Boolean, S::Content, Bool(true)),
    ("default_recommendations", T::Any, S::Content, Dict),
    (
        "client_configuration",
        T::Dict,
        S::Content,
        Json(r#"{"disable_dev_ux": true, "entries_per_page": 5, "page_span": 2}"#),
    ),
    ("recommendations", T::Any, S::UserStateSummary, Dict),
    (
        "removed_recommendations",
        T::Dict,
        S::UserStateSummary,
        Dict,
    ),
    (
        "endorsed_recommendation_ids",
        T::List,
        S::UserStateSummary,
        List,
    ),
    (
        "endorsed_recommendation_reasons",
        T::List,
        S::UserStateSummary,
        List,
    ),
    (
        "flagged_accum_resources",
        T::Dict,
        S::UserStateSummary,
        Dict,
    ),
    ("upvoted_ids", T::List, S::UserState, List),
    ("downvoted_ids", T::List, S::UserState, List),
    ("flagged_ids", T::List, S::UserState, List),
    ("flagged_reasons", T::List, S::UserState, List),
];

/// A new open-response block of the reference is filled with a worked example of prompt, rubric and steps;
/// here it starts without.
const OPENASSESSMENT: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Open Response Assessment"),
    ),
    ("start", T::Datetime, S::Settings, Null),
    ("due", T::Datetime, S::Settings, Null),
    ("weight", T::Float, S::Settings, Null),
    ("group_access", T::GroupAccess, S::Settings, Dict),
    ("allow_latex", T::Boolean, S::Settings, Bool(false)),
    ("allow_file_upload", T::Boolean, S::Content, Bool(false)),
    ("allow_multiple_files", T::Boolean, S::Settings, Bool(true)),
    (
        "allow_learner_resubmissions",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
    ("date_config_type", T::String, S::Settings, Text("manual")),
    ("editor_assessments_order", T::List, S::Content, List),
    ("file_upload_response_raw", T::String, S::Settings, Null),
    ("file_upload_type_raw", T::String, S::Content, Null),
    ("has_saved", T::Boolean, S::UserState, Bool(false)),
    ("leaderboard_show", T::Integer, S::Content, Int(0)),
    ("no_peers", T::Boolean, S::UserState, Bool(false)),
    ("prompt", T::String, S::Content, Text("")),
    ("prompts_type", T::String, S::Content, Text("text")),
    (
        "resubmissions_grace_period",
        T::String,
        S::Settings,
        Text(""),
    ),
    ("rubric_criteria", T::List, S::Content, List),
    ("rubric_feedback_prompt", T::String, S::Content, Text("")),
    (
        "rubric_feedback_default_text",
        T::String,
        S::Content,
        Text(""),
    ),
    ("rubric_assessments", T::List, S::Content, List),
    (
        "saved_files_descriptions",
        T::String,
        S::UserState,
        Text(""),
    ),
    ("saved_files_names", T::String, S::UserState, Text("")),
    ("saved_files_sizes", T::String, S::UserState, Text("")),
    ("saved_response", T::String, S::UserState, Text("")),
    ("selected_teamset_id", T::String, S::Settings, Text("")),
    (
        "show_rubric_during_response",
        T::Boolean,
        S::Settings,
        Bool(false),
    ),
    (
        "submission_due",
        T::String,
        S::Settings,
        Text("2029-01-01T00:00"),
    ),
    (
        "submission_start",
        T::String,
        S::Settings,
        Text("2001-01-01T00:00"),
    ),
    ("submission_uuid", T::String, S::UserState, Null),
    ("teams_enabled", T::Boolean, S::Settings, Bool(false)),
    (
        "text_response_raw",
        T::String,
        S::Settings,
        Text("required"),
    ),
    ("text_response_editor", T::String, S::Settings, Text("text")),
    (
        "title",
        T::String,
        S::Content,
        Text("Open Response Assessment"),
    ),
    ("white_listed_file_types", T::List, S::Content, List),
];

const STAFF_GRADED: &[Row] = &[
    (
        "display_name",
        T::String,
        S::Settings,
        Text("Staff Graded Points"),
    ),
    (
        "instructions",
        T::String,
        S::Content,
        Text("Your results will be graded offline"),
    ),
    ("weight", T::Float, S::Settings, Float(1.0)),
];

const CROWDSOURCE_HINTER: &[Row] = &[
    ("hint_database", T::Dict, S::UserStateSummary, Dict),
    ("initial_hints", T::Dict, S::Content, Dict),
    ("generic_hints", T::List, S::Content, List),
    ("incorrect_answers", T::List, S::UserState, List),
    ("used", T::List, S::UserState, List),
    ("reported_hints", T::Dict, S::UserStateSummary, Dict),
    ("target_problem", T::String, S::Content, Text("")),
];

const LIBRARY: &[Row] = &[
    ("display_name", T::String, S::Settings, Text("Library")),
    ("advanced_modules", T::List, S::Settings, List),
    (
        "show_children_previews",
        T::Boolean,
        S::UserState,
        Bool(true),
    ),
];

pub(super) const SPECS: &[Spec] = &[
    Spec::pure(&["discussion"], &[DISCUSSION]).excluded(),
    Spec::pure(&["poll"], &[POLL, POLL_BASE]),
    Spec::pure(&["survey"], &[SURVEY, POLL_BASE]),
    Spec::pure(&["drag-and-drop-v2"], &[DRAG_AND_DROP]).scored(),
    Spec::pure(&["done"], &[DONE]).scored(),
    Spec::pure(&["edx_sga"], &[EDX_SGA]).scored(),
    Spec::pure(&["lti_consumer"], &[LTI_CONSUMER]),
    Spec::pure(&["google-calendar"], &[GOOGLE_CALENDAR]),
    Spec::pure(&["google-document"], &[GOOGLE_DOCUMENT]),
    Spec::pure(&["recommender"], &[RECOMMENDER]),
    Spec::pure(&["openassessment"], &[OPENASSESSMENT]).scored(),
    Spec::pure(&["staffgradedxblock"], &[STAFF_GRADED]).scored(),
    Spec::pure(&["crowdsourcehinter"], &[CROWDSOURCE_HINTER]),
    Spec {
        family: super::Family::Pure,
        ..Spec::parent(&["library"], &[LIBRARY])
    },
];
