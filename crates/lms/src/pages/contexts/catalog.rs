//! The catalogue.

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::PageContext;

use super::sample_moment;

/// The list of courses, searched and in pages.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CatalogPage {
    /// What was searched; empty for all.
    pub query: String,
    /// Courses of this page.
    pub courses: Vec<CatalogCard>,
    /// Number of courses on all pages.
    pub total: usize,
    /// The pages, when there are several.
    pub pages: Option<Pages>,
}

/// Links between pages of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Pages {
    /// Page shown, from 1.
    pub current: usize,
    /// Number of pages.
    pub count: usize,
    /// Address of the page before.
    pub previous_url: Option<String>,
    /// Address of the page after.
    pub next_url: Option<String>,
}

/// One course of the catalogue.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogCard {
    /// Course key.
    pub key: String,
    /// Organisation as shown.
    pub org: String,
    /// Number as shown.
    pub number: String,
    /// Display name.
    pub title: String,
    /// Plain text.
    pub short_description: String,
    /// Address of the about page.
    pub url: String,
    /// Address of the course image.
    pub image_url: Option<String>,
    /// Start, when it lies ahead.
    pub starts: Option<DateTime<Utc>>,
    /// Whether the viewer is enrolled.
    pub is_enrolled: bool,
}

impl PageContext for CatalogPage {
    const TEMPLATE: &'static str = "catalog.html";

    fn samples() -> Vec<Self> {
        let card = |number: &str, title: &str, starts, is_enrolled| CatalogCard {
            key: format!("course-v1:HarbourX+{number}+2027_T1"),
            org: "HarbourX".to_owned(),
            number: number.to_owned(),
            title: title.to_owned(),
            short_description: "Why the sea rises twice a day & how to predict it.".to_owned(),
            url: format!("/courses/course-v1:HarbourX+{number}+2027_T1/about"),
            image_url: None,
            starts,
            is_enrolled,
        };
        vec![
            Self::default(),
            Self {
                query: "no \"such\" course".to_owned(),
                ..Self::default()
            },
            Self {
                query: "sea".to_owned(),
                courses: vec![
                    card("TID101", "Introduction to Tides", None, true),
                    card(
                        "ECO204",
                        "Ecology of the Salt Marsh",
                        Some(sample_moment(30, 9)),
                        false,
                    ),
                    card("HIS120", "A Short History of Lighthouses", None, false),
                ],
                total: 23,
                pages: Some(Pages {
                    current: 2,
                    count: 3,
                    previous_url: Some("/courses?q=sea".to_owned()),
                    next_url: Some("/courses?q=sea&page=3".to_owned()),
                }),
            },
        ]
    }
}
