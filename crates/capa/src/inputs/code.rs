//! Editors and file upload for external graders.

use std::fmt::Write as _;

use serde_json::Value;

use super::View;
use crate::error::{Error, Result};
use crate::html5;
use crate::problem::escape_markup;
use crate::pyvalue::{PyValue, parse_int, strip};
use crate::xml::{self, NodeId, Tree};

/// An external grader's answer that is still out: what is shown instead.
struct Queue {
    status: Option<String>,
    msg: String,
    length: String,
}

fn queue(view: &View<'_>, text: &str) -> Queue {
    if view.is(&["incomplete"]) {
        Queue {
            status: Some("queued".to_owned()),
            msg: text.to_owned(),
            length: escape_markup(&view.msg),
        }
    } else {
        Queue {
            status: view.status.clone(),
            msg: view.msg.clone(),
            length: "0".to_owned(),
        }
    }
}

fn shown<'a>(view: &'a View<'a>, status: Option<String>) -> View<'a> {
    View {
        tree: view.tree,
        node: view.node,
        tag: view.tag,
        id: view.id,
        value: view.value.clone(),
        status,
        msg: String::new(),
        answervariable: None,
        data: view.data,
        static_url: view.static_url,
    }
}

/// The stored value, else the element's own text.
fn content(view: &View<'_>) -> String {
    let own = view.tree.text(view.node);
    if PyValue::from(&view.value).truthy() || own.is_empty() {
        view.value_text()
    } else {
        escape_markup(strip(own))
    }
}

/// The width of a tab, a whole number.
fn tab_size(view: &View<'_>) -> Result<i64> {
    let text = view.attr("tabsize", "4");
    parse_int(&text).ok_or_else(|| Error::Other(format!("tabsize {text}")))
}

fn grader_status(view: &View<'_>, queue: &Queue, hidden: bool) -> String {
    let id = view.id;
    let queued = shown(view, queue.status.clone());
    let mut html = format!(
        "<div class=\"grader-status\" tabindex=\"-1\">{}",
        queued.status_span(id)
    );
    if queue.status.as_deref() == Some("queued") {
        let _ = write!(
            html,
            "<span style=\"display:none;\" class=\"xqueue\" id=\"{id}\">{}</span>",
            queue.length
        );
    }
    if hidden {
        let _ = write!(
            html,
            "<div style=\"display:none;\" name=\"{}\" inputid=\"input_{id}\"></div>",
            view.esc("hidden", "")
        );
    }
    let _ = write!(
        html,
        "<p class=\"debug\">{}</p></div>",
        queued.status_name()
    );
    html
}

pub(super) fn textbox(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let queue = queue(
        view,
        "Your answer has been submitted. As soon as your submission is graded, this message will be replaced with the grader's feedback.",
    );
    let hidden = !view.attr("hidden", "").is_empty();
    let hide = if hidden {
        " style=\"display:none;\""
    } else {
        ""
    };
    let mode = view.esc("mode", "python");
    let lines = if view.attr("linenumbers", "true").is_empty() {
        ""
    } else {
        " data-linenums=\"true\""
    };
    let label = if view.data.label.is_empty() {
        format!(
            "<label class=\"problem-group-label sr\" for=\"cm-textarea-{id}\">Code Editor</label>"
        )
    } else {
        format!(
            "<label class=\"problem-group-label\" for=\"cm-textarea-{id}\">{}</label>",
            view.data.label
        )
    };
    Ok(format!(
        "<div id=\"textbox_{id}\" class=\"capa_inputtype textbox cminput\">{label}<textarea rows=\"{}\" cols=\"{}\" name=\"input_{id}\" aria-label=\"{mode} editor\" aria-describedby=\"answer_{id}\" id=\"input_{id}\" tabindex=\"0\"{hide} data-mode=\"{mode}\" data-tabsize=\"{}\"{lines}>{}</textarea><span class=\"cm-editor-exit-message capa-message\" id=\"cm-editor-exit-message-{id}\">Press ESC then TAB or click outside of the code editor to exit</span>{}<span id=\"answer_{id}\"></span><div class=\"external-grader-message\">{}</div></div>",
        view.esc("rows", "30"),
        view.esc("cols", "80"),
        tab_size(view)?,
        content(view),
        grader_status(view, &queue, hidden),
        queue.msg
    ))
}

pub(super) fn matlab(view: &View<'_>) -> Result<String> {
    let id = view.id;
    let queue = queue(
        view,
        "Submitted. As soon as a response is returned, this message will be replaced by that feedback.",
    );
    let lines = if view.attr("linenumbers", "true").is_empty() {
        ""
    } else {
        " data-linenums=\"true\""
    };
    let button = if matches!(
        queue.status.as_deref(),
        Some("correct" | "incorrect" | "partially-correct")
    ) {
        String::new()
    } else {
        format!(
            "<div class=\"plot-button\"><input type=\"button\" class=\"save\" name=\"plot-button\" id=\"plot_{id}\" value=\"Run Code\"/></div>"
        )
    };
    Ok(format!(
        "<section id=\"textbox_{id}\" class=\"capa_inputtype cminput\">{}<textarea rows=\"{}\" cols=\"{}\" name=\"input_{id}\" aria-describedby=\"answer_{id}\" id=\"input_{id}\" data-tabsize=\"{}\" data-mode=\"octave\"{lines}>{}</textarea>{}<span id=\"answer_{id}\"></span><div class=\"external-grader-message\" aria-live=\"polite\">{}</div><div class=\"ungraded-matlab-result\" aria-live=\"polite\"></div>{button}<script type=\"text/javascript\">{}</script></section>",
        View::placeholder(&format!(
            "{}js/vendor/CodeMirror/octave.js",
            view.static_url
        )),
        view.esc("rows", "30"),
        view.esc("cols", "80"),
        tab_size(view)?,
        content(view),
        grader_status(view, &queue, false),
        sanitise(&queue.msg),
        plot_script(id)
    ))
}

