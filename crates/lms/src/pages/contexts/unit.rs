//! The unit page (`/learning/course/{key}/{sequence}/{unit}`).

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::{PageContext, PagePolicy};

use super::{CourseFrame, Mark, sample_moment};

/// A unit in its subsection.
#[derive(Debug, Clone, Serialize)]
pub struct UnitPage {
    /// The course around it.
    pub course: CourseFrame,
    /// From the course down to the subsection; the last one is where we are.
    pub crumbs: Vec<Crumb>,
    /// Title of the section, above the rail.
    pub section_title: String,
    /// Address of the section in the outline.
    pub section_url: String,
    /// Subsections of the section; the current one lists its units.
    pub rail: Vec<RailItem>,
    /// Title of the subsection.
    pub subsection_title: String,
    /// Usage key of the subsection.
    pub subsection_key: String,
    /// Units of the subsection.
    pub units: Vec<UnitLink>,
    /// The unit before, maybe of another subsection.
    pub previous: Option<Turn>,
    /// The unit after, maybe of another subsection.
    pub next: Option<Turn>,
    /// The unit itself; `None` when `gate` says why it is not shown, or the subsection is empty.
    pub unit: Option<UnitView>,
    /// Why the content is not shown.
    pub gate: Option<Gate>,
}

/// A step of the path.
#[derive(Debug, Clone, Serialize)]
pub struct Crumb {
    /// Title.
    pub title: String,
    /// Address; `None` for the last.
    pub url: Option<String>,
}

/// A subsection in the rail.
#[derive(Debug, Clone, Serialize)]
pub struct RailItem {
    /// Title.
    pub title: String,
    /// Address.
    pub url: String,
    /// How far it is.
    pub mark: Mark,
    /// Whether it is the one shown; then it lists the page's units.
    pub is_current: bool,
}

/// A unit of the subsection.
#[derive(Debug, Clone, Serialize)]
pub struct UnitLink {
    /// Title.
    pub title: String,
    /// Address.
    pub url: String,
    /// Usage key.
    pub key: String,
    /// Icon by content: `text`, `video`, `problem`, `talk` or `other` (courseware.md §11).
    pub kind: &'static str,
    /// Whether all of it is complete.
    pub is_done: bool,
    /// Whether it is the one shown.
    pub is_current: bool,
    /// Whether the learner bookmarked it.
    pub is_bookmarked: bool,
}

/// A neighbour.
#[derive(Debug, Clone, Serialize)]
pub struct Turn {
    /// Title of the unit or subsection.
    pub title: String,
    /// Address.
    pub url: String,
}

/// Why a unit is not shown.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gate {
    /// It opens later.
    NotStarted {
        /// When.
        opens: Option<DateTime<Utc>>,
    },
    /// Hidden because its due date has passed.
    PastDue,
    /// Another subsection must be passed first.
    Prerequisite {
        /// Its title.
        title: String,
        /// Its address.
        url: String,
    },
    /// A timed exam that the platform does not run yet.
    Exam,
    /// The subsection holds nothing that this person may see.
    Empty,
}

/// The content.
#[derive(Debug, Clone, Serialize)]
pub struct UnitView {
    /// Usage key.
    pub key: String,
    /// Display name.
    pub title: String,
    /// Whether the learner bookmarked it; `None` for people who cannot.
    pub is_bookmarked: Option<bool>,
    /// Effective due date, when the unit holds assignments.
    pub due: Option<DateTime<Utc>>,
    /// Assignment type for the due line.
    pub format: Option<String>,
    /// The blocks in order.
    pub blocks: Vec<BlockSlot>,
    /// What scripts the content needs; see [`crate::pages::blocks::needs`].
    pub needs: crate::pages::blocks::Needs,
}

/// A block of the unit, made by the server.
#[derive(Debug, Clone, Serialize)]
pub struct BlockSlot {
    /// Usage key.
    pub key: String,
    /// Block type.
    pub block_type: String,
    /// The whole `div.xblock` with its content in place; see [`crate::pages::blocks::prepare`].
    pub html: String,
    /// Whether answers can be sent by a plain form (problems): then the block stands in one that posts to this page
    /// with `stoa_usage` and `stoa_action`.
    pub is_form: bool,
}

