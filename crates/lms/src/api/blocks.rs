//! The blocks API (lms-api.md §3.4, courseware.md §8.2).

use std::collections::HashSet;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use courseware::blocks_api::{self, Allowed, Answered, Links, Query};
use courseware::{CourseView, index_dictionary};
use identity::{Roles, Viewer};
use modulestore::Branch;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Value, json};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::params::{Asked, FieldErrors, Params};
use crate::auth::{AnyUserApi, Authenticated, Caller};
use crate::clock::Now;
use crate::routes::{read_only, slashed, styled};
use crate::state::LmsState;

/// Deepest `nav_depth` that makes a difference in any course.
const MAX_DEPTH: i64 = 1000;

/// Routes under `/api/courses/{v1|v2}/`.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let mut router = Router::new();
    for (version, hide_denied) in [("v1", true), ("v2", false)] {
        let in_course = move |state, caller, now, asked, params| {
            of_course(state, caller, now, asked, params, hide_denied)
        };
        let below = move |state, path, caller, now, asked, params| {
            below_block(state, path, caller, now, asked, params, hide_denied)
        };
        let base = format!("/api/courses/{version}");
        router = slashed(router, &format!("{base}/blocks/"), read_only(in_course))
            .route(&format!("{base}/blocks/{{*usage}}"), read_only(below))
            .route(
                &format!("{base}/block_metadata/{{*usage}}"),
                read_only(metadata),
            );
    }
    styled(router, state, ErrorStyle::DeveloperMessage)
}

/// Whom the blocks are asked for.
enum Who<'a> {
    Everything,
    Anonymous,
    Own,
    Other(&'a str),
    Nobody,
}

/// A form that has been read; errors are kept until the person is known, as the reference does.
struct Form<'a> {
    query: Query,
    who: Who<'a>,
    as_list: bool,
    errors: FieldErrors,
}

impl<'a> Form<'a> {
    fn read(params: &'a Params, caller: &Viewer, hide_denied: bool, special_exams: bool) -> Self {
        let mut errors = FieldErrors::default();
        let depth = match params.filled("depth") {
            None => Some(0),
            Some("all") => None,
            Some(text) => text.trim().parse().map_or_else(
                |_| {
                    errors.add("depth", format!("'{text}' is not a valid depth value."));
                    Some(0)
                },
                Some,
            ),
        };
        let nav_depth = params.filled("nav_depth").and_then(|text| {
            let parsed: Option<i64> = text.trim().parse().ok();
            match parsed {
                None => errors.add("nav_depth", "Enter a whole number."),
                Some(depth) if depth < 0 => errors.add(
                    "nav_depth",
                    "Ensure this value is greater than or equal to 0.",
                ),
                _ => {}
            }
            parsed.map(|depth| depth.min(MAX_DEPTH))
        });
        let as_list = match params.filled("return_type") {
            None | Some("dict") => false,
            Some("list") => true,
            Some(other) => {
                errors.add(
                    "return_type",
                    format!("Select a valid choice. {other} is not one of the available choices."),
                );
                false
            }
        };
        let all_blocks = params.boolean("all_blocks", &mut errors) == Some(true);
        let list = |name: &'static str| -> Vec<String> {
            let mut seen = HashSet::new();
            params
                .list(name)
                .filter(|one| seen.insert(*one))
                .map(str::to_owned)
                .collect()
        };
        let mut query = Query {
            fields: params.list("requested_fields").map(str::to_owned).collect(),
            depth,
            nav_depth,
            block_counts: list("block_counts"),
            student_view_data: list("student_view_data"),
            block_types_filter: list("block_types_filter"),
            hide_denied,
            special_exams,
            allow_future: false,
        };
        for (name, given) in [
            ("block_counts", !query.block_counts.is_empty()),
            ("student_view_data", !query.student_view_data.is_empty()),
        ] {
            if given {
                query.fields.insert(name.to_owned());
            }
        }
        let who = match params.get("username") {
            Some(name) if !name.is_empty() => {
                if name.to_lowercase() == caller.username.to_lowercase() {
                    Who::Own
                } else {
                    Who::Other(name)
                }
            }
            _ if all_blocks => Who::Everything,
            Some(_) => Who::Anonymous,
            None => Who::Nobody,
        };
        Self {
            query,
            who,
            as_list,
            errors,
        }
    }
}

