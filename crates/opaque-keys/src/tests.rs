use proptest::prelude::*;

use super::*;

const OID: &str = "519665f6223ebd6980884f2b";

// courseware.md §1.1, §1.2
#[test]
fn course_keys_print_what_they_read() {
    for (text, printed) in [
        ("course-v1:Acme+Bio+R1", "course-v1:Acme+Bio+R1"),
        ("slashes:Acme+Bio+R1", "course-v1:Acme+Bio+R1"),
        ("Acme/Bio/R1", "Acme/Bio/R1"),
        ("library-v1:Acme+Lib", "library-v1:Acme+Lib"),
        ("library-v1:Acme+Lib+library", "library-v1:Acme+Lib"),
        ("course-v1:A+B+C+type@problem", "course-v1:A+B+C"),
        (
            "course-v1:A+B+C+branch@draft-branch",
            "course-v1:A+B+C+branch@draft-branch",
        ),
        ("ccx-v1:A+B+C+CCX@5", "ccx-v1:A+B+C+ccx@5"),
        ("course-v1:édX+Bió+2024", "course-v1:édX+Bió+2024"),
    ] {
        assert_eq!(
            CourseKey::parse(text).unwrap().to_string(),
            printed,
            "{text}"
        );
    }
    let version = format!("course-v1:version@{OID}");
    assert_eq!(CourseKey::parse(&version).unwrap().version(), Some(OID));
}

// courseware.md §1.1, §1.2
#[test]
fn bad_course_keys_are_refused() {
    for text in [
        "",
        "course-v1:Acme+Bio",
        "course-v1:A/B+C+D",
        "Course-v1:A+B+C",
        "course-v1:A+B+C+",
        "course-v1:A+B+C ",
        "course-v1:A+B+C\n",
        "course-v1:A%+B+C",
        "lib:Acme:L1",
        "block-v1:A+B+C+type@x+block@y",
        "Acme/Bio",
        "Acme/Bio/R1/x",
        "course-v1:version@519665F6223EBD6980884F2B",
        "course-v1:A\u{301}+B+C",
        "course-v1:Ⓐ+B+C",
    ] {
        assert!(CourseKey::parse(text).is_err(), "{text:?}");
    }
}

// courseware.md §1.2, §1.3
#[test]
fn usage_keys() {
    let key = UsageKey::parse("block-v1:Acme+Bio+R1+block@p1").unwrap();
    assert_eq!(key.to_string(), "block-v1:Acme+Bio+R1+type@None+block@p1");
    assert_eq!(key.written_block_type(), None);
    let old = UsageKey::parse("i4x://Acme/Bio/problem/p__1@draft").unwrap();
    assert_eq!((old.branch(), old.course_key().run()), (Some("draft"), ""));
    assert_eq!(old.html_id(), "i4x-Acme-Bio-problem-p_1");
    let course = CourseKey::new("Acme", "Bio", "R1").unwrap();
    let new = old.map_into_course(&course).unwrap();
    assert_eq!(
        new.to_string(),
        "block-v1:Acme+Bio+R1+type@problem+block@p__1"
    );
    assert_eq!(new, course.make_usage_key("problem", "p__1").unwrap());
    assert_ne!(new, old);
    for text in [
        "block-v1:A+B+C+type@problem",
        "lib-block-v1:A+L+block@b",
        "i4x:/A/B/c/d",
        "block-v1:A+B+C+type@x+block@a%20b",
    ] {
        assert!(UsageKey::parse(text).is_err(), "{text}");
    }
}

// courseware.md §1.4
#[test]
fn asides_wrap_keys() {
    let text = "aside-usage-v2:block-v1$:Acme+Bio+R1+type@problem+block@p1::tagging_aside";
    let key = AsideUsageKey::parse(text).unwrap();
    assert_eq!(key.aside_type(), "tagging_aside");
    assert_eq!(key.usage_key().block_id(), "p1");
    assert_eq!(key.to_string(), text);
    let plain = "aside-usage-v1:block-v1:Acme+Bio+R1+type@problem+block@p1::tagging_aside";
    assert_eq!(AsideUsageKey::parse(plain).unwrap().to_string(), plain);
    // Deep nesting ends in an error, not in a full stack.
    assert!(AnyUsageKey::parse(&"aside-usage-v1:".repeat(100_000)).is_err());
    assert!(DefinitionKey::parse(&"aside-def-v1:".repeat(100_000)).is_err());
}

// courseware.md §1.4
#[test]
fn asset_names() {
    let course = CourseKey::new("Acme", "Bio", "R1").unwrap();
    for (path, block) in [
        ("images/My Pic (1).png", "images_My_Pic__1_.png"),
        (" a.png", "_a.png"),
        ("a&b.png", "a_b.png"),
        ("été.pdf", "été.pdf"),
        ("a~b:c.png", "a_b_c.png"),
    ] {
        let key = AssetKey::location(&course, path, false).unwrap();
        assert_eq!(
            key.to_string(),
            format!("asset-v1:Acme+Bio+R1+type@asset+block@{block}")
        );
    }
    assert!(AssetKey::for_path(&course, "/static/").is_err());
    assert!(AssetKey::parse("c4x://Acme/Bio/asset/a.png").is_err());
    assert_eq!(
        thumbnail_name("a.png", Some((100, 50)), None),
        "a-png-100x50.jpg"
    );
}

