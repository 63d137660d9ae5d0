//! From the problem's tree to HTML (contract §4.1).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::inputs::{self, View};
use crate::problem::Problem;
use crate::responses;
use crate::xml::{self, NodeId, Tree, escape_attr, escape_text};

/// Dropped with all that is in them.
const DROPPED: [&str; 8] = [
    "additional_answer",
    "codeparam",
    "responseparam",
    "answer",
    "script",
    "hintgroup",
    "openendedparam",
    "openendedrubric",
];

/// Removed, inside included, from the finished text.
const HINT_TAGS: [&str; 10] = [
    "demandhint",
    "choicehint",
    "optionhint",
    "stringhint",
    "numerichint",
    "correcthint",
    "regexphint",
    "additional_answer",
    "stringequalhint",
    "compoundhint",
];

type Scope = Vec<(Option<String>, String)>;

struct Output {
    html: String,
    scope: Scope,
}

impl Output {
    fn text(&mut self, text: Option<&str>) {
        escape_text(text.unwrap_or_default(), true, &mut self.html);
    }

    fn attr(&mut self, name: &str, value: &str) {
        let _ = write!(self.html, " {name}=\"");
        escape_attr(value, true, &mut self.html);
        self.html.push('"');
    }
}

impl Problem<'_> {
    /// The problem as HTML before hint elements are removed: what `render` cases record.
    pub fn render(&mut self) -> Result<String> {
        self.targeted_feedback()?;
        let html = self.render_tree()?;
        Ok(self.contextualize(&html))
    }

    /// The problem as HTML for the page: hint elements removed (contract §4.1). Static URLs are not
    /// rewritten.
    pub fn get_html(&mut self) -> Result<String> {
        Ok(remove_hint_tags(self.render()?))
    }

    /// Renders without substitution; creates the input objects.
    pub(crate) fn render_tree(&mut self) -> Result<String> {
        let mut out = Output {
            html: String::new(),
            scope: Vec::new(),
        };
        let root = self.tree.root();
        if self.extract(root, &mut out)? {
            Ok(out.html)
        } else {
            Err(Error::other("the problem renders to nothing"))
        }
    }

    /// Appends the node's HTML with its tail; false when it renders to nothing.
    fn extract(&mut self, node: NodeId, out: &mut Output) -> Result<bool> {
        if !self.tree.is_element(node) {
            return Ok(false);
        }
        let tag = self.tree.tag(node).to_owned();
        if tag == "script"
            && self
                .tree
                .get(node, "type")
                .is_some_and(|kind| kind.contains("javascript"))
        {
            xml::write_node(&self.tree, node, true, true, &mut out.html);
            return Ok(true);
        }
        if DROPPED.contains(&tag.as_str()) {
            return Ok(false);
        }
        if inputs::is_input(&tag) {
            self.input(node, &tag, out)?;
            return Ok(true);
        }
        if responses::is_response(&tag) {
            self.response(node, out)?;
            return Ok(true);
        }
        match tag.as_str() {
            "math" => self.math(node, out)?,
            "solution" => {
                let id = self.tree.get(node, "id").unwrap_or("None");
                let html = format!(
                    "<div class=\"solution-span\">\n <span id=\"solution_{}\"/>\n</div>",
                    crate::problem::escape_markup(id)
                );
                out.html.push_str(&html);
            }
            "targetedfeedback" => {
                let inner = self.tree.to_text(node, true);
                out.html
                    .push_str("<section class=\"targeted-feedback-span\"><span>");
                // The element is written verbatim, as ASCII.
                for c in inner.chars() {
                    if c.is_ascii() {
                        out.html.push(c);
                    } else {
                        let _ = write!(out.html, "&#{};", u32::from(c));
                    }
                }
                out.html.push_str("</span></section>");
            }
            "clarification" => self.clarification(node, out)?,
            _ => self.element(node, &tag, out)?,
        }
        Ok(true)
    }

    /// Copies an ordinary element.
    fn element(&mut self, node: NodeId, tag: &str, out: &mut Output) -> Result<()> {
        let depth = out.scope.len();
        let mut fresh = Scope::new();
        let (name, attrs) = match tag {
            "problem" => ("div".to_owned(), Vec::new()),
            "text" => ("span".to_owned(), Vec::new()),
            _ => {
                let name = xml::qualified(tag, false, &mut out.scope, &mut fresh);
                let attrs: Vec<(String, String)> = self
                    .tree
                    .node(node)
                    .attrs
                    .iter()
                    .map(|(key, value)| {
                        (
                            xml::qualified(key, true, &mut out.scope, &mut fresh),
                            value.clone(),
                        )
                    })
                    .collect();
                (name, attrs)
            }
        };
        let _ = write!(out.html, "<{name}");
        xml::write_declarations(&fresh, true, &mut out.html);
        for (key, value) in attrs {
            out.attr(&key, &value);
        }
        let start = out.html.len();
        out.html.push('>');
        out.text(self.tree.node(node).text.as_deref());
        for child in self.tree.children(node).to_vec() {
            self.extract(child, out)?;
        }
        if out.html.len() == start + 1 {
            out.html.truncate(start);
            out.html.push_str("/>");
        } else {
            let _ = write!(out.html, "</{name}>");
        }
        out.scope.truncate(depth);
        out.text(self.tree.node(node).tail.as_deref());
        Ok(())
    }

    fn input(&mut self, node: NodeId, tag: &str, out: &mut Output) -> Result<()> {
        let id = self.tree.get(node, "id").unwrap_or_default().to_owned();
        let Some(data) = self.input_data.get(&id) else {
            return Err(Error::other("an input outside of any response"));
        };
        let (mut status, mut msg) = (Some("unsubmitted".to_owned()), String::new());
        let mut hint = None;
        let mut answervariable = None;
        if let Some(entry) = self.correct_map.get(&id) {
            if self.env.correctness_available {
                if !self.has_saved_answers {
                    status.clone_from(&entry.correctness);
                    entry.message().clone_into(&mut msg);
                }
                if entry.hintmode.as_deref() == Some("always") {
                    hint = Some(entry.hint.clone());
                }
                answervariable.clone_from(&entry.answervariable);
            } else {
                status = Some("submitted".to_owned());
            }
        }
        if let Some(hint) = hint {
            msg = if msg.is_empty() {
                hint
            } else {
                format!("{hint}<br/>{msg}")
            };
        }
        let value = self.student_answers.get(&id).cloned();
        self.input_state
            .entry(id.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        let view = View {
            tree: &self.tree,
            node,
            tag,
            id: &id,
            value: value.unwrap_or_else(|| Value::String(String::new())),
            status,
            msg,
            answervariable,
            data,
            static_url: self.env.static_url,
        };
        let rendered = inputs::render(&view)?;
        xml::write_node(&rendered, rendered.root(), false, true, &mut out.html);
        self.rendered.insert(id, node);
        Ok(())
    }

    fn response(&mut self, node: NodeId, out: &mut Output) -> Result<()> {
        let attr = |name: &str| self.tree.get(node, name).map(str::to_owned);
        let id = attr("id").unwrap_or_default();
        let number = id.rsplit('_').next().unwrap_or_default();
        let inline = attr("inline").is_some_and(|inline| !inline.is_empty());
        let class = if inline {
            "inline"
        } else {
            "wrapper-problem-response"
        };
        let _ = write!(
            out.html,
            "<div class=\"{class}\" tabindex=\"-1\" aria-label=\"Question {number}\" role=\"group\""
        );
        let start = out.html.len();
        out.html.push('>');
        let many = attr("multiple_inputtypes").is_some_and(|many| !many.is_empty());
        if many {
            out.html
                .push_str("<div class=\"multi-inputs-group\" role=\"group\"");
            if let Some(label) = attr("multiinput-group-label-id") {
                out.attr("aria-labelledby", &label);
            }
            if let Some(ids) = attr("multiinput-group_description_ids") {
                out.attr("aria-describedby", &ids);
            }
            out.html.push('>');
        }
        for child in self.tree.children(node).to_vec() {
            self.extract(child, out)?;
        }
        let message = self.correct_map.overall_message.clone();
        if !message.is_empty() {
            response_message(&message, out);
        }
        if many {
            out.html.push_str("</div>");
        }
        if out.html.len() == start + 1 {
            out.html.truncate(start);
            out.html.push_str("/>");
        } else {
            out.html.push_str("</div>");
        }
        out.text(self.tree.node(node).tail.as_deref());
        Ok(())
    }

    fn math(&self, node: NodeId, out: &mut Output) -> Result<()> {
        let text = self.tree.node(node).text.as_deref();
        let text = text.ok_or_else(|| Error::other("math without text"))?;
        let tail = self.tree.node(node).tail.as_deref();
        let tail = tail.ok_or_else(|| Error::other("math without text after it"))?;
        // Dollars are paired within a line, the first with the last.
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| match (line.find('$'), line.rfind('$')) {
                (Some(first), Some(last)) if first < last => {
                    let part = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
                    format!(
                        "{}[mathjaxinline]{}[/mathjaxinline]{}",
                        part(0, first),
                        part(first + 1, last),
                        part(last + 1, line.len())
                    )
                }
                _ => line.to_owned(),
            })
            .collect();
        let mut formula = lines.join("\n");
        if formula.contains("\\displaystyle") {
            formula = formula
                .replace("\\displaystyle", "")
                .replace("mathjaxinline]", "mathjax]");
        }
        let mut escaped = String::new();
        escape_text(tail, false, &mut escaped);
        let html = format!("<html><html>{formula}</html><html>{escaped}</html></html>");
        let tree = xml::parse(&html)?;
        xml::write_node(&tree, tree.root(), false, true, &mut out.html);
        Ok(())
    }

    fn clarification(&self, node: NodeId, out: &mut Output) -> Result<()> {
        let inner = self.tree.inner(node);
        let html = format!(
            "<span class=\"clarification\" tabindex=\"0\" role=\"note\" aria-label=\"Clarification\"><span data-tooltip=\"{}\" data-tooltip-show-on-click=\"true\" class=\"fa fa-info-circle\" aria-hidden=\"true\"></span><span class=\"sr\">({inner})</span></span>",
            crate::problem::escape_markup(&inner)
        );
        let tree = xml::parse(&html)?;
        xml::write_node(&tree, tree.root(), false, true, &mut out.html);
        out.text(self.tree.node(node).tail.as_deref());
        Ok(())
    }

    /// Puts the explanation of the chosen answer in place (contract §3.1, targeted feedback).
    fn targeted_feedback(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.targeted_done, true) {
            return Ok(());
        }
        for response in self.tree.all(&|tag| tag == "multiplechoiceresponse") {
            let Some(mode) = self
                .tree
                .get(response, "targeted-feedback")
                .map(str::to_owned)
            else {
                continue;
            };
            let groups = self.tree.find_all(response, "choicegroup");
            let group = groups
                .into_iter()
                .find(|g| self.tree.get(*g, "type") == Some("MultipleChoice"));
            let group = group.ok_or_else(|| Error::other("no choicegroup"))?;
            let group_id = self.tree.get(group, "id").unwrap_or("None").to_owned();
            let given = self.student_answers.get(&group_id).cloned();
            let (mut chosen_id, mut solution_id, mut mark) = (None, None, "Incorrect");
            for choice in self.tree.descendants(group, &|tag| tag == "choice") {
                let get = |name: &str| self.tree.get(choice, name);
                let explanation = get("explanation-id").map(str::to_owned);
                let correct = get("correct") == Some("true");
                if given.as_ref().and_then(Value::as_str) == get("name") && given.is_some() {
                    chosen_id.clone_from(&explanation);
                    if correct {
                        mark = "Correct";
                    }
                }
                if correct {
                    solution_id = explanation;
                }
            }
            let following = self.tree.following_elements(response);
            let set = following
                .into_iter()
                .find(|s| self.tree.tag(*s) == "targetedfeedbackset");
            if let Some(set) = set {
                for feedback in self.tree.find_all(set, "targetedfeedback") {
                    let reader = self.tree.create("span");
                    self.tree.set(reader, "class", "sr");
                    self.tree.node_mut(reader).text = Some(mark.to_owned());
                    self.tree.insert(feedback, 0, reader);
                    self.tree.set(feedback, "role", "group");
                    self.tree
                        .set(feedback, "aria-describedby", &format!("{group_id}-legend"));
                    let explanation = self.tree.get(feedback, "explanation-id");
                    if !self.done || explanation != chosen_id.as_deref() {
                        self.tree.detach(feedback);
                    }
                }
            }
            if mode == "alwaysShowCorrectChoiceExplanation" && self.done {
                let set = set.ok_or_else(|| Error::other("no targetedfeedbackset"))?;
                self.move_solution(set, solution_id.as_deref())?;
            }
        }
        Ok(())
    }

    fn move_solution(&mut self, set: NodeId, wanted: Option<&str>) -> Result<()> {
        let next = self.tree.parent(set).and_then(|parent| {
            let index = self.tree.index(set)?;
            self.tree.children(parent).get(index + 1).copied()
        });
        let solution = match next.map(|node| (node, self.tree.tag(node))) {
            Some((node, "solution")) => {
                // The reference takes it out of the root, whatever its parent is.
                if self.tree.parent(node) != Some(self.tree.root()) {
                    return Err(Error::other(
                        "the solution is not at the top of the problem",
                    ));
                }
                Some(node)
            }
            Some((node, "solutionset")) => {
                let solutions = self.tree.find_all(node, "solution");
                solutions
                    .into_iter()
                    .rfind(|s| self.tree.get(*s, "explanation-id") == wanted)
            }
            _ => None,
        };
        if let Some(solution) = solution {
            "targetedfeedback".clone_into(&mut self.tree.node_mut(solution).tag);
            self.tree.append(set, solution);
        }
        Ok(())
    }
}

