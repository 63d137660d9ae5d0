//! Radio buttons, checkboxes, dropdowns and choices with text fields.

use std::fmt::Write as _;

use serde_json::Value;

use super::View;
use crate::error::{Error, Result};
use crate::problem::escape_markup;
use crate::pyvalue::{PyValue, py_str};
use crate::xml::{NodeId, Tree};

/// Names and texts of the choices of a group; anything else in the group is an error.
fn choices_with(
    tree: &Tree,
    group: NodeId,
    compound: bool,
    text: &dyn Fn(NodeId) -> Option<String>,
) -> Result<Vec<(Option<String>, Option<String>)>> {
    let mut choices = Vec::new();
    for child in tree.children(group) {
        match tree.tag(*child) {
            "choice" => {
                let name = tree.get(*child, "name").map(str::to_owned);
                choices.push((name, text(*child)));
            }
            "compoundhint" if compound => {}
            other => {
                let expected = if compound {
                    "<choice> or <compoundhint>"
                } else {
                    "<choice>"
                };
                return Err(Error::Other(escape_markup(&format!(
                    "[capa.inputtypes.extract_choices] Expected a {expected} tag; got {other} instead"
                ))));
            }
        }
    }
    Ok(choices)
}

/// Names and inner HTML of the choices of a group.
pub(crate) fn extract_choices(tree: &Tree, group: NodeId) -> Result<Vec<(Option<String>, String)>> {
    let all = choices_with(tree, group, true, &|choice| Some(tree.inner(choice)))?;
    Ok(all
        .into_iter()
        .map(|(name, text)| (name, text.unwrap_or_default()))
        .collect())
}

/// Names and direct text of the choices of a group.
pub(crate) fn choice_texts(
    tree: &Tree,
    group: NodeId,
) -> Result<Vec<(Option<String>, Option<String>)>> {
    let compound = !tree.tag(group).ends_with("textgroup");
    choices_with(tree, group, compound, &|choice| {
        tree.node(choice).text.clone()
    })
}

/// Python's `name in value` for a stored value.
fn contains(value: &Value, name: &str) -> Result<bool> {
    match value {
        Value::String(text) => Ok(text.contains(name)),
        Value::Array(items) => Ok(items.iter().any(|item| item.as_str() == Some(name))),
        Value::Object(map) => Ok(map.contains_key(name)),
        _ => Err(Error::other("a stored answer that is no list")),
    }
}

fn selected(radio: bool, value: &Value, name: &str) -> Result<bool> {
    match value {
        Value::String(text) if radio => Ok(text == name),
        other => contains(other, name),
    }
}

fn truthy(value: &Value) -> bool {
    PyValue::from(value).truthy()
}

fn alert(view: &View<'_>, shown: &str) -> String {
    if shown == "never" && (truthy(&view.value) || !view.is(&["unsubmitted"])) {
        let text = view.esc("submitted_message", "Answer received.");
        format!("<div class=\"capa_alert\">{text}</div>")
    } else {
        String::new()
    }
}

pub(super) fn group(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let radio = view.tag != "checkboxgroup";
    let kind = if radio { "radio" } else { "checkbox" };
    let suffix = if view.tag == "choicegroup" { "" } else { "[]" };
    let shown = view.attr("show_correctness", "always");
    let described = view.describedby();
    let mut html = format!(
        "<div class=\"choicegroup capa_inputtype\" id=\"inputtype_{id}\"><fieldset {described}>"
    );
    if !view.data.label.is_empty() {
        let _ = write!(
            html,
            "<legend id=\"{id}-legend\" class=\"response-fieldset-legend field-group-hd\">{}</legend>",
            view.data.label
        );
    }
    html.push_str(&view.descriptions());
    for (name, text) in extract_choices(view.tree, view.node)? {
        let plain = name.unwrap_or_else(|| "None".to_owned());
        let name = escape_markup(&plain);
        let chosen = selected(radio, &view.value, &plain)?;
        let (mut class, mut checked, mut label) = (String::new(), "", String::new());
        if chosen {
            class.push_str(" submitted");
            checked = " checked=\"true\"";
            if shown != "never" && view.status.is_some() {
                label = format!(" choicegroup_{}", view.class());
            }
        }
        let _ = write!(
            html,
            "<div class=\"field\"><input type=\"{kind}\" name=\"input_{id}{suffix}\" id=\"input_{id}_{name}\" class=\"field-input input-{kind}{class}\" value=\"{name}\"{checked}/><label id=\"{id}-{name}-label\" for=\"input_{id}_{name}\" class=\"response-label field-label label-inline{label}\" {described}><div>\n{text}\n</div></label></div>"
        );
    }
    let status = if shown == "never" {
        format!("<span class=\"status \" id=\"status_{id}\" data-tooltip=\"\"></span>")
    } else {
        view.status_span(id)
    };
    let _ = write!(
        html,
        "<span id=\"answer_{id}\"></span></fieldset><div class=\"indicator-container\">{status}</div>{}{}</div>",
        alert(view, &shown),
        view.message(&format!("{id}-legend"))
    );
    Ok(html)
}

