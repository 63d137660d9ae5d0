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
