//! Input types: how each shows itself (contract §4.2).
//!
//! To add one: give it its tag in [`TAGS`] and its branch in [`markup`].

mod choices;
mod code;
mod special;
mod text;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::html5;
use crate::labels::InputData;
use crate::problem::{Problem, escape_markup};
use crate::pyvalue::{PyValue, py_str};
use crate::xml::{self, NodeId, Tree};

pub(crate) use choices::{choice_texts, extract_choices};
pub(crate) use special::python_json;

const TAGS: [&str; 20] = [
    "annotationinput",
    "checkboxgroup",
    "checkboxtextgroup",
    "chemicalequationinput",
    "choicegroup",
    "codeinput",
    "crystallography",
    "designprotein2dinput",
    "drag_and_drop_input",
    "editageneinput",
    "filesubmission",
    "formulaequationinput",
    "imageinput",
    "jsinput",
    "matlabinput",
    "optioninput",
    "radiogroup",
    "radiotextgroup",
    "schematic",
    "textbox",
];

/// Whether the tag is an input.
pub(crate) fn is_input(tag: &str) -> bool {
    TAGS.contains(&tag) || tag == "textline" || tag == "vsepr_input"
}

/// One input as it is to be shown.
pub(crate) struct View<'a> {
    pub tree: &'a Tree,
    pub node: NodeId,
    pub tag: &'a str,
    pub id: &'a str,
    pub value: Value,
    /// `unsubmitted`, `submitted`, a stored correctness; none prints as `None`.
    pub status: Option<String>,
    pub msg: String,
    pub answervariable: Option<String>,
    pub data: &'a InputData,
    pub static_url: &'a str,
}

/// Class, name and tooltip of a status.
fn status_texts(status: Option<&str>) -> (&str, &str, &str) {
    match status {
        Some("unsubmitted" | "unanswered") => ("unanswered", "unanswered", "Not yet answered."),
        Some("correct") => ("correct", "correct", "This answer is correct."),
        Some("incorrect") => ("incorrect", "incorrect", "This answer is incorrect."),
        Some("partially-correct") => (
            "partially-correct",
            "partially correct",
            "This answer is partially correct.",
        ),
        Some("incomplete") => ("incorrect", "incomplete", "Not yet answered."),
        Some("queued") => (
            "processing",
            "processing",
            "This answer is being processed.",
        ),
        Some("submitted") => ("submitted", "submitted", ""),
        Some(other) => (other, other, ""),
        None => ("None", "None", ""),
    }
}

/// STATUS without id: what Show Answer appends to correct choices (contract §11, problem_show).
#[must_use]
pub fn correct_status_html() -> String {
    "\n\n<span class=\"status correct\"\n      data-tooltip=\"This answer is correct.\">\n  <span class=\"sr\">correct</span><span class=\"status-icon\" aria-hidden=\"true\"></span>\n</span>\n".to_owned()
}

