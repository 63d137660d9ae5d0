use std::collections::HashMap;
use std::sync::Arc;

use chrono::{TimeZone, Utc};
use course_model::{Block, BlockKey, CourseContent, Fields};
use opaque_keys::CourseKey;
use serde_json::{Value, json};

use super::*;
use crate::documents::{Definition, ObjectId, Stamp, Structure, values};
use crate::error::Error;

fn stamp() -> Stamp {
    Stamp::new(3, Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap())
}

fn course() -> CourseKey {
    CourseKey::parse("course-v1:Acme+Bio+R1").unwrap()
}

fn key(text: &str) -> BlockKey {
    text.parse().unwrap()
}

fn fields(value: Value) -> Fields {
    serde_json::from_value(value).unwrap()
}

fn block_values(block_type: &str, settings: Value, content: Value) -> BlockValues {
    BlockValues {
        settings: values::to_stored(block_type, &fields(settings)).unwrap(),
        content: values::to_stored(block_type, &fields(content)).unwrap(),
        ..BlockValues::default()
    }
}

/// The heads after an operation.
struct Heads {
    draft: Arc<Structure>,
    published: Arc<Structure>,
    definitions: HashMap<ObjectId, Arc<Definition>>,
}

impl Heads {
    fn new() -> Self {
        let first = first_structures(&course(), &BlockKey::course_root(), stamp()).unwrap();
        let mut heads = Self {
            draft: Arc::new(first.draft),
            published: Arc::new(first.published.unwrap()),
            definitions: HashMap::new(),
        };
        heads.learn(first.definitions);
        heads
    }

    fn learn(&mut self, definitions: Vec<Definition>) {
        self.definitions
            .extend(definitions.into_iter().map(|it| (it.id, Arc::new(it))));
    }

    fn edit<T>(&mut self, work: impl FnOnce(&mut CourseEdit) -> Result<T, Error>) -> T {
        let mut edit = CourseEdit::new(
            stamp(),
            Arc::clone(&self.draft),
            Some(Arc::clone(&self.published)),
        );
        let result = work(&mut edit).unwrap();
        self.take(edit.finish());
        result
    }

    fn take(&mut self, outcome: EditOutcome) {
        if let Some(draft) = outcome.draft {
            self.draft = Arc::new(draft);
        }
        if let Some(published) = outcome.published {
            self.published = Arc::new(published);
        }
        self.learn(outcome.definitions);
    }

    fn has_changes(&self, text: &str) -> bool {
        publish::has_changes(&self.draft, &self.published, &key(text))
    }

    fn definition_of(&self, text: &str) -> Arc<Definition> {
        Arc::clone(&self.definitions[&self.draft.block(&key(text)).unwrap().definition])
    }

    /// A chapter, a sequential, a unit `u1` and a problem `p1` in it.
    fn with_unit() -> Self {
        let mut heads = Self::new();
        heads.edit(|edit| {
            let root = BlockKey::course_root();
            let add = |edit: &mut CourseEdit, parent: &BlockKey, block_type: &str, id: &str| {
                edit.create_block(
                    Some((parent, None)),
                    block_type,
                    Some(id),
                    block_values(block_type, json!({ "display_name": id }), json!({})),
                )
            };
            let chapter = add(edit, &root, "chapter", "c1")?;
            let sequential = add(edit, &chapter, "sequential", "s1")?;
            let unit = add(edit, &sequential, "vertical", "u1")?;
            edit.create_block(
                Some((&unit, None)),
                "problem",
                Some("p1"),
                block_values("problem", json!({}), json!({ "data": "<problem/>" })),
            )
        });
        heads
    }
}