impl UnitPage {
    fn sample(kinds: &[(&'static str, &str, String)]) -> Self {
        let base = "/learning/course/course-v1:HarbourX+TID101+2027_T1/block-v1:HarbourX+TID101+2027_T1+type@sequential+block@s";
        let unit_key =
            |id: &str| format!("block-v1:HarbourX+TID101+2027_T1+type@vertical+block@{id}");
        let links = [
            "Before you read",
            "The Moon overhead",
            "Two bulges, one ocean",
            "Fifty minutes",
        ];
        let units = links
            .iter()
            .enumerate()
            .zip(["text", "video", "problem", "other"])
            .map(|((index, title), kind)| UnitLink {
                title: (*title).to_owned(),
                url: format!("{base}/{}", unit_key(&format!("u{index}"))),
                key: unit_key(&format!("u{index}")),
                kind,
                is_done: index < 2,
                is_current: index == 2,
                is_bookmarked: index == 1,
            })
            .collect();
        let turn = |title: &str, id: &str| Turn {
            title: title.to_owned(),
            url: format!("{base}/{}", unit_key(id)),
        };
        let rail = [
            ("What pulls, and how hard", Mark::Done),
            ("Why two high waters a day", Mark::Part),
        ]
        .into_iter()
        .map(|(title, mark)| RailItem {
            title: title.to_owned(),
            url: base.to_owned(),
            mark,
            is_current: mark == Mark::Part,
        })
        .collect();
        let blocks: Vec<BlockSlot> = kinds
            .iter()
            .map(|(block_type, id, html)| BlockSlot {
                key: format!("block-v1:HarbourX+TID101+2027_T1+type@{block_type}+block@{id}"),
                block_type: (*block_type).to_owned(),
                html: crate::pages::blocks::prepare(html, &web_kit::Locale::english()),
                is_form: *block_type == "problem",
            })
            .collect();
        let needs = crate::pages::blocks::needs(blocks.iter().map(|block| block.html.as_str()));
        let home = CourseFrame::sample().home_url;
        Self {
            course: CourseFrame::sample(),
            crumbs: vec![
                Crumb {
                    title: "Course".to_owned(),
                    url: Some(home.clone()),
                },
                Crumb {
                    title: "The Moon’s pull".to_owned(),
                    url: Some(format!("{home}#s2")),
                },
                Crumb {
                    title: "Why two high waters a day".to_owned(),
                    url: None,
                },
            ],
            section_title: "The Moon’s pull, and the Earth’s turn".to_owned(),
            section_url: format!("{home}#s2"),
            rail,
            subsection_title: "Why two high waters a day".to_owned(),
            subsection_key: "block-v1:HarbourX+TID101+2027_T1+type@sequential+block@s".to_owned(),
            units,
            previous: Some(turn("The Moon overhead", "u1")),
            next: Some(turn("Fifty minutes", "u3")),
            unit: Some(UnitView {
                key: unit_key("u2"),
                title: "Two bulges, one <ocean>".to_owned(),
                is_bookmarked: Some(true),
                due: Some(sample_moment(23, 22)),
                format: Some("Homework".to_owned()),
                blocks,
                needs,
            }),
            gate: None,
        }
    }
}

impl PageContext for UnitPage {
    const TEMPLATE: &'static str = "unit.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::AuthorContent
    }

    fn samples() -> Vec<Self> {
        let full = Self::sample(&super::super::blocks::samples::blocks());
        let closed = |gate| Self {
            unit: None,
            gate: Some(gate),
            previous: None,
            next: None,
            course: CourseFrame::staff_sample(),
            ..full.clone()
        };
        let plain = Self::sample(&[("html", "h", "<p>Only text.</p>".to_owned())]);
        vec![
            closed(Gate::NotStarted {
                opens: Some(sample_moment(26, 8)),
            }),
            closed(Gate::NotStarted { opens: None }),
            closed(Gate::PastDue),
            closed(Gate::Exam),
            closed(Gate::Empty),
            closed(Gate::Prerequisite {
                title: "Lab 1".to_owned(),
                url: "/x".to_owned(),
            }),
            plain,
            full,
        ]
    }
}