impl View<'_> {
    /// An attribute, or its default.
    pub fn attr(&self, name: &str, default: &str) -> String {
        self.tree.get(self.node, name).unwrap_or(default).to_owned()
    }

    /// An attribute, escaped.
    pub fn esc(&self, name: &str, default: &str) -> String {
        escape_markup(self.tree.get(self.node, name).unwrap_or(default))
    }

    /// An attribute that must be there.
    pub fn required(&self, name: &str) -> Result<String> {
        let value = self.tree.get(self.node, name);
        value.map(escape_markup).ok_or_else(|| {
            Error::Other(format!(
                "Error in xml '{}': Missing required attribute {name}.",
                self.tree.to_ascii(self.node)
            ))
        })
    }

    /// The value as text, escaped.
    pub fn value_text(&self) -> String {
        escape_markup(&py_str(&self.value))
    }

    pub fn is(&self, statuses: &[&str]) -> bool {
        self.status
            .as_deref()
            .is_some_and(|status| statuses.contains(&status))
    }

    pub fn class(&self) -> String {
        escape_markup(status_texts(self.status.as_deref()).0)
    }

    pub fn status_name(&self) -> String {
        escape_markup(status_texts(self.status.as_deref()).1)
    }

    /// STATUS of the contract; without id when `id` is empty.
    pub fn status_span(&self, id: &str) -> String {
        let (class, name, tip) = status_texts(self.status.as_deref());
        let id = if id.is_empty() {
            String::new()
        } else {
            format!(" id=\"status_{id}\"")
        };
        format!(
            "<span class=\"status {}\"{id} data-tooltip=\"{tip}\">\n<span class=\"sr\">{}</span><span class=\"status-icon\" aria-hidden=\"true\"></span>\n</span>\n",
            escape_markup(class),
            escape_markup(name)
        )
    }

    /// `aria-describedby` with trailing text, status and descriptions.
    pub fn describedby(&self) -> String {
        let mut ids = Vec::new();
        let trailing = self
            .tree
            .get(self.node, "trailing_text")
            .is_some_and(|t| !t.is_empty());
        if trailing && matches!(self.tag, "textline" | "formulaequationinput") {
            ids.push(format!("trailing_text_{}", self.id));
        }
        ids.push(format!("status_{}", self.id));
        ids.extend(self.data.descriptions.iter().map(|(id, _)| id.clone()));
        format!("aria-describedby=\"{}\"", escape_markup(&ids.join(" ")))
    }

    /// LABEL of the contract.
    pub fn label(&self) -> String {
        if self.data.label.is_empty() {
            return String::new();
        }
        let id = self.id;
        format!(
            "<label class=\"problem-group-label\" for=\"input_{id}\" id=\"label_{id}\">{}</label>",
            self.data.label
        )
    }

    /// DESCS of the contract.
    pub fn descriptions(&self) -> String {
        let one = |(id, html): &(String, String)| {
            format!("<p class=\"question-description\" id=\"{id}\">{html}</p>")
        };
        self.data.descriptions.iter().map(one).collect()
    }

    /// ph(X) of the contract with an end tag, which also the fallback parser closes.
    pub fn script(source: &str) -> String {
        format!("<div class=\"script_placeholder\" data-src=\"{source}\"></div>")
    }

    /// ph(X) of the contract, self-closed: the fallback parser leaves it open.
    pub fn placeholder(source: &str) -> String {
        format!("<div class=\"script_placeholder\" data-src=\"{source}\"/>")
    }

    /// MSG(x) of the contract; without attribute when `by` is empty.
    pub fn message(&self, by: &str) -> String {
        if self.msg.is_empty() {
            return String::new();
        }
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" aria-describedby=\"{by}\"")
        };
        format!(
            "<span class=\"message\"{by} tabindex=\"-1\">{}</span>\n",
            self.msg
        )
    }

    /// WRAP of the contract: the inside in a div of the status's class, or bare. `also` admits one more
    /// status; `extra` are more classes, `attrs` more attributes.
    pub fn wrap(&self, inside: &str, also: &[&str], extra: &str, attrs: &str) -> String {
        let usual = [
            "unsubmitted",
            "correct",
            "incorrect",
            "partially-correct",
            "incomplete",
        ];
        if self.is(&usual) || self.is(also) {
            format!(
                "<div class=\"{}{extra}\"{attrs}>{inside}</div>",
                self.class()
            )
        } else {
            inside.to_owned()
        }
    }

    /// The label without markup, for `aria-label`.
    pub fn plain_label(&self) -> String {
        strip_markup(&self.data.label)
    }

    fn markup(&self) -> Result<String> {
        match self.tag {
            "choicegroup" | "radiogroup" | "checkboxgroup" => choices::group(self),
            "optioninput" => choices::option(self),
            "radiotextgroup" | "checkboxtextgroup" => choices::text_group(self),
            "textline" => Ok(text::line(self)),
            "formulaequationinput" => Ok(text::formula(self)),
            "chemicalequationinput" => Ok(text::chemical(self)),
            "textbox" | "codeinput" => code::textbox(self),
            "matlabinput" => code::matlab(self),
            "filesubmission" => Ok(code::files(self)),
            "imageinput" => special::image(self),
            "jsinput" => Ok(special::js(self)),
            "schematic" => Ok(special::schematic(self)),
            "drag_and_drop_input" => special::drag_and_drop(self),
            "annotationinput" => special::annotation(self),
            "crystallography" => special::crystallography(self),
            "vsepr_input" => special::vsepr(self),
            "designprotein2dinput" => special::protein(self),
            _ => special::gene(self),
        }
    }
}

/// Text of HTML with tags removed and what is left escaped.
fn strip_markup(html: &str) -> String {
    let tree = html5::fragment(html);
    let mut out = String::new();
    collect_text(&tree, tree.root(), &mut out);
    let mut escaped = String::new();
    xml::escape_text(&out, false, &mut escaped);
    escape_markup(&escaped)
}

/// All text below a node.
pub(crate) fn collect_text(tree: &Tree, node: NodeId, out: &mut String) {
    out.push_str(tree.text(node));
    for child in tree.children(node) {
        if tree.is_element(*child) {
            collect_text(tree, *child, out);
        }
        out.push_str(tree.node(*child).tail.as_deref().unwrap_or_default());
    }
}

/// Shows an input: its markup parsed as XML, else as browsers read it (contract §4.2, last paragraph).
pub(crate) fn render(view: &View<'_>) -> Result<Tree> {
    let html = view.markup()?;
    match xml::parse(&html) {
        Ok(tree) => Ok(tree),
        Err(error) => {
            // What XML cannot hold fails the fallback too.
            if !xml::is_text(&html) {
                return Err(error.into());
            }
            let fragment = html5::fragment(&html);
            let first = fragment.children(fragment.root()).first().copied();
            let Some(first) = first else {
                return Err(error.into());
            };
            let mut tree = Tree::new("div");
            let copy = tree.import(&fragment, first);
            tree.node_mut(copy).tail = None;
            let root = tree.root();
            tree.append(root, copy);
            Ok(subtree(&tree, copy))
        }
    }
}

