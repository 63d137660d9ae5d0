//! Writing rules, by the numbers of olx.md §15 and the sections that state them.

use serde_json::Value;

use crate::support::{by_path, export, import, unit, unit_files};

const KEY: &str = "course-v1:A+B+C";

fn written(content: &str, more: &[(&str, &str)], path: &str) -> String {
    let exported = export(&unit(content, more), KEY);
    by_path(&exported).get(path).cloned().unwrap_or_default()
}

// §15.4.
#[test]
fn the_root_file_is_exact() {
    let text = written("", &[], "course.xml");
    assert_eq!(text, r#"<course url_name="C" org="A" course="B"/>"#);
    assert_eq!(written("", &[], "assets/assets.xml"), "<assets/>");
}

// §15.12, §15.14, §3.1, §4: alphabetical settings, then unknown attributes in their order.
#[test]
fn attributes_are_written_in_order() {
    let text = written(
        r#"<problem url_name="p" zz="[1, 2]" weight="2" display_name="a &lt;b&gt;&#10;" due="&quot;2013-02-05T05:00:00Z&quot;" graceperiod="1 day 5 hours 59 minutes 59 seconds" aa="1" group_access='{"5":[1,2]}'><p/></problem>"#,
        &[],
        "problem/p.xml",
    );
    let wanted = "<problem url_name=\"p\" zz=\"[1, 2]\" aa=\"1\" display_name=\"a &lt;b&gt;&#10;\" due=\"2013-02-05T05:00:00Z\" graceperiod=\"1 days 21599 seconds\" group_access=\"{&quot;5&quot;: [1, 2]}\" weight=\"2.0\">\n  <p/>\n</problem>\n";
    assert_eq!(text, wanted);
    let text = written(
        r#"<html url_name="h" odd="1" editor="raw">x</html>"#,
        &[],
        "html/h.xml",
    );
    assert_eq!(text, "<html filename=\"h\" editor=\"raw\" odd=\"1\"/>\n");
}

// §15.20.
#[test]
fn of_several_textbooks_the_last_survives() {
    let text = r#"<course><textbook title="1" book_url="u1"/><textbook title="2" book_url="u2"/></course>"#;
    let course = import(&[
        ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
        ("course/R.xml", text),
    ]);
    let exported = export(&course, KEY);
    let wanted = "<course>\n  <textbook title=\"2\" book_url=\"u2\"/>\n  <wiki slug=\"A.B.C\"/>\n</course>\n";
    assert_eq!(by_path(&exported)["course/C.xml"], wanted);
}

// §15.25: bodies go out as they came in.
#[test]
fn html_is_byte_for_byte() {
    let body = "<p>a&nbsp;b<br>\r\nunclosed <b>x\u{a0}\r\n";
    let more = [
        ("html/x.xml", "<html filename=\"x\"/>"),
        ("html/x.html", body),
    ];
    assert_eq!(
        written("<html url_name=\"x\"/>", &more, "html/x.html"),
        body
    );
}

// §15.29.
#[test]
fn inline_blocks_write_indented_json() {
    let text = written(
        r#"<poll url_name="p" answers='[["r", {"label": "Red", "img": null}]]' question="[a, b]"/>"#,
        &[],
        "vertical/v.xml",
    );
    let wanted = "<vertical>\n  <poll url_name=\"p\" xblock-family=\"xblock.v1\" question=\"[a, b]\" answers=\"[&#10;  [&#10;    &quot;r&quot;,&#10;    {&#10;      &quot;img&quot;: null,&#10;      &quot;label&quot;: &quot;Red&quot;&#10;    }&#10;  ]&#10;]\"/>\n</vertical>\n";
    assert_eq!(text, wanted);
}

// §15.45, §7.1.
#[test]
fn videos_write_what_the_store_holds() {
    let subtitles = r#"{"start": [1000, 2000], "end": [2000, 3723004], "text": ["x", "y"]}"#;
    let more = [("static/subs_s.srt.sjson", subtitles)];
    let content = r#"<video url_name="a" youtube="0.75:a,1.0:b" sub="s"><source src="u"/></video>"#;
    let exported = export(&unit(content, &more), KEY);
    let files = by_path(&exported);
    let id = "00000000-0000-4000-8000-000000000001";
    let wanted = format!(
        "<video youtube=\"0.75:a,1.00:b\" url_name=\"a\" sub=\"\" transcripts=\"{{&quot;en&quot;: &quot;{id}-en.srt&quot;}}\" edx_video_id=\"{id}\" html5_sources=\"[&quot;u&quot;]\" youtube_id_0_75=\"a\" youtube_id_1_0=\"b\" youtube_id_1_25=\"\" youtube_id_1_5=\"\">\n  <source src=\"u\"/>\n  <video_asset client_video_id=\"External Video\" duration=\"0.0\" image=\"\">\n    <transcripts>\n      <transcript language_code=\"en\" file_format=\"srt\" provider=\"Custom\"/>\n    </transcripts>\n  </video_asset>\n  <transcript language=\"en\" src=\"{id}-en.srt\"/>\n</video>\n"
    );
    assert_eq!(files["video/a.xml"], wanted);
    let srt = "0\n00:00:01,000 --> 00:00:02,000\nx\n\n1\n00:00:02,000 --> 01:02:03,004\ny\n\n";
    assert_eq!(files[format!("static/{id}-en.srt").as_str()], srt);
}

// §9: only roots of changed subtrees are marked, and the whole subtree is written below drafts/.
#[test]
fn drafts_are_written_with_their_place() {
    let draft = r#"<vertical parent_url="block-v1:S+N+R+type@sequential+block@s" index_in_children_list="0" display_name="D"><html url_name="dh">d</html></vertical>"#;
    let course = unit("", &[("drafts/vertical/n.xml", draft)]);
    let exported = export(&course, KEY);
    let files = by_path(&exported);
    let wanted = "<vertical display_name=\"D\" parent_url=\"block-v1:A+B+C+type@sequential+block@s\" index_in_children_list=\"0\">\n  <html url_name=\"dh\"/>\n</vertical>\n";
    assert_eq!(files["drafts/vertical/n.xml"], wanted);
    assert_eq!(files["drafts/html/dh.html"], "d");
    assert!(!files["sequential/s.xml"].contains("\"n\"") && !files.contains_key("vertical/n.xml"));
}

// §5: tabs and topics only in the policy, keys sorted, four blanks.
#[test]
fn policies_are_sorted_and_indented() {
    let exported = export(&unit("", &[]), KEY);
    let files = by_path(&exported);
    let policy = &files["policies/C/policy.json"];
    assert!(
        policy.starts_with("{\n    \"course/C\": {\n        \"discussion_topics\": {\n"),
        "{policy}"
    );
    let grading: Value = serde_json::from_str(&files["policies/C/grading_policy.json"]).unwrap();
    assert_eq!(grading, olx::default_grading_policy());
    assert!(!files["course/C.xml"].contains("tabs"));
}

// §7: a body that says nothing leaves its pointer and no file; an unreadable one is an error with names.
#[test]
fn what_cannot_be_written_is_named() {
    use course_model::BlockKey;
    let mut course =
        crate::support::import(&unit_files(r#"<problem url_name="p"><a/></problem>"#, &[]));
    let key = BlockKey::new("problem", "p");
    let set = |course: &mut olx::ImportedCourse, data: &str| {
        let block = course.published.blocks.get_mut(&key).unwrap();
        block.content.insert("data".to_owned(), Value::from(data));
        course.draft = course.published.clone();
    };
    set(&mut course, "");
    let exported = export(&course, KEY);
    let files = by_path(&exported);
    assert!(!files.contains_key("problem/p.xml"));
    assert!(files["vertical/v.xml"].contains("<problem url_name=\"p\"/>"));
    set(&mut course, "<problem>");
    let key = opaque_keys::CourseKey::parse(KEY).unwrap();
    let error = olx::write_course(&olx::Export {
        key: &key,
        published: &course.published,
        draft: &course.draft,
        video: &|_| None,
        assets: &[],
        assets_xml: None,
        tags_csv: None,
    })
    .unwrap_err();
    let olx::Error::Unserialisable { usage, parent, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(usage, "block-v1:A+B+C+type@problem+block@p");
    assert_eq!(parent, "block-v1:A+B+C+type@vertical+block@v");
}

// §12, §15.39, §15.49.
#[test]
fn assets_go_back_to_their_places() {
    let asset = |name: &str, shown: &str, path: Option<&str>| olx::ExportedAsset {
        name: name.to_owned(),
        displayname: shown.to_owned(),
        import_path: path.map(str::to_owned),
        content_type: Some("image/png".to_owned()),
        locked: false,
        thumbnail_location: Value::Null,
        custom_md5: None,
    };
    let assets = [
        asset("a_b.txt", "b.txt", Some("a/b.txt")),
        asset("images_course_image.jpg", "images_course_image.jpg", None),
        asset("evil", "../../evil", Some("../x/evil")),
    ];
    let course = unit("", &[]);
    let key = opaque_keys::CourseKey::parse(KEY).unwrap();
    let exported = olx::write_course(&olx::Export {
        key: &key,
        published: &course.published,
        draft: &course.draft,
        video: &|_| None,
        assets: &assets,
        assets_xml: None,
        tags_csv: None,
    })
    .unwrap();
    let paths: Vec<&str> = exported
        .assets
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let wanted = [
        "static/a/b.txt",
        "static/images_course_image.jpg",
        "static/images/course_image.jpg",
        "static/.._.._evil",
    ];
    assert_eq!(paths, wanted);
    let policy: Value = serde_json::from_str(&by_path(&exported)["policies/assets.json"]).unwrap();
    assert_eq!(
        policy["a_b.txt"]["filename"],
        "asset-v1:A+B+C+type@asset+block@a_b.txt"
    );
    assert_eq!(policy["a_b.txt"]["content_son"]["tag"], "c4x");
}
