//! Courses as lists show them: rows of course overviews and who sees them (lms-api.md §3).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use db::{Db, Value as Cell};
use identity::{Roles, Viewer};
use modulestore::{Branch, ModuleStore};
use opaque_keys::CourseKey;
use records::course_overviews::CourseOverview;
use serde_json::{Map, Value, json};

use crate::Result;
use crate::access::{self, Action, CourseFacts, DEFAULT_START, Rules};
use crate::learner::Learner;

/// Somebody who looks at many courses at once: what their access to each depends on, loaded with two statements.
#[derive(Debug, Clone)]
pub struct CatalogViewer {
    viewer: Viewer,
    roles: Arc<Roles>,
    /// Courses in which the person's e-mail address may enroll, and whether the permission is theirs.
    allowed: HashMap<String, bool>,
}

impl CatalogViewer {
    /// Loads a person; an anonymous visitor costs no statement.
    pub async fn load(db: &Db, viewer: &Viewer) -> Result<Self> {
        let mut loaded = Self {
            viewer: viewer.clone(),
            roles: Arc::new(Roles::load(db, viewer).await?),
            allowed: HashMap::new(),
        };
        let Some(id) = viewer.id else {
            return Ok(loaded);
        };
        let rows = db
            .read(
                "SELECT a.course_id, a.user_id FROM auth_user u \
                 JOIN student_courseenrollmentallowed a ON a.email = u.email \
                 WHERE u.id = ? ORDER BY a.id DESC",
                &[Cell::from(id)],
            )
            .await?;
        for row in rows {
            let taken_by = row.opt_int("user_id")?;
            let fits = taken_by.is_none_or(|user| user == id);
            loaded.allowed.insert(row.text("course_id")?, fits);
        }
        Ok(loaded)
    }

    /// The person's roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Whether an action on a course is allowed. Prerequisites and expired audit access, which no list asks for, are
    /// not looked at.
    #[must_use]
    pub fn may(
        &self,
        action: Action,
        overview: &CourseOverview,
        rules: Rules,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(facts) = CourseFacts::of_overview(overview) else {
            return false;
        };
        let mut learner = Learner::new(self.viewer.clone(), facts.key.clone());
        learner.roles = Arc::clone(&self.roles);
        learner.enrollment_allowed = self.allowed.get(&overview.id).copied();
        access::course(action, &facts, &learner, rules, now).is_ok()
    }
}

/// Orders overviews as lists do: by key, whatever the case.
pub fn sort(overviews: &mut [CourseOverview]) {
    overviews.sort_by_cached_key(|overview| overview.id.to_lowercase());
}

/// Smaller images of some courses, where they are made: small and large by course.
pub async fn images(
    db: &Db,
    overviews: &[CourseOverview],
) -> Result<HashMap<String, (String, String)>> {
    let mut found = HashMap::new();
    let ids: Vec<Cell> = overviews
        .iter()
        .map(|overview| Cell::from(&overview.id))
        .collect();
    for (marks, chunk) in db::in_chunks(&ids) {
        let sql = format!(
            "SELECT course_overview_id, small_url, large_url \
             FROM course_overviews_courseoverviewimageset WHERE course_overview_id IN ({marks}) \
             AND COALESCE((SELECT enabled FROM course_overviews_courseoverviewimageconfig \
             ORDER BY change_date DESC, id DESC LIMIT 1), 0) = 1"
        );
        for row in db.read(&sql, &chunk).await? {
            let urls = (row.text("small_url")?, row.text("large_url")?);
            found.insert(row.text("course_overview_id")?, urls);
        }
    }
    Ok(found)
}

/// A moment as REST framework writes it: six digits of a second, none when they are zero.
#[must_use]
pub fn rest_date(moment: DateTime<Utc>) -> String {
    let digits = moment.timestamp_subsec_micros();
    if digits == 0 {
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

fn date(moment: Option<NaiveDateTime>) -> Value {
    moment.map_or(Value::Null, |moment| rest_date(moment.and_utc()).into())
}

/// A day as Django's English DATE_FORMAT writes it: `Jan. 1, 2020`, `July 17, 2015`.
#[must_use]
pub fn django_date(moment: DateTime<Utc>) -> String {
    const MONTHS: [&str; 12] = [
        "Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.",
        "Dec.",
    ];
    let month = MONTHS.get(moment.month0() as usize).unwrap_or(&"");
    format!("{month} {}, {}", moment.day(), moment.year())
}

/// `start_type` and `start_display`.
fn start_words(overview: &CourseOverview) -> (&'static str, Option<String>) {
    if let Some(words) = overview
        .advertised_start
        .as_deref()
        .filter(|words| !words.is_empty())
    {
        return ("string", Some(words.to_owned()));
    }
    match overview.start.map(|start| start.and_utc()) {
        Some(start) if start.timestamp() != DEFAULT_START => {
            ("timestamp", Some(django_date(start)))
        }
        _ => ("empty", None),
    }
}

/// Where a client reaches us, for absolute addresses.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// `http://host`, without a slash at its end.
    pub base: &'a str,
}

impl Links<'_> {
    fn absolute(self, url: &str) -> String {
        if url.starts_with('/') && !url.starts_with("//") {
            format!("{}{url}", self.base)
        } else {
            url.to_owned()
        }
    }
}

