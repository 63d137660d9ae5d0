//! The learning-sequence outline as one person sees it (courseware.md §8.3).
//!
//! What a version lists is a pure function of it, so that nothing is read for it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use course_model::BlockRef;
use records::learning_sequences::{Outline, Sequence};
use serde_json::{Map, Value, json};

use crate::access::early_start;
use crate::catalog::rest_date;
use crate::learner::flags;
use crate::partitions::{Groups, Scheme};
use crate::view::CourseView;

/// A sequence as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSequence {
    /// Text of the usage key.
    pub usage_key: String,
    /// Title.
    pub title: String,
    /// Whether it opens.
    pub accessible: bool,
    /// Whether it closes when it is due.
    pub inaccessible_after_due: bool,
    /// Own start.
    pub start: Option<DateTime<Utc>>,
    /// Latest start of course, section and sequence.
    pub effective_start: Option<DateTime<Utc>>,
    /// When it is due.
    pub due: Option<DateTime<Utc>>,
}

/// A section as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSection {
    /// Text of the usage key.
    pub usage_key: String,
    /// Title.
    pub title: String,
    /// Own start.
    pub start: Option<DateTime<Utc>>,
    /// Latest start of course and section.
    pub effective_start: Option<DateTime<Utc>>,
    /// Sequences in order.
    pub sequences: Vec<SeenSequence>,
}

/// The outline as one person sees it. Sections without a sequence are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenOutline {
    /// Start of the course for the person.
    pub course_start: Option<DateTime<Utc>>,
    /// End of the course.
    pub course_end: Option<DateTime<Utc>>,
    /// Sections in order.
    pub sections: Vec<SeenSection>,
}

impl SeenOutline {
    /// Keys of its sections.
    #[must_use]
    pub fn section_keys(&self) -> HashSet<&str> {
        self.sections
            .iter()
            .map(|section| section.usage_key.as_str())
            .collect()
    }

    /// Sequences of all sections.
    pub fn sequences(&self) -> impl Iterator<Item = &SeenSequence> {
        self.sections.iter().flat_map(|section| &section.sequences)
    }
}

/// The decisions about one person.
struct Judge<'a> {
    view: &'a CourseView,
    self_paced: bool,
    staff: bool,
    listed_for_all: bool,
}

impl Judge<'_> {
    fn block(&self, key: &str) -> Option<BlockRef<'_>> {
        self.view.find(&opaque_keys::UsageKey::parse(key).ok()?)
    }

    /// A date that publishing extracts: of any block in courses with fixed dates, of the course alone in self-paced
    /// ones (courseware.md §6); the learner's own goes first.
    fn date(&self, key: &str, field: &str) -> Option<DateTime<Utc>> {
        let view = self.view;
        let own = view.learner.date(key, field, view.facts.end);
        own.or_else(|| {
            let block = self.block(key).filter(|_| !self.self_paced)?;
            block.own_date(field)
        })
    }

    fn shifted(&self, start: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let beta = self
            .view
            .learner
            .roles
            .is_beta_tester(&self.view.learner.course);
        start.map(|start| {
            if beta {
                early_start(start, self.view.facts.days_early_for_beta)
            } else {
                start
            }
        })
    }

    fn is_excluded(&self, groups: &[(i64, i64)]) -> bool {
        let mine: &Groups = &self.view.groups;
        mine.partitions()
            .iter()
            .filter(|partition| {
                partition.active
                    && matches!(partition.scheme, Scheme::Cohort | Scheme::EnrollmentTrack)
            })
            .any(|partition| {
                let mut allowed = groups
                    .iter()
                    .filter(|(id, _)| *id == partition.id)
                    .map(|(_, group)| *group)
                    .peekable();
                allowed.peek().is_some()
                    && mine
                        .of(partition.id)
                        .is_none_or(|group| !allowed.any(|one| one == group))
            })
    }

    fn has_started(&self, start: Option<DateTime<Utc>>) -> bool {
        start.is_none_or(|start| start <= self.view.now)
    }

    fn is_closed(&self, sequence: &Sequence, due: Option<DateTime<Utc>>) -> bool {
        let due = if self.self_paced {
            self.view.facts.end
        } else {
            due
        };
        sequence.inaccessible_after_due && due.is_some_and(|due| due < self.view.now)
    }
}

