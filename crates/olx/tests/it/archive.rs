//! olx.md §13 and §15.6–9; design.md `Links in archives`: attacks are refused, nothing leaves the folder.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use olx::{ArchiveError, ArchiveFiles, Limits, read_archive, read_folder};
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

/// A member whose path and target are written raw, as an attacker would.
fn member(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, link: &str, data: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_size(data.len() as u64);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..path.len()].copy_from_slice(path.as_bytes());
    gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    builder.append(&header, data).unwrap();
}

fn gz(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn tar_gz(members: &[(&str, EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, link, data) in members {
        member(&mut builder, path, *kind, link, data);
    }
    gz(&builder.into_inner().unwrap())
}

fn read(archive: Vec<u8>) -> Result<ArchiveFiles, ArchiveError> {
    read_archive(Cursor::new(archive), &Limits::default(), None)
}

fn text(files: &ArchiveFiles, path: &str) -> Option<String> {
    let bytes = files.get(path)?.read().unwrap();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

const FILE: EntryType = EntryType::Regular;
const SYMBOLIC: EntryType = EntryType::Symlink;

#[test]
fn paths_out_of_the_archive_are_refused() {
    for path in [
        "../evil",
        "/etc/passwd",
        "a/../../evil",
        "..",
        "a/b/../../../x",
    ] {
        let found = read(tar_gz(&[
            ("course/course.xml", FILE, "", b"x"),
            (path, FILE, "", b"x"),
        ]));
        assert!(matches!(found, Err(ArchiveError::Path { .. })), "{path}");
        assert!(found.unwrap_err().is_unsafe());
    }
    let files = read(tar_gz(&[("./a/../b/x.txt", FILE, "", b"1")])).unwrap();
    assert_eq!(text(&files, "b/x.txt").as_deref(), Some("1"));
}

#[test]
fn devices_and_pipes_are_refused() {
    for kind in [
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
        EntryType::new(b'Z'),
    ] {
        let found = read(tar_gz(&[("course/x", kind, "", b"")]));
        assert!(matches!(found, Err(ArchiveError::Kind { .. })), "{kind:?}");
    }
}

#[test]
fn links_out_of_their_folder_are_refused() {
    let cases = [
        ("course/x", "/etc/passwd"),
        ("course/x", "../other"),
        ("course/static/x", "../course.xml"),
        ("course/x", "a/../../y"),
        ("course/x", "."),
        ("course/x", ""),
    ];
    for (path, target) in cases {
        let members = [
            ("course/course.xml", FILE, "", b"<course/>".as_slice()),
            (path, SYMBOLIC, target, b""),
        ];
        let found = read(tar_gz(&members));
        assert!(
            matches!(found, Err(ArchiveError::Link { .. })),
            "{path} -> {target}"
        );
    }
    let hard = read(tar_gz(&[
        ("course/course.xml", FILE, "", b"x"),
        ("course/static/y", EntryType::Link, "course/course.xml", b""),
    ]));
    assert!(matches!(hard, Err(ArchiveError::Link { .. })));
}

#[test]
fn links_inside_their_folder_are_copies() {
    let files = read(tar_gz(&[
        ("course/roots/R.xml", FILE, "", b"root"),
        ("course/course.xml", SYMBOLIC, "roots/R.xml", b""),
        ("course/second.xml", SYMBOLIC, "course.xml", b""),
        (
            "course/hard.xml",
            EntryType::Link,
            "course/roots/R.xml",
            b"",
        ),
        ("course/copy", SYMBOLIC, "roots", b""),
        ("course/dead.txt", SYMBOLIC, "nowhere", b""),
        ("course/loop1", SYMBOLIC, "loop2", b""),
        ("course/loop2", SYMBOLIC, "loop1", b""),
    ]))
    .unwrap();
    for path in [
        "course/course.xml",
        "course/second.xml",
        "course/hard.xml",
        "course/copy/R.xml",
    ] {
        assert_eq!(text(&files, path).as_deref(), Some("root"), "{path}");
    }
    let dead = ["course/dead.txt", "course/loop1", "course/loop2"];
    assert_eq!(files.dead_links(), dead);
}

/// A link to a folder may not make files without end out of few.
#[test]
fn links_that_hold_each_other_are_bounded() {
    let mut members = vec![("d0/f".to_owned(), FILE, String::new())];
    for level in 1..12 {
        for side in ["a", "b"] {
            members.push((
                format!("d{level}/{side}"),
                SYMBOLIC,
                format!("../d{}", level - 1),
            ));
        }
    }
    let members: Vec<_> = members
        .iter()
        .map(|(path, kind, link)| (path.as_str(), *kind, link.as_str(), b"".as_slice()))
        .collect();
    assert!(matches!(
        read(tar_gz(&members)),
        Err(ArchiveError::Link { .. })
    ));
}

#[test]
fn bombs_are_stopped() {
    let zeros = vec![0; 1 << 20];
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let refused = |archive: &[u8], limits: &Limits| {
        let found = read_archive(Cursor::new(archive.to_vec()), limits, None);
        matches!(&found, Err(error @ ArchiveError::TooMuch { .. }) if error.is_unsafe())
    };
    let big = tar_gz(&[("a", FILE, "", &zeros), ("b", FILE, "", &zeros)]);
    assert!(refused(
        &big,
        &limits(|limits| limits.ratio_floor = 1 << 16)
    ));
    assert!(refused(
        &big,
        &limits(|limits| limits.total_bytes = 1 << 20)
    ));
    assert!(refused(&big, &limits(|limits| limits.file_bytes = 1 << 19)));
    assert!(refused(&big, &limits(|limits| limits.files = 1)));
    assert!(refused(&big, &limits(|limits| limits.members = 1)));
    let long = tar_gz(&[("a/very/long/path", FILE, "", b"")]);
    assert!(refused(&long, &limits(|limits| limits.path_bytes = 8)));
    // A long name that is itself the bomb.
    let name = tar_gz(&[
        ("././@LongLink", EntryType::GNULongName, "", &zeros),
        ("x", FILE, "", b""),
    ]);
    assert!(refused(
        &name,
        &limits(|limits| limits.ratio_floor = 1 << 16)
    ));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default();
    zip.start_file("a", plain).unwrap();
    zip.write_all(&zeros).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    assert!(refused(
        &zip,
        &limits(|limits| limits.ratio_floor = 1 << 16)
    ));
}

#[test]
fn zips_are_read_and_checked() {
    let zip = |path: &str| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default();
        zip.start_file(path, plain).unwrap();
        zip.write_all(b"x").unwrap();
        zip.finish().unwrap().into_inner()
    };
    assert_eq!(
        text(&read(zip("c/course.xml")).unwrap(), "c/course.xml").as_deref(),
        Some("x")
    );
    for path in ["../evil", "/etc/passwd", "a/../../b"] {
        assert!(
            matches!(read(zip(path)), Err(ArchiveError::Path { .. })),
            "{path}"
        );
    }
}

#[test]
fn damaged_archives_are_no_attacks() {
    let mut cut = tar_gz(&[("a", FILE, "", &[7; 4000])]);
    cut.truncate(cut.len() / 2);
    for archive in [
        cut,
        b"BZh9".to_vec(),
        Vec::new(),
        b"PK\x03\x04".to_vec(),
        gz(b"no tar"),
    ] {
        match read(archive) {
            Err(error) => assert!(!error.is_unsafe(), "{error}"),
            Ok(files) => assert_eq!(files.iter().count(), 0),
        }
    }
}

#[test]
fn large_files_go_to_the_spool() {
    let spool = tempfile::tempdir().unwrap();
    let big: Vec<u8> = (0..200_000_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
    let archive = tar_gz(&[("s/big", FILE, "", &big), ("s/small", FILE, "", b"1")]);
    let files = read_archive(Cursor::new(archive), &Limits::default(), Some(spool.path())).unwrap();
    assert_eq!(
        &*files.get("s/big").unwrap().read().unwrap(),
        big.as_slice()
    );
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn folders_follow_the_same_rules() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir(root.join("static")).unwrap();
    std::fs::write(root.join("static/a"), "1").unwrap();
    symlink("a", root.join("static/b")).unwrap();
    symlink("gone", root.join("static/c")).unwrap();
    let files = read_folder(root, &Limits::default()).unwrap();
    assert_eq!(text(&files, "static/b").as_deref(), Some("1"));
    assert_eq!(files.dead_links(), ["static/c"]);
    symlink("/etc/passwd", root.join("static/d")).unwrap();
    let found = read_folder(root, &Limits::default());
    assert!(matches!(found, Err(ArchiveError::Link { .. })));
}

// olx.md §1: a folder's own files before its subfolders, whatever the depth.
#[test]
fn the_root_is_found_at_any_depth() {
    let find = |paths: &[&str]| {
        let files = paths.iter().map(|path| (*path, b"".as_slice()));
        ArchiveFiles::from_files(files, &Limits::default()).find_root("course.xml")
    };
    assert_eq!(find(&["a/b/course.xml"]).as_deref(), Some("a/b/"));
    assert_eq!(find(&["a/course.xml", "course.xml"]).as_deref(), Some(""));
    assert_eq!(
        find(&["z/course.xml", "a/b/course.xml"]).as_deref(),
        Some("a/b/")
    );
    assert_eq!(find(&["a/xcourse.xml", "course.xml/x"]), None);
}

proptest! {
    /// No archive panics, and no path of what is read leaves the folder.
    #[test]
    fn whatever_the_members(
        names in proptest::collection::vec("[a-c./]{1,8}", 1..8),
        targets in proptest::collection::vec("[a-c./]{0,8}", 8),
        kinds in proptest::collection::vec(0..4_usize, 8),
    ) {
        let kinds: Vec<EntryType> = kinds
            .into_iter()
            .map(|kind| [FILE, SYMBOLIC, EntryType::Link, EntryType::Directory][kind])
            .collect();
        let members: Vec<_> = names
            .iter()
            .zip(&targets)
            .zip(&kinds)
            .map(|((name, target), kind)| (name.as_str(), *kind, target.as_str(), b"".as_slice()))
            .collect();
        if let Ok(files) = read(tar_gz(&members)) {
            for (path, _) in files.iter() {
                prop_assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."));
            }
        }
    }

    #[test]
    fn whatever_the_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(bytes.clone());
        let _ = read(gz(&bytes));
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend(bytes);
        let _ = read(zip);
    }
}
