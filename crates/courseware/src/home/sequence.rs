//! What a sequence shows of its units, and where a learner goes on (courseware.md §15.4, §15.5).

use std::collections::HashSet;

use course_model::block_types::Completion;
use course_model::{BlockIdx, BlockRef};
use db::Db;
use modulestore::ModuleStore;
use opaque_keys::CourseKey;
use serde_json::{Value, json};

use crate::Result;
use crate::access::Loadable;
use crate::blocks_api::{self, Allowed, Completions, Query, Tree};
use crate::view::CourseView;

/// Whether a block of this type has the metadata of a sequence.
#[must_use]
pub fn is_sequence(block_type: &str) -> bool {
    matches!(block_type, "sequential" | "chapter" | "course")
}

fn icon(tree: &Tree<'_>, block: BlockRef<'_>) -> &'static str {
    match block.block_type() {
        "problem" => return "problem",
        "video" => return "video",
        _ => {}
    }
    let mut found = "other";
    for child in tree.children(block.idx()) {
        match icon(tree, block.snapshot().block(*child)) {
            "problem" => return "problem",
            "video" => found = "video",
            _ => {}
        }
    }
    found
}

/// Whether everything in a unit that can be completed is.
fn is_complete(tree: &Tree<'_>, completions: &Completions, block: BlockRef<'_>) -> bool {
    match block.kind().completion {
        Completion::Excluded => true,
        Completion::Completable => completions.stored(block.idx()) == Some(1.0),
        Completion::Aggregator => tree
            .children(block.idx())
            .iter()
            .all(|child| is_complete(tree, completions, block.snapshot().block(*child))),
    }
}

/// The answer of `GET /api/courseware/sequence/U`.
pub async fn metadata(
    db: &Db,
    store: &ModuleStore,
    view: &CourseView,
    proof: Loadable<'_>,
) -> Result<Value> {
    let block = proof.block();
    let learner = &view.learner;
    let usage = block.usage_key();
    let query = Query {
        fields: HashSet::from([
            "show_gated_sections".to_owned(),
            "special_exam_info".to_owned(),
        ]),
        ..Query::default()
    };
    let allowed = Allowed::below(view, proof);
    let seen = blocks_api::seen(db, store, allowed, block.idx(), &query).await?;
    let completions = Completions::load(db, view, &seen.tree).await?;
    let (mut bookmarks, mut position) = (HashSet::new(), None);
    if let Some(user) = learner.user_id() {
        let keys = records::bookmarks::usage_keys(db, user, usage.course_key()).await?;
        bookmarks.extend(keys);
        position = records::student_modules::get(db, user, usage)
            .await?
            .and_then(|row| serde_json::from_str::<Value>(row.state.as_deref()?).ok())
            .and_then(|state| state.get("position").filter(|it| it.is_i64()).cloned());
    }
    let key = usage.to_string();
    let gated = learner.milestones.gated.contains(&key) && !learner.is_staff();
    let closes = if view.course.course().flag("self_paced") {
        view.facts.end
    } else {
        view.date(block, "due")
    };
    let hidden = block.flag("hide_after_due")
        && closes.is_some_and(|due| due < view.now)
        && !learner.is_staff();
    let mut names: Vec<String> = block
        .parent()
        .map(|parent| parent.display_name().into_owned())
        .into_iter()
        .collect();
    names.push(block.display_name().into_owned());
    let item = |idx: &BlockIdx| -> Value {
        let child = view.course.block(*idx);
        let id = child.usage_key().to_string();
        if gated {
            return json!({
                "id": id,
                "type": icon(&seen.tree, child),
                "display_name": child.display_name(),
                "is_gated": true,
                "content": "",
            });
        }
        let name = child.display_name();
        let mut out = json!({
            "content": "",
            "page_title": name,
            "type": icon(&seen.tree, child),
            "id": id,
            "bookmarked": bookmarks.contains(&id),
            "path": format!("{} > {name}", names.join(" > ")),
            "graded": child.flag("graded"),
            "contains_content_type_gated_content":
                seen.gated.contains(idx) || seen.denials.contains_key(idx),
            "href": "",
        });
        if child.block_type() == "vertical"
            && !learner.viewer.is_anonymous()
            && let Some(out) = out.as_object_mut()
        {
            let complete = is_complete(&seen.tree, &completions, child);
            out.insert("complete".into(), complete.into());
        }
        out
    };
    let items: Vec<Value> = if hidden {
        Vec::new()
    } else {
        seen.tree.children(block.idx()).iter().map(item).collect()
    };
    let signed_in = !learner.viewer.is_anonymous();
    Ok(json!({
        "items": items,
        "element_id": usage.html_id(),
        "item_id": key,
        "is_time_limited": block.flag("is_time_limited"),
        "is_proctored": block.flag("is_proctored_enabled"),
        "is_hidden_after_due": hidden,
        "position": position,
        "tag": block.block_type(),
        "next_url": null,
        "prev_url": null,
        "banner_text": null,
        "save_position": signed_in,
        "show_completion": signed_in,
        "gated_content": {
            "prereq_id": null,
            "prereq_url": null,
            "prereq_section_name": null,
            "gated": gated,
            "gated_section_name": block.field("display_name"),
        },
        "sequence_name": block.field("display_name"),
        "exclude_units": true,
        "gated_sequence_paywall": null,
        "format": block.field("format"),
        "display_name": block.display_name(),
        "navigation_disabled": false,
    }))
}

/// The answer of `GET /api/courseware/resume/C`: the block whose completion changed last, its sequence and unit.
pub async fn resume(db: &Db, view: &CourseView, course: &CourseKey) -> Result<Value> {
    let mut answer = json!({"block_id": null, "section_id": null, "unit_id": null});
    let Some(user) = view.learner.user_id() else {
        return Ok(answer);
    };
    let newest = records::completion::latest(db, user, course, false).await?;
    let block = newest
        .and_then(|row| opaque_keys::UsageKey::parse(&row.block_key).ok())
        .and_then(|usage| view.find(&usage));
    if let Some(block) = block {
        let mut path: Vec<String> = std::iter::once(block)
            .chain(block.ancestors())
            .map(|one| one.usage_key().to_string())
            .collect();
        path.reverse();
        answer = json!({
            "block_id": block.usage_key().to_string(),
            "section_id": path.get(2),
            "unit_id": path.get(3),
        });
    }
    Ok(answer)
}