// courseware.md §17.12
#[test]
fn a_unit_stays_in_draft_until_published() {
    let mut heads = Heads::with_unit();
    assert!(heads.draft.block(&key("problem@p1")).is_some());
    assert!(heads.published.block(&key("sequential@s1")).is_some());
    assert!(heads.published.block(&key("vertical@u1")).is_none());
    assert!(
        heads
            .published
            .block(&key("sequential@s1"))
            .unwrap()
            .children()
            .is_empty()
    );
    assert!(heads.has_changes("vertical@u1"));

    let draft_version = heads
        .draft
        .block(&key("problem@p1"))
        .unwrap()
        .edit_info
        .update_version;
    heads.edit(|edit| edit.publish(&key("vertical@u1")));
    assert!(!heads.has_changes("vertical@u1"));
    assert!(!heads.has_changes("course@course"));
    let copy = heads.published.block(&key("problem@p1")).unwrap();
    assert_eq!(copy.edit_info.source_version, draft_version);
    assert_eq!(copy.edit_info.update_version, Some(heads.published.id));
    assert_eq!(copy.edit_info.previous_version, None);
    assert_eq!(
        heads
            .published
            .block(&key("sequential@s1"))
            .unwrap()
            .children(),
        [key("vertical@u1")]
    );
}

// courseware.md §17.13
#[test]
fn one_operation_makes_one_structure() {
    let mut heads = Heads::with_unit();
    let before = heads.draft.id;
    let old = heads.definition_of("problem@p1");
    let set = |edit: &mut CourseEdit, name: &str| {
        let values = block_values(
            "problem",
            json!({ "display_name": name }),
            json!({ "data": "<problem/>" }),
        );
        edit.set_block(&key("problem@p1"), values, &old)
    };
    heads.edit(|edit| {
        set(edit, "A")?;
        set(edit, "B")
    });
    assert_eq!(heads.draft.previous_version, Some(before));
    let middle = heads.draft.id;
    assert!(
        !heads.edit(|edit| set(edit, "B")),
        "nothing changed, nothing written"
    );
    assert_eq!(heads.draft.id, middle);
    heads.edit(|edit| set(edit, "C"));
    assert_eq!(heads.draft.previous_version, Some(middle));
    let info = &heads.draft.block(&key("problem@p1")).unwrap().edit_info;
    assert_eq!(info.previous_version, Some(middle));
    assert_eq!(info.update_version, Some(heads.draft.id));
}

// courseware.md §17.14
#[test]
fn only_changed_content_makes_a_definition() {
    let mut heads = Heads::with_unit();
    let old = heads.definition_of("problem@p1");
    heads.edit(|edit| {
        let values = block_values(
            "problem",
            json!({ "display_name": "X" }),
            json!({ "data": "<problem/>" }),
        );
        edit.set_block(&key("problem@p1"), values, &old)
    });
    assert_eq!(heads.definition_of("problem@p1").id, old.id);
    heads.edit(|edit| {
        let values = block_values(
            "problem",
            json!({}),
            json!({ "data": "<problem>2</problem>" }),
        );
        edit.set_block(&key("problem@p1"), values, &old)
    });
    let new = heads.definition_of("problem@p1");
    assert_eq!(new.previous_version, Some(old.id));
    assert_eq!(new.original_version, old.id);
}

// courseware.md §17.17
#[test]
fn direct_only_blocks_are_published_with_their_edit() {
    let mut heads = Heads::with_unit();
    let old = heads.definition_of("sequential@s1");
    let children = heads
        .draft
        .block(&key("sequential@s1"))
        .unwrap()
        .children
        .clone();
    heads.edit(|edit| {
        let mut values = block_values("sequential", json!({ "display_name": "New" }), json!({}));
        values.children = children;
        edit.set_block(&key("sequential@s1"), values, &old)
    });
    let published = heads.published.block(&key("sequential@s1")).unwrap();
    assert_eq!(published.fields.get_str("display_name").unwrap(), "New");
    // The unit that was never published stays out.
    assert!(published.children().is_empty());
}

