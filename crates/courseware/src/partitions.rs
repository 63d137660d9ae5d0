//! User partitions and the groups that a learner is in (courseware.md §7.3).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use course_model::CourseSnapshot;
use db::Db;
use serde_json::Value;

use crate::Result;
use crate::learner::{Learner, Masquerade, modes};

/// Id of the partition by enrollment mode.
pub const ENROLLMENT_TRACK: i64 = 50;
/// Id of the partition that closes graded blocks to audit learners.
pub const CONTENT_TYPE_GATE: i64 = 51;
/// Group of the content gate that is kept out.
pub const LIMITED_ACCESS: i64 = 1;
/// Group of the content gate that sees everything.
pub const FULL_ACCESS: i64 = 2;

/// Ids of the groups of [`ENROLLMENT_TRACK`] by mode.
const TRACK_GROUPS: &[(&str, i64)] = &[
    ("audit", 1),
    ("verified", 2),
    ("professional", 3),
    ("no-id-professional", 4),
    ("credit", 5),
    ("honor", 6),
    ("masters", 7),
    ("executive-education", 8),
    ("unpaid-executive-education", 9),
    ("paid-executive-education", 10),
    ("paid-bootcamp", 11),
    ("unpaid-bootcamp", 12),
];

/// A group of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Id within the partition.
    pub id: i64,
    /// Name.
    pub name: String,
}

/// How learners come into groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// By the content group of their cohort.
    Cohort,
    /// Drawn once.
    Random,
    /// By their mode.
    EnrollmentTrack,
    /// Audit learners are kept out of graded blocks.
    ContentTypeGate,
    /// One that we do not know; nobody is in any group.
    Other(String),
}

/// A way of dividing learners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Id in the course.
    pub id: i64,
    /// Name.
    pub name: String,
    /// How learners come into groups.
    pub scheme: Scheme,
    /// Groups.
    pub groups: Vec<Group>,
    /// Inactive partitions restrict nobody.
    pub active: bool,
}

impl Partition {
    /// A group by id.
    #[must_use]
    pub fn group(&self, id: i64) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let groups = value.get("groups").and_then(Value::as_array);
        let scheme = match text("scheme").unwrap_or("random") {
            "cohort" => Scheme::Cohort,
            "random" => Scheme::Random,
            "enrollment_track" => Scheme::EnrollmentTrack,
            "content_type_gate" => Scheme::ContentTypeGate,
            other => Scheme::Other(other.to_owned()),
        };
        Some(Self {
            id: value.get("id").and_then(Value::as_i64)?,
            name: text("name").unwrap_or_default().to_owned(),
            scheme,
            groups: groups
                .into_iter()
                .flatten()
                .filter_map(|group| {
                    Some(Group {
                        id: group.get("id").and_then(Value::as_i64)?,
                        name: group
                            .get("name")
                            .and_then(Value::as_str)
                            .unwrap_or_default()
                            .to_owned(),
                    })
                })
                .collect(),
            active: value.get("active").and_then(Value::as_bool).unwrap_or(true),
        })
    }
}

/// The partitions of a course: the authored ones and the two that every course can have.
#[must_use]
pub fn of_course(course: &CourseSnapshot, learner: &Learner, now: DateTime<Utc>) -> Vec<Partition> {
    let authored = course.course().field("user_partitions");
    let mut partitions: Vec<Partition> = authored
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Partition::read)
        .collect();
    let has = |partitions: &[Partition], id| partitions.iter().any(|one| one.id == id);
    if !has(&partitions, ENROLLMENT_TRACK) {
        let groups = learner.modes.iter().filter_map(|mode| {
            let id = track_group(&mode.slug)?;
            let name = mode.name.clone();
            (mode.slug != modes::CREDIT).then_some(Group { id, name })
        });
        partitions.push(Partition {
            id: ENROLLMENT_TRACK,
            name: "Enrollment Track Groups".into(),
            scheme: Scheme::EnrollmentTrack,
            groups: groups.collect(),
            active: true,
        });
    }
    if learner.content_gating.at(now) && !has(&partitions, CONTENT_TYPE_GATE) {
        let group = |id, name: &str| Group {
            id,
            name: name.into(),
        };
        partitions.push(Partition {
            id: CONTENT_TYPE_GATE,
            name: "Feature-based Enrollments".into(),
            scheme: Scheme::ContentTypeGate,
            groups: vec![
                group(LIMITED_ACCESS, "Limited-access Users"),
                group(FULL_ACCESS, "Full-access Users"),
            ],
            active: true,
        });
    }
    partitions
}

