//! The course grade.

use indexmap::IndexMap;
use serde::Serialize;

use crate::policy::{AssignmentGrader, GradingPolicy};
use crate::python;
use crate::scores::{round_away_from_zero, subsection_percent};

/// Most entries that one assignment type lists. A policy that asks for more is cut here: entries that nobody
/// can have done would only fill memory.
const MAX_ENTRIES: usize = 10_000;

/// A learner's score in one subsection, graded points only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subsection<'a> {
    /// The assignment type.
    pub format: &'a str,
    /// Whether the subsection counts.
    pub graded: bool,
    /// Its name.
    pub display_name: &'a str,
    /// Graded points earned.
    pub earned: f64,
    /// Graded points possible.
    pub possible: f64,
}

/// Why an entry is marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// The sentence to show.
    pub detail: String,
}

/// An entry of the breakdown by subsection, in the form of the API.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SectionScore {
    /// Percent of the entry, 0 to 1.
    pub percent: f64,
    /// Short name.
    pub label: String,
    /// Sentence.
    pub detail: String,
    /// Category of its assignment type.
    pub category: String,
    /// Set on averages, and on the entry of a type that has only one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prominent: bool,
    /// Set on dropped entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// What an assignment type adds to the course grade.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryGrade {
    /// Weighted percent, 0 to 1.
    pub percent: f64,
    /// Sentence.
    pub detail: String,
    /// The category.
    pub category: String,
}

/// A course grade.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CourseGrade {
    /// Percent, rounded as it is stored and compared, 0 to 1.
    pub percent: f64,
    /// Percent before that.
    pub unrounded_percent: f64,
    /// Letter, if any cut-off is reached.
    pub letter_grade: Option<String>,
    /// Whether it passes; nothing when no cut-off exceeds zero.
    pub passed: Option<bool>,
    /// Entries of all assignment types in order.
    pub section_breakdown: Vec<SectionScore>,
    /// What each category adds, in order of the policy; of two types in one category the last.
    pub grade_breakdown: IndexMap<String, CategoryGrade>,
}

/// The final rounding of a course's percent (0 to 1): to whole percents, .xx45 upwards.
#[must_use]
pub fn course_percent(percent: f64) -> f64 {
    round_away_from_zero(percent * 100.0 + 0.05, 0) / 100.0
}

/// Grades a course from its subsections in course order (async-and-events.md §8.2).
#[must_use]
pub fn grade_course(policy: &GradingPolicy, subsections: &[Subsection<'_>]) -> CourseGrade {
    let mut total = 0.0;
    let mut section_breakdown = Vec::new();
    let mut grade_breakdown = IndexMap::new();
    for grader in &policy.graders {
        let counted: Vec<&Subsection<'_>> = subsections
            .iter()
            .filter(|s| s.graded && s.possible > 0.0 && s.format == grader.assignment_type)
            .collect();
        let (percent, entries) = grade_type(grader, &counted);
        let weighted = percent * grader.weight;
        total += weighted;
        section_breakdown.extend(entries);
        grade_breakdown.insert(
            grader.category.clone(),
            CategoryGrade {
                percent: weighted,
                detail: format!(
                    "{} = {} of a possible {}",
                    grader.category,
                    python::percent(weighted),
                    python::percent(grader.weight)
                ),
                category: grader.category.clone(),
            },
        );
    }
    let percent = course_percent(total);
    CourseGrade {
        percent,
        unrounded_percent: total,
        letter_grade: policy.cutoffs.letter_grade(percent).map(str::to_owned),
        passed: policy.cutoffs.passed(percent),
        section_breakdown,
        grade_breakdown,
    }
}

/// The average of one assignment type, and its entries.
fn grade_type(grader: &AssignmentGrader, counted: &[&Subsection<'_>]) -> (f64, Vec<SectionScore>) {
    let wanted = usize::try_from(grader.min_count)
        .unwrap_or(0)
        .min(MAX_ENTRIES);
    let mut entries: Vec<SectionScore> = (0..wanted.max(counted.len()))
        .map(|position| entry(grader, position, counted.get(position).copied()))
        .collect();
    let (average, dropped) = average_with_drops(&entries, grader.drop_count);
    if entries.len() == 1 {
        let only = SectionScore {
            percent: average,
            label: grader.short_label.clone(),
            detail: format!("{} = {}", grader.section_type, python::percent(average)),
            category: grader.category.clone(),
            prominent: true,
            mark: None,
        };
        return (average, vec![only]);
    }
    for position in dropped {
        if let Some(entry) = entries.get_mut(position) {
            entry.mark = Some(Mark {
                detail: format!(
                    "The lowest {} {} scores are dropped.",
                    grader.drop_count, grader.section_type
                ),
            });
        }
    }
    if grader.show_only_average {
        entries.clear();
    }
    if !grader.hide_average {
        entries.push(SectionScore {
            percent: average,
            label: format!("{} Avg", grader.short_label),
            detail: format!(
                "{} Average = {}",
                grader.section_type,
                python::percent(average)
            ),
            category: grader.category.clone(),
            prominent: true,
            mark: None,
        });
    }
    (average, entries)
}

fn entry(
    grader: &AssignmentGrader,
    position: usize,
    subsection: Option<&Subsection<'_>>,
) -> SectionScore {
    let number = grader.starting_index.saturating_add(position as i64);
    let (percent, detail) = match subsection {
        Some(subsection) => {
            let percent = subsection_percent(subsection.earned, subsection.possible);
            let detail = format!(
                "{} {number} - {} - {} ({}/{})",
                grader.section_type,
                subsection.display_name,
                python::percent(percent),
                python::three_digits(subsection.earned),
                python::three_digits(subsection.possible)
            );
            (percent, detail)
        }
        None => (
            0.0,
            format!("{} {number} Unreleased - 0% (?/?)", grader.section_type),
        ),
    };
    SectionScore {
        percent,
        label: format!("{} {number:02}", grader.short_label),
        detail,
        category: grader.category.clone(),
        prominent: false,
        mark: None,
    }
}

/// The average without the lowest entries, and the positions of those: of equal ones the later go first.
fn average_with_drops(entries: &[SectionScore], drop_count: i64) -> (f64, Vec<usize>) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let percent = |position: &usize| entries.get(*position).map_or(0.0, |entry| entry.percent);
    order.sort_by(|a, b| percent(b).total_cmp(&percent(a)));
    let drop = usize::try_from(drop_count).unwrap_or(0).min(entries.len());
    let dropped = order.split_off(entries.len() - drop);
    let mut is_dropped = vec![false; entries.len()];
    for position in &dropped {
        if let Some(flag) = is_dropped.get_mut(*position) {
            *flag = true;
        }
    }
    let mut sum = 0.0;
    for (entry, dropped) in entries.iter().zip(is_dropped) {
        if !dropped {
            sum += entry.percent;
        }
    }
    let kept = (entries.len() as i64).saturating_sub(drop_count);
    if kept > 0 {
        sum /= kept as f64;
    }
    (sum, dropped)
}