// courseware.md §2.4
#[test]
fn ids_are_the_smallest_free_and_unique() {
    let mut heads = Heads::with_unit();
    let parent = key("vertical@u1");
    let add = |edit: &mut CourseEdit, id: Option<&str>| {
        edit.create_block(Some((&parent, Some(0))), "html", id, BlockValues::default())
    };
    let first = heads.edit(|edit| add(edit, None));
    assert_eq!(first, key("html@html1"));
    assert_eq!(
        heads.edit(|edit| add(edit, Some("html3"))),
        key("html@html3")
    );
    assert_eq!(heads.edit(|edit| add(edit, None)), key("html@html2"));
    let unit = heads.draft.block(&parent).unwrap();
    assert_eq!(
        unit.children(),
        [
            key("html@html2"),
            key("html@html3"),
            key("html@html1"),
            key("problem@p1")
        ]
    );
    let mut edit = CourseEdit::new(stamp(), Arc::clone(&heads.draft), None);
    assert!(matches!(
        add(&mut edit, Some("html1")),
        Err(Error::DuplicateBlock(_))
    ));
    assert!(
        edit.finish().draft.is_none(),
        "a refused edit makes no structure"
    );
}

// courseware.md §2.4
#[test]
fn deleting_a_unit_hides_it_at_once_and_a_component_later() {
    let mut heads = Heads::with_unit();
    heads.edit(|edit| edit.publish(&key("vertical@u1")));
    heads.edit(|edit| edit.delete_block(&key("problem@p1")));
    assert!(heads.draft.block(&key("problem@p1")).is_none());
    assert!(heads.published.block(&key("problem@p1")).is_some());
    assert!(heads.has_changes("vertical@u1"));
    heads.edit(|edit| edit.publish(&key("vertical@u1")));
    assert!(heads.published.block(&key("problem@p1")).is_none());

    heads.edit(|edit| edit.delete_block(&key("vertical@u1")));
    assert!(heads.draft.block(&key("vertical@u1")).is_none());
    assert!(heads.published.block(&key("vertical@u1")).is_none());

    heads.edit(|edit| edit.delete_block(&key("chapter@c1")));
    assert!(heads.draft.block(&key("sequential@s1")).is_none());
    assert!(heads.published.block(&key("sequential@s1")).is_none());
    assert!(
        heads
            .published
            .block(&BlockKey::course_root())
            .unwrap()
            .children()
            .is_empty()
    );
}

// courseware.md §2.4
#[test]
fn blocks_with_another_parent_survive_a_deletion() {
    let mut heads = Heads::with_unit();
    heads.edit(|edit| {
        let unit = edit.create_block(
            Some((&key("sequential@s1"), None)),
            "vertical",
            Some("u2"),
            BlockValues::default(),
        )?;
        edit.set_children(&unit, vec![key("problem@p1")])?;
        edit.delete_block(&key("vertical@u1"))
    });
    assert!(heads.draft.block(&key("problem@p1")).is_some());
}

// courseware.md §2.4
#[test]
fn unpublishing_and_discarding() {
    let mut heads = Heads::with_unit();
    heads.edit(|edit| edit.publish(&key("vertical@u1")));
    let old = heads.definition_of("problem@p1");
    heads.edit(|edit| {
        let values = block_values("problem", json!({}), json!({ "data": "changed" }));
        edit.set_block(&key("problem@p1"), values, &old)?;
        edit.create_block(
            Some((&key("vertical@u1"), None)),
            "html",
            Some("h"),
            BlockValues::default(),
        )
    });
    assert!(heads.has_changes("vertical@u1"));
    heads.edit(|edit| edit.discard_changes(&key("vertical@u1")));
    assert!(!heads.has_changes("vertical@u1"));
    assert_eq!(heads.definition_of("problem@p1").id, old.id);
    assert!(heads.draft.block(&key("html@h")).is_none());

    heads.edit(|edit| edit.unpublish(&key("vertical@u1")));
    assert!(heads.published.block(&key("problem@p1")).is_none());
    assert!(heads.draft.block(&key("problem@p1")).is_some());
    assert!(heads.has_changes("vertical@u1"));
    let mut edit = CourseEdit::new(
        stamp(),
        Arc::clone(&heads.draft),
        Some(Arc::clone(&heads.published)),
    );
    assert!(matches!(
        edit.unpublish(&key("chapter@c1")),
        Err(Error::DirectOnly(_))
    ));
    assert!(matches!(
        edit.discard_changes(&key("vertical@u1")),
        Err(Error::NeverPublished(_))
    ));
}