/// Python's substitutions that shield apostrophes: between letters, or after a backslash.
fn shield(options: &str) -> String {
    let chars: Vec<char> = options.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    while let Some(c) = chars.get(i).copied() {
        let letter = |at: usize| chars.get(at).is_some_and(char::is_ascii_alphabetic);
        let quote = |at: usize| chars.get(at) == Some(&'\'');
        let (width, found) = if letter(i) && quote(i + 1) && letter(i + 2) {
            (3, i + 2)
        } else if letter(i) && chars.get(i + 1) == Some(&'\\') && quote(i + 2) && letter(i + 3) {
            (4, i + 3)
        } else {
            (1, i)
        };
        out.push(c);
        if width > 1 {
            out.push_str("&#39;");
            out.extend(chars.get(found));
        }
        i += width;
    }
    out.replace("\\'", "&#39;")
}

/// Splits as Python's non-POSIX `shlex` with `'` quotes and comma and blank as white space.
fn tokens(text: &str) -> Result<Vec<String>> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ',' || c == ' ' {
            continue;
        }
        if c == '#' {
            for skipped in chars.by_ref() {
                if skipped == '\n' {
                    break;
                }
            }
            continue;
        }
        let mut token = String::from(c);
        if c == '\'' {
            loop {
                let next = chars
                    .next()
                    .ok_or_else(|| Error::other("No closing quotation"))?;
                token.push(next);
                if next == '\'' {
                    break;
                }
            }
        } else if word(c) {
            while let Some(next) = chars.peek().copied() {
                if next == '#' {
                    for skipped in chars.by_ref() {
                        if skipped == '\n' {
                            break;
                        }
                    }
                } else if word(next) || next == '\'' {
                    token.push(next);
                    chars.next();
                } else {
                    break;
                }
            }
        }
        found.push(token);
    }
    Ok(found)
}

/// The options of a dropdown (contract §3.3).
pub(super) fn parse_options(options: &str) -> Result<Vec<String>> {
    let shielded = shield(options);
    let mut inside = shielded.chars();
    inside.next();
    inside.next_back();
    let strip = |token: String| {
        let mut chars = token.chars();
        chars.next();
        chars.next_back();
        chars.as_str().replace("&#39;", "'")
    };
    Ok(tokens(inside.as_str())?.into_iter().map(strip).collect())
}

pub(super) fn option(view: &View<'_>) -> Result<String> {
    let id = view.id;
    view.required("options")?;
    let inline = if view.attr("inline", "").is_empty() {
        ""
    } else {
        "inline"
    };
    let mut html = format!(
        "<div class=\"inputtype option-input {inline}\">{}{}<select name=\"input_{id}\" id=\"input_{id}\" {}><option value=\"option_{id}_dummy_default\">Select an option</option>",
        view.label(),
        view.descriptions(),
        view.describedby()
    );
    for option in parse_options(&view.attr("options", ""))? {
        let chosen = view.value.as_str() == Some(option.as_str())
            || view.answervariable.as_deref() == Some(option.as_str());
        let chosen = if chosen { " selected=\"true\"" } else { "" };
        let text = escape_markup(&option);
        let _ = write!(html, "<option value=\"{text}\"{chosen}> {text}</option>");
    }
    let _ = write!(
        html,
        "</select><div class=\"indicator-container\">{}</div><p class=\"answer\" id=\"answer_{id}\"></p>{}</div>",
        view.status_span(id),
        view.message(&format!("label_{id}"))
    );
    Ok(html)
}

