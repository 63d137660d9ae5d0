//! Fuzz target of the XML reader: no text panics, and what is printed reads back the same (olx.md §1).

use olx::xml::{XmlLimits, parse, to_pretty, to_text};

/// Parses one input and prints it in both forms.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let limits = XmlLimits {
        depth: 64,
        nodes: 1000,
        bytes: 64 << 10,
    };
    let Ok(element) = parse(text, &limits) else {
        return;
    };
    let _ = to_pretty(&element);
    let printed = to_text(&element);
    let roomy = XmlLimits {
        bytes: 1 << 20,
        ..limits
    };
    let again = parse(&printed, &roomy);
    assert!(again.is_ok(), "{again:?} of what was printed: {printed}");
    if let Ok(again) = again {
        // Blanks that were kept beside a comment or a section may be dropped once; then all stays.
        let settled = to_text(&again);
        let third = parse(&settled, &roomy).map(|element| to_text(&element));
        assert_eq!(third.as_deref(), Ok(settled.as_str()));
    }
}
