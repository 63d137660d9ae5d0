//! The fuzz targets of the archive reader, for a bounded time on any toolchain.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its input has failed"
)]

#[path = "fuzz/archive.rs"]
mod archive;
#[path = "../../../fuzz/bounded.rs"]
mod bounded;
#[path = "fuzz/xml.rs"]
mod xml;

#[test]
fn xml_bounded() {
    bounded::run(
        "olx_xml",
        &[
            b"<?xml version=\"1.0\"?>\n<course url_name=\"a\" org=\"O\" course=\"C\"/>",
            b"<problem display_name=\"a &amp; b\"><p>x <b>y</b> z</p><!-- c --><choice correct=\"true\">&#233;</choice></problem>",
            b"<a xmlns:o=\"http://code.edx.org/xblock/option\"><o:b none=\"true\"/> <c xml:space=\"preserve\"> </c></a>",
            b"<script type=\"loncapa/python\"><![CDATA[ if a < b: pass ]]></script>",
            b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            b"\xef\xbb\xbf<a>\r\n<b/>\r\n</a>",
        ],
        &[
            b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>", b"&", b";", b"&#", b"&#x0;",
            b"&lt;", b"\"", b"'", b"=", b" ", b"\n", b"\t", b"<a>", b"</a>", b" b=\"\"", b"xmlns=\"u\"", b"xml:space=\"preserve\"",
            b"<!DOCTYPE a>", b"\xc2\xa0", b"\xf0\x9f\x8c\x9e", b":",
        ],
        xml::run,
    );
}

/// A tar of a few members, not packed.
fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in [
        (
            "course/course.xml",
            "<course url_name=\"R\" org=\"O\" course=\"C\"/>",
        ),
        (
            "course/course/R.xml",
            "<course><chapter url_name=\"a\"/></course>",
        ),
        (
            "course/chapter/a.xml",
            "<chapter><sequential url_name=\"b\"/></chapter>",
        ),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder
        .append_link(&mut link, "course/static/b.txt", "a.txt")
        .unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn archive_bounded() {
    use std::io::Write;

    let tar = tar();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(&tar).unwrap();
    let packed = packed.finish().unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(
        "course/course.xml",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    zip.write_all(b"<course url_name=\"R\" org=\"O\" course=\"C\"/>")
        .unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let course = "course.xml\n<course url_name=\"R\" org=\"O\" course=\"C\"/>\u{1}\
                  course/R.xml\n<course><chapter url_name=\"a\"/><wiki slug=\"w\"/></course>\u{1}\
                  chapter/a.xml\n<chapter><sequential><vertical url_name=\"v\"><html url_name=\"h\"/>\
                  <problem url_name=\"p\"/><video url_name=\"f\" youtube=\"1.00:x\"/><poll url_name=\"q\"/>\
                  <unknown url_name=\"u\"/></vertical></sequential></chapter>\u{1}\
                  html/h.xml\n<html filename=\"h\" display_name=\"H\"/>\u{1}html/h.html\n<p>text\u{1}\
                  problem/p.xml\n<problem><p>x</p></problem>\u{1}\
                  policies/R/policy.json\n{\"course/R\": {\"start\": \"2026-01-01\", \"tabs\": []}}\u{1}\
                  policies/R/grading_policy.json\n{\"GRADER\": []}\u{1}\
                  drafts/vertical/d.xml\n<vertical parent_url=\"block-v1:O+C+R+type@sequential+block@b\" \
                  index_in_children_list=\"0\"/>\u{1}about/overview.html\n<p>\u{1}info/updates.items.json\n[]\u{1}\
                  static/a.txt\nx";
    bounded::run(
        "archive",
        &[&tar, &packed, &zip, course.as_bytes()],
        &[
            b"../",
            b"/",
            b"\0",
            b"\x01",
            b"\n",
            b"course.xml",
            b"R.xml",
            b"url_name=\"a\"",
            b"<vertical/>",
            b"{",
            b"}",
            b"[]",
            b"null",
            b"\"course/R\"",
            b"filename=\"",
            b"00000000644",
            b"77777777777",
            b"2",
            b"5",
            b"\x1f\x8b",
            b"PK\x03\x04",
            b"display_name=\"x\"",
            b"<chapter url_name=\"a\"/>",
            b"static/",
            b"drafts/",
            b"tabs/",
            b"policies/assets.json\n{",
        ],
        archive::run,
    );
}
