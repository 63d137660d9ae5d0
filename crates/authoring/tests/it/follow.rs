//! What follows a publish, case by case (courseware.md §6, §8.3; olx.md §5, §11).

use modulestore::Branch;
use opaque_keys::CourseKey;
use records::learning_sequences::Outline;

use crate::support::{House, folder, house, unit};

const KEY: &str = "course-v1:A+B+C";
const ROOT: (&str, &str) = ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#);
const DAY: i64 = 86_400 * 1_000_000;

fn key() -> CourseKey {
    CourseKey::parse(KEY).unwrap()
}

impl House {
    async fn import_text(&self, course: &str) {
        let place = folder(&[ROOT, ("course/R.xml", course)]);
        self.import(place.path(), Some(KEY)).await.unwrap();
    }

    async fn outline(&self) -> Outline {
        let found = records::learning_sequences::get(&self.db, &key()).await;
        found.unwrap().unwrap()
    }

    /// Active dates as `type@id field days`, or the day itself.
    async fn dates(&self) -> Vec<String> {
        let found = records::dates::of_course(&self.db, &key()).await.unwrap();
        let mut texts: Vec<String> = found
            .into_iter()
            .map(|date| {
                let (_, block) = date.location.split_once("type@").unwrap();
                let when = match (date.abs_date, date.rel_date) {
                    (Some(day), None) => day.date().to_string(),
                    (None, Some(after)) => format!("{:.2}", after as f64 / DAY as f64),
                    other => panic!("{other:?}"),
                };
                format!("{} {} {when}", block.replace("+block@", "@"), date.field)
            })
            .collect();
        texts.sort();
        texts
    }