// courseware.md §1.5
#[test]
fn slashes_are_quoted() {
    let quoted = quote_slashes("i4x://Acme/Bio/problem/p");
    assert_eq!(quoted, "i4x:;_;_Acme;_Bio;_problem;_p");
    assert_eq!(unquote_slashes(&quoted), "i4x://Acme/Bio/problem/p");
}

// courseware.md §1.5
#[test]
fn branches_and_versions() {
    let key = CourseKey::parse(&format!("course-v1:A+B+C+branch@d+version@{OID}")).unwrap();
    assert_eq!(key.for_branch(None).unwrap().to_string(), "course-v1:A+B+C");
    assert_eq!(
        key.version_agnostic().unwrap().to_string(),
        "course-v1:A+B+C+branch@d"
    );
    assert_eq!(
        key.course_agnostic().unwrap().to_string(),
        format!("course-v1:version@{OID}")
    );
    assert!(
        CourseKey::parse(&format!("course-v1:version@{OID}"))
            .unwrap()
            .for_branch(None)
            .is_err()
    );
}

#[test]
fn keys_are_serde_text() {
    let key = CourseKey::new("Acme", "Bio", "R1").unwrap();
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(json, r#""course-v1:Acme+Bio+R1""#);
    assert_eq!(serde_json::from_str::<CourseKey>(&json).unwrap(), key);
    assert!(serde_json::from_str::<CourseKey>(r#""x""#).is_err());
}

/// Texts near to keys: namespaces, markers and separators in any order, and any characters.
fn key_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "course-v1:",
            "slashes:",
            "library-v1:",
            "ccx-v1:",
            "lib:",
            "lb:",
            "block-v1:",
            "lib-block-v1:",
            "ccx-block-v1:",
            "location:",
            "i4x://",
            "asset-v1:",
            "/c4x/",
            "def-v1:",
            "bundle-olx:",
            "aside-usage-v1:",
            "aside-usage-v2:",
            "aside-def-v1:",
            "aside-def-v2:",
            "lct:",
            "lib-collection:",
            "block-type-v1:",
            "+",
            ":",
            "::",
            "$",
            "$:",
            "/",
            "@",
            "branch@",
            "version@519665f6223ebd6980884f2b",
            "ccx@5",
            "type@",
            "block@",
            "None",
            "library",
            "\n",
            " ",
            "%",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Reads `text` with one family; a read key must print as a text that reads as itself.
fn reads_back<K>(
    text: &str,
    parse: fn(&str) -> Result<K, InvalidKeyError>,
) -> Result<(), TestCaseError>
where
    K: std::fmt::Display + std::fmt::Debug + PartialEq,
{
    if let Ok(key) = parse(text) {
        let printed = key.to_string();
        let again = parse(&printed);
        prop_assert_eq!(again.map(|key| key.to_string()), Ok(printed));
    }
    Ok(())
}

/// Well-formed parts of keys.
fn name() -> impl Strategy<Value = String> {
    "[\\w~.:-]{1,8}".prop_filter("\\w of Python", |text| text.chars().all(text::is_id_char))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // courseware.md §1: no input panics; print and parse are inverse on keys.
    #[test]
    fn parsing_is_total(text in key_like()) {
        reads_back(&text, CourseKey::parse)?;
        reads_back(&text, LearningContextKey::parse)?;
        reads_back(&text, UsageKey::parse)?;
        reads_back(&text, AnyUsageKey::parse)?;
        reads_back(&text, AssetKey::parse)?;
        reads_back(&text, DefinitionKey::parse)?;
        reads_back(&text, ContainerKey::parse)?;
        reads_back(&text, CollectionKey::parse)?;
        reads_back(&text, BlockTypeKey::parse)?;
    }

    // courseware.md §1.2: parse(print(k)) = k.
    #[test]
    fn made_keys_read_back(
        org in name(), course in name(), run in name(), branch in prop::option::of(name()),
        block_type in name(), block_id in name(),
    ) {
        let course = CourseKey::new(&org, &course, &run).unwrap();
        let course = course.for_branch(branch.as_deref()).unwrap();
        prop_assert_eq!(&CourseKey::parse(&course.to_string()).unwrap(), &course);
        let usage = course.make_usage_key(&block_type, &block_id).unwrap();
        prop_assert_eq!(&UsageKey::parse(&usage.to_string()).unwrap(), &usage);
        let asset = course.make_asset_key(&block_id).unwrap();
        prop_assert_eq!(&AssetKey::parse(&asset.to_string()).unwrap(), &asset);
        for version in [AsideVersion::V1, AsideVersion::V2] {
            let Ok(aside) = AsideUsageKey::new(AnyUsageKey::Block(usage.clone()), &block_type, version)
            else { continue };
            if version == AsideVersion::V2 {
                prop_assert_eq!(&AsideUsageKey::parse(&aside.to_string()).unwrap(), &aside);
            }
        }
    }

    // courseware.md §1.5: handler quoting is reversible.
    #[test]
    fn quoting_is_reversible(text in ".*") {
        let quoted = quote_slashes(&text);
        prop_assert!(!quoted.contains('/'));
        prop_assert_eq!(unquote_slashes(&quoted), text);
    }
}
