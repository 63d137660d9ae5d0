//! The outline of a course as tables: `learning_sequences_…` (courseware.md §8.3).

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, table};

table! {
    /// A course that has an outline.
    LearningContext: "learning_sequences_learningcontext" {
        id: i64,
        context_key: Option<String>,
        title: String,
        published_at: NaiveDateTime,
        published_version: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
    }
}

table! {
    /// A sequence, in whatever section.
    LearningSequence: "learning_sequences_learningsequence" {
        id: i64,
        learning_context_id: i64,
        usage_key: Option<String>,
        title: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
    }
}

table! {
    /// A section of an outline.
    CourseSection: "learning_sequences_coursesection" {
        id: i64,
        ordering: i64,
        usage_key: Option<String>,
        title: String,
        hide_from_toc: bool,
        visible_to_staff_only: bool,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_context_id: i64,
    }
}

table! {
    /// A sequence's place in a section.
    CourseSectionSequence: "learning_sequences_coursesectionsequence" {
        id: i64,
        ordering: i64,
        hide_from_toc: bool,
        visible_to_staff_only: bool,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        section_id: i64,
        sequence_id: i64,
        inaccessible_after_due: bool,
        course_context_id: i64,
    }
}

/// The outline of a course.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// Title of the course.
    pub title: String,
    /// When the version was published.
    pub published_at: NaiveDateTime,
    /// Structure id.
    pub published_version: String,
    /// `private`, `public_outline` or `public`.
    pub course_visibility: String,
    /// Whether learners go at their own pace.
    pub self_paced: bool,
    /// Days by which beta testers come earlier.
    pub days_early_for_beta: Option<i64>,
    /// Usage key of the entrance exam.
    pub entrance_exam_id: Option<String>,
    /// Sections in order.
    pub sections: Vec<Section>,
    /// What is wrong with the content: usage key, if known, and message.
    pub errors: Vec<(Option<String>, String)>,
}

/// A section of an outline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// Text of the usage key.
    pub usage_key: String,
    /// Title.
    pub title: String,
    /// Whether it is kept out of the table of contents.
    pub hide_from_toc: bool,
    /// Whether only staff see it.
    pub visible_to_staff_only: bool,
    /// Partition groups that may see it: partition id and group id. None: everybody.
    pub user_partition_groups: Vec<(i64, i64)>,
    /// Sequences in order.
    pub sequences: Vec<Sequence>,
}

/// A sequence of an outline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sequence {
    /// Text of the usage key.
    pub usage_key: String,
    /// Title.
    pub title: String,
    /// Whether it is kept out of the table of contents.
    pub hide_from_toc: bool,
    /// Whether only staff see it.
    pub visible_to_staff_only: bool,
    /// Whether it closes when it is due.
    pub inaccessible_after_due: bool,
    /// Partition groups that may see it.
    pub user_partition_groups: Vec<(i64, i64)>,
    /// If it is an exam: practice, proctored, timed.
    pub exam: Option<(bool, bool, bool)>,
}