/// The outline as the view's person sees it.
#[must_use]
pub fn of_view(view: &CourseView, outline: &Outline) -> SeenOutline {
    let learner = &view.learner;
    let public = learner.flag(flags::ANONYMOUS_COURSEWARE);
    let judge = Judge {
        view,
        self_paced: outline.self_paced,
        staff: learner.is_staff(),
        listed_for_all: public
            && matches!(
                view.facts.course_visibility.as_str(),
                "public" | "public_outline"
            ),
    };
    let course_start = judge.shifted(view.course.course().own_date("start"));
    let mut seen = SeenOutline {
        course_start,
        course_end: view.facts.end,
        sections: Vec::new(),
    };
    let outside = !learner.is_enrolled() && !judge.staff;
    if outside && !judge.listed_for_all {
        return seen;
    }
    let open = course_start.is_some_and(|start| start <= view.now)
        && !(outside && view.facts.course_visibility == "public_outline");
    let exams = &learner.milestones.entrance_exams;
    for section in &outline.sections {
        let hidden = section.visible_to_staff_only
            || section.hide_from_toc
            || judge.is_excluded(&section.user_partition_groups);
        if hidden && !judge.staff {
            continue;
        }
        let start = judge.shifted(judge.date(&section.usage_key, "start"));
        let effective_start = course_start.max(start);
        let section_open = open
            && judge.has_started(start)
            && (exams.is_empty() || exams.contains(&section.usage_key));
        let mut sequences = Vec::new();
        for sequence in &section.sequences {
            let hidden = sequence.visible_to_staff_only
                || sequence.hide_from_toc
                || judge.is_excluded(&sequence.user_partition_groups);
            if hidden && !judge.staff {
                continue;
            }
            let start = judge.shifted(judge.date(&sequence.usage_key, "start"));
            let due = judge.date(&sequence.usage_key, "due");
            let accessible = judge.staff
                || (section_open
                    && judge.has_started(start)
                    && !judge.is_closed(sequence, due)
                    && !learner.milestones.gated.contains(&sequence.usage_key));
            sequences.push(SeenSequence {
                usage_key: sequence.usage_key.clone(),
                title: sequence.title.clone(),
                accessible,
                inaccessible_after_due: sequence.inaccessible_after_due,
                start,
                effective_start: effective_start.max(start),
                due,
            });
        }
        if !sequences.is_empty() {
            seen.sections.push(SeenSection {
                usage_key: section.usage_key.clone(),
                title: section.title.clone(),
                start,
                effective_start,
                sequences,
            });
        }
    }
    seen
}

/// The answer of `GET /api/learning_sequences/v1/course_outline/C`.
#[must_use]
pub fn to_json(view: &CourseView, outline: &Outline, seen: &SeenOutline, exams: bool) -> Value {
    let date = |moment: Option<DateTime<Utc>>| moment.map(rest_date);
    let sections: Vec<Value> = seen
        .sections
        .iter()
        .map(|section| {
            let ids: Vec<&str> = section
                .sequences
                .iter()
                .map(|sequence| sequence.usage_key.as_str())
                .collect();
            json!({
                "id": section.usage_key,
                "title": section.title,
                "sequence_ids": ids,
                "start": date(section.start),
                "effective_start": date(section.effective_start),
            })
        })
        .collect();
    let sequences: Map<String, Value> = seen
        .sequences()
        .map(|sequence| {
            let mut out = json!({
                "id": sequence.usage_key,
                "title": sequence.title,
                "accessible": sequence.accessible,
                "inaccessible_after_due": sequence.inaccessible_after_due,
                "start": date(sequence.start),
                "effective_start": date(sequence.effective_start),
                "due": date(sequence.due),
            });
            if let Some(out) = out.as_object_mut().filter(|_| exams) {
                out.insert("exam".into(), json!({}));
            }
            (sequence.usage_key.clone(), out)
        })
        .collect();
    json!({
        "course_key": view.facts.key.to_string(),
        "course_start": date(seen.course_start),
        "course_end": date(seen.course_end),
        "title": outline.title,
        "published_at": rest_date(outline.published_at.and_utc()),
        "published_version": outline.published_version,
        "entrance_exam_id": outline.entrance_exam_id,
        "days_early_for_beta": outline.days_early_for_beta,
        "self_paced": outline.self_paced,
        "username": view.learner.viewer.username,
        "user_id": view.learner.user_id(),
        "at_time": rest_date(view.now),
        "outline": {"sections": sections, "sequences": sequences},
    })
}