// courseware.md §17.16
#[test]
fn library_copies_have_the_recorded_id() {
    assert_eq!(
        library_copy_id("library-v1:Acme+Lib", "p1", "lc1"),
        "5f6227ddf9fe96114010"
    );
}

// courseware.md §2.4
#[test]
fn library_copies_share_definitions_and_keep_overrides() {
    let library = CourseKey::parse("library-v1:Acme+Lib").unwrap();
    let first = first_structures(&library, &BlockKey::new("library", "library"), stamp()).unwrap();
    assert!(first.published.is_none());
    let mut edit = CourseEdit::new(stamp(), Arc::new(first.draft), None);
    let values = block_values(
        "problem",
        json!({ "display_name": "L", "markdown": "m", "weight": 2.0 }),
        json!({ "data": "<problem/>" }),
    );
    let p1 = edit
        .create_block(
            Some((&key("library@library"), None)),
            "problem",
            Some("p1"),
            values,
        )
        .unwrap();
    let source = edit.finish().draft.unwrap();

    let mut heads = Heads::with_unit();
    let parent = heads.edit(|edit| {
        edit.create_block(
            Some((&key("vertical@u1"), None)),
            "library_content",
            Some("lc1"),
            BlockValues::default(),
        )
    });
    let blocks = [p1.clone()];
    let copy = LibraryCopy {
        library: &library,
        source: &source,
        blocks: &blocks,
    };
    heads.edit(|edit| edit.copy_from_library(copy, &parent));
    let made = key("problem@5f6227ddf9fe96114010");
    assert_eq!(
        heads.draft.block(&parent).unwrap().children(),
        std::slice::from_ref(&made)
    );
    let block = heads.draft.block(&made).unwrap();
    assert_eq!(block.definition, source.block(&p1).unwrap().definition);
    assert_eq!(block.defaults.get_str("display_name").unwrap(), "L");
    assert!(block.defaults.get("markdown").unwrap().is_none());
    assert!(block.fields.is_empty());
    assert_eq!(block.edit_info.source_version, None);
    assert_eq!(
        block.edit_info.original_usage.as_deref(),
        Some("lib-block-v1:Acme+Lib+type@problem+block@p1")
    );
    assert_eq!(block.edit_info.original_usage_version, Some(source.id));

    heads.edit(|edit| {
        edit.draft.next(stamp()).block_mut(&made)?.fields =
            values::to_stored("problem", &fields(json!({ "display_name": "Mine" })))?;
        edit.copy_from_library(copy, &parent)
    });
    let block = heads.draft.block(&made).unwrap();
    assert_eq!(block.fields.get_str("display_name").unwrap(), "Mine");
    let none = LibraryCopy {
        blocks: &[],
        ..copy
    };
    heads.edit(|edit| edit.copy_from_library(none, &parent));
    assert!(heads.draft.block(&made).is_none());
}

fn content(blocks: &[(&str, Value, Value, &[&str])]) -> CourseContent {
    let mut content = CourseContent::new(BlockKey::course_root());
    for (name, settings, data, children) in blocks {
        let mut block = Block::new(key(name));
        block.settings = fields(settings.clone());
        block.content = fields(data.clone());
        block.children = children.iter().map(|child| key(child)).collect();
        content.blocks.insert(block.key.clone(), block);
    }
    content
}

fn import(heads: &mut Heads, published: &CourseContent, draft: &CourseContent) -> usize {
    let course = course();
    let known = heads.definitions.clone();
    let input = ImportInput {
        course: &course,
        published,
        draft,
        definitions: &known,
    };
    let outcomes = input
        .run(
            Arc::clone(&heads.draft),
            Some(Arc::clone(&heads.published)),
            stamp(),
        )
        .unwrap();
    let steps = outcomes.len();
    for outcome in outcomes {
        heads.take(outcome);
    }
    steps
}

