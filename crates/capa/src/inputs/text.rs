//! Lines of text, formulas and chemical equations.

use std::fmt::Write as _;

use super::View;

pub(super) fn line(view: &View<'_>) -> String {
    let id = view.id;
    let hidden = view.attr("hidden", "");
    let inline = if view.attr("inline", "").is_empty() {
        ""
    } else {
        " inline"
    };
    let math = !view.attr("math", "").is_empty() || !view.attr("dojs", "").is_empty();
    let class = view.attr("preprocessorClassName", "");
    let source = view.attr("preprocessorSrc", "");
    let preprocessed = math && !class.is_empty() && !source.is_empty();
    let dynamath = if math { " text-input-dynamath" } else { "" };
    let mut html =
        format!("<div id=\"inputtype_{id}\" class=\"{dynamath} capa_inputtype{inline} textline\">");
    if preprocessed {
        let _ = write!(
            html,
            "<div class=\"text-input-dynamath_data{inline}\" data-preprocessor=\"{}\"></div>{}",
            view.esc("preprocessorClassName", ""),
            View::placeholder(&view.esc("preprocessorSrc", ""))
        );
    }
    let mut inside = String::new();
    let hide = if hidden.is_empty() {
        ""
    } else {
        " style=\"display:none;\""
    };
    if !hidden.is_empty() {
        let _ = write!(
            inside,
            "<div style=\"display:none;\" name=\"{}\" inputid=\"input_{id}\"/>",
            view.esc("hidden", "")
        );
    }
    let size = view.attr("size", "");
    let size = if size.is_empty() {
        String::new()
    } else {
        format!(" size=\"{}\"", view.esc("size", ""))
    };
    let _ = write!(
        inside,
        "{}{}<input type=\"text\" class=\"mw-100 {}\" name=\"input_{id}\" id=\"input_{id}\" {} value=\"{}\"{size}{hide}/><span class=\"trailing_text\" id=\"trailing_text_{id}\">{}</span>{}<p id=\"answer_{id}\" class=\"answer\"></p>",
        view.label(),
        view.descriptions(),
        if math { "math" } else { "" },
        view.describedby(),
        view.value_text(),
        view.esc("trailing_text", ""),
        view.status_span(id)
    );
    if math {
        let _ = write!(
            inside,
            "<div id=\"display_{id}\" class=\"equation\">`{{::}}`</div><textarea style=\"display:none\" id=\"input_{id}_dynamath\" name=\"input_{id}_dynamath\"></textarea>"
        );
    }
    html.push_str(&view.wrap(&inside, &["submitted"], inline, ""));
    html.push_str(&view.message(&format!("label_{id}")));
    html.push_str("</div>");
    html
}

pub(super) fn formula(view: &View<'_>) -> String {
    let id = view.id;
    let style = if view.attr("inline", "").is_empty() {
        ""
    } else {
        " style=\"display:inline-block;vertical-align:top\""
    };
    format!(
        "<div id=\"formulaequationinput_{id}\" class=\"inputtype formulaequationinput\"{style}><div class=\"{}\">{}{}<input type=\"text\" name=\"input_{id}\" id=\"input_{id}\" data-input-id=\"{id}\" value=\"{}\" {} size=\"{}\"/><span class=\"trailing_text\" id=\"trailing_text_{id}\">{}</span>{}<p id=\"answer_{id}\" class=\"answer\"></p><div id=\"input_{id}_preview\" class=\"equation\">\\(\\)<img src=\"{static_url}images/spinner.gif\" class=\"loading\" alt=\"Loading\"/></div></div>{}{}</div>",
        view.class(),
        view.label(),
        view.descriptions(),
        view.value_text(),
        view.describedby(),
        view.esc("size", "20"),
        view.esc("trailing_text", ""),
        view.status_span(id),
        View::placeholder(&format!(
            "{}js/capa/src/formula_equation_preview.js",
            view.static_url
        )),
        view.message(&format!("label_{id}")),
        static_url = view.static_url,
    )
}

pub(super) fn chemical(view: &View<'_>) -> String {
    let id = view.id;
    format!(
        "<div id=\"chemicalequationinput_{id}\" class=\"chemicalequationinput\">{}<div class=\"{}\"><input type=\"text\" name=\"input_{id}\" id=\"input_{id}\" aria-label=\"{}\" aria-describedby=\"answer_{id}\" data-input-id=\"{id}\" value=\"{value}\" size=\"{}\"/><p class=\"indicator-container\">{value}\n{}</p><div id=\"input_{id}_preview\" class=\"equation\"></div><p id=\"answer_{id}\" class=\"answer\"></p></div></div>",
        View::placeholder(&format!(
            "{}js/capa/chemical_equation_preview.js",
            view.static_url
        )),
        view.class(),
        view.plain_label(),
        view.esc("size", "20"),
        view.status_span(id),
        value = view.value_text(),
    )
}