pub(super) fn text_group(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let tree = view.tree;
    let radio = view.tag == "radiotextgroup";
    let kind = if radio { "radio" } else { "checkbox" };
    let shown = view.attr("show_correctness", "always");
    choice_texts(tree, view.node)?;
    let mut html = format!(
        "<section id=\"choicetextinput_{id}\" class=\"choicetextinput\"><div class=\"choicetextgroup capa_inputtype\" id=\"inputtype_{id}\">{}<fieldset aria-label=\"{}\">",
        View::placeholder(&format!("{}js/capa/choicetextinput.js", view.static_url)),
        view.plain_label()
    );
    let mut any = false;
    for choice in tree.find_all(view.node, "choice") {
        let plain = tree.get(choice, "name").unwrap_or_default();
        let name = escape_markup(plain);
        let chosen = contains(&view.value, plain)?;
        any |= chosen;
        let class = if chosen && radio && view.status.is_some() {
            format!(" class=\"choicetextgroup_{}\"", view.class())
        } else {
            String::new()
        };
        let checked = if chosen { " checked=\"true\"" } else { "" };
        let _ = write!(
            html,
            "<section id=\"forinput{name}\"{class}><input class=\"ctinput\" type=\"{kind}\" name=\"choiceinput_{id}\" id=\"{name}\" value=\"{name}\"{checked}/>"
        );
        let mut text = String::new();
        if let Some(first) = &tree.node(choice).text {
            text_node(&mut text, first, "");
        }
        for child in tree.children(choice) {
            let tail = tree.node(*child).tail.as_deref().unwrap_or_default();
            match tree.tag(*child) {
                "numtolerance_input" | "decoy_input" => {
                    let field = tree.get(*child, "name").unwrap_or_default();
                    let value = view.value.get(field).map(py_str).unwrap_or_default();
                    let field = escape_markup(field);
                    let _ = write!(
                        text,
                        "<input class=\"ctinput\" type=\"text\" name=\"{field}\" id=\"{field}\" value=\"{}\"/><span class=\"mock_label\">{}</span>",
                        escape_markup(&value),
                        escape_markup(tail)
                    );
                }
                "" => {}
                _ => text_node(&mut text, tree.text(*child), tail),
            }
        }
        let _ = write!(
            html,
            "{text}<p id=\"answer_{name}\" class=\"answer\"></p></section>"
        );
    }
    let status = if radio && any {
        String::new()
    } else {
        view.status_span(id)
    };
    let _ = write!(
        html,
        "<span id=\"answer_{id}\"></span></fieldset><input class=\"choicetextvalue\" type=\"hidden\" name=\"input_{id}{{}}\" id=\"input_{id}\" value=\"{}\"/><div class=\"indicator-container\">{status}</div>{}{}</div></section>",
        if truthy(&view.value) {
            view.value_text()
        } else {
            "{}".to_owned()
        },
        alert(view, &shown),
        view.message("")
    );
    Ok(html)
}

fn text_node(out: &mut String, text: &str, tail: &str) {
    let _ = write!(
        out,
        "<span class=\"mock_label\">{}</span><span class=\"mock_label\">{}</span>",
        escape_markup(text),
        escape_markup(tail)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    // §3.3: the options parser
    #[test]
    fn options_are_split_like_a_shell() {
        let split = |text: &str| parse_options(text).expect("options");
        assert_eq!(split("('a b','c, d','e')"), ["a b", "c, d", "e"]);
        assert_eq!(split("('don't','it\\'s')"), ["don't", "it's"]);
        assert_eq!(split("('a' 'b')"), ["a", "b"]);
        assert_eq!(split("(a,b;)"), ["", "", ""]);
        assert!(parse_options("('open)").is_err());
    }
}
