use std::path::{Path, PathBuf};

use super::{MarkdownError, to_olx};
use crate::xml::{self, NodeId, Tree};

fn olx(markdown: &str) -> String {
    to_olx(markdown).unwrap()
}

// capa.md §14, §15.59; spelled out line by line, as the editor writes it.
#[test]
fn markdown_becomes_problems() {
    for (markdown, expected) in [
        (
            ">>Who?||Pick one.<<\n\n(x) yes {{Right:: so it is}}\n(@) no\n( ) maybe\n\n[explanation]\nBecause.\n[explanation]\n",
            "<problem>\n<multiplechoiceresponse>\n  <label>Who?</label>\n<description>Pick one.</description>\n\
             <choicegroup type=\"MultipleChoice\">\n\
             \x20   <choice correct=\"true\">yes <choicehint label=\"Right\">so it is</choicehint>\n</choice>\n\
             \x20   <choice correct=\"false\" fixed=\"true\">no</choice>\n\
             \x20   <choice correct=\"false\">maybe</choice>\n\
             \x20 </choicegroup>\n\
             <solution>\n<div class=\"detailed-solution\">\n<p>Explanation</p>\n\n<p>Because.</p>\n\n</div>\n\
             </solution>\n</multiplechoiceresponse>\n</problem>",
        ),
        (
            ">>Which?<<\n[x] A {{ selected: yes }, {unselected: no }}\n[ ] B {{odd}}\n{{ ((A B)) both }}",
            "<problem>\n<choiceresponse>\n  <label>Which?</label>\n<checkboxgroup>\n\
             \x20   <choice correct=\"true\">A\n\
             \x20     <choicehint selected=\"true\">yes</choicehint>\n\
             \x20     <choicehint selected=\"false\">no</choicehint>\n</choice>\n\
             \x20   <choice correct=\"false\">B {{odd}}</choice>\n\
             \x20   <compoundhint value=\"A B\">both</compoundhint>\n\
             \x20 </checkboxgroup>\n</choiceresponse>\n</problem>",
        ),
        (
            "[[a, (b), c]]",
            "<problem>\n<optionresponse>\n  <optioninput options=\"('a','b','c')\" correct=\"b\"/>\n\
             </optionresponse>\n</problem>",
        ),
        (
            "[[\n a\n (b) {{L:: good}}\n]]",
            "<problem>\n<optionresponse>\n  <optioninput>\n    <option correct=\"False\">a</option>\n\
             \x20   <option correct=\"True\">b <optionhint label=\"L\">good</optionhint>\n</option>\n\
             \x20 </optioninput>\n</optionresponse>\n</problem>",
        ),
        (
            "= 3.5 +- 2%\nor= 7 {{h}}\nor= ABC\nor= 10 +- 1",
            "<problem>\n<numericalresponse answer=\"3.5\">\n\
             \x20 <responseparam type=\"tolerance\" default=\"2%\"/>\n\
             \x20 <additional_answer answer=\"7\"><correcthint>h</correcthint>\n</additional_answer>\n\
             \x20 <formulaequationinput/>\n</numericalresponse>\n</problem>",
        ),
        (
            "= [5, 7)",
            "<problem>\n<numericalresponse answer=\"[5, 7)\">\n  <formulaequationinput/>\n\
             </numericalresponse>\n</problem>",
        ),
        (
            "= Paris\nor= paree\nnot= London {{no}}",
            "<problem>\n<stringresponse answer=\"Paris\" type=\"ci\">\n\
             \x20 <additional_answer answer=\"paree\"/>\n\
             \x20 <stringequalhint answer=\"London\">no</stringequalhint>\n\
             \x20 <textline size=\"20\"/>\n</stringresponse>\n</problem>",
        ),
        (
            "s= 42",
            "<problem>\n<stringresponse answer=\"42\" type=\"ci\">\n  <textline size=\"20\"/>\n\
             </stringresponse>\n</problem>",
        ),
        (
            "=|a.*b {{yes}}",
            "<problem>\n<stringresponse answer=\"a.*b\" type=\"ci regexp\">\n  <correcthint>yes</correcthint>\n\
             \x20 <textline size=\"20\"/>\n</stringresponse>\n</problem>",
        ),
        (
            "(!) a\n(!x) b",
            "<problem>\n<multiplechoiceresponse>\n\
             \x20 <choicegroup type=\"MultipleChoice\" shuffle=\"true\">\n\
             \x20   <choice correct=\"false\">a</choice>\n    <choice correct=\"true\">b</choice>\n\
             \x20 </choicegroup>\n</multiplechoiceresponse>\n</problem>",
        ),
        // Nothing asked: headings, code and paragraphs; hints at the end.
        (
            "Title\n=====\nwords\r\n[code]\nx < 1\n[code]\n|| one ||\n|| two ||",
            "<problem>\n<h3 class=\"hd hd-2 problem-header\">Title</h3>\n<p>words</p>\n\
             <pre><code>x < 1\n</code></pre>\n\n<demandhint>\n  <hint>one</hint>\n  <hint>two</hint>\n\
             </demandhint>\n</problem>",
        ),
    ] {
        assert_eq!(olx(markdown), expected, "{markdown}");
    }
}