/// Percent-encoding of a query value as Python's `quote_plus` writes it for keys.
fn quoted(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// An item of the courses API (lms-api.md §3.1).
#[must_use]
pub fn item(
    overview: &CourseOverview,
    image: Option<&(String, String)>,
    links: Links<'_>,
) -> Map<String, Value> {
    let raw = &overview.course_image_url;
    let sized = |url: Option<&String>| match url.filter(|url| !url.is_empty()) {
        Some(url) => links.absolute(url),
        None => links.absolute(raw),
    };
    let hidden = matches!(
        overview.catalog_visibility.as_deref(),
        Some("about" | "none")
    );
    let (start_type, start_display) = start_words(overview);
    let blocks_url = format!(
        "{}/api/courses/v2/blocks/?course_id={}",
        links.base,
        quoted(&overview.id)
    );
    let item = json!({
        "blocks_url": blocks_url,
        "effort": overview.effort,
        "end": date(overview.end),
        "enrollment_start": date(overview.enrollment_start),
        "enrollment_end": date(overview.enrollment_end),
        "id": overview.id,
        "media": {
            "banner_image": {
                "uri": overview.banner_image_url,
                "uri_absolute": links.absolute(&overview.banner_image_url),
            },
            "course_image": {"uri": raw},
            "course_video": {"uri": overview.course_video_url},
            "image": {
                "raw": links.absolute(raw),
                "small": sized(image.map(|(small, _)| small)),
                "large": sized(image.map(|(_, large)| large)),
            },
        },
        "name": overview.display_name,
        "number": overview.display_number_with_default,
        "org": overview.display_org_with_default,
        "short_description": overview.short_description,
        "start": date(overview.start),
        "start_display": start_display,
        "start_type": start_type,
        "pacing": if overview.self_paced { "self" } else { "instructor" },
        "mobile_available": overview.mobile_available,
        "hidden": hidden,
        "invitation_only": overview.invitation_only,
        "course_id": overview.id,
    });
    match item {
        Value::Object(item) => item,
        _ => Map::new(),
    }
}

/// What a course's detail adds: its about text, and the day of its certificates where they are made by themselves
/// and authors set the pace (lms-api.md §3.2).
pub async fn add_detail(
    item: &mut Map<String, Value>,
    overview: &CourseOverview,
    auto_certificates: bool,
    store: &ModuleStore,
) -> Result<()> {
    let text = match CourseKey::parse(&overview.id) {
        Ok(key) => about(store, &key, "overview").await?,
        Err(_) => None,
    };
    item.insert("overview".into(), text.into());
    if auto_certificates && !overview.self_paced {
        item.insert(
            "certificate_available_date".into(),
            date(overview.certificate_available_date),
        );
    }
    Ok(())
}

/// The text of an about block of the published course.
pub async fn about(store: &ModuleStore, course: &CourseKey, name: &str) -> Result<Option<String>> {
    let Some(snapshot) = store.snapshot(course, Branch::Published).await? else {
        return Ok(None);
    };
    let Some(idx) = snapshot.find(&course_model::BlockKey::new("about", name)) else {
        return Ok(None);
    };
    let content = store.definition(&snapshot, idx).await?;
    Ok(content
        .get("data")
        .and_then(Value::as_str)
        .map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lms-api.md §3.1: start words, visibility, addresses.
    #[test]
    fn items() {
        let start = |text: &str| text.parse::<DateTime<Utc>>().unwrap().naive_utc();
        let mut overview = CourseOverview {
            id: "course-v1:A+B+C".into(),
            start: Some(start("2030-01-01T00:00:00Z")),
            catalog_visibility: Some("about".into()),
            course_image_url: "/a.png".into(),
            ..CourseOverview::default()
        };
        let links = Links {
            base: "http://lms.example",
        };
        let made = item(&overview, None, links);
        assert_eq!(made["start_type"], "empty");
        assert_eq!(made["start_display"], Value::Null);
        assert_eq!(made["hidden"], true);
        assert_eq!(made["media"]["image"]["small"], "http://lms.example/a.png");
        assert_eq!(
            made["blocks_url"],
            "http://lms.example/api/courses/v2/blocks/?course_id=course-v1%3AA%2BB%2BC"
        );
        overview.start = Some(start("2026-09-05T10:00:00.5Z"));
        let made = item(&overview, None, links);
        assert_eq!(made["start_display"], "Sept. 5, 2026");
        assert_eq!(made["start"], "2026-09-05T10:00:00.500000Z");
        overview.advertised_start = Some("Autumn".into());
        assert_eq!(item(&overview, None, links)["start_type"], "string");
    }
}
