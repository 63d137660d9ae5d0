//! Links in content that stop being portable when a course moves (olx.md §12).

use crate::source::SourceKey;

/// Rewrites quoted `/c4x/ORG/NUM/asset/NAME` to `/static/NAME` and quoted jump-to links of the source
/// course to `/jump_to_id/ID`.
#[must_use]
pub fn portable(source: &SourceKey, text: String) -> String {
    if source.library {
        return text;
    }
    let SourceKey {
        org, course, run, ..
    } = source;
    let asset = format!("/c4x/{org}/{course}/asset/");
    let text = rewrite(text, &asset, |rest| Some(format!("/static/{rest}")));
    let jump = format!("/courses/{org}/{course}/{run}/jump_to/i4x://{org}/{course}/");
    rewrite(text, &jump, |rest| {
        let (category, id) = rest.split_once('/')?;
        let good = !category.is_empty() && !category.contains(['+', '@']);
        good.then(|| format!("/jump_to_id/{id}"))
    })
}

/// Replaces each `quote prefix rest quote` by what `replace` makes of `rest`. A quote is `"` or `'`, a
/// backslash before it belongs to it; the rest ends with its line.
fn rewrite(text: String, prefix: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    if !text.contains(prefix) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(prefix)) {
        let at = from + found;
        from = at + prefix.len();
        if at < done {
            continue;
        }
        let before = text.get(done..at).unwrap_or_default();
        let rest = text.get(from..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let quotes = ["\\\"", "\\'", "\"", "'"];
        let hit = quotes.iter().find_map(|quote| {
            before.strip_suffix(quote)?;
            let (rest, _) = line.split_once(quote)?;
            Some((quote, rest))
        });
        if let Some((quote, rest)) = hit
            && let Some(fresh) = replace(rest)
        {
            out.push_str(before);
            out.push_str(&fresh);
            out.push_str(quote);
            done = from + rest.len() + quote.len();
            from = done;
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceKey {
        SourceKey {
            org: "A".into(),
            course: "B".into(),
            run: "R".into(),
            library: false,
        }
    }

    // olx.md §12 and §15.42.
    #[test]
    fn links_of_the_source_course_become_portable() {
        let cases = [
            (
                r#"<a href="/c4x/A/B/asset/x.png">"#,
                r#"<a href="/static/x.png">"#,
            ),
            (
                r"<a href='/c4x/A/B/asset/x.png'>",
                r"<a href='/static/x.png'>",
            ),
            (r#"{\"/c4x/A/B/asset/x\"}"#, r#"{\"/static/x\"}"#),
            (r"url(/c4x/A/B/asset/x.png)", r"url(/c4x/A/B/asset/x.png)"),
            (r#""/c4x/A/C/asset/x.png""#, r#""/c4x/A/C/asset/x.png""#),
            (
                r#""/courses/A/B/R/jump_to/i4x://A/B/vertical/v1""#,
                r#""/jump_to_id/v1""#,
            ),
            (
                "\"/c4x/A/B/asset/x\n\" '/c4x/A/B/asset/y'",
                "\"/c4x/A/B/asset/x\n\" '/static/y'",
            ),
            (
                r#""/asset-v1:A+B+R+type@asset+block@x""#,
                r#""/asset-v1:A+B+R+type@asset+block@x""#,
            ),
        ];
        for (given, wanted) in cases {
            assert_eq!(portable(&source(), given.to_owned()), wanted);
        }
    }
}
