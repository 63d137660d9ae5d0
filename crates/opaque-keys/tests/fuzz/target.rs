//! Fuzz target of the keys: no text panics, and what prints reads back as the same key.

use opaque_keys::{
    AnyUsageKey, AsideUsageKey, AssetKey, BlockTypeKey, CollectionKey, ContainerKey, CourseKey,
    DefinitionKey, LearningContextKey, LibraryKeyV2, LibraryUsageKeyV2, UsageKey,
};

macro_rules! reads_back {
    ($($key:ty),+ $(,)?) => {
        /// Parses one input as a key of each family.
        pub fn run(data: &[u8]) {
            let Ok(text) = std::str::from_utf8(data) else { return };
            $(
                if let Ok(key) = <$key>::parse(text) {
                    let printed = key.to_string();
                    // Old-style keys lose their run when printed; a second round must change nothing.
                    if let Ok(again) = <$key>::parse(&printed) {
                        assert_eq!(again.to_string(), printed);
                    }
                }
            )+
            with_course(text);
        }
    };
}

reads_back!(
    AnyUsageKey,
    AsideUsageKey,
    AssetKey,
    BlockTypeKey,
    CollectionKey,
    ContainerKey,
    CourseKey,
    DefinitionKey,
    LearningContextKey,
    LibraryKeyV2,
    LibraryUsageKeyV2,
    UsageKey,
);

/// Uses the parts of a course's key, and of keys inside it.
fn with_course(text: &str) {
    if let Ok(course) = CourseKey::parse(text) {
        if course.is_printable() && !course.is_deprecated() {
            assert_eq!(CourseKey::parse(&course.to_string()).as_ref(), Ok(&course));
        }
        let _ = course.make_usage_key("html", "a");
        let _ = course.make_asset_key("a.png");
        let _ = course.for_branch(Some("draft-branch"));
        let _ = course.version_agnostic();
        let _ = course.html_id();
    }
    if let Ok(usage) = UsageKey::parse(text) {
        if !usage.is_deprecated() && usage.course_key().is_printable() {
            assert_eq!(UsageKey::parse(&usage.to_string()).as_ref(), Ok(&usage));
        }
        let _ = usage.html_id();
        if let Ok(course) = CourseKey::new("O", "C", "R") {
            let _ = usage.map_into_course(&course);
            let _ = AssetKey::for_path(&course, text);
        }
    }
    let _ = opaque_keys::clean(text);
    let _ = opaque_keys::unquote_slashes(&opaque_keys::quote_slashes(text));
}