// olx.md §15.31, 32, 36
#[test]
fn an_import_replaces_fields_and_leaves_orphans() {
    let mut heads = Heads::with_unit();
    heads.edit(|edit| edit.publish(&key("vertical@u1")));
    let published = content(&[
        (
            "course@course",
            json!({ "display_name": "T" }),
            json!({}),
            &["chapter@c1"],
        ),
        ("chapter@c1", json!({}), json!({}), &["sequential@s1"]),
        ("sequential@s1", json!({}), json!({}), &["vertical@u2"]),
        ("vertical@u2", json!({}), json!({}), &["html@h"]),
        ("html@h", json!({}), json!({ "data": "published" }), &[]),
        (
            "about@short_description",
            json!({}),
            json!({ "data": "s" }),
            &[],
        ),
    ]);
    let mut draft = published.clone();
    draft.blocks.get_mut(&key("html@h")).unwrap().content = fields(json!({ "data": "draft" }));
    let mut unit = Block::new(key("vertical@v1"));
    unit.settings = fields(json!({ "display_name": "only a draft" }));
    draft.blocks.insert(unit.key.clone(), unit);
    draft
        .blocks
        .get_mut(&key("sequential@s1"))
        .unwrap()
        .children
        .push(key("vertical@v1"));
    let base = heads.draft.id;
    assert_eq!(import(&mut heads, &published, &draft), 2);

    // A setting that the archive does not give is gone.
    assert!(
        heads
            .draft
            .block(&key("chapter@c1"))
            .unwrap()
            .fields
            .is_empty()
    );
    // Orphans: in the draft branch only.
    assert!(heads.draft.block(&key("vertical@u1")).is_some());
    assert!(heads.draft.parents(&key("vertical@u1")).is_empty());
    assert!(heads.published.block(&key("vertical@u1")).is_none());
    assert!(heads.published.block(&key("problem@p1")).is_none());
    // Detached blocks are published, and those of before stay.
    assert!(
        heads
            .published
            .block(&key("about@short_description"))
            .is_some()
    );
    assert!(heads.published.block(&key("about@overview")).is_some());
    // Drafts differ.
    assert!(heads.has_changes("html@h"));
    assert!(heads.has_changes("vertical@u2"));
    let sequential = key("sequential@s1");
    assert_eq!(
        heads.draft.block(&sequential).unwrap().children(),
        [key("vertical@u2"), key("vertical@v1")]
    );
    assert_eq!(
        heads.published.block(&sequential).unwrap().children(),
        [key("vertical@u2")]
    );
    assert!(heads.published.block(&key("vertical@v1")).is_none());
    assert_ne!(
        heads.draft.previous_version,
        Some(base),
        "the drafts are a step of their own"
    );

    // The same archive again, without drafts: nothing differs from what is published.
    assert_eq!(import(&mut heads, &published, &published), 1);
    assert!(!heads.has_changes("vertical@u2"));
    assert!(!heads.has_changes("html@h"));
    let stored = heads.definition_of("html@h");
    assert_eq!(stored.fields.get_str("data").unwrap(), "published");
}

// courseware.md §2.4: cycles, which no author can make but an archive can, end.
#[test]
fn cycles_end() {
    let mut heads = Heads::new();
    let cyclic = content(&[
        ("course@course", json!({}), json!({}), &["chapter@c"]),
        (
            "chapter@c",
            json!({}),
            json!({}),
            &["chapter@c", "course@course", "chapter@none"],
        ),
    ]);
    import(&mut heads, &cyclic, &cyclic);
    assert!(
        heads.has_changes("course@course"),
        "the missing child counts"
    );
    heads.edit(|edit| edit.delete_block(&key("chapter@c")));
    assert!(heads.draft.block(&BlockKey::course_root()).is_some());
}