fn track_group(mode: &str) -> Option<i64> {
    TRACK_GROUPS
        .iter()
        .find(|(slug, _)| *slug == mode)
        .map(|(_, id)| *id)
}

/// The partitions of a course with the group that the learner has in each.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    partitions: Vec<Partition>,
    chosen: BTreeMap<i64, i64>,
    /// Groups that were drawn now and are not stored yet.
    drawn: Vec<(i64, i64)>,
}

/// Key of the note that holds a drawn group.
#[must_use]
pub fn tag_of(partition: i64) -> String {
    format!("xblock.partition_service.partition_{partition}")
}

impl Groups {
    /// Decides the learner's group in every active partition. Random ones that have no stored group are drawn;
    /// store them with [`Groups::save_drawn`].
    #[must_use]
    pub fn decide(course: &CourseSnapshot, learner: &Learner, now: DateTime<Utc>) -> Self {
        let mut groups = Self {
            partitions: of_course(course, learner, now),
            ..Self::default()
        };
        for partition in groups.partitions.iter().filter(|one| one.active) {
            let stored = group_of(partition, learner, now);
            let chosen = match (stored, &partition.scheme) {
                (None, Scheme::Random) => {
                    let id = draw(&partition.groups);
                    groups.drawn.extend(id.map(|id| (partition.id, id)));
                    id
                }
                (stored, _) => stored,
            };
            if let Some(id) = chosen {
                groups.chosen.insert(partition.id, id);
            }
        }
        groups
    }

    /// All partitions.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// A partition by id.
    #[must_use]
    pub fn partition(&self, id: i64) -> Option<&Partition> {
        self.partitions.iter().find(|one| one.id == id)
    }

    /// The learner's group in a partition.
    #[must_use]
    pub fn of(&self, partition: i64) -> Option<i64> {
        self.chosen.get(&partition).copied()
    }

    /// Stores groups that were drawn; anonymous visitors keep none (courseware.md §7.4). No statement when nothing
    /// was drawn.
    pub async fn save_drawn(&mut self, db: &Db, learner: &Learner) -> Result<()> {
        let drawn = std::mem::take(&mut self.drawn);
        let Some(user_id) = learner.user_id().filter(|_| !drawn.is_empty()) else {
            return Ok(());
        };
        let drawn = &drawn;
        db.write(|mut tx| async move {
            for (partition, group) in drawn {
                let (key, value) = (tag_of(*partition), group.to_string());
                records::preferences::set_course_tag(
                    &mut tx,
                    user_id,
                    &learner.course,
                    &key,
                    &value,
                )
                .await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
        Ok(())
    }
}

/// The group that facts and stored notes give.
fn group_of(partition: &Partition, learner: &Learner, now: DateTime<Utc>) -> Option<i64> {
    if let Some(Masquerade::Student {
        group: Some((id, group)),
    }) = learner.masquerade
        && id == partition.id
    {
        return Some(group);
    }
    match &partition.scheme {
        Scheme::Cohort => {
            if !learner.is_cohorted {
                return None;
            }
            let (id, group) = learner.cohort.as_ref()?.content_group?;
            (id == partition.id && partition.group(group).is_some()).then_some(group)
        }
        Scheme::Random => {
            let stored = learner.tags.get(&tag_of(partition.id))?;
            let group = stored.trim().parse().ok()?;
            partition.group(group).map(|group| group.id)
        }
        Scheme::EnrollmentTrack => {
            let enrollment = learner.active_enrollment()?;
            let mode = match enrollment.mode.as_str() {
                modes::CREDIT => modes::VERIFIED,
                mode if learner.mode(mode).is_some() => mode,
                _ => modes::AUDIT,
            };
            track_group(mode)
        }
        Scheme::ContentTypeGate => Some(gate_group(learner, now)),
        Scheme::Other(_) => None,
    }
}

/// Whether the gate keeps a learner out (courseware.md §7.3, "Content gating").
fn gate_group(learner: &Learner, now: DateTime<Utc>) -> i64 {
    let since = learner
        .active_enrollment()
        .map_or(now, |place| place.created.unwrap_or(now));
    let limited = learner.content_gating.at(since)
        && !learner.gating_excluded
        && learner.is_upgradable()
        && (learner.is_masquerading_as_student()
            || !learner.roles.has_any_team_role(&learner.course));
    if limited { LIMITED_ACCESS } else { FULL_ACCESS }
}

/// A fair draw, made once per learner and then stored.
fn draw(groups: &[Group]) -> Option<i64> {
    groups
        .get(crate::random::below(groups.len()))
        .map(|group| group.id)
}
