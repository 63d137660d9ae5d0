//! What the staff of a course tell its learners: updates and handouts (courseware.md §11).

use chrono::{DateTime, NaiveDate, Utc};
use course_model::{BlockIdx, BlockKey, Fields};
use db::Db;
use md5::{Digest, Md5};
use modulestore::ModuleStore;
use opaque_keys::CourseKey;
use records::preferences;
use serde_json::Value;

use crate::Result;
use crate::learner::Learner;
use crate::links::Wanted;
use crate::view::CourseView;

/// Note of a learner with the digests of the updates that they put away.
const DISMISSED: &str = "view-welcome-message";

/// A message of the course's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Number.
    pub id: i64,
    /// Day as the author wrote it.
    pub date: String,
    /// Authors' HTML.
    pub content: String,
    /// Digest of the HTML as it is stored.
    stored: String,
}

/// Updates and handouts of a course.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Visible updates, newest first.
    pub updates: Vec<Update>,
    /// Authors' HTML; none when empty.
    pub handouts: Option<String>,
    /// The same as it is stored, empty where there is none.
    pub stored_handouts: String,
}

impl News {
    /// Reads both from the version that the view shows; no statement when they are cached, at most one otherwise, and
    /// one more for the assets that they name.
    pub async fn load(store: &ModuleStore, view: &CourseView) -> Result<Self> {
        let find = |id: &str| view.course.find(&BlockKey::new("course_info", id));
        let (updates, handouts) = (find("updates"), find("handouts"));
        let wanted: Vec<BlockIdx> = updates.into_iter().chain(handouts).collect();
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let mut found = store.definitions(&view.course, &wanted).await?.into_iter();
        let mut next = |is_there: bool| if is_there { found.next() } else { None };
        let updates = next(updates.is_some());
        let handouts = next(handouts.is_some());
        let stored_handouts = handouts
            .as_deref()
            .and_then(|fields| fields.get("data")?.as_str())
            .unwrap_or_default()
            .to_owned();
        let mut news = Self {
            updates: updates
                .map(|fields| visible(&fields, view.now))
                .unwrap_or_default(),
            handouts: Some(stored_handouts.trim())
                .filter(|text| !text.is_empty() && *text != "<ol></ol>")
                .map(str::to_owned),
            stored_handouts,
        };
        news.point_links(store, view.course.course_key()).await?;
        Ok(news)
    }

    /// The newest update, unless the learner put it away; older ones never come back.
    #[must_use]
    pub fn welcome(&self, learner: &Learner) -> Option<&Update> {
        let newest = self.updates.first()?;
        let dismissed = learner.tags.get(DISMISSED).map_or("", String::as_str);
        let digest = digest(&newest.content);
        let is_dismissed = dismissed == "False"
            || dismissed
                .split(',')
                .any(|known| known == digest || known == newest.stored);
        (!is_dismissed).then_some(newest)
    }

    /// Points the links of all texts to where the assets are; at most one statement.
    async fn point_links(&mut self, store: &ModuleStore, course: &CourseKey) -> Result<()> {
        let mut wanted = Wanted::default();
        wanted.add(&self.stored_handouts);
        for update in &self.updates {
            wanted.add(&update.content);
        }
        let links = wanted.find(course, &store.contentstore()).await?;
        self.stored_handouts = links.rewrite(&self.stored_handouts, "");
        self.handouts = self.handouts.as_deref().map(|text| links.rewrite(text, ""));
        for update in &mut self.updates {
            update.content = links.rewrite(&update.content, "");
        }
        Ok(())
    }
}

/// Notes that a learner put away the newest update; nothing happens where there is none.
pub async fn dismiss(db: &Db, learner: &Learner, news: &News) -> Result<()> {
    let (Some(user), Some(update)) = (learner.user_id(), news.updates.first()) else {
        return Ok(());
    };
    let known = learner.tags.get(DISMISSED).map_or("", String::as_str);
    let digest = digest(&update.content);
    let value = match known {
        "" | "False" => digest,
        known => format!("{known},{digest}"),
    };
    let value = value.as_str();
    db.write(|mut tx| async move {
        preferences::set_course_tag(&mut tx, user, &learner.course, DISMISSED, value).await
    })
    .await?;
    Ok(())
}

fn digest(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// The updates that are not deleted, by day and number, newest first.
fn visible(fields: &Fields, now: DateTime<Utc>) -> Vec<Update> {
    let items = fields.get("items").and_then(Value::as_array);
    let mut updates: Vec<Update> = items
        .into_iter()
        .flatten()
        .filter(|item| item.get("status").and_then(Value::as_str) != Some("deleted"))
        .filter_map(|item| {
            Some(Update {
                id: item.get("id").and_then(Value::as_i64).unwrap_or_default(),
                date: item.get("date")?.as_str()?.to_owned(),
                content: item.get("content")?.as_str()?.to_owned(),
                stored: digest(item.get("content")?.as_str()?),
            })
        })
        .collect();
    updates.sort_by_key(|update| std::cmp::Reverse((day(&update.date, now), update.id)));
    updates
}

/// A day as authors write it; one that cannot be read counts as today.
fn day(text: &str, now: DateTime<Utc>) -> NaiveDate {
    NaiveDate::parse_from_str(text.trim(), "%B %d, %Y").unwrap_or_else(|_| now.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// courseware.md §11: order, and what is deleted.
    #[test]
    fn newest_first() {
        let mut fields = Fields::new();
        fields.insert(
            "items".into(),
            json!([
                {"id": 1, "date": "January 15, 2026", "content": "a", "status": "visible"},
                {"id": 3, "date": "January 20, 2026", "content": "c", "status": "deleted"},
                {"id": 2, "date": "January 15, 2026", "content": "b"},
                {"id": 4, "date": "some day", "content": "d"},
            ]),
        );
        let now = "2025-06-01T00:00:00Z".parse().unwrap();
        let order: Vec<i64> = visible(&fields, now)
            .iter()
            .map(|update| update.id)
            .collect();
        assert_eq!(order, [2, 1, 4]);
    }
}