/// Makes this the outline of a course: rows of sections and sequences are reused by usage key.
pub async fn replace(
    tx: &mut Tx,
    course: &CourseKey,
    outline: &Outline,
    now: NaiveDateTime,
) -> Result<()> {
    let context_id = save_context(tx, course, outline, now).await?;
    clear_places(tx, context_id).await?;
    let groups = partition_groups(tx, outline).await?;
    let sections: Vec<CourseSection> = table::find(
        &mut *tx,
        "WHERE course_context_id = ?",
        &params![context_id],
    )
    .await?;
    let sequences: Vec<LearningSequence> = table::find(
        &mut *tx,
        "WHERE learning_context_id = ?",
        &params![context_id],
    )
    .await?;
    let sections_by_key: HashMap<_, _> = sections
        .iter()
        .map(|row| (row.usage_key.as_deref().unwrap_or_default(), row))
        .collect();
    let sequences_by_key: HashMap<_, _> = sequences
        .iter()
        .map(|row| (row.usage_key.as_deref().unwrap_or_default(), row))
        .collect();
    let (mut kept_sections, mut kept_sequences) = (HashSet::new(), HashSet::new());
    let mut ordering = 0;
    for (index, section) in outline.sections.iter().enumerate() {
        let old = sections_by_key.get(section.usage_key.as_str());
        let row = CourseSection {
            id: old.map_or(0, |row| row.id),
            ordering: index as i64,
            usage_key: Some(section.usage_key.clone()),
            title: section.title.clone(),
            hide_from_toc: section.hide_from_toc,
            visible_to_staff_only: section.visible_to_staff_only,
            created: old.map_or(now, |row| row.created),
            modified: now,
            course_context_id: context_id,
        };
        let section_id = put(tx, &row, row.id).await?;
        kept_sections.insert(section_id);
        link_groups(
            tx,
            (
                "learning_sequences_sectionpartitiongroup",
                "course_section_id",
            ),
            section_id,
            &section.user_partition_groups,
            &groups,
        )
        .await?;
        for sequence in &section.sequences {
            let old = sequences_by_key.get(sequence.usage_key.as_str());
            let row = LearningSequence {
                id: old.map_or(0, |row| row.id),
                learning_context_id: context_id,
                usage_key: Some(sequence.usage_key.clone()),
                title: sequence.title.clone(),
                created: old.map_or(now, |row| row.created),
                modified: now,
            };
            let sequence_id = put(tx, &row, row.id).await?;
            kept_sequences.insert(sequence_id);
            let place = CourseSectionSequence {
                id: 0,
                ordering,
                hide_from_toc: sequence.hide_from_toc,
                visible_to_staff_only: sequence.visible_to_staff_only,
                created: now,
                modified: now,
                section_id,
                sequence_id,
                inaccessible_after_due: sequence.inaccessible_after_due,
                course_context_id: context_id,
            };
            ordering += 1;
            let place_id = table::insert(tx, &place).await?;
            link_groups(
                tx,
                (
                    "learning_sequences_sectionsequencepartitiongroup",
                    "course_section_sequence_id",
                ),
                place_id,
                &sequence.user_partition_groups,
                &groups,
            )
            .await?;
            if let Some((practice, proctored, timed)) = sequence.exam {
                let sql = tx.dialect().insert(
                    "learning_sequences_coursesequenceexam",
                    &[
                        "created",
                        "modified",
                        "is_practice_exam",
                        "is_proctored_enabled",
                        "is_time_limited",
                        "course_section_sequence_id",
                    ],
                );
                let params = params![now, now, practice, proctored, timed, place_id];
                tx.execute(&sql, &params).await?;
            }
        }
    }
    for row in sections
        .iter()
        .filter(|row| !kept_sections.contains(&row.id))
    {
        let sql = "DELETE FROM learning_sequences_coursesection WHERE id = ?";
        tx.execute(sql, &params![row.id]).await?;
    }
    for row in sequences
        .iter()
        .filter(|row| !kept_sequences.contains(&row.id))
    {
        let sql = "DELETE FROM learning_sequences_learningsequence WHERE id = ?";
        tx.execute(sql, &params![row.id]).await?;
    }
    save_report(tx, context_id, outline).await
}

async fn put<T: table::Table>(tx: &mut Tx, row: &T, id: i64) -> Result<i64> {
    if id == 0 {
        table::insert(tx, row).await
    } else {
        table::update(tx, row, &["id"]).await.map(|_| id)
    }
}

async fn save_context(
    tx: &mut Tx,
    course: &CourseKey,
    outline: &Outline,
    now: NaiveDateTime,
) -> Result<i64> {
    let context = LearningContext {
        id: 0,
        context_key: Some(course_text(course)),
        title: outline.title.chars().take(255).collect(),
        published_at: outline.published_at,
        published_version: outline.published_version.clone(),
        created: now,
        modified: now,
    };
    table::upsert(tx, &context, &["context_key"], &["created"]).await?;
    let sql = "SELECT id FROM learning_sequences_learningcontext WHERE context_key = ?";
    let id = tx.read_int(sql, &params![course_text(course)]).await?;
    let sql = tx.dialect().upsert_keeping(
        "learning_sequences_coursecontext",
        &["learning_context_id"],
        &[
            "modified",
            "course_visibility",
            "self_paced",
            "days_early_for_beta",
            "entrance_exam_id",
        ],
        &["created"],
    );
    let params = params![
        id,
        now,
        &outline.course_visibility,
        outline.self_paced,
        outline.days_early_for_beta,
        outline.entrance_exam_id.as_deref(),
        now
    ];
    tx.execute(&sql, &params).await?;
    Ok(id)
}

/// Removes what is made anew: places of sequences, exams, links to partition groups.
async fn clear_places(tx: &mut Tx, context_id: i64) -> Result<()> {
    let places = "(SELECT id FROM learning_sequences_coursesectionsequence \
                  WHERE course_context_id = ?)";
    for sql in [
        format!(
            "DELETE FROM learning_sequences_sectionsequencepartitiongroup \
             WHERE course_section_sequence_id IN {places}"
        ),
        format!(
            "DELETE FROM learning_sequences_coursesequenceexam \
             WHERE course_section_sequence_id IN {places}"
        ),
        "DELETE FROM learning_sequences_coursesectionsequence WHERE course_context_id = ?"
            .to_owned(),
        "DELETE FROM learning_sequences_sectionpartitiongroup WHERE course_section_id IN \
         (SELECT id FROM learning_sequences_coursesection WHERE course_context_id = ?)"
            .to_owned(),
    ] {
        tx.execute(&sql, &params![context_id]).await?;
    }
    Ok(())
}

