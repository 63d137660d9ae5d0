use proptest::prelude::*;
use serde_json::json;

use super::*;

fn info() -> SnapshotInfo {
    SnapshotInfo {
        course_key: CourseKey::new("Acme", "Bio", "R1").unwrap(),
        version: ObjectId::parse("519665f6223ebd6980884f2b").unwrap(),
        edited_on: None,
        edited_by: None,
        root: BlockKey::course_root(),
    }
}

fn block(key: &str, fields: serde_json::Value, children: &[&str]) -> SnapshotBlock {
    SnapshotBlock {
        fields: serde_json::from_value(fields).unwrap(),
        children: children
            .iter()
            .map(|child| child.parse().unwrap())
            .collect(),
        ..SnapshotBlock::new(key.parse().unwrap())
    }
}

fn course(blocks: Vec<SnapshotBlock>) -> CourseSnapshot {
    CourseSnapshot::build(info(), blocks).unwrap()
}

fn at<'a>(snapshot: &'a CourseSnapshot, key: &str) -> BlockRef<'a> {
    snapshot.block(snapshot.find(&key.parse().unwrap()).unwrap())
}

// courseware.md §3: own value, nearest ancestor, library's values, default of the type.
#[test]
fn values_are_looked_up_in_order() {
    let mut from_library = block("problem@lp", json!({}), &[]);
    from_library.defaults =
        serde_json::from_value(json!({"max_attempts": 7, "display_name": "Lib"})).unwrap();
    let mut elsewhere = from_library.clone();
    elsewhere.key = BlockKey::new("problem", "moved");
    let snapshot = course(vec![
        block(
            "course@course",
            json!({"max_attempts": 3, "due": null}),
            &["chapter@c"],
        ),
        block(
            "chapter@c",
            json!({"due": "2021-05-05T05:00:00Z"}),
            &["vertical@v"],
        ),
        block(
            "vertical@v",
            json!({"due": null}),
            &["library_content@lc", "problem@moved"],
        ),
        block("library_content@lc", json!({}), &["problem@lp"]),
        from_library,
        elsewhere,
    ]);
    let problem = at(&snapshot, "problem@lp");
    assert_eq!(problem.field("max_attempts"), Some(&json!(7)));
    assert_eq!(problem.display_name(), "Lib");
    assert_eq!(problem.own("max_attempts"), None);
    let moved = at(&snapshot, "problem@moved");
    assert_eq!(moved.field("max_attempts"), Some(&json!(3)));
    // An explicit null counts.
    assert_eq!(moved.field("due"), Some(&json!(null)));
    assert_eq!(
        at(&snapshot, "chapter@c").date("due").unwrap().timestamp(),
        1_620_190_800
    );
    assert_eq!(moved.text("showanswer"), Some("finished"));
    assert_eq!(moved.field("nosuch"), None);
    assert_eq!(at(&snapshot, "vertical@v").display_name(), "v");
    assert_eq!(moved.closest("chapter").unwrap().block_id(), "c");
    assert_eq!(snapshot.course().subtree().count(), 6);
}

// courseware.md §18: of several parents the last one in stored order.
#[test]
fn several_parents() {
    let snapshot = course(vec![
        block("course@course", json!({}), &["vertical@a", "vertical@b"]),
        block(
            "vertical@b",
            json!({"graded": true, "group_access": {"1": [1, 2]}}),
            &["html@h"],
        ),
        block(
            "vertical@a",
            json!({"graded": false, "visible_to_staff_only": true, "group_access": {"1": [2, 3]},
                "start": "2031-01-01T00:00:00Z"}),
            &["html@h", "html@h"],
        ),
        block("html@h", json!({"group_access": {"1": [3, 1]}}), &[]),
    ]);
    let html = at(&snapshot, "html@h");
    assert_eq!(html.parent().unwrap().block_id(), "a");
    assert!(!html.flag("graded"));
    assert!(html.flag("visible_to_staff_only"));
    assert_eq!(html.merged_group_access()[&1], GroupRule::Groups(vec![3]));
    // courseware.md §8.1: merged over all ways.
    let merged = MergedFields::of(&snapshot);
    assert!(!merged.visible_to_staff_only(html.idx()));
    assert!(merged.visible_to_staff_only(at(&snapshot, "vertical@a").idx()));
    assert_eq!(merged.start(html.idx()).timestamp(), 1_893_456_000);
    assert_eq!(
        merged.group_access(html.idx())[&1],
        GroupRule::Groups(vec![3, 1])
    );
}

// courseware.md §7.3: an empty intersection lets nobody pass.
#[test]
fn contradicting_groups() {
    let snapshot = course(vec![
        block(
            "course@course",
            json!({"group_access": {"1": [], "2": [5]}}),
            &["html@h"],
        ),
        block("html@h", json!({"group_access": {"1": [4], "2": [6]}}), &[]),
    ]);
    let rules = at(&snapshot, "html@h").merged_group_access();
    assert_eq!(rules[&1], GroupRule::Groups(vec![4]));
    assert_eq!(rules[&2], GroupRule::Nobody);
}

