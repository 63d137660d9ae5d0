//! Inputs that are driven by scripts: images, frames, circuits, drag and drop, annotations, sciences.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::View;
use crate::error::{Error, Result};
use crate::problem::escape_markup;
use crate::pyvalue::{PyValue, strip};
use crate::xml::NodeId;

/// JSON as Python writes it: blanks after `,` and `:`, ASCII only.
pub(crate) fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(python_json).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                format!(
                    "{}: {}",
                    python_json(&Value::String(key.clone())),
                    python_json(value)
                )
            };
            format!(
                "{{{}}}",
                map.iter().map(pair).collect::<Vec<_>>().join(", ")
            )
        }
        Value::String(text) => {
            let mut out = String::new();
            for c in Value::String(text.clone()).to_string().chars() {
                if c.is_ascii() && c != '\u{7f}' {
                    out.push(c);
                } else {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
            }
            out
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => crate::pyvalue::float_repr(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

pub(super) fn image(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let (src, width, height) = (
        view.required("src")?,
        view.required("width")?,
        view.required("height")?,
    );
    // A stored `[x,y]`; the pointer is drawn around it.
    let text = view.value.as_str().unwrap_or_default();
    let text: String = strip(text).chars().filter(|c| *c != ' ').collect();
    let point = text.strip_prefix('[').and_then(|rest| {
        let (x, rest) = rest.split_once(',')?;
        let (y, _) = rest.split_once(']')?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse::<i64>().unwrap_or(i64::MAX))
        };
        Some((number(x)? - 15, number(y)? - 15))
    });
    if !view.value.is_string() && !view.value.is_null() {
        return Err(Error::other("an image answer that is no text"));
    }
    let (x, y) = point.unwrap_or((0, 0));
    let pointer = view.static_url;
    Ok(format!(
        "<div class=\"imageinput capa_inputtype\" id=\"inputtype_{id}\"><input type=\"hidden\" class=\"imageinput\" src=\"{src}\" name=\"input_{id}\" id=\"input_{id}\" value=\"{}\"/><div style=\"position:relative;\"><div id=\"imageinput_{id}\" style=\" background-image: url('{src}'); width: {width}px; height: {height}px; position: relative; left: 0; top: 0;\"><img src=\"{pointer}images/green-pointer.png\" id=\"cross_{id}\" style=\"position: absolute; top: {y}px; left: {x}px;\" alt=\"Selection indicator\"/></div><div data-width=\"{width}\" data-height=\"{height}\" id=\"answer_{id}\" style=\" position: absolute; left: 0; top: 0;\"></div></div><script type=\"text/javascript\" charset=\"utf-8\">(new ImageInput('{id}'));</script>{}</div>",
        view.value_text(),
        view.status_span(id)
    ))
}

pub(super) fn js(view: &View<'_>) -> String {
    let id = view.id;
    let optional = |attribute: &str, name: &str| {
        let value = view.attr(name, "");
        if value.is_empty() {
            String::new()
        } else {
            format!(" {attribute}=\"{}\"", escape_markup(&value))
        }
    };
    let stored = if PyValue::from(&view.value).truthy() {
        format!(" data-stored=\"{}\"", view.value_text())
    } else {
        String::new()
    };
    let shown = |name: &str| {
        view.tree
            .get(view.node, name)
            .map_or("None".to_owned(), escape_markup)
    };
    let inside = format!(
        "<iframe name=\"iframe_{id}\" id=\"iframe_{id}\" sandbox=\"allow-scripts allow-popups allow-same-origin allow-forms allow-pointer-lock allow-downloads\" seamless=\"seamless\" frameborder=\"0\" src=\"{}\" height=\"{}\" width=\"{}\" title=\"{}\"/>\n<input type=\"hidden\" name=\"input_{id}\" id=\"input_{id}\"\n waitfor=\"\"\n value=\"{}\"/>\n<br/>\n<p id=\"answer_{id}\" class=\"answer\"></p>\n<div class=\"indicator-container\">\n{}</div>\n<div class=\"error_message\" style=\"padding: 5px 5px 5px 5px; background-color:#FA6666; height:60px;width:400px; display: none\"></div>\n",
        shown("html_file"),
        view.esc("height", "300"),
        view.esc("width", "400"),
        view.esc("title", "Problem Remote Content"),
        view.value_text(),
        view.status_span(id)
    );
    format!(
        "<div id=\"inputtype_{id}\" class=\"jsinput\" data=\"{}\"{stored}{}{}{}{} data-processed=\"false\">{}{}{}\n{}</div>",
        view.esc("gradefn", "gradefn"),
        optional("data-initial-state", "initial_state"),
        optional("data-getstate", "get_statefn"),
        optional("data-setstate", "set_statefn"),
        optional("data-sop", "sop"),
        View::placeholder(&format!("{}js/capa/src/jschannel.js", view.static_url)),
        View::placeholder(&format!("{}js/capa/src/jsinput.js", view.static_url)),
        view.wrap(&inside, &["submitted"], "", ""),
        view.message("")
    )
}

pub(super) fn schematic(view: &View<'_>) -> String {
    let id = view.id;
    let shown = |name: &str| {
        view.tree
            .get(view.node, name)
            .map_or("None".to_owned(), escape_markup)
    };
    format!(
        "<div>{}<input type=\"hidden\" class=\"schematic\" height=\"{}\" width=\"{}\" parts=\"{}\" analyses=\"{}\" name=\"input_{id}\" id=\"input_{id}\" aria-label=\"{}\" aria-describedby=\"answer_{id}\" value=\"{}\" initial_value=\"{}\" submit_analyses=\"{}\"/><span id=\"answer_{id}\"></span><div class=\"indicator-container\">{}</div></div>",
        View::placeholder(&format!("{}js/capa/schematicinput.js", view.static_url)),
        shown("height"),
        shown("width"),
        shown("parts"),
        shown("analyses"),
        view.plain_label(),
        view.value_text(),
        shown("initial_value"),
        shown("submit_analyses"),
        view.status_span(id)
    )
}

fn hidden_text(view: &View<'_>) -> String {
    format!(
        "<input type=\"text\" name=\"input_{id}\" id=\"input_{id}\" aria-describedby=\"answer_{id}\" value=\"{}\" style=\"display:none;\"/>",
        view.value_text(),
        id = view.id
    )
}

/// Attributes of a drop target.
const TARGET: [&str; 5] = ["id", "x", "y", "w", "h"];

/// What the drag-and-drop script reads.
fn drag_json(view: &View<'_>) -> Result<Value> {
    let tree = view.tree;
    let text = |node: NodeId, name: &str| tree.get(node, name).unwrap_or_default().to_owned();
    let fields = |node: NodeId, names: &[&str], required: &[&str]| {
        let mut map = Map::new();
        for name in names {
            if required.contains(name) && tree.get(node, name).is_none() {
                return Err(Error::Other(format!("Missing required attribute {name}.")));
            }
            map.insert((*name).to_owned(), Value::String(text(node, name)));
        }
        Ok(map)
    };
    let no_labels = !view.attr("no_labels", "False").is_empty();
    let mut draggables = Vec::new();
    for node in tree.descendants(view.node, &|tag| tag == "draggable") {
        let mut map = fields(node, &["id", "label", "icon", "can_reuse"], &["id"])?;
        if !no_labels && text(node, "label").is_empty() {
            map.insert("label".to_owned(), Value::String(text(node, "id")));
        }
        let mut nested = Vec::new();
        for target in tree.descendants(node, &|tag| tag == "target") {
            nested.push(Value::Object(fields(target, &TARGET, &TARGET)?));
        }
        map.insert("target_fields".to_owned(), Value::Array(nested));
        draggables.push(Value::Object(map));
    }
    let mut targets = Vec::new();
    for target in tree.find_all(view.node, "target") {
        targets.push(Value::Object(fields(target, &TARGET, &TARGET)?));
    }
    let image = view.tree.get(view.node, "img");
    let image = image.ok_or_else(|| Error::other("Missing required attribute img."))?;
    let mut map = Map::new();
    map.insert("base_image".to_owned(), json!(image));
    map.insert(
        "target_outline".to_owned(),
        json!(view.attr("target_outline", "False")),
    );
    map.insert(
        "one_per_target".to_owned(),
        json!(view.attr("one_per_target", "True")),
    );
    map.insert("draggables".to_owned(), Value::Array(draggables));
    map.insert("targets".to_owned(), Value::Array(targets));
    let colour = view.attr("label_bg_color", "");
    if !colour.is_empty() {
        map.insert("label_bg_color".to_owned(), Value::String(colour));
    }
    Ok(Value::Object(map))
}

pub(super) fn drag_and_drop(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let json = escape_markup(&python_json(&drag_json(view)?));
    let inside = format!(
        "{}<p class=\"indicator-container drag-and-drop--status\" aria-describedby=\"input_{id}\">{}</p><p id=\"answer_{id}\" class=\"answer\"></p>{}",
        hidden_text(view),
        view.status_span(id),
        view.message("")
    );
    Ok(format!(
        "<div id=\"inputtype_{id}\" class=\"capa_inputtype\"><div class=\"drag_and_drop_problem_div\" id=\"drag_and_drop_div_{id}\" data-plain-id=\"{id}\"></div><div class=\"drag_and_drop_problem_json\" id=\"drag_and_drop_json_{id}\" style=\"display:none;\">{json}</div>{}{}</div>",
        View::script(&format!("{}js/capa/drag_and_drop.js", view.static_url)),
        view.wrap(&inside, &[], "", &format!(" id=\"status_{id}\""))
    ))
}

pub(super) fn annotation(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let tree = view.tree;
    let part = |name: &str, default: &str| {
        tree.find(view.node, name).map_or_else(
            || default.to_owned(),
            |node| {
                tree.node(node)
                    .text
                    .clone()
                    .unwrap_or_else(|| "None".to_owned())
            },
        )
    };
    let parsed: Value = match &view.value {
        Value::String(text) if !text.is_empty() && text != "null" => serde_json::from_str(text)
            .map_err(|_| Error::other("an annotation that is not JSON"))?,
        _ => Value::Null,
    };
    let comment = parsed
        .get("comment")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let chosen: Vec<Value> = parsed
        .get("options")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let options: Vec<NodeId> = tree
        .find_all(view.node, "options")
        .into_iter()
        .flat_map(|group| tree.find_all(group, "option"))
        .collect();
    for option in &options {
        let choice = tree.get(*option, "choice");
        if !matches!(choice, Some("correct" | "partially-correct" | "incorrect")) {
            return Err(Error::Other(format!(
                "Error in xml '{}': Missing or invalid option choice",
                tree.to_ascii(view.node)
            )));
        }
    }
    let mut tags = String::new();
    for (index, option) in options.iter().enumerate() {
        let marked = chosen
            .iter()
            .any(|value| value.as_u64() == Some(index as u64));
        let choice = tree.get(*option, "choice");
        tags.push_str("<li>");
        if !chosen.is_empty() && choice == view.status.as_deref() {
            let _ = write!(
                tags,
                "<span class=\"tag-status {}\" aria-describedby=\"input_{id}_comment\">{}</span>",
                view.class(),
                view.status_span("")
            );
        }
        let class = if marked { "tag selected" } else { "tag" };
        let text = tree
            .node(*option)
            .text
            .clone()
            .unwrap_or_else(|| "None".to_owned());
        let _ = write!(
            tags,
            "<span class=\"{class}\" data-id=\"{index}\">{}</span></li>",
            escape_markup(&text)
        );
    }
    let value = if PyValue::from(&view.value).truthy() {
        view.value_text()
    } else {
        "null".to_owned()
    };
    Ok(format!(
        "<div class=\"annotation-input\">{}<div class=\"annotation-header\">{}\n<a class=\"annotation-return\" href=\"javascript:void(0)\">Return to Annotation</a><br/></div><div class=\"annotation-body\"><div class=\"block block-highlight\">{}</div><div class=\"block block-comment\">{}</div><div class=\"block\">{}</div><textarea class=\"comment\" id=\"input_{id}_comment\" name=\"input_{id}_comment\" aria-describedby=\"answer_{id}\">{}</textarea><div class=\"block\" id=\"label_{id}\">{}</div><ul class=\"tags\">{tags}</ul><input type=\"hidden\" class=\"value\" name=\"input_{id}\" id=\"input_{id}\" value=\"{value}\"/>{}<p id=\"answer_{id}\" class=\"answer answer-annotation\"></p></div></div>{}",
        View::placeholder(&format!("{}js/capa/annotationinput.js", view.static_url)),
        part("title", "Annotation Exercise"),
        part("text", "None"),
        part("comment", "None"),
        part("comment_prompt", "Type a commentary below:"),
        escape_markup(comment),
        part("tag_prompt", "Select one tag:"),
        view.status_span(id),
        view.message(&format!("label_{id}"))
    ))
}

pub(super) fn crystallography(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let (width, height) = (view.required("width")?, view.required("height")?);
    let inside = format!(
        "{}{}<p id=\"answer_{id}\" class=\"answer\"></p>{}",
        hidden_text(view),
        view.status_span(id),
        view.message("")
    );
    let wrapped = if view.wrap("", &[], "", "").is_empty() {
        inside
    } else {
        format!(
            "<div class=\"status {}\" id=\"status_{id}\">{inside}</div>",
            view.class()
        )
    };
    Ok(format!(
        "<section id=\"inputtype_{id}\" class=\"capa_inputtype\"><div class=\"crystalography_problem\" style=\"width:{width};height:{height}\"></div><div class=\"input_lattice\">Lattice: <select></select></div>{}{}{}{wrapped}</section>",
        View::script("/static/js/raphael.js"),
        View::script("/static/js/sylvester.js"),
        View::script("/static/js/crystallography.js")
    ))
}

pub(super) fn vsepr(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let (width, height) = (view.required("width")?, view.required("height")?);
    let (molecules, geometries) = (view.required("molecules")?, view.required("geometries")?);
    let inside = format!(
        "{}<p class=\"status\"><span class=\"sr\">{}</span></p><p id=\"answer_{id}\" class=\"answer\"></p>{}",
        hidden_text(view),
        view.status_name(),
        view.message("")
    );
    Ok(format!(
        "<section id=\"inputtype_{id}\" class=\"capa_inputtype\"><table><tr><td height=\"600\"><div id=\"vsepr_div_{id}\" style=\"position:relative;\" data-molecules=\"{molecules}\" data-geometries=\"{geometries}\"><canvas id=\"vsepr_canvas_{id}\" width=\"{width}\" height=\"{height}\"></canvas></div></td><td valign=\"top\"><select class=\"molecule_select\" id=\"molecule_select_{id}\" size=\"18\"></select></td></tr></table>{}{}</section>",
        View::script("/static/js/vsepr/vsepr.js"),
        view.wrap(&inside, &[], "", &format!(" id=\"status_{id}\""))
    ))
}

pub(super) fn protein(view: &View<'_>) -> Result<String> {
    let id = view.id;
    view.required("width")?;
    view.required("height")?;
    let target = view.required("target_shape")?;
    let inside = format!(
        "<div id=\"protex_container\"></div><input type=\"hidden\" name=\"target_shape\" id=\"target_shape\" value=\"{target}\"/><input type=\"hidden\" name=\"input_{id}\" id=\"input_{id}\" aria-describedby=\"answer_{id}\" value=\"{}\"/>{}<p id=\"answer_{id}\" class=\"answer\"></p>",
        view.value_text(),
        view.status_span(id)
    );
    Ok(format!(
        "<section id=\"designprotein2dinput_{id}\" class=\"designprotein2dinput\">{}{}{}</section>",
        View::script("/static/js/capa/protex/protex.nocache.js?raw"),
        View::script(&format!("{}js/capa/design-protein-2d.js", view.static_url)),
        view.wrap(&inside, &[], "", &format!(" id=\"status_{id}\""))
    ))
}

pub(super) fn gene(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let (sequence, number) = (
        view.required("genex_dna_sequence")?,
        view.required("genex_problem_number")?,
    );
    let inside = format!(
        "<div id=\"genex_container\"></div><input type=\"hidden\" name=\"genex_dna_sequence\" id=\"genex_dna_sequence\" value=\"{sequence}\"/><input type=\"hidden\" name=\"genex_problem_number\" id=\"genex_problem_number\" value=\"{number}\"/><input type=\"hidden\" name=\"input_{id}\" aria-describedby=\"answer_{id}\" id=\"input_{id}\" value=\"{}\"/><p class=\"indicator-container\" aria-describedby=\"input_{id}\">{}</p><p id=\"answer_{id}\" class=\"answer\"></p>",
        view.value_text(),
        view.status_span(id)
    );
    Ok(format!(
        "<section id=\"editageneinput_{id}\" class=\"editageneinput\">{}{}{}</section>",
        View::script("/static/js/capa/genex/genex.nocache.js?raw"),
        View::script(&format!("{}js/capa/edit-a-gene.js", view.static_url)),
        view.wrap(&inside, &[], "", "")
    ))
}