/// Row ids of the partition groups that an outline names, made where missing.
async fn partition_groups(tx: &mut Tx, outline: &Outline) -> Result<HashMap<(i64, i64), i64>> {
    let mut found = HashMap::new();
    // Collected first: a closure that borrows must not live across an await of a task that moves threads.
    let wanted: Vec<(i64, i64)> = outline
        .sections
        .iter()
        .flat_map(|section| {
            section.user_partition_groups.iter().chain(
                section
                    .sequences
                    .iter()
                    .flat_map(|sequence| &sequence.user_partition_groups),
            )
        })
        .copied()
        .collect();
    for (partition_id, group_id) in wanted {
        if found.contains_key(&(partition_id, group_id)) {
            continue;
        }
        let key = params![partition_id, group_id];
        let sql = tx.dialect().insert_ignore(
            "learning_sequences_userpartitiongroup",
            &["partition_id", "group_id"],
        );
        tx.execute(&sql, &key).await?;
        let sql = "SELECT id FROM learning_sequences_userpartitiongroup \
                   WHERE partition_id = ? AND group_id = ?";
        found.insert((partition_id, group_id), tx.read_int(sql, &key).await?);
    }
    Ok(found)
}

async fn link_groups(
    tx: &mut Tx,
    (table, column): (&str, &str),
    owner: i64,
    wanted: &[(i64, i64)],
    groups: &HashMap<(i64, i64), i64>,
) -> Result<()> {
    for id in wanted.iter().filter_map(|key| groups.get(key)) {
        let sql = tx
            .dialect()
            .insert_ignore(table, &[column, "user_partition_group_id"]);
        tx.execute(&sql, &params![owner, *id]).await?;
    }
    Ok(())
}

/// Removes the outline of a course with everything below it.
pub async fn delete(tx: &mut Tx, course: &CourseKey) -> Result<()> {
    let sql = "SELECT id FROM learning_sequences_learningcontext WHERE context_key = ?";
    let Some(row) = tx.read_one(sql, &params![course_text(course)]).await? else {
        return Ok(());
    };
    let id = row.int("id")?;
    clear_places(tx, id).await?;
    for sql in [
        "DELETE FROM learning_sequences_coursesection WHERE course_context_id = ?",
        "DELETE FROM learning_sequences_learningsequence WHERE learning_context_id = ?",
        "DELETE FROM learning_sequences_contenterror WHERE publish_report_id IN \
         (SELECT id FROM learning_sequences_publishreport WHERE learning_context_id = ?)",
        "DELETE FROM learning_sequences_publishreport WHERE learning_context_id = ?",
        "DELETE FROM learning_sequences_coursecontext WHERE learning_context_id = ?",
        "DELETE FROM learning_sequences_learningcontext WHERE id = ?",
    ] {
        tx.execute(sql, &params![id]).await?;
    }
    Ok(())
}

async fn save_report(tx: &mut Tx, context_id: i64, outline: &Outline) -> Result<()> {
    let reports = "(SELECT id FROM learning_sequences_publishreport WHERE learning_context_id = ?)";
    let sql =
        format!("DELETE FROM learning_sequences_contenterror WHERE publish_report_id IN {reports}");
    tx.execute(&sql, &params![context_id]).await?;
    let sql = tx.dialect().upsert(
        "learning_sequences_publishreport",
        &["learning_context_id"],
        &["num_errors", "num_sections", "num_sequences"],
    );
    let sequences: usize = outline
        .sections
        .iter()
        .map(|section| section.sequences.len())
        .sum();
    let params = params![
        context_id,
        outline.errors.len(),
        outline.sections.len(),
        sequences
    ];
    tx.execute(&sql, &params).await?;
    let sql = "SELECT id FROM learning_sequences_publishreport WHERE learning_context_id = ?";
    let report = tx.read_int(sql, &params![context_id]).await?;
    for (usage_key, message) in &outline.errors {
        let sql = tx.dialect().insert(
            "learning_sequences_contenterror",
            &["usage_key", "message", "publish_report_id"],
        );
        tx.execute(&sql, &params![usage_key.as_deref(), message, report])
            .await?;
    }
    Ok(())
}

/// The published version of the outline of a course, if it has one.
pub async fn published_version(from: impl Source, course: &CourseKey) -> Result<Option<String>> {
    let tail = "WHERE context_key = ?";
    let found: Option<LearningContext> =
        table::find_one(from, tail, &params![course_text(course)]).await?;
    Ok(found.map(|context| context.published_version))
}

