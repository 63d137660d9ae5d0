//! Laws of the round trip (olx.md §14, §15.2, §15.3) on generated courses.

use std::fmt::Write as _;

use course_model::CourseContent;
use olx::ImportedCourse;
use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::Value;

use crate::support::{again, by_path, export, files, import_into};

const KEY: &str = "course-v1:A+B+C";

fn title() -> impl Strategy<Value = String> {
    "[A-Za-z0-9 \u{e9}&<>\"'.:,{}\\[\\]-]{0,12}"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn leaf(id: usize) -> impl Strategy<Value = String> {
    let name = move |kind: &str| format!("{kind} url_name=\"{}{id}\"", kind.trim_end_matches('_'));
    let (html, problem, video, unknown) =
        (name("html"), name("problem"), name("video"), name("scormx"));
    let (poll, question, cloud, lti) = (
        name("poll"),
        name("poll_question"),
        name("word_cloud"),
        name("lti"),
    );
    Union::new([
        (title(), "[a-z<>&; \n]{0,12}")
            .prop_map(move |(title, text)| {
                format!("<{html} display_name=\"{}\">{}</html>", escaped(&title), escaped(&text))
            })
            .boxed(),
        (title(), 0..9_u8, "[a-z \n]{0,6}")
            .prop_map(move |(title, tries, text)| {
                let title = escaped(&title);
                format!(
                    "<{problem} display_name=\"{title}\" max_attempts=\"{tries}\" weight=\"{tries}.5\" odd=\"{title}\"><p>{text}<b> {text}</b></p><!-- {text} --><x/></problem>"
                )
            })
            .boxed(),
        (title(), "[a-z]{0,3}")
            .prop_map(move |(title, id)| {
                format!("<{video} display_name=\"{}\" youtube=\"1.0:{id}\"><source src=\"{id}\"/></video>", escaped(&title))
            })
            .boxed(),
        title()
            .prop_map(move |title| format!("<{unknown} k=\"{0}\"><y>{0}</y></scormx>", escaped(&title)))
            .boxed(),
        title()
            .prop_map(move |title| {
                let title = escaped(&title.replace(['\'', '{', '}', '[', ']'], ""));
                format!("<{poll} display_name=\"{title}\" question=\"{title}\" max_submissions=\"2\"/>")
            })
            .boxed(),
        title()
            .prop_map(move |title| {
                format!("<{question}><p>{0}</p><answer id=\"a\">{0}</answer></poll_question>", escaped(&title))
            })
            .boxed(),
        Just(format!("<{cloud} num_inputs=\"3\"/>")).boxed(),
        Just(format!("<{lti} has_score=\"true\" custom_parameters='[\"a=b\"]'/>")).boxed(),
    ])
}

/// Files of a course: units of leaves, some of them drafts.
fn course() -> impl Strategy<Value = Vec<(String, String)>> {
    let units = proptest::collection::vec(
        (
            title(),
            proptest::collection::vec(0..1_u8, 0..4),
            any::<bool>(),
            any::<bool>(),
        ),
        1..4,
    );
    units
        .prop_flat_map(|units| {
            let mut next = 0;
            let units: Vec<_> = units
                .into_iter()
                .map(|(title, leaves, graded, draft)| {
                    let leaves: Vec<_> = leaves
                        .iter()
                        .map(|_| {
                            next += 1;
                            leaf(next)
                        })
                        .collect();
                    (Just(title), leaves, Just(graded), Just(draft))
                })
                .collect();
            (units, title(), title())
        })
        .prop_map(|(units, name, about)| {
            let mut sequences = String::new();
            let mut list = Vec::new();
            for (at, (title, leaves, graded, draft)) in units.into_iter().enumerate() {
                let title = escaped(&title);
                let leaves = leaves.concat();
                let _ = write!(
                    sequences,
                    "<sequential url_name=\"s{at}\" graded=\"{graded}\" due=\"2030-01-02\" display_name=\"{title}\">"
                );
                if draft {
                    list.push((
                        format!("drafts/vertical/v{at}.xml"),
                        format!(
                            "<vertical parent_url=\"block-v1:S+N+R+type@sequential+block@s{at}\" index_in_children_list=\"0\" display_name=\"{title}\">{leaves}</vertical>"
                        ),
                    ));
                } else {
                    let _ = write!(sequences, "<vertical url_name=\"v{at}\">{leaves}</vertical>");
                }
                sequences.push_str("</sequential>");
            }
            list.push((
                "course.xml".to_owned(),
                "<course url_name=\"R\" org=\"S\" course=\"N\"/>".to_owned(),
            ));
            list.push((
                "course/R.xml".to_owned(),
                format!(
                    "<course display_name=\"{}\" advertised_start=\"x\" odd=\"1\"><chapter url_name=\"c\">{sequences}</chapter></course>",
                    escaped(&name)
                ),
            ));
            list.push(("about/overview.html".to_owned(), about));
            list
        })
}

/// What the round trip keeps of a branch: all but where a block's file was.
fn kept(content: &CourseContent) -> CourseContent {
    let mut content = content.clone();
    content.blocks.sort_keys();
    for block in content.blocks.values_mut() {
        if let Some(Value::Object(attributes)) = block.settings.get_mut("xml_attributes") {
            attributes.shift_remove("filename");
            if attributes.is_empty() {
                block.settings.shift_remove("xml_attributes");
            }
        }
        block.settings.sort_keys();
        block.content.sort_keys();
    }
    content
}

fn read_again(course: &ImportedCourse) -> ImportedCourse {
    import_into(&again(&export(course, KEY)), KEY).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn export_and_import_are_inverse(list in course()) {
        let list: Vec<(&str, &str)> = list.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut first = import_into(&files(&list), KEY).unwrap();
        // An inline definition keeps its name in its own text; in a file the name is the file's.
        let second = read_again(&first);
        first.videos.clone_from(&second.videos);
        prop_assert_eq!(kept(&first.published), kept(&second.published));
        prop_assert_eq!(kept(&first.draft), kept(&second.draft));
    }

    #[test]
    fn exports_are_equal_from_the_second_on(list in course()) {
        let list: Vec<(&str, &str)> = list.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let first = export(&import_into(&files(&list), KEY).unwrap(), KEY);
        let second = export(&import_into(&again(&first), KEY).unwrap(), KEY);
        let third = export(&import_into(&again(&second), KEY).unwrap(), KEY);
        prop_assert_eq!(by_path(&second), by_path(&third));
        let (first, second) = (by_path(&first), by_path(&second));
        for (path, text) in &first {
            // The first export still tells where inline definitions stood.
            if !path.ends_with("policy.json") {
                prop_assert_eq!(Some(text), second.get(path), "{}", path);
            }
        }
    }
}

/// A course of many forms whose files are then damaged.
const FORMS: [(&str, &str); 9] = [
    ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
    (
        "course/R.xml",
        r#"<course start="2030-01-01" graceperiod="1 day"><chapter url_name="c"/><textbook title="t" book_url="u"/><wiki slug="N"/></course>"#,
    ),
    (
        "chapter/c.xml",
        r#"<chapter><sequential slug="s"><vertical name="a b"><problem filename="p"/><video url_name="v" youtube="1.0:x" from="00:00:01"><source src="a"/><video_asset client_video_id="n" duration="1.0"><transcripts><transcript language_code="en" file_format="srt" provider="x"/></transcripts></video_asset></video><book page="1"/></vertical></sequential></chapter>"#,
    ),
    (
        "problem/p.xml",
        r#"<problem weight="2"><meta>{"max_attempts": 1}</meta><p>x<b/></p></problem>"#,
    ),
    (
        "policies/R/policy.json",
        r#"{"course/R": {"tabs": [{"type": "courseware"}], "user_partitions": []}, "problem/p": {"weight": 3}}"#,
    ),
    (
        "policies/R/grading_policy.json",
        r#"{"GRADER": [], "GRADE_CUTOFFS": {}}"#,
    ),
    (
        "drafts/vertical/d.xml",
        r#"<vertical parent_url="i4x://S/N/sequential/s" index_in_children_list="0"><split_test url_name="t" group_id_to_child='{"0": "i4x://S/N/vertical/v"}' user_partition_id="1"/><openassessment url_name="o"><title>t</title><rubric><criterion><name>n</name><prompt>p</prompt><option points="1"><name>a</name><explanation>e</explanation></option></criterion></rubric><assessments><assessment name="self-assessment"/></assessments></openassessment></vertical>"#,
    ),
    ("info/updates.items.json", r#"[{"id": 1}]"#),
    (
        "policies/assets.json",
        r#"{"a.txt": {"displayname": "b", "locked": true}}"#,
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is in the files, reading ends with a course or an error; a course can be written.
    #[test]
    fn damaged_files_are_survived(
        damage in proptest::collection::vec((0..FORMS.len(), any::<prop::sample::Index>(), 0..6_usize, "[<>/\"'a0=&;{}:,\\[\\] \n\u{e9}-]{0,4}"), 1..5),
    ) {
        let mut list: Vec<(&str, String)> = FORMS.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        for (file, at, length, text) in damage {
            let whole = &mut list[file].1;
            let from = at.index(whole.len() + 1);
            let (mut from, mut to) = (from, (from + length).min(whole.len()));
            while !whole.is_char_boundary(from) { from -= 1; }
            while !whole.is_char_boundary(to) { to += 1; }
            whole.replace_range(from..to, &text);
        }
        if let Ok(course) = import_into(&files(&list), KEY) {
            let exported = export(&course, KEY);
            prop_assert!(exported.files.iter().any(|(path, _)| path == "course.xml"));
        }
    }
}
