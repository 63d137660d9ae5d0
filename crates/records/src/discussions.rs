//! Which forum a course uses and what it discusses: `discussions_…` and
//! `django_comment_common_discussionsidmapping` (lms-api.md §11.3, forum.md).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author, Change};
use crate::keys::course_text;
use crate::table::{self, table};

const HISTORY: &str = "discussions_historicaldiscussionsconfiguration";

table! {
    /// The forum of a course. `plugin_configuration` is a JSON object.
    DiscussionsConfiguration: "discussions_discussionsconfiguration" {
        context_key: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        enabled: bool,
        plugin_configuration: String,
        provider_type: String,
        lti_configuration_id: Option<i64>,
        enable_graded_units: bool,
        enable_in_context: bool,
        unit_level_visibility: bool,
        posting_restrictions: String,
    }
}

table! {
    /// A topic: of a unit, or of the whole course. `context` is a JSON object.
    DiscussionTopicLink: "discussions_discussiontopiclink" {
        id: i64,
        context_key: String,
        usage_key: Option<String>,
        title: String,
        provider_id: String,
        external_id: String,
        enabled_in_context: bool,
        group_id: Option<i64>,
        ordering: Option<i64>,
        context: String,
    }
}

/// The forum of a course, if one is stored.
pub async fn configuration(
    from: impl Source,
    course: &CourseKey,
) -> Result<Option<DiscussionsConfiguration>> {
    let id = course_text(course);
    let found: Option<DiscussionsConfiguration> =
        table::find_one(from, "WHERE context_key = ?", &params![&id]).await?;
    Ok(found.filter(|row| row.context_key == id))
}

/// Stores the forum of a course, with its history. Nothing is written where only `modified` would change.
pub async fn save_configuration(
    tx: &mut Tx,
    row: &DiscussionsConfiguration,
    author: &Author<'_>,
) -> Result<()> {
    let stored: Option<DiscussionsConfiguration> = table::find_one(
        &mut *tx,
        "WHERE context_key = ?",
        &params![&row.context_key],
    )
    .await?;
    let (change, row) = match stored {
        None => (Change::Created, row.clone()),
        Some(stored) => {
            let row = DiscussionsConfiguration {
                created: stored.created,
                ..row.clone()
            };
            let same = DiscussionsConfiguration {
                modified: stored.modified,
                ..row.clone()
            };
            if same == stored {
                return Ok(());
            }
            (Change::Changed, row)
        }
    };
    table::upsert(tx, &row, &["context_key"], &["created"]).await?;
    history::record(tx, HISTORY, &row, change, author, None).await
}

/// The topics of a course in one forum, by id.
pub async fn topics(
    from: impl Source,
    course: &CourseKey,
    provider_id: &str,
) -> Result<Vec<DiscussionTopicLink>> {
    let tail = "WHERE context_key = ? AND provider_id = ? ORDER BY id";
    table::find(from, tail, &params![course_text(course), provider_id]).await
}

/// Stores a topic: a new one where its id is 0.
pub async fn save_topic(tx: &mut Tx, topic: &DiscussionTopicLink) -> Result<()> {
    if topic.id == 0 {
        table::insert(tx, topic).await.map(|_| ())
    } else {
        table::update(tx, topic, &["id"]).await.map(|_| ())
    }
}

/// Stores the JSON object from discussion id to usage key of a course.
pub async fn save_id_map(tx: &mut Tx, course: &CourseKey, mapping: &str) -> Result<()> {
    let sql = tx.dialect().upsert(
        "django_comment_common_discussionsidmapping",
        &["course_id"],
        &["mapping"],
    );
    tx.execute(&sql, &params![course_text(course), mapping])
        .await
        .map(|_| ())
}

/// The JSON object from discussion id to usage key of a course.
pub async fn id_map(mut from: impl Source, course: &CourseKey) -> Result<Option<String>> {
    let sql = "SELECT mapping FROM django_comment_common_discussionsidmapping WHERE course_id = ?";
    let rows = from.rows(sql, &params![course_text(course)]).await?;
    rows.first().map(|row| row.text("mapping")).transpose()
}

/// Removes what is derived from a course's content: topics and the map. Its configuration stays, as the
/// forum's posts do.
pub async fn delete(tx: &mut Tx, course: &CourseKey) -> Result<()> {
    let id = course_text(course);
    for sql in [
        "DELETE FROM discussions_discussiontopiclink WHERE context_key = ?",
        "DELETE FROM django_comment_common_discussionsidmapping WHERE course_id = ?",
    ] {
        tx.execute(sql, &params![&id]).await?;
    }
    Ok(())
}