    async fn execute(&self, sql: &str) {
        self.db.execute(sql, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn instructor_paced_courses_keep_every_date_that_is_set() {
    let house = house().await;
    house
        .import_text(
            r#"<course start="2025-01-01T00:00:00Z" end="2025-06-01T00:00:00Z">
                 <chapter url_name="c" start="2025-02-01T00:00:00Z">
                   <sequential url_name="s" due="2025-03-01T00:00:00Z"/>
                   <sequential url_name="t"/></chapter></course>"#,
        )
        .await;
    let mut expected = vec![
        "chapter@c start 2025-02-01",
        "course@course end 2025-06-01",
        "course@course start 2025-01-01",
        "sequential@s due 2025-03-01",
    ];
    assert_eq!(house.dates().await, expected);
    // A date that goes becomes inactive, its row stays and is taken again.
    house
        .import_text(
            r#"<course start="2025-01-01T00:00:00Z" end="2025-06-01T00:00:00Z">
                 <chapter url_name="c" start="2025-02-01T00:00:00Z">
                   <sequential url_name="s"/></chapter></course>"#,
        )
        .await;
    expected.pop();
    assert_eq!(house.dates().await, expected);
    let rows = "SELECT COUNT(*) AS n FROM edx_when_contentdate";
    assert_eq!(house.db.read_int(rows, &[]).await.unwrap(), 4);
}

const SELF_PACED: &str = r#"<course start="2025-01-01T00:00:00Z" self_paced="true">
  <chapter url_name="a">
    <sequential url_name="a1" graded="true" format="Homework" due="2025-03-01T00:00:00Z">
      <vertical url_name="v1"><problem url_name="p1">x</problem></vertical></sequential>
    <sequential url_name="a2" relative_weeks_due="2">
      <vertical url_name="v2"><html url_name="h2">x</html></vertical></sequential>
  </chapter>
  <chapter url_name="hidden" visible_to_staff_only="true">
    <sequential url_name="b1" graded="true">
      <vertical url_name="v3"><problem url_name="p3">x</problem></vertical></sequential></chapter>
  <chapter url_name="c" graded="true">
    <sequential url_name="c1">
      <vertical url_name="v4"><problem url_name="p4" weight="0">x</problem></vertical></sequential>
    <sequential url_name="c2">
      <vertical url_name="v5"><problem url_name="p5">x</problem></vertical></sequential>
  </chapter></course>"#;

#[tokio::test]
async fn self_paced_courses_spread_due_dates_where_that_is_on() {
    let house = house().await;
    house.import_text(SELF_PACED).await;
    assert_eq!(house.dates().await, ["course@course start 2025-01-01"]);

    house
        .execute(
            "INSERT INTO course_date_signals_selfpacedrelativedatesconfig (change_date, enabled, org) \
             VALUES ('2025-01-01 00:00:00', 1, 'A')",
        )
        .await;
    house.import_text(SELF_PACED).await;
    let spread = [
        "chapter@c due 28.00",
        "course@course start 2025-01-01",
        "problem@p1 due 14.00",
        "problem@p5 due 28.00",
        "sequential@a1 due 14.00",
        "sequential@c2 due 28.00",
        "vertical@v1 due 14.00",
        "vertical@v5 due 28.00",
    ];
    assert_eq!(house.dates().await, spread);

    house
        .execute(
            "INSERT INTO waffle_flag (name, everyone, testing, superusers, staff, authenticated, \
             languages, rollout, note, created, modified) VALUES ('studio.custom_relative_dates', 1, \
             0, 0, 0, 0, '', 0, '', '2025-01-01', '2025-01-01')",
        )
        .await;
    house.import_text(SELF_PACED).await;
    let custom = [
        "html@h2 due 14.00",
        "sequential@a2 due 14.00",
        "vertical@v2 due 14.00",
    ];
    let mut both: Vec<&str> = spread.iter().chain(&custom).copied().collect();
    both.sort_unstable();
    assert_eq!(house.dates().await, both);

    // Narrower scopes win.
    house
        .execute(
            "INSERT INTO course_date_signals_selfpacedrelativedatesconfig \
             (change_date, enabled, course_id) VALUES ('2024-01-01 00:00:00', 0, 'course-v1:A+B+C')",
        )
        .await;
    house.import_text(SELF_PACED).await;
    assert_eq!(house.dates().await, ["course@course start 2025-01-01"]);
}

#[tokio::test]
async fn outlines_hold_sequences_once_and_lift_what_all_units_share() {
    let house = house().await;
    house
        .import_text(
            r#"<course course_visibility="public" days_early_for_beta="3">
                 <chapter url_name="c" display_name="One" hide_from_toc="true">
                   <sequential url_name="s" group_access="{&quot;9&quot;: [4]}">
                     <vertical url_name="v" group_access="{&quot;7&quot;: [2, 1], &quot;9&quot;: [5]}"/>
                     <vertical url_name="w" group_access="{&quot;7&quot;: [1, 2], &quot;9&quot;: [5]}"/>
                   </sequential>
                   <sequential url_name="exam" is_time_limited="true" hide_after_due="true"/>
                   <vertical url_name="stray" display_name="Stray"/>
                 </chapter>
                 <chapter url_name="d" visible_to_staff_only="true" group_access="{&quot;7&quot;: []}"/>
                 <html url_name="h">x</html>
               </course>"#,
        )
        .await;
    let outline = house.outline().await;
    assert_eq!(outline.course_visibility, "public");
    assert_eq!(outline.days_early_for_beta, Some(3));
    let [one, two] = outline.sections.as_slice() else {
        panic!("{:?}", outline.sections);
    };
    assert!(one.hide_from_toc && !one.visible_to_staff_only && two.visible_to_staff_only);
    assert_eq!(two.title, "d");
    let [sequence, exam] = one.sequences.as_slice() else {
        panic!("{:?}", one.sequences);
    };
    assert_eq!(sequence.user_partition_groups, [(9, 4), (7, 1), (7, 2)]);
    assert_eq!(exam.exam, Some((false, false, true)));
    assert!(exam.inaccessible_after_due);
    let places: Vec<&str> = outline
        .errors
        .iter()
        .map(|(usage, _)| usage.as_deref().unwrap().split_once("type@").unwrap().1)
        .collect();
    assert_eq!(
        places,
        [
            "sequential+block@s",
            "sequential+block@s",
            "vertical+block@stray",
            "chapter+block@d",
            "html+block@h",
        ]
    );
}

#[tokio::test]
async fn the_new_forum_gets_its_topics() {
    let house = house().await;
    let course = |settings: &str, units: &str| {
        format!(
            r#"<course display_name="T" discussions_settings='{settings}'><chapter url_name="c"
               display_name="Sec"><sequential url_name="s" display_name="Sub">{units}</sequential>
               </chapter></course>"#
        )
    };
    let on = r#"{"provider_type": "openedx", "unit_level_visibility": true}"#;
    let two = r#"<vertical url_name="v" display_name="V"/><vertical url_name="w" display_name="W" discussion_enabled="false"/>
                 <vertical url_name="x" display_name="X"/>"#;
    house.import_text(&course(on, two)).await;
    let topics = async || {
        let found = records::discussions::topics(&house.db, &key(), "openedx").await;
        let texts = found.unwrap().into_iter().map(|topic| {
            format!(
                "{} {} {}",
                topic.ordering.unwrap(),
                topic.title,
                topic.enabled_in_context
            )
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(
        topics().await,
        ["0 General true", "100 V true", "102 X true"]
    );
    let one = r#"<vertical url_name="x" display_name="X2"/>"#;
    house.import_text(&course(on, one)).await;
    assert_eq!(
        topics().await,
        ["0 General true", "100 V false", "100 X2 true"]
    );
    let legacy = r#"{"provider_type": "legacy", "enable_in_context": false}"#;
    house.import_text(&course(legacy, one)).await;
    let forum = records::discussions::configuration(&house.db, &key()).await;
    let forum = forum.unwrap().unwrap();
    assert_eq!(
        (forum.provider_type.as_str(), forum.enable_in_context),
        ("legacy", false)
    );
}

// design.md "Import": a failed import leaves the course as it was.
#[tokio::test]
async fn an_import_that_fails_changes_nothing() {
    let house = house().await;
    let good = unit(r#"<html url_name="h">x</html>"#, &[("static/a.txt", "a")]);
    house.import(good.path(), Some(KEY)).await.unwrap();
    let before = authoring::show_course(&house.store, &key()).await.unwrap();
    let outline = house.outline().await;
    let bad = unit(
        r#"<html url_name="h">changed</html><html url_name="new">y</html>"#,
        &[("static/a.txt", "changed"), ("static/b.txt", "b")],
    );
    // The last statement before the commit fails.
    house
        .execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON stoa_outbox WHEN NEW.topic = 'course_published' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await;
    house.import(bad.path(), Some(KEY)).await.unwrap_err();
    let after = authoring::show_course(&house.store, &key()).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(house.outline().await, outline);
    // Nor does it make a course.
    let other = CourseKey::parse("course-v1:X+Y+Z").unwrap();
    house
        .import(bad.path(), Some("course-v1:X+Y+Z"))
        .await
        .unwrap_err();
    let made = house.store.snapshot(&other, Branch::Published).await;
    assert!(made.unwrap().is_none());
}

// olx.md §15.52: tags never fail an import; they are named among the warnings.
#[tokio::test]
async fn tags_are_told_of_and_left() {
    let house = house().await;
    let course = unit("", &[("tags.csv", "\"Name\",\"Type\"\nbroken")]);
    let summary = house.import(course.path(), Some(KEY)).await.unwrap();
    let files: Vec<&str> = summary.warnings.iter().map(|it| it.file.as_str()).collect();
    assert!(files.contains(&"tags.csv"), "{files:?}");
}

// olx.md §11: the entrance exam of an archive is the course's, under the course's own key.
#[tokio::test]
async fn an_entrance_exam_comes_along() {
    let house = house().await;
    let course = |enabled: bool| {
        format!(
            r#"<course entrance_exam_enabled="{enabled}" entrance_exam_id="i4x://S/N/chapter/e">
                 <chapter url_name="e" is_entrance_exam="{enabled}" display_name="Exam"/></course>"#
        )
    };
    let exam = "block-v1:A+B+C+type@chapter+block@e";
    let links = async |table: &str| {
        let sql = format!("SELECT COUNT(*) AS n FROM {table} WHERE active = 1");
        house.db.read_int(&sql, &[]).await.unwrap()
    };
    for _ in 0..2 {
        house.import_text(&course(true)).await;
        let outline = house.outline().await;
        assert_eq!(outline.entrance_exam_id.as_deref(), Some(exam));
        let row = records::course_overviews::get(&house.db, &key()).await;
        let row = row.unwrap().unwrap();
        assert_eq!(
            (row.entrance_exam_enabled, row.entrance_exam_id.as_str()),
            (true, exam)
        );
        for table in [
            "milestones_milestone",
            "milestones_coursemilestone",
            "milestones_coursecontentmilestone",
        ] {
            assert_eq!(links(table).await, 1, "{table}");
        }
    }
    house.import_text(&course(false)).await;
    assert_eq!(links("milestones_coursemilestone").await, 0);
    assert_eq!(links("milestones_coursecontentmilestone").await, 0);
}