#[test]
fn broken_structures() {
    let lacking = CourseSnapshot::build(info(), vec![block("html@h", json!({}), &[])]);
    assert_eq!(
        lacking.unwrap_err(),
        SnapshotError::NoRoot(BlockKey::course_root())
    );
    let snapshot = course(vec![
        block("course@course", json!({}), &["vertical@a", "html@gone"]),
        block("vertical@a", json!({}), &["vertical@b", "course@course"]),
        block("vertical@b", json!({}), &["vertical@a", "vertical@b"]),
        block("html@bad id", json!({}), &[]),
    ]);
    assert_eq!(snapshot.skipped(), 1);
    assert_eq!(snapshot.course().children().len(), 1);
    assert!(at(&snapshot, "vertical@b").ancestors().count() <= 3);
    assert_eq!(snapshot.course().subtree().count(), 3);
    assert_eq!(snapshot.topological().len(), 3);
    let key = UsageKey::parse("block-v1:Acme+Bio+R1+type@vertical+block@a").unwrap();
    assert!(snapshot.find_usage(&key).is_some());
    let other = UsageKey::parse("block-v1:Acme+Bio+R2+type@vertical+block@a").unwrap();
    assert!(snapshot.find_usage(&other).is_none());
}

/// A course of `units` units with six components each, with values as authors set them.
fn large(units: usize) -> Vec<SnapshotBlock> {
    let id = |kind: &str, number: usize| format!("{kind}@{kind}_{number:032x}");
    let path = |kind: &str, number: usize| json!({"filename": [format!("{kind}/{number:032x}.xml"), format!("{kind}/{number:032x}.xml")]});
    let sections = units.div_ceil(5);
    let names = |kind: &str, range: std::ops::Range<usize>| {
        range.map(|number| id(kind, number)).collect::<Vec<_>>()
    };
    let make = |key: &str, fields: serde_json::Value, children: &[String]| {
        let children: Vec<_> = children.iter().map(String::as_str).collect();
        block(key, fields, &children)
    };
    let mut out = vec![make(
        "course@course",
        json!({"display_name": "Large"}),
        &names("sequential", 0..sections),
    )];
    for section in 0..sections {
        let fields = json!({"display_name": format!("Section {section}"), "format": "Homework",
            "graded": true, "due": "2030-05-05T00:00:00Z", "xml_attributes": path("sequential", section)});
        let children = names("vertical", section * 5..units.min(section * 5 + 5));
        out.push(make(&id("sequential", section), fields, &children));
    }
    for unit in 0..units {
        let fields = json!({"display_name": format!("Unit {unit}"), "xml_attributes": path("vertical", unit)});
        out.push(make(
            &id("vertical", unit),
            fields,
            &names("problem", unit * 6..unit * 6 + 6),
        ));
    }
    for problem in 0..units * 6 {
        let fields = json!({"display_name": format!("A problem with a name of usual length {problem}"),
            "max_attempts": 3, "weight": 2.0, "showanswer": "attempted", "rerandomize": "never",
            "markdown": "Which of these?\n\n(x) This\n( ) That\n".repeat(6),
            "xml_attributes": path("problem", problem)});
        out.push(make(&id("problem", problem), fields, &[]));
    }
    out
}

// The aim: 10,000 blocks in less than 30 MB.
#[test]
fn large_courses_stay_small() {
    let blocks = large(1_389);
    let count = blocks.len();
    assert!(count > 9_900, "{count}");
    let snapshot = course(blocks);
    let bytes = snapshot.memory_bytes();
    println!("{} blocks: {} KB", snapshot.len(), bytes / 1024);
    assert!(bytes < 30 << 20, "{bytes}");
}

/// Any graph of blocks, circles and missing children included.
fn graph() -> impl Strategy<Value = Vec<SnapshotBlock>> {
    prop::collection::vec(prop::collection::vec(0..12_usize, 0..5), 1..10).prop_map(|lists| {
        let name = |number: usize| {
            if number == 0 {
                "course@course".to_owned()
            } else {
                format!("vertical@v{number}")
            }
        };
        let blocks = lists.iter().enumerate().map(|(number, children)| {
            let children: Vec<_> = children.iter().map(|child| name(*child)).collect();
            let children: Vec<_> = children.iter().map(String::as_str).collect();
            block(&name(number), json!({"max_attempts": number}), &children)
        });
        blocks.collect()
    })
}

proptest! {
    // Walks end and agree on any structure.
    #[test]
    fn walks_are_total(blocks in graph()) {
        let snapshot = course(blocks);
        let tree: Vec<_> = snapshot.course().subtree().map(BlockRef::idx).collect();
        let mut order = snapshot.topological();
        prop_assert_eq!(order.len(), tree.len());
        for block in snapshot.blocks() {
            prop_assert!(block.ancestors().count() < snapshot.len());
            // A block's value is that of its nearest ancestor, here always its own.
            prop_assert_eq!(block.field("max_attempts"), block.own("max_attempts"));
            let _ = block.merged_group_access();
        }
        let _ = MergedFields::of(&snapshot);
        let mut tree = tree;
        tree.sort();
        order.sort();
        prop_assert_eq!(tree, order);
    }
}