/// Elements that a matlab message may have.
const MESSAGE_TAGS: [&str; 18] = [
    "a",
    "abbr",
    "acronym",
    "audio",
    "b",
    "blockquote",
    "code",
    "div",
    "em",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "ul",
];

/// A message with all other elements shown as text, well-formed.
fn sanitise(message: &str) -> String {
    let tree = html5::fragment(message);
    let mut out = String::new();
    sanitise_into(&tree, tree.root(), &mut out);
    out
}

fn sanitise_into(tree: &Tree, node: NodeId, out: &mut String) {
    xml::escape_text(tree.text(node), false, out);
    for child in tree.children(node) {
        let tag = tree.tag(*child);
        let allowed = MESSAGE_TAGS.contains(&tag);
        let (open, close) = if allowed {
            ("<", ">")
        } else {
            ("&lt;", "&gt;")
        };
        out.push_str(open);
        out.push_str(tag);
        for (key, value) in tree.node(*child).attrs.iter().filter(|_| allowed) {
            let link = matches!(key.as_str(), "href" | "src");
            let safe = !link || value.starts_with("http") || value.starts_with(['/', '#', '.']);
            if matches!(
                key.as_str(),
                "class"
                    | "style"
                    | "id"
                    | "src"
                    | "href"
                    | "title"
                    | "width"
                    | "height"
                    | "type"
                    | "controls"
            ) && safe
            {
                let _ = write!(out, " {key}=\"");
                xml::escape_attr(value, false, out);
                out.push('"');
            }
        }
        out.push_str(close);
        sanitise_into(tree, *child, out);
        let _ = write!(out, "{open}/{tag}{close}");
        xml::escape_text(
            tree.node(*child).tail.as_deref().unwrap_or_default(),
            false,
            out,
        );
    }
}

/// Saves the answer, asks for a run and shows its result when it comes.
fn plot_script(id: &str) -> String {
    format!(
        r"
    $(function() {{
      $('#plot_{id}').click(function(event) {{
        var wrapper = $(event.target).closest('.problems-wrapper');
        var url = wrapper.data('url');
        $('.CodeMirror').each(function(index, element) {{ element.CodeMirror.save(); }});
        var field = $('#input_{id}');
        var ask = function(delay) {{
          $.postWithPrefix(url + '/problem_get', function(reply) {{
            var page = $(reply.html);
            var waiting = page.find('.external-grader-message').html() || '';
            wrapper.find('.external-grader-message').html(waiting);
            wrapper.find('.ungraded-matlab-result').html(page.find('.ungraded-matlab-result').html());
            if (waiting.trim() &amp;&amp; delay !== 64000) {{
              window.setTimeout(function() {{ ask(delay * 2); }}, delay);
            }}
          }});
        }};
        $.postWithPrefix(url + '/problem_save', field.serialize(), function(saved) {{
          if (!saved.success) {{ return; }}
          Problem.inputAjax(url, '{id}', 'plot', {{submission: field.val()}}, function(reply) {{
            if (reply.success) {{ ask(1000); }}
          }});
        }});
      }});
    }});
  "
    )
}

pub(super) fn files(view: &View<'_>) -> String {
    let id = view.id;
    let queue = queue(
        view,
        "Your files have been submitted. As soon as your submission is graded, this message will be replaced with the grader's feedback.",
    );
    let names = |attribute: &str| {
        let names: Vec<Value> = view
            .attr(attribute, "")
            .split_whitespace()
            .map(|name| Value::String(name.to_owned()))
            .collect();
        let list: Vec<String> = names.iter().map(Value::to_string).collect();
        escape_markup(&format!("[{}]", list.join(", ")))
    };
    let queued = shown(view, queue.status.clone());
    let xqueue = if queue.status.as_deref() == Some("queued") {
        format!(
            "<span style=\"display:none;\" class=\"xqueue\" id=\"{id}\">{}</span>",
            queue.length
        )
    } else {
        String::new()
    };
    format!(
        "<section id=\"filesubmission_{id}\" class=\"filesubmission\"><div class=\"grader-status file\"><span class=\"{}\" id=\"status_{id}\">{}</span>{xqueue}<p class=\"debug\">{}</p><input type=\"file\" name=\"input_{id}\" id=\"input_{id}\" value=\"{}\" multiple=\"multiple\" data-required_files=\"{}\" data-allowed_files=\"{}\" aria-label=\"{}\"/></div><div class=\"message\" tabindex=\"-1\">{}</div></section>",
        queued.class(),
        queued.status_name(),
        escape_markup(queue.status.as_deref().unwrap_or_default()),
        view.value_text(),
        names("required_files"),
        names("allowed_files"),
        view.plain_label(),
        queue.msg
    )
}