// capa.md §14.10: several responses in one question keep the text as it is made.
#[test]
fn several_responses_stay_where_they_are() {
    let text = olx("One\n= 5\n\nTwo\n= b\n");
    assert_eq!(
        text,
        "<problem>\n<p>One</p>\n<numericalresponse answer=\"5\">\n  <formulaequationinput />\n\
         </numericalresponse>\n\n<p>Two</p>\n<stringresponse answer=\"b\" type=\"ci\" >\n\
         \x20 <textline size=\"20\"/>\n</stringresponse>\n\n</problem>"
    );
    let two = olx("= 1\n---\n= 2");
    assert_eq!(two.matches("<numericalresponse").count(), 2);
    assert_eq!(two.matches("<formulaequationinput/>").count(), 2);
}

// capa.md §14.5: blank options are refused in all three kinds.
#[test]
fn blank_options_are_refused() {
    for markdown in [
        "( ) a\n(x)",
        "[x]\n[ ] b",
        "[[a, , (b)]]",
        "[[\n a\n ()\n]]",
    ] {
        assert_eq!(
            to_olx(markdown),
            Err(MarkdownError::BlankOption),
            "{markdown}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in "[\\[\\](){}|<>=+\\-xsortn!@:,~\\n é\u{85}\\\\]{0,60}") {
        let _ = to_olx(&text);
    }
}

/// The tree without the white space that files add.
fn bare(tree: &Tree, id: NodeId) -> String {
    let node = tree.node(id);
    let words = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let children: Vec<String> = node
        .children
        .iter()
        .map(|child| bare(tree, *child))
        .collect();
    let mut attrs = node.attrs.clone();
    attrs.sort();
    format!(
        "<{} {attrs:?}>{}{}</>{}",
        node.tag,
        words(&node.text),
        children.concat(),
        words(&node.tail)
    )
}

fn problems(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|kind| kind == "xml") {
            found.push(path);
        }
    }
}

// The editor's own pairs: Markdown and what it saved, in an unpacked course (`STOA_MARKDOWN_CASES`: its
// `problem` folder).
#[test]
fn saved_pairs_agree() {
    let Some(folder) = std::env::var_os("STOA_MARKDOWN_CASES") else {
        println!("skipped: no unpacked course (STOA_MARKDOWN_CASES)");
        return;
    };
    let mut paths = Vec::new();
    problems(Path::new(&folder), &mut paths);
    let mut differences = Vec::new();
    let mut compared = 0;
    for path in paths {
        let saved = xml::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Some(markdown) = saved
            .get(saved.root(), "markdown")
            .filter(|text| *text != "null" && !text.is_empty())
        else {
            continue;
        };
        let made = xml::parse(&olx(markdown)).unwrap();
        let mut saved = saved.clone();
        let root = saved.root();
        saved.node_mut(root).attrs.clear();
        compared += 1;
        let (made, saved) = (bare(&made, made.root()), bare(&saved, root));
        if made != saved {
            differences.push(format!(
                "{}\n  made  {made}\n  saved {saved}",
                path.display()
            ));
        }
    }
    println!("{compared} compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