/// What a permitted request works on.
struct Granted {
    view: CourseView,
    asking: Roles,
}

/// Opens the course for the person asked for, and refuses whoever may not ask (courseware.md §8.2, errors).
async fn grant(
    state: &LmsState,
    caller: &Viewer,
    who: &Who<'_>,
    course: &CourseKey,
    now: DateTime<Utc>,
) -> Result<Option<Granted>, WebError> {
    let me = &caller.username;
    let cannot = || {
        Err(WebError::forbidden(format!(
            "Course blocks for '{me}' cannot be accessed."
        )))
    };
    // One's own roles come with the view; only whoever asks for others needs them apart.
    let asking = match who {
        Who::Own | Who::Anonymous | Who::Nobody => Roles::none(),
        Who::Everything | Who::Other(_) => Roles::load(&state.db, caller)
            .await
            .map_err(WebError::internal)?,
    };
    let viewer = match who {
        Who::Nobody => return Ok(None),
        Who::Own => caller.clone(),
        Who::Anonymous => Viewer::anonymous(),
        Who::Everything if blocks_api::may_see_all(&asking, course) => caller.clone(),
        Who::Everything => {
            return Err(WebError::forbidden(format!(
                "'{me}' does not have permission to access all blocks in '{course}'."
            )));
        }
        Who::Other(name) if blocks_api::may_see_others(&asking, course) => {
            let user = records::users::by_username(&state.db, name)
                .await
                .map_err(WebError::internal)?
                .ok_or_else(|| {
                    WebError::not_found_with(format!("Requested user '{name}' does not exist."))
                })?;
            Viewer::from(&user)
        }
        Who::Other(name) => {
            return Err(WebError::forbidden(format!(
                "'{me}' does not have permission to access view for '{name}'."
            )));
        }
    };
    let rules = state.settings.rules();
    let view = CourseView::open(&state.db, &state.store, course, &viewer, rules, now)
        .await
        .map_err(WebError::internal)?;
    match view {
        Some(view) => Ok(Some(Granted { view, asking })),
        None if matches!(who, Who::Everything | Who::Other(_)) || caller.is_staff => {
            Err(missing(&format!("Course not found: {course}")))
        }
        None => cannot(),
    }
}

fn missing(text: &str) -> WebError {
    WebError::not_found_with(text.to_owned())
}

/// The proof that the caller may ask, or the refusal.
fn prove<'a>(
    granted: &'a Granted,
    who: &Who<'_>,
    caller: &Viewer,
) -> Result<Allowed<'a>, WebError> {
    let allowed = match who {
        Who::Everything => Allowed::all(&granted.view, &granted.asking),
        Who::Other(_) => Allowed::of_other(&granted.view, &granted.asking),
        Who::Anonymous => Allowed::anonymous(&granted.view),
        Who::Own => Allowed::own(&granted.view),
        Who::Nobody => None,
    };
    allowed.ok_or_else(|| {
        WebError::forbidden(format!(
            "Course blocks for '{}' cannot be accessed.",
            caller.username
        ))
    })
}

/// Everything of a request up to its answer.
struct Answer {
    root: String,
    blocks: Vec<Answered>,
    as_list: bool,
    drops_discussions: bool,
    wants_completion: bool,
}

async fn answer(
    state: &LmsState,
    caller: &Viewer,
    usage: Option<&UsageKey>,
    course: &CourseKey,
    mut form: Form<'_>,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<Answer, WebError> {
    let granted = grant(state, caller, &form.who, course, now).await?;
    let Some(granted) = granted else {
        form.errors.add(
            "username",
            "This field is required unless all_blocks is requested.",
        );
        form.errors.check()?;
        return Err(WebError::bad_request("username is required."));
    };
    let allowed = prove(&granted, &form.who, caller)?;
    form.errors.check()?;
    let view = &granted.view;
    let root = match usage {
        None => view.course.root(),
        Some(usage) => view
            .course
            .find_usage(usage)
            .ok_or_else(|| missing(&format!("Block not found: {usage}")))?,
    };
    let scheme = if state.settings.block_links_https {
        "https"
    } else {
        state
            .settings
            .lms_url
            .split_once("://")
            .map_or("http", |(scheme, _)| scheme)
    };
    let own = format!("{scheme}://{}", state.settings.site_domain);
    let links = Links {
        base: &asked.base,
        blocks: &own,
    };
    let blocks = blocks_api::blocks(&state.db, &state.store, allowed, root, &form.query, &links)
        .await
        .map_err(WebError::internal)?;
    Ok(Answer {
        root: view.course.block(root).usage_key().to_string(),
        blocks,
        as_list: form.as_list,
        drops_discussions: blocks_api::drops_discussions(view),
        wants_completion: form
            .query
            .fields
            .iter()
            .any(|field| field.contains("completion")),
    })
}