/// The outline of a course, if it has one.
pub async fn get(db: &db::Db, course: &CourseKey) -> Result<Option<Outline>> {
    let sql = "SELECT l.id, l.title, l.published_at, l.published_version, c.course_visibility, \
               c.self_paced, c.days_early_for_beta, c.entrance_exam_id \
               FROM learning_sequences_learningcontext l \
               JOIN learning_sequences_coursecontext c ON c.learning_context_id = l.id \
               WHERE l.context_key = ?";
    let Some(context) = db.read_one(sql, &params![course_text(course)]).await? else {
        return Ok(None);
    };
    let id = context.int("id")?;
    let mut outline = Outline {
        title: context.text("title")?,
        published_at: context.datetime("published_at")?,
        published_version: context.text("published_version")?,
        course_visibility: context.text("course_visibility")?,
        self_paced: context.bool("self_paced")?,
        days_early_for_beta: context.opt_int("days_early_for_beta")?,
        entrance_exam_id: context.opt_text("entrance_exam_id")?,
        ..Outline::default()
    };
    let section_groups = groups(
        db,
        "SELECT g.course_section_id AS owner, p.partition_id, p.group_id \
         FROM learning_sequences_sectionpartitiongroup g \
         JOIN learning_sequences_userpartitiongroup p ON p.id = g.user_partition_group_id \
         JOIN learning_sequences_coursesection s ON s.id = g.course_section_id \
         WHERE s.course_context_id = ? ORDER BY g.id",
        id,
    )
    .await?;
    let sequence_groups = groups(
        db,
        "SELECT g.course_section_sequence_id AS owner, p.partition_id, p.group_id \
         FROM learning_sequences_sectionsequencepartitiongroup g \
         JOIN learning_sequences_userpartitiongroup p ON p.id = g.user_partition_group_id \
         JOIN learning_sequences_coursesectionsequence s ON s.id = g.course_section_sequence_id \
         WHERE s.course_context_id = ? ORDER BY g.id",
        id,
    )
    .await?;
    let sections: Vec<CourseSection> = table::find(
        db,
        "WHERE course_context_id = ? ORDER BY ordering",
        &params![id],
    )
    .await?;
    let sql = "SELECT p.id, p.section_id, p.hide_from_toc, p.visible_to_staff_only, \
               p.inaccessible_after_due, s.usage_key, s.title, e.is_practice_exam, \
               e.is_proctored_enabled, e.is_time_limited \
               FROM learning_sequences_coursesectionsequence p \
               JOIN learning_sequences_learningsequence s ON s.id = p.sequence_id \
               LEFT JOIN learning_sequences_coursesequenceexam e \
               ON e.course_section_sequence_id = p.id \
               WHERE p.course_context_id = ? ORDER BY p.ordering";
    let mut sequences: HashMap<i64, Vec<Sequence>> = HashMap::new();
    for row in db.read(sql, &params![id]).await? {
        let exam = match row.opt_bool("is_time_limited")? {
            Some(timed) => Some((
                row.bool("is_practice_exam")?,
                row.bool("is_proctored_enabled")?,
                timed,
            )),
            None => None,
        };
        sequences
            .entry(row.int("section_id")?)
            .or_default()
            .push(Sequence {
                usage_key: row.opt_text("usage_key")?.unwrap_or_default(),
                title: row.text("title")?,
                hide_from_toc: row.bool("hide_from_toc")?,
                visible_to_staff_only: row.bool("visible_to_staff_only")?,
                inaccessible_after_due: row.bool("inaccessible_after_due")?,
                user_partition_groups: sequence_groups
                    .get(&row.int("id")?)
                    .cloned()
                    .unwrap_or_default(),
                exam,
            });
    }
    outline.sections = sections
        .into_iter()
        .map(|row| Section {
            usage_key: row.usage_key.unwrap_or_default(),
            title: row.title,
            hide_from_toc: row.hide_from_toc,
            visible_to_staff_only: row.visible_to_staff_only,
            user_partition_groups: section_groups.get(&row.id).cloned().unwrap_or_default(),
            sequences: sequences.remove(&row.id).unwrap_or_default(),
        })
        .collect();
    let sql = "SELECT e.usage_key, e.message FROM learning_sequences_contenterror e \
               JOIN learning_sequences_publishreport r ON r.id = e.publish_report_id \
               WHERE r.learning_context_id = ? ORDER BY e.id";
    for row in db.read(sql, &params![id]).await? {
        outline
            .errors
            .push((row.opt_text("usage_key")?, row.text("message")?));
    }
    Ok(Some(outline))
}

async fn groups(db: &db::Db, sql: &str, context_id: i64) -> Result<HashMap<i64, Vec<(i64, i64)>>> {
    let mut found: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
    for row in db.read(sql, &[Value::from(context_id)]).await? {
        let pair = (row.int("partition_id")?, row.int("group_id")?);
        found.entry(row.int("owner")?).or_default().push(pair);
    }
    Ok(found)
}
