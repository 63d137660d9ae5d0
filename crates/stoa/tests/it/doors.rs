//! design.md, principle 10: one door for each danger. A second one is found here.

/// What may stand only in the files named beside it.
const DOORS: &[(&str, &[&str], &str)] = &[
    ("getrandom::", &["crates/entropy/"], "random secrets"),
    ("Archive::new(", &["crates/olx/src/"], "archive reader"),
    (
        "ammonia::",
        &["crates/web-kit/", "crates/courseware/"],
        "HTML sanitiser",
    ),
    (
        "reqwest::Client",
        &["crates/web-kit/"],
        "outgoing HTTP client",
    ),
    ("AssertSqlSafe", &["crates/db/"], "SQL made at run time"),
    ("unsafe {", &["crates/sandbox/"], "unsafe code"),
];

#[test]
fn no_second_door() {
    for (path, text) in crate::sources() {
        let path = path
            .strip_prefix(crate::root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for (sign, homes, door) in DOORS {
            let at_home = homes.iter().any(|home| path.starts_with(home));
            assert!(
                at_home || !text.contains(sign),
                "{path} opens a second door: {door}"
            );
        }
    }
}

/// Files of one topic: past this many lines of program there are surely two.
const TOO_LONG: usize = 900;

#[test]
fn files_hold_one_topic() {
    // Tables of tests may be as long as they like.
    for (path, text) in crate::sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
    {
        let lines = text.lines().count();
        assert!(lines <= TOO_LONG, "{} has {lines} lines", path.display());
    }
}