fn keyed(blocks: Vec<Answered>) -> Value {
    let blocks: Map<String, Value> = blocks
        .into_iter()
        .map(|block| (block.id, Value::Object(block.fields)))
        .collect();
    Value::Object(blocks)
}

fn body(answer: Answer) -> Response {
    let body = if answer.as_list {
        let blocks = answer.blocks.into_iter();
        blocks.map(|block| Value::Object(block.fields)).collect()
    } else {
        json!({"root": answer.root, "blocks": keyed(answer.blocks)})
    };
    DrfJson(StatusCode::OK, body).into_response()
}

async fn of_course(
    State(state): State<LmsState>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    params: Params,
    hide_denied: bool,
) -> Result<Response, WebError> {
    let Some(course) = params.filled("course_id") else {
        return Err(WebError::bad_request("course_id is required."));
    };
    let Ok(course) = CourseKey::parse(course) else {
        return Err(WebError::bad_request(format!(
            "'{course}' is not a valid course key."
        )));
    };
    let viewer = caller.viewer();
    let exams = state.settings.enable_special_exams;
    let form = Form::read(&params, &viewer, hide_denied, exams);
    let mut answer = answer(&state, &viewer, None, &course, form, &asked, now).await?;
    if answer.wants_completion {
        blocks_api::mark_parents(&mut answer.blocks);
    }
    if answer.drops_discussions {
        blocks_api::drop_discussions(&mut answer.blocks);
        if answer.as_list {
            // The reference answers an object here, keyed by id.
            return Ok(DrfJson(StatusCode::OK, keyed(answer.blocks)).into_response());
        }
    }
    Ok(body(answer))
}

async fn below_block(
    State(state): State<LmsState>,
    Path(usage): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    params: Params,
    hide_denied: bool,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    let exams = state.settings.enable_special_exams;
    let mut form = Form::read(&params, &viewer, hide_denied, exams);
    let Ok(usage) = UsageKey::parse(&usage) else {
        let text = format!("'{usage}' is not a valid usage key.");
        form.errors.add("usage_key", text.clone());
        form.errors.check()?;
        return Err(WebError::invalid_field("usage_key", &text));
    };
    let course = usage.course_key().clone();
    let answer = answer(&state, &viewer, Some(&usage), &course, form, &asked, now).await?;
    Ok(body(answer))
}

async fn metadata(
    State(state): State<LmsState>,
    Path(usage): Path<String>,
    caller: Authenticated<AnyUserApi>,
    params: Params,
) -> Result<Response, WebError> {
    let Ok(usage) = UsageKey::parse(&usage) else {
        return Err(WebError::bad_request(format!(
            "'{usage}' is not a valid usage key."
        )));
    };
    let viewer = caller.viewer();
    let roles = Roles::load(&state.db, &viewer)
        .await
        .map_err(WebError::internal)?;
    if !roles.has_staff_access(usage.course_key()) {
        return Err(WebError::permission_denied());
    }
    let absent = || missing(&format!("Block not found: {usage}"));
    let snapshot = state
        .store
        .snapshot(usage.course_key(), Branch::Published)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(absent)?;
    let idx = snapshot.find_usage(&usage).ok_or_else(absent)?;
    let block = snapshot.block(idx);
    let mut out = Map::new();
    out.insert("id".into(), block.usage_key().to_string().into());
    out.insert("type".into(), block.block_type().into());
    if params
        .list("include")
        .any(|name| name == "index_dictionary")
    {
        let content = state
            .store
            .definition(&snapshot, idx)
            .await
            .map_err(WebError::internal)?;
        let dictionary = index_dictionary::of_block(block, &content);
        out.insert("index_dictionary".into(), dictionary);
    }
    Ok(DrfJson(StatusCode::OK, out).into_response())
}
