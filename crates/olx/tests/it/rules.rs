//! Reading rules, by the numbers of olx.md §15 and the sections that state them.

use course_model::BlockKey;
use olx::{Error, Limits};
use serde_json::{Value, json};

use crate::support::{block, children, files, import, import_into, unit, unit_files, value};

const POINTER: (&str, &str) = ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#);

// §15.5: a pointer loads its files, an attribute more makes it an empty definition.
#[test]
fn pointers_are_told_from_definitions() {
    let more = [
        ("html/x.xml", r#"<html filename="x" editor="raw"/>"#),
        ("html/x.html", "<p>x"),
    ];
    let course = unit(r#"<html url_name="x"/>"#, &more);
    assert_eq!(value(&course, "html", "x", "data"), Some(json!("<p>x")));
    assert_eq!(value(&course, "html", "x", "editor"), Some(json!("raw")));
    let course = unit(r#"<html url_name="x" display_name="d"/>"#, &more);
    assert_eq!(value(&course, "html", "x", "data"), Some(json!("")));
    assert_eq!(
        value(&course, "html", "x", "display_name"),
        Some(json!("d"))
    );
}

// §15.6, §11: the messages of an archive without its root.
#[test]
fn a_missing_root_is_named() {
    let empty = files(&[("about/overview.html", "x")]);
    let error = import_into(&empty, "course-v1:A+B+C").unwrap_err();
    assert_eq!(
        error.import_message(),
        "Could not find the course.xml file in the package."
    );
    let error = import_into(&empty, "library-v1:A+L").unwrap_err();
    assert_eq!(
        error.import_message(),
        "Could not find the library.xml file in the package."
    );
    let inner = files(&[(
        "a/b/course.xml",
        r#"<course url_name="R" org="S" course="N"/>"#,
    )]);
    let error = import_into(&inner, "course-v1:A+B+C").unwrap_err();
    assert!(
        matches!(&error, Error::Root(fault) if fault.text.contains("course/R.xml")),
        "{error}"
    );
    assert_eq!(
        error.import_message(),
        "Unknown error while importing course."
    );
}

// §15.10 to §15.14 and §4.
#[test]
fn attributes_become_values() {
    let course = unit(
        r#"<problem url_name="p" graded="TRUE" display_name="3.4" due="&quot;2013-02-05T05:00:00Z&quot;" graceperiod="1 day 5 hours 59 minutes 59 seconds" start="1357002000000" max_attempts="" rerandomize=""/>
           <problem url_name="q" graded="yes" display_name="null" due="2013-02-05T05:00:00Z" graceperiod="" rerandomize="&quot;false&quot;"/>
           <problem url_name="r" display_name="&quot;a&quot;" due="2031-01-01T00:00:00+02:00"/>"#,
        &[],
    );
    let get = |id: &str, field: &str| value(&course, "problem", id, field).unwrap();
    assert_eq!(get("p", "graded"), json!(true));
    assert_eq!(get("q", "graded"), json!(false));
    assert_eq!(get("p", "display_name"), json!("3.4"));
    assert_eq!(get("q", "display_name"), Value::Null);
    assert_eq!(get("r", "display_name"), json!("a"));
    assert_eq!(get("p", "due"), get("q", "due"));
    assert_eq!(get("r", "due"), json!("2030-12-31T22:00:00Z"));
    assert_eq!(get("p", "start"), json!("2013-01-01T01:00:00Z"));
    assert_eq!(get("p", "graceperiod"), json!("1 days 21599 seconds"));
    assert_eq!(get("q", "graceperiod"), json!(""));
    assert_eq!(get("p", "max_attempts"), Value::Null);
    assert_eq!(get("p", "rerandomize"), json!("always"));
    assert_eq!(get("q", "rerandomize"), json!("per_student"));
}

// §15.15: a position in a video must be well-formed; the fault names file, line and value.
#[test]
fn bad_positions_drop_their_video() {
    let course = unit(
        "<video url_name=\"a\" start_time=\"24:00:00\"/>\n<video url_name=\"b\" start_time=\"75\"/>\n\
         <video url_name=\"c\" start_time=\"75.0\"/>",
        &[],
    );
    assert_eq!(children(&course.published, "vertical", "v"), ["video@c"]);
    assert_eq!(
        value(&course, "video", "c", "start_time"),
        Some(json!("00:01:15"))
    );
    let told: Vec<String> = course.warnings.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("course/R.xml:1: ") && told[0].contains("'24:00:00'"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("course/R.xml:2: ") && told[1].contains("'75'"),
        "{told:?}"
    );
}

// §15.16, §15.17, §3.1: unknown attributes stay as text; policies override, videos have none.
#[test]
fn policies_override_attributes() {
    let policy = r#"{"vertical/v": {"display_name": "P", "extra": [1]}, "video/w": {"display_name": "P"},
                     "problem/p": {"weight": 7}}"#;
    let course = unit(
        r#"<video url_name="w"/><problem url_name="p" weight="2" foo="[1, 2]"><meta>{"weight": 5}</meta> text<a/></problem>"#,
        &[("policies/R/policy.json", policy)],
    );
    assert_eq!(
        value(&course, "vertical", "v", "display_name"),
        Some(json!("P"))
    );
    let attributes = value(&course, "vertical", "v", "xml_attributes").unwrap();
    assert_eq!(attributes["extra"], json!([1]));
    assert_eq!(value(&course, "video", "w", "display_name"), None);
    assert_eq!(value(&course, "problem", "p", "weight"), Some(json!(7.0)));
    let attributes = value(&course, "problem", "p", "xml_attributes").unwrap();
    assert_eq!(attributes["foo"], json!("[1, 2]"));
    let data = value(&course, "problem", "p", "data").unwrap();
    assert_eq!(
        data,
        json!("<problem url_name=\"p\" foo=\"[1, 2]\">\n  <a/>\n</problem>\n")
    );
}

// §15.18, §15.19: broken policies and chapters do not end an import.
#[test]
fn broken_files_are_survived() {
    let course = import(&[
        POINTER,
        (
            "course/R.xml",
            "<course><chapter url_name=\"gone\"/><chapter url_name=\"bad\"/><chapter url_name=\"c\"/></course>",
        ),
        ("chapter/bad.xml", "<chapter>\n<x></chapter>"),
        ("chapter/c.xml", "<chapter/>"),
        ("policies/R/policy.json", "{"),
        ("policies/R/grading_policy.json", "{"),
    ]);
    assert_eq!(
        children(&course.published, "course", "course"),
        ["chapter@c"]
    );
    let told: Vec<String> = course.warnings.iter().map(ToString::to_string).collect();
    let has = |start: &str| told.iter().any(|text| text.starts_with(start));
    assert!(
        has("policies/R/policy.json:1: ") && has("chapter/bad.xml:2: "),
        "{told:?}"
    );
    assert!(
        has("policies/R/grading_policy.json:1: ") && has("course/R.xml:1: "),
        "{told:?}"
    );
    assert_eq!(value(&course, "course", "course", "grading_policy"), None);
}

// §5: what the policy file leaves out is filled from the defaults; the defaults themselves are not kept.
#[test]
fn grading_policies_are_completed() {
    let read = |policy: String| {
        let course = unit("", &[("policies/R/grading_policy.json", policy.as_str())]);
        value(&course, "course", "course", "grading_policy")
    };
    let policy = read(json!({"GRADE_CUTOFFS": {"A": 0.9}}).to_string()).unwrap();
    assert_eq!(policy["GRADER"], olx::default_grading_policy()["GRADER"]);
    assert_eq!(policy["GRADE_CUTOFFS"], json!({"A": 0.9}));
    assert_eq!(read(olx::default_grading_policy().to_string()), None);
}

// §15.21.
#[test]
fn wiki_slugs_follow_the_course() {
    for (slug, wanted) in [
        (r#"<wiki slug="N"/>"#, "A.B.C"),
        (r#"<wiki slug="S.N.R"/>"#, "A.B.C"),
        ("", "A.B.C"),
        (r#"<wiki slug="my-wiki"/>"#, "my-wiki"),
    ] {
        let text = format!("<course>{slug}</course>");
        let course = import(&[POINTER, ("course/R.xml", text.as_str())]);
        assert_eq!(
            value(&course, "course", "course", "wiki_slug"),
            Some(json!(wanted)),
            "{slug}"
        );
    }
}

// §15.22, §15.23, §5.
#[test]
fn tabs_come_from_the_policy() {
    let kinds = |course: &olx::ImportedCourse| -> Vec<String> {
        let tabs = value(course, "course", "course", "tabs").unwrap();
        let tabs = tabs.as_array().unwrap().iter();
        tabs.map(|tab| tab["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let course = unit("", &[]);
    let default = [
        "courseware",
        "progress",
        "dates",
        "discussion",
        "wiki",
        "textbooks",
    ];
    assert_eq!(kinds(&course), default);
    let policy = r#"{"course/R": {"tabs": [{"type": "course_info", "name": "Home"}, {"type": "courseware"},
        {"type": "static_tab", "name": "Mine", "url_slug": "mine", "course_staff_only": true}, {"type": "wiki"}, {"type": "odd"}]}}"#;
    let course = unit(
        "",
        &[
            ("policies/R/policy.json", policy),
            ("tabs/mine.html", "<p>m</p>"),
            ("tabs/stray.html", "s"),
        ],
    );
    assert_eq!(kinds(&course), ["courseware", "static_tab", "wiki"]);
    assert_eq!(
        value(&course, "static_tab", "mine", "display_name"),
        Some(json!("Mine"))
    );
    assert_eq!(
        value(&course, "static_tab", "mine", "course_staff_only"),
        Some(json!(true))
    );
    assert_eq!(value(&course, "static_tab", "stray", "display_name"), None);
    let wrong = [
        POINTER,
        ("course/R.xml", "<course/>"),
        (
            "policies/R/policy.json",
            r#"{"course/R": {"tabs": [{"type": "wiki"}]}}"#,
        ),
    ];
    assert!(import_into(&files(&wrong), "course-v1:A+B+C").is_err());
}

// §15.24, §6.
#[test]
fn extra_content_is_read() {
    let course = unit(
        "",
        &[
            (
                "info/updates.items.json",
                r#"[{"id": 1, "status": "deleted"}]"#,
            ),
            ("info/updates.html", "<ol/>\r\n"),
            ("info/old.html~", "x"),
            ("about/overview.html", "general"),
            ("about/R/overview.html", "of the run"),
            ("custom_tags/book", "${page}"),
            ("about/broken.items.json", "{"),
        ],
    );
    let items = value(&course, "course_info", "updates", "items").unwrap();
    assert_eq!(items, json!([{"id": 1, "status": "deleted"}]));
    assert_eq!(
        value(&course, "course_info", "updates", "data"),
        Some(json!("<ol/>\n"))
    );
    assert_eq!(
        value(&course, "about", "overview", "data"),
        Some(json!("of the run"))
    );
    assert_eq!(
        value(&course, "custom_tag_template", "book", "data"),
        Some(json!("${page}"))
    );
    assert_eq!(block(&course.published, "course_info", "old"), None);
    assert_eq!(block(&course.published, "about", "broken"), None);
}

// §15.26, §15.27, §3.4.
#[test]
fn unknown_content_is_kept() {
    let course = unit(
        r#"<problem url_name="p"/><scormx url_name="s" score="3"><inner a="1"> text <b/></inner></scormx><word_cloud url_name="w" num_inputs="3"/>"#,
        &[(
            "problem/p.xml",
            "<!-- out --><problem markdown=\"**x**\"><!-- in --><p>a</p></problem>",
        )],
    );
    let data = value(&course, "problem", "p", "data").unwrap();
    assert_eq!(
        data,
        json!("<problem>\n  <!-- in -->\n  <p>a</p>\n</problem>\n")
    );
    assert_eq!(
        value(&course, "problem", "p", "markdown"),
        Some(json!("**x**"))
    );
    let data = value(&course, "scormx", "s", "data").unwrap();
    assert_eq!(
        data,
        json!(
            "<scormx url_name=\"s\" score=\"3\">\n  <inner a=\"1\"> text <b/></inner>\n</scormx>\n"
        )
    );
    assert_eq!(
        value(&course, "word_cloud", "w", "num_inputs"),
        Some(json!(3))
    );
}

// §15.28, §15.29, §15.30, §3.2.
#[test]
fn inline_blocks_have_their_own_forms() {
    let course = unit(
        r#"<poll_question url_name="q"><p>?</p></poll_question>
           <poll url_name="p" xblock-family="xblock.v1" answers="[[r, {label: Red}]]" max_submissions="2" odd="1">
             <option:question xmlns:option="http://code.edx.org/xblock/option">Which?</option:question>
             <option:feedback xmlns:option="http://code.edx.org/xblock/option" none="true"/>
           </poll>"#,
        &[],
    );
    assert_eq!(children(&course.published, "vertical", "v"), ["poll@p"]);
    let get = |field: &str| value(&course, "poll", "p", field);
    assert_eq!(get("answers"), Some(json!([["r", {"label": "Red"}]])));
    assert_eq!(get("max_submissions"), Some(json!(2)));
    assert_eq!(get("question"), Some(json!("Which?")));
    assert_eq!(get("feedback"), Some(Value::Null));
    assert_eq!(get("odd"), None);
}

fn draft(text: &str) -> String {
    format!("<vertical {text}><html url_name=\"dh\">d</html></vertical>")
}

const PARENT: &str = r#"parent_url="block-v1:S+N+R+type@sequential+block@s""#;

// §15.31 to §15.35, §9.
#[test]
fn drafts_lie_over_the_published_branch() {
    let one = draft(&format!(
        "{PARENT} index_in_children_list=\"1\" display_name=\"One\""
    ));
    let two = draft(r#"parent_sequential_url="i4x://S/N/sequential/s" index_in_children_list="0""#);
    let changed =
        format!("<vertical {PARENT} index_in_children_list=\"1\" display_name=\"Changed\"/>");
    let lost = draft(
        r#"parent_url="block-v1:S+N+R+type@sequential+block@gone" index_in_children_list="0""#,
    );
    let unmarked = "<vertical display_name=\"No\"/>".to_owned();
    let course = unit(
        r#"<problem url_name="p"><p>live</p></problem>"#,
        &[
            ("drafts/vertical/z1.xml", one.as_str()),
            ("drafts/vertical/a0.xml", two.as_str()),
            ("drafts/vertical/v.xml", changed.as_str()),
            ("drafts/vertical/lost.xml", lost.as_str()),
            ("drafts/vertical/unmarked.xml", unmarked.as_str()),
            ("drafts/vertical/._z1.xml", one.as_str()),
            (
                "drafts/vertical/broken.xml",
                "<vertical index_in_children_list=\"0\"",
            ),
        ],
    );
    assert_eq!(
        children(&course.published, "sequential", "s"),
        ["vertical@v"]
    );
    let drafts = ["vertical@a0", "vertical@z1", "vertical@v"];
    assert_eq!(children(&course.draft, "sequential", "s"), drafts);
    for absent in ["z1", "a0", "lost", "unmarked", "._z1"] {
        assert_eq!(
            block(&course.published, "vertical", absent),
            None,
            "{absent}"
        );
    }
    let live = block(&course.published, "vertical", "v").unwrap();
    let draft = block(&course.draft, "vertical", "v").unwrap();
    assert_eq!(draft.settings["display_name"], json!("Changed"));
    assert_eq!((live.children.len(), draft.children.len()), (1, 0));
    assert!(
        course
            .draft
            .blocks
            .contains_key(&BlockKey::new("problem", "p")),
        "orphaned, not lost"
    );
    assert_eq!(children(&course.draft, "vertical", "z1"), ["html@dh"]);
    let attributes = &block(&course.draft, "vertical", "z1").unwrap().settings["xml_attributes"];
    assert_eq!(attributes.get("parent_url"), None);
    assert_eq!(block(&course.draft, "vertical", "lost"), None);
}

// §15.37, §8, §16.
#[test]
fn references_end_in_the_target() {
    let course = unit(
        r#"<split_test url_name="t" user_partition_id="7" group_id_to_child='{"0": "i4x://S/N/vertical/g", "1": "block-v1:S+N+R+type@vertical+block@g", "2": "block-v1:X+Y+Z+type@vertical+block@g"}'><vertical url_name="g" display_name="G"/></split_test>
           <conditional url_name="c" sources="i4x://S/N/problem/p;i4x://O/X/problem/p" attempted="True"><show sources="i4x://S/N/html/h"/><html url_name="h">h</html></conditional>
           <split_test url_name="bad" group_id_to_child="{"/>"#,
        &[],
    );
    let group = "block-v1:A+B+C+type@vertical+block@g";
    let map = value(&course, "split_test", "t", "group_id_to_child").unwrap();
    assert_eq!(map, json!({"0": group, "1": group, "2": group}));
    let problem = "block-v1:A+B+C+type@problem+block@p";
    let sources = value(&course, "conditional", "c", "sources_list").unwrap();
    assert_eq!(sources, json!([problem, problem]));
    assert_eq!(
        value(&course, "conditional", "c", "conditional_attr"),
        Some(json!("attempted"))
    );
    assert_eq!(
        children(&course.published, "conditional", "c"),
        ["html@h", "html@h"]
    );
    assert_eq!(
        children(&course.published, "vertical", "v"),
        ["split_test@t", "conditional@c"]
    );
}

// §15.35, §15.38, §15.39, §15.41, §12.
#[test]
fn assets_are_named_and_typed() {
    let policy = r#"{"Brain_green.png": {"displayname": "Brain green/1.png", "locked": true, "contentType": "image/png"},
                     "x.css": {"contentType": "no/type"}}"#;
    let course = unit(
        "",
        &[
            ("static/Brain green.png", "1"),
            ("static/a/b.txt", "2"),
            (
                "static/a_b.txt",
                "of two with one name the last walked stays",
            ),
            ("static/x.css", "3"),
            ("static/README", "4"),
            ("static/._x", "5"),
            ("static/y~", "6"),
            ("static/.DS_Store", "7"),
            ("static_import/README", "8"),
            ("policies/assets.json", policy),
        ],
    );
    let mut shown: Vec<_> = course
        .assets
        .iter()
        .map(|asset| {
            let data = asset.data.read().unwrap();
            (
                asset.name.as_str(),
                asset.displayname.as_str(),
                asset.locked,
                asset.content_type.as_deref(),
                asset.import_path.as_str(),
                String::from_utf8_lossy(&data).into_owned(),
            )
        })
        .collect();
    shown.sort_unstable();
    let row = |name, shown, locked, kind, path, data: &str| {
        (name, shown, locked, kind, path, data.to_owned())
    };
    assert_eq!(
        shown,
        [
            row(
                "Brain_green.png",
                "Brain green_1.png",
                true,
                Some("image/png"),
                "Brain green.png",
                "1"
            ),
            row("README", "README", false, None, "README", "8"),
            row(
                "a_b.txt",
                "b.txt",
                false,
                Some("text/plain"),
                "a/b.txt",
                "2"
            ),
            row("x.css", "x.css", false, Some("text/css"), "x.css", "3"),
        ]
    );
}

const SUBTITLES: &str = "1\n00:00:01,0 --> 00:00:02,0\nHi\n\n";

// §15.43 to §15.45, §7.1.
#[test]
fn videos_tell_the_video_store() {
    let course = unit(
        r#"<video url_name="a" edx_video_id="vid-1"><video_asset client_video_id="File" duration="12.5" image="i.png">
             <encoded_video profile="desktop_mp4" url="https://x/" file_size="3" bitrate="2"/><encoded_video profile="odd" url="u"/>
             <transcripts><transcript language_code="en" file_format="srt" provider="Cielo24"/><transcript language_code="es" file_format="srt" provider="Custom"/></transcripts></video_asset></video>
           <video url_name="b" youtube="0.75:a,1.0:b" sub="s" transcripts='{"fr": "f.srt"}'><source src="/static/m.mp4"/><track src="t"/></video>
           <video url_name="c" edx_video_id="unknown"/>"#,
        &[
            ("static/vid-1-en.srt", SUBTITLES),
            (
                "static/subs_s.srt.sjson",
                r#"{"start": [1], "end": [2], "text": ["x"]}"#,
            ),
            ("static/f.srt", "no subtitles"),
        ],
    );
    assert_eq!(
        children(&course.published, "vertical", "v"),
        ["video@a", "video@b"]
    );
    let [first, second] = course.videos.as_slice() else {
        panic!("two videos");
    };
    let create = first.create.as_ref().unwrap();
    assert_eq!(
        (create.status, create.duration, create.encodes.len()),
        ("imported", 12.5, 1)
    );
    assert_eq!(
        (first.link_course, first.image.as_deref()),
        (true, Some("i.png"))
    );
    let found: Vec<_> = first
        .transcripts
        .iter()
        .map(|t| (t.language.as_str(), t.format))
        .collect();
    assert_eq!(found, [("en", "srt")]);
    let create = second.create.as_ref().unwrap();
    assert_eq!(
        (create.status, create.client_video_id.as_str()),
        ("external", "External Video")
    );
    assert!(!second.link_course);
    let found: Vec<_> = second
        .transcripts
        .iter()
        .map(|t| (t.language.as_str(), t.format))
        .collect();
    assert_eq!(found, [("en", "sjson")]);
    let id = value(&course, "video", "b", "edx_video_id").unwrap();
    assert_eq!(id, json!(second.edx_video_id));
    let get = |field: &str| value(&course, "video", "b", field);
    assert_eq!(get("youtube_id_0_75"), Some(json!("a")));
    assert_eq!(get("youtube_id_1_0"), Some(json!("b")));
    assert_eq!(get("youtube_id_1_25"), Some(json!("")));
    assert_eq!(get("download_track"), Some(json!(true)));
    assert_eq!(get("html5_sources"), Some(json!(["/static/m.mp4"])));
}

// §15.47, §10.
#[test]
fn libraries_go_where_they_are_told() {
    let library = files(&[
        (
            "library.xml",
            r#"<library url_name="library" xblock-family="xblock.v1" display_name="L" org="S" library="X"><problem url_name="p"/></library>"#,
        ),
        ("problem/p.xml", "<problem/>"),
    ]);
    let course = import_into(&library, "library-v1:A+L").unwrap();
    assert_eq!(
        children(&course.published, "library", "library"),
        ["problem@p"]
    );
    assert_eq!(
        value(&course, "library", "library", "display_name"),
        Some(json!("L"))
    );
    assert!(import_into(&library, "course-v1:A+B+C").is_err());
}

// §15.48, §2, §16.
#[test]
fn names_are_given_and_made() {
    let course = unit(
        r#"<problem display_name="A name: x"><p/></problem><problem><p>1</p></problem><problem url_name="d"><p/></problem><problem url_name="d"><p>2</p></problem>
           <problem url_name="e"/><problem url_name="e"/><html url_name="h">1</html><html url_name="h">2</html><vertical url_name="a b"/>"#,
        &[("problem/e.xml", "<problem/>")],
    );
    let found = children(&course.published, "vertical", "v");
    let shown: Vec<&str> = found.iter().map(String::as_str).collect();
    let [
        named,
        hashed,
        "problem@d",
        renamed,
        "problem@e",
        "html@h",
        "html@h",
    ] = shown.as_slice()
    else {
        panic!("{shown:?}");
    };
    assert_eq!(*named, "problem@A_name_x");
    assert!(
        hashed.starts_with("problem@problem_") && hashed.len() == 28,
        "{hashed}"
    );
    assert!(renamed.starts_with("problem@problem_d_"), "{renamed}");
    assert_eq!(value(&course, "html", "h", "data"), Some(json!("2")));
}

// §12 and §15.42 on stored content.
#[test]
fn links_in_content_become_portable() {
    let course = unit(
        r#"<problem url_name="p"><a href="/c4x/S/N/asset/x.png"/><a href="/c4x/O/N/asset/x.png"/></problem><html url_name="h">&lt;a href="/courses/S/N/R/jump_to/i4x://S/N/vertical/v"></html>"#,
        &[],
    );
    let data = value(&course, "problem", "p", "data").unwrap();
    let data = data.as_str().unwrap();
    assert!(
        data.contains("\"/static/x.png\"") && data.contains("/c4x/O/N/asset"),
        "{data}"
    );
    let data = value(&course, "html", "h", "data").unwrap();
    assert!(
        data.as_str().unwrap().contains("\"/jump_to_id/v\""),
        "{data}"
    );
}

/// Definitions that hold themselves, or each other in growing number, end.
#[test]
fn endless_definitions_end() {
    let twice = |next: &str| {
        format!("<wrapper><wrapper url_name=\"{next}\"/><wrapper url_name=\"{next}\"/></wrapper>")
    };
    let names: Vec<String> = (0..40).map(|n| format!("w{n}")).collect();
    let paths: Vec<String> = names
        .iter()
        .map(|name| format!("wrapper/{name}.xml"))
        .collect();
    let mut list = unit_files(
        "<wrapper url_name=\"self\"/><wrapper url_name=\"w0\"/>",
        &[],
    );
    list.push((
        "wrapper/self.xml",
        "<wrapper><wrapper url_name=\"self\"/></wrapper>".to_owned(),
    ));
    for (path, next) in paths.iter().zip(names.iter().skip(1)) {
        list.push((path, twice(next)));
    }
    let limits = Limits {
        xml_total_bytes: 1 << 20,
        ..Limits::default()
    };
    let list = list
        .iter()
        .map(|(path, text)| (format!("course/{path}"), text.as_bytes()));
    let files = olx::ArchiveFiles::from_files(list, &limits);
    let error = import_into(&files, "course-v1:A+B+C").unwrap_err();
    assert!(matches!(error, Error::TooMuchXml(..)), "{error}");
}
