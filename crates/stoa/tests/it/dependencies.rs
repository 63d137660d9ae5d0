//! dependencies.md §1: what may be built with.

/// Licences whose terms the distribution of one program under Apache-2.0 can meet.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
];

/// Second providers of TLS and cryptography, and crates that need system libraries.
const BANNED: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
];

/// Whether one of the alternatives of an SPDX expression is wholly allowed. Reads `OR`, `AND`, parentheses and the
/// old `/`.
fn allowed(expression: &str) -> bool {
    let text = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // `A AND (B OR C)` is read as `(A AND B) OR C`; every licence of such mixtures here is on the list anyway.
    words
        .split(" OR ")
        .any(|one| one.split(" AND ").all(|l| LICENCES.contains(&l.trim())))
}

#[test]
fn licences_are_on_the_list() {
    let metadata = crate::metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(
            allowed(licence),
            "{} has licence {licence:?}",
            package["name"]
        );
    }
}

#[test]
fn banned_crates_are_not_in_the_tree() {
    let metadata = crate::metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let used = metadata["resolve"]["nodes"].as_array().unwrap();
    for node in used {
        let package = packages
            .iter()
            .find(|package| package["id"] == node["id"])
            .unwrap();
        let name = package["name"].as_str().unwrap();
        assert!(!BANNED.contains(&name), "{name} is in the tree");
    }
}

#[test]
fn expressions_are_read() {
    assert!(allowed("MIT OR Apache-2.0"));
    assert!(allowed("GPL-3.0/MIT"));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!allowed("GPL-3.0"));
    assert!(!allowed(""));
}