/// The overall message: as XML when it is, as text otherwise.
fn response_message(message: &str, out: &mut Output) {
    if let Ok(mut tree) = xml::parse(&format!("<div>{message}</div>")) {
        let root = tree.root();
        tree.set(root, "class", "response_message");
        xml::write_node(&tree, root, false, true, &mut out.html);
    } else {
        let mut tree = Tree::new("div");
        let root = tree.root();
        tree.set(root, "class", "response_message");
        tree.node_mut(root).text = Some(message.to_owned());
        xml::write_node(&tree, root, false, true, &mut out.html);
    }
}

/// Removes hint elements from the finished text. An empty one goes alone; the reference lets it swallow
/// what follows (contract §4.1 advises against copying that).
#[must_use]
pub(crate) fn remove_hint_tags(html: String) -> String {
    let mut html = html;
    for tag in HINT_TAGS {
        let open = format!("<{tag}");
        let close = format!("</{tag}>");
        if !html.contains(&open) {
            continue;
        }
        let mut out = String::with_capacity(html.len());
        let mut rest = html.as_str();
        while let Some(start) = rest.find(&open) {
            let after = rest.get(start + open.len()..).unwrap_or_default();
            out.push_str(rest.get(..start).unwrap_or_default());
            let end = if after.starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace()) {
                let gt = after.find('>');
                let alone =
                    gt.filter(|gt| after.get(..*gt).is_some_and(|head| head.ends_with('/')));
                alone
                    .map(|gt| gt + 1)
                    .or_else(|| after.find(&close).map(|i| i + close.len()))
            } else {
                None
            };
            if let Some(end) = end {
                rest = after.get(end..).unwrap_or_default();
            } else {
                out.push_str(&open);
                rest = after;
            }
        }
        html = out + rest;
    }
    html
}

/// The text without what stands from each `open` to the next `close`.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let after = rest.get(start..).unwrap_or_default();
        let Some(end) = after.find(close) else { break };
        out.push_str(rest.get(..start).unwrap_or_default());
        rest = after.get(end + close.len()..).unwrap_or_default();
    }
    out + rest
}

/// Text of HTML with tags and comments removed and white space folded (markupsafe's `striptags`).
#[must_use]
pub(crate) fn strip_tags(html: &str) -> String {
    let text = without(&without(html, "<!--", "-->"), "<", ">");
    let folded: Vec<&str> = text.split_whitespace().collect();
    let tree = crate::html5::fragment(&folded.join(" ").replace('<', "&lt;"));
    let mut out = String::new();
    inputs::collect_text(&tree, tree.root(), &mut out);
    out
}