/// A node as a tree of its own.
fn subtree(tree: &Tree, node: NodeId) -> Tree {
    let source = tree.node(node);
    let mut out = Tree::new(&source.tag);
    let root = out.root();
    {
        let target = out.node_mut(root);
        target.attrs.clone_from(&source.attrs);
        target.text.clone_from(&source.text);
        target.ns_decls.clone_from(&source.ns_decls);
    }
    for child in &source.children {
        let copy = out.import(tree, *child);
        out.append(root, copy);
    }
    out
}

impl Problem<'_> {
    /// Answers a request of an input's script (contract §11, input_ajax). The reply is empty for a dispatch
    /// that the input does not know, null when it takes no requests at all; an unknown input is an error.
    pub fn input_ajax(
        &mut self,
        input_id: &str,
        dispatch: &str,
        data: &Map<String, Value>,
    ) -> Result<Value> {
        let Some(node) = self.rendered.get(input_id).copied() else {
            return Err(Error::Other(format!("no input {input_id}")));
        };
        match (self.tree.tag(node), dispatch) {
            ("chemicalequationinput", "preview_chemcalc") => Ok(preview_chem(data)),
            ("formulaequationinput", "preview_formcalc") => Ok(preview_formula(data)),
            ("chemicalequationinput" | "formulaequationinput", _) => Ok(json!({})),
            ("matlabinput", dispatch) => self.matlab_ajax(input_id, node, dispatch, data),
            _ => Ok(Value::Null),
        }
    }

    /// `plot` of a matlab input: an ungraded submission to the queue.
    fn matlab_ajax(
        &mut self,
        input_id: &str,
        node: NodeId,
        dispatch: &str,
        data: &Map<String, Value>,
    ) -> Result<Value> {
        if dispatch != "plot" {
            return Ok(json!({}));
        }
        let Some(queue) = self.env.queue else {
            return Ok(json!({
                "success": false, "message": "Cannot connect to the queue",
            }));
        };
        let submission = data
            .get("submission")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::other("submission"))?;
        let payload = self
            .tree
            .find(node, "plot_payload")
            .map(|p| self.tree.text(p).to_owned());
        let time = queue.time();
        let key = crate::responses::queue_key(self, &time, input_id);
        let header = json!({
            "lms_callback_url": queue.callback_url().replace("score_update", "ungraded_response"),
            "lms_key": key, "queue_name": queue.default_queue_name(),
        });
        let info = crate::responses::student_info(self, &time);
        let body = json!({
            "grader_payload": payload, "student_info": info, "student_response": submission,
        });
        let (error, message) = queue.send(&header, &body);
        let state = json!({
            "queuekey": key, "queuestate": "queued", "queuetime": queue_seconds(&time),
        });
        if error {
            return Ok(json!({"success": false, "message": message}));
        }
        self.input_state.insert(input_id.to_owned(), state);
        Ok(json!({"success": true, "message": message}))
    }
}

/// Seconds that a `%Y%m%d%H%M%S` text stands for are not needed for anything but comparing: the text itself
/// is stored.
fn queue_seconds(time: &str) -> Value {
    Value::String(time.to_owned())
}

fn preview_chem(data: &Map<String, Value>) -> Value {
    let Some(formula) = data.get("formula").map(py_str) else {
        return json!({"preview": "", "error": "No formula specified."});
    };
    match calc::chem::render_to_html(&formula) {
        Ok(html) => json!({"preview": html, "error": ""}),
        Err(_) => json!({"preview": "", "error": "Error while rendering preview"}),
    }
}

fn preview_formula(data: &Map<String, Value>) -> Value {
    let Some(formula) = data.get("formula").map(py_str) else {
        return json!({"preview": "", "error": "No formula specified."});
    };
    let start = match data.get("request_start") {
        None => Some(0),
        Some(value) => match PyValue::from(value) {
            PyValue::Str(text) => crate::pyvalue::parse_int(&text),
            PyValue::Int(number) => Some(number),
            PyValue::Float(number) => Some(number as i64),
            _ => None,
        },
    };
    let start = start.map_or(Value::Null, Value::from);
    match calc::latex(&formula) {
        Ok(preview) => json!({"preview": preview, "error": "", "request_start": start}),
        Err(calc::CalcError::Parse | calc::CalcError::UnmatchedParenthesis(_)) => json!({
            "preview": "", "error": "Sorry, couldn't parse formula",
            "request_start": start, "formula": formula,
        }),
        Err(_) => {
            json!({"preview": "", "error": "Error while rendering preview", "request_start": start})
        }
    }
}
