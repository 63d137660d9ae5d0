//! golden/olx `Content as stored`: the tree and its printing.

use olx::xml::{XmlLimits, parse, to_pretty, to_text};
use proptest::prelude::*;

fn plain(text: &str) -> Result<String, String> {
    let parsed = parse(text, &XmlLimits::default());
    parsed
        .map(|element| to_text(&element))
        .map_err(|error| error.to_string())
}

#[test]
fn blanks_are_dropped_by_the_rule() {
    let cases = [
        ("<p><b>a</b> <i>b</i></p>", "<p><b>a</b><i>b</i></p>"),
        ("<p>x <b>a</b> <i>b</i></p>", "<p>x <b>a</b> <i>b</i></p>"),
        ("<p> </p>", "<p> </p>"),
        ("<p> <b/> </p>", "<p><b/></p>"),
        (
            "<p xml:space=\"preserve\"> <b/> </p>",
            "<p xml:space=\"preserve\"> <b/> </p>",
        ),
        ("<p>&#32;<b/></p>", "<p> <b/></p>"),
        ("<p> &#32;<b/></p>", "<p>  <b/></p>"),
        ("<p><![CDATA[a<b]]></p>", "<p>a&lt;b</p>"),
        ("<p>\r\n<b/>\r\n</p>", "<p><b/></p>"),
        ("<p>a\r\nb&#13;</p>", "<p>a\nb&#13;</p>"),
        ("<p><!-- c --> <b/></p>", "<p><!-- c --><b/></p>"),
        ("<p a='\"&#10;\n&#9;'/>", "<p a=\"&quot;&#10; &#9;\"/>"),
        ("<!-- out --><p/><!-- out -->", "<p/>"),
        ("<!DOCTYPE p SYSTEM \"x.dtd\"><p/>", "<p/>"),
        (
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?><p/>",
            "<p/>",
        ),
        (
            "<a:p xmlns:a=\"u\"><a:q/></a:p>",
            "<a:p xmlns:a=\"u\"><a:q/></a:p>",
        ),
    ];
    for (given, wanted) in cases {
        assert_eq!(plain(given).as_deref(), Ok(wanted), "{given}");
    }
}

#[test]
fn faults_name_their_line() {
    let cases = [
        ("<a>\n<b></a>", 2),
        ("<a>\n\n&nbsp;</a>", 3),
        ("<a>\n<b x=1/></a>", 2),
        ("<a/>\n<b/>", 2),
        ("<a/>\ntext", 1),
        ("<a>\n]]></a>", 2),
        ("<a>\n<b c='1' c='2'/></a>", 2),
        ("<a>\n<b c='<'/></a>", 2),
        ("<a>\n<x:b/></a>", 2),
        ("<a>\n\u{1}</a>", 2),
        ("", 1),
        ("<!DOCTYPE a [<!ENTITY e \"x\">]>\n<a>&e;</a>", 2),
    ];
    for (given, line) in cases {
        let error = parse(given, &XmlLimits::default()).expect_err(given);
        assert_eq!(error.line, line, "{given:?}: {error}");
    }
}

#[test]
fn limits_hold() {
    let limits = XmlLimits {
        depth: 10,
        nodes: 100,
        bytes: 10_000,
    };
    let deep = "<a>".repeat(11) + &"</a>".repeat(11);
    assert!(parse(&deep, &limits).is_err());
    let many = format!("<a>{}</a>", "<b/>".repeat(100));
    assert!(parse(&many, &limits).is_err());
    assert!(parse(&format!("<a>{}</a>", "x".repeat(10_000)), &limits).is_err());
    // Entities that would double again and again are not read at all.
    let bomb = r#"<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><a>&b;</a>"#;
    assert!(parse(bomb, &XmlLimits::default()).is_err());
}

#[test]
fn elements_without_text_are_indented() {
    let element = parse(
        "<a><b><c/></b><d>x<e><f/></e></d><!-- k --></a>",
        &XmlLimits::default(),
    );
    let wanted = "<a>\n  <b>\n    <c/>\n  </b>\n  <d>x<e><f/></e></d>\n  <!-- k -->\n</a>\n";
    assert_eq!(to_pretty(&element.unwrap()), wanted);
}

fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ a\n\u{e9}]{0,4}",
        Just("<b/>".to_owned()),
        Just("&amp;&#10;".to_owned()),
        Just("<![CDATA[ < ]]>".to_owned()),
        Just("<!-- c -->".to_owned()),
        Just("<?p i?>".to_owned()),
    ];
    let nodes = leaf.prop_recursive(4, 24, 5, |inner| {
        (
            proptest::collection::vec(inner, 0..5),
            "[a-z]{1,3}",
            "[ <&\"'\u{e9}x]{0,3}",
        )
            .prop_map(|(nodes, name, value)| {
                let value = value
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('"', "&quot;");
                format!("<{name} k=\"{value}\">{}</{name}>", nodes.concat())
            })
    });
    nodes.prop_map(|inner| format!("<root>{inner}</root>"))
}

proptest! {
    /// Printed text parses to what prints the same once more: stored content is a fixed point.
    #[test]
    fn printing_is_a_fixed_point(text in document()) {
        let limits = XmlLimits::default();
        let first = parse(&text, &limits).unwrap();
        let printed = to_pretty(&first);
        let again = to_pretty(&parse(&printed, &limits).unwrap());
        let third = to_pretty(&parse(&again, &limits).unwrap());
        prop_assert_eq!(&again, &third);
    }

    #[test]
    fn no_text_panics(text in "[<>/a&;#x0\"'= !\\[\\]\u{e9}?-]{0,40}") {
        let _ = parse(&text, &XmlLimits::default());
    }
}