/// One step of an author, on blocks chosen by number.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create(usize, usize),
    Change(usize),
    Delete(usize),
    Publish(usize),
    Unpublish(usize),
    Discard(usize),
    Move(usize, usize),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    use proptest::prelude::*;
    let n = 0_usize..1000;
    let step = prop_oneof![
        3 => (n.clone(), 0_usize..4).prop_map(|(a, b)| Step::Create(a, b)),
        2 => n.clone().prop_map(Step::Change),
        1 => n.clone().prop_map(Step::Delete),
        2 => n.clone().prop_map(Step::Publish),
        1 => n.clone().prop_map(Step::Unpublish),
        1 => n.clone().prop_map(Step::Discard),
        1 => (n.clone(), n).prop_map(|(a, b)| Step::Move(a, b)),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Does a step as far as it can be done; authors are refused what makes no sense.
fn take_step(edit: &mut CourseEdit, step: Step, definitions: &HashMap<ObjectId, Arc<Definition>>) {
    let blocks: Vec<BlockKey> = edit.draft().blocks.keys().cloned().collect();
    let pick = |number: usize| &blocks[number % blocks.len()];
    match step {
        Step::Create(parent, kind) => {
            let parent = pick(parent);
            let block_type = match &*parent.block_type {
                "course" => "chapter",
                "chapter" => "sequential",
                "sequential" => "vertical",
                "vertical" => ["html", "problem", "video", "poll"][kind],
                _ => return,
            };
            let values = BlockValues::default();
            edit.create_block(Some((parent, Some(kind))), block_type, None, values)
                .unwrap();
        }
        Step::Change(number) => {
            let key = pick(number);
            let stored = edit.draft().block(key).unwrap();
            // A block made in this operation has no stored definition yet.
            let Some(old) = definitions.get(&stored.definition) else {
                return;
            };
            let name = json!({ "display_name": format!("n{number}") });
            let mut values = block_values(&key.block_type, name, json!({}));
            values.children = stored.children.clone();
            values.content = old.fields.clone();
            edit.set_block(key, values, old).unwrap();
        }
        Step::Delete(number) => drop(edit.delete_block(pick(number))),
        Step::Publish(number) => drop(edit.publish(pick(number))),
        Step::Unpublish(number) => drop(edit.unpublish(pick(number))),
        Step::Discard(number) => drop(edit.discard_changes(pick(number))),
        Step::Move(from, to) => {
            let (child, target) = (pick(from), pick(to));
            if &*child.block_type == "vertical" && &*target.block_type == "sequential" {
                for parent in edit.draft().parents(child) {
                    let mut children = edit.draft().block(&parent).unwrap().children().to_vec();
                    children.retain(|it| it != child);
                    edit.set_children(&parent, children).unwrap();
                }
                let mut children = edit.draft().block(target).unwrap().children().to_vec();
                children.push(child.clone());
                edit.set_children(target, children).unwrap();
            }
        }
    }
}

proptest::proptest! {
    // courseware.md §2.4: whatever authors do, learners see a whole tree, heads are never changed in
    // place, and publishing everything leaves nothing to publish.
    #[test]
    fn authors_never_break_a_course(operations in proptest::collection::vec(steps(), 1..5)) {
        let mut heads = Heads::with_unit();
        for steps in operations {
            let before = [heads.draft.to_document(), heads.published.to_document()];
            let (draft, published) = (Arc::clone(&heads.draft), Arc::clone(&heads.published));
            let definitions = heads.definitions.clone();
            heads.edit(|edit| {
                for step in steps {
                    take_step(edit, step, &definitions);
                }
                Ok(())
            });
            proptest::prop_assert_eq!(&before, &[draft.to_document(), published.to_document()]);
            for structure in [&heads.draft, &heads.published] {
                for (key, block) in &structure.blocks {
                    proptest::prop_assert!(heads.definitions.contains_key(&block.definition));
                    for child in block.children() {
                        proptest::prop_assert!(structure.block(child).is_some(), "{} of {}", child, key);
                    }
                }
                let read = Structure::from_document(&structure.to_document()).unwrap();
                proptest::prop_assert_eq!(&read, structure.as_ref());
            }
            for key in heads.published.subtree(&heads.published.root) {
                proptest::prop_assert!(
                    heads.draft.block(&key).is_some() || !is_direct_only(&key.block_type),
                    "{} is published only", key
                );
            }
        }
        heads.edit(|edit| edit.publish(&BlockKey::course_root()));
        proptest::prop_assert!(!heads.has_changes("course@course"));
        let root = BlockKey::course_root();
        proptest::prop_assert_eq!(heads.draft.subtree(&root), heads.published.subtree(&root));
    }
}
