//! Rows of the responses report and the event's summary of a submission (contracts §11 and §13).

use serde_json::{Map, Value, json};

use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::inputs::{choice_texts, extract_choices};
use crate::problem::{Answers, Problem};
use crate::render::strip_tags;
use crate::responses::Responder;
use crate::xml::NodeId;

/// One row of the responses report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Answer id.
    pub answer_id: String,
    /// Text of the question; none when its element has no text of its own.
    pub question: Option<String>,
    /// The answer in words.
    pub answer: String,
    /// The right answer in words; none when the input is not in the problem.
    pub correct_answer: Option<String>,
}

impl Problem<'_> {
    fn by_id(&self, id: &str) -> Vec<NodeId> {
        let mut all = vec![self.tree.root()];
        all.extend(self.tree.descendants(self.tree.root(), &|_| true));
        all.into_iter()
            .filter(|node| self.tree.get(*node, "id") == Some(id))
            .collect()
    }

    /// Rows of the current answers. An answer that is neither text nor list of texts is an error, as is an
    /// id without number.
    pub fn report(&self) -> Result<Vec<ReportRow>> {
        let mut rows = Vec::new();
        for (id, answer) in &self.student_answers {
            if id.ends_with("_dynamath") {
                continue;
            }
            rows.push(ReportRow {
                answer_id: id.clone(),
                question: self.question_label(id)?,
                answer: self.answer_text(id, answer)?,
                correct_answer: self.correct_answer_text(id)?,
            });
        }
        Ok(rows)
    }

    fn question_label(&self, id: &str) -> Result<Option<String>> {
        let label = self
            .input_data
            .get(id)
            .map(|data| data.label.as_str())
            .unwrap_or_default();
        if !label.is_empty() {
            return Ok(Some(strip_tags(label)));
        }
        let mut before = match self.by_id(id).as_slice() {
            [node] => self
                .tree
                .parent(*node)
                .and_then(|parent| self.tree.previous(parent)),
            _ => None,
        };
        while let Some(node) = before
            && self.tree.tag(node) == "description"
        {
            before = self.tree.previous(node);
        }
        if let Some(node) = before
            && matches!(self.tree.tag(node), "p" | "label")
        {
            return Ok(self.tree.node(node).text.clone());
        }
        let parts: Vec<&str> = id.split('_').collect();
        let number = parts.len().checked_sub(2).and_then(|i| parts.get(i));
        let number = number.and_then(|text| crate::pyvalue::parse_int(text));
        let number = number.ok_or_else(|| Error::other("an answer id without number"))?;
        Ok(Some(format!("Question {}", number - 1)))
    }

    fn answer_text(&self, id: &str, answer: &Value) -> Result<String> {
        match answer {
            Value::Array(items) => {
                let texts: Result<Vec<String>> = items
                    .iter()
                    .map(|item| self.answer_text(id, item))
                    .collect();
                Ok(texts?.join(", "))
            }
            Value::String(text) if text.starts_with("choice_") => {
                let mut named = Vec::new();
                for node in self.by_id(id) {
                    named.extend(
                        self.tree
                            .descendants(node, &|_| true)
                            .into_iter()
                            .filter(|choice| self.tree.get(*choice, "name") == Some(text.as_str())),
                    );
                }
                let missing = || "Answer Text Missing".to_owned();
                match named.as_slice() {
                    [] => Ok(missing()),
                    [choice] => {
                        let Some(group) = self.tree.parent(*choice) else {
                            return Ok(missing());
                        };
                        let texts = choice_texts(&self.tree, group)?;
                        let found = texts
                            .into_iter()
                            .rfind(|(name, _)| name.as_deref() == Some(text));
                        Ok(found.and_then(|(_, text)| text).unwrap_or_else(missing))
                    }
                    _ => Ok("Multiple answers found".to_owned()),
                }
            }
            Value::String(text) if text.is_empty() => Ok("Answer Text Missing".to_owned()),
            Value::String(text) => Ok(text.clone()),
            _ => Err(Error::other("an answer that is neither text nor list")),
        }
    }

    fn correct_answer_text(&self, id: &str) -> Result<Option<String>> {
        let found = self.by_id(id);
        let Some(node) = found.first().copied() else {
            return Ok(None);
        };
        if self.tree.get(node, "answer").is_some() {
            return Ok(Some(id.chars().take(1).collect()));
        }
        if self.tree.tag(node) == "optioninput" {
            let correct = self.tree.get(node, "correct").map(str::to_owned);
            return correct
                .map(Some)
                .ok_or_else(|| Error::other("a dropdown without correct"));
        }
        let mut texts = Vec::new();
        for child in self.tree.children(node) {
            if self.tree.get(*child, "correct") == Some("true") {
                texts.extend(self.tree.node(*child).text.clone());
                for inner in self.tree.children(*child) {
                    texts.extend(self.tree.node(*inner).tail.clone());
                }
            }
        }
        Ok(Some(texts.join(", ")))
    }

    /// The event's summary of a submission; empty when it cannot be made. `variant` is the seed when the
    /// problem is randomised, else the empty text; null leaves it out.
    #[must_use]
    pub fn submission(&self, answers: &Answers, map: &CorrectMap, variant: &Value) -> Value {
        self.try_submission(answers, map, variant)
            .unwrap_or_else(|_| json!({}))
    }

    fn try_submission(
        &self,
        answers: &Answers,
        map: &CorrectMap,
        variant: &Value,
    ) -> Result<Value> {
        let mut all = Map::new();
        for (id, answer) in answers {
            let input = self.rendered.get(id).copied();
            let responder = self
                .responders
                .iter()
                .rfind(|r| r.inputs.iter().any(|input| input.id == *id));
            let visible = match input.map(|node| (node, self.tree.tag(node))) {
                Some((node, "choicegroup" | "radiogroup" | "checkboxgroup")) => {
                    self.visible_choice(node, answer)?
                }
                _ => answer.clone(),
            };
            let data = input.and_then(|_| self.input_data.get(id));
            let text = |value: Option<&str>| Value::from(value.unwrap_or_default());
            let mut row = Map::new();
            row.insert(
                "question".to_owned(),
                text(data.map(|data| data.label.as_str())),
            );
            row.insert("answer".to_owned(), visible);
            let response: Option<&str> = responder.map(|r: &Responder| r.tag.as_str());
            row.insert("response_type".to_owned(), text(response));
            row.insert(
                "input_type".to_owned(),
                text(input.map(|node| self.tree.tag(node))),
            );
            let correct = map.get(id).map(crate::correct_map::Entry::is_correct);
            row.insert(
                "correct".to_owned(),
                correct.map_or_else(|| json!(""), Value::from),
            );
            if !variant.is_null() {
                row.insert("variant".to_owned(), variant.clone());
            }
            let group = data.map(|data| data.group_label.as_str());
            row.insert("group_label".to_owned(), text(group));
            all.insert(id.clone(), Value::Object(row));
        }
        Ok(Value::Object(all))
    }

    fn visible_choice(&self, group: NodeId, answer: &Value) -> Result<Value> {
        let choices = extract_choices(&self.tree, group)?;
        let one = |value: &Value| {
            let found = choices
                .iter()
                .rfind(|(name, _)| name.as_deref() == value.as_str());
            found
                .filter(|_| value.is_string())
                .map(|(_, text)| Value::String(text.clone()))
                .ok_or_else(|| Error::other("no such choice"))
        };
        match answer {
            Value::Array(items) => Ok(Value::Array(items.iter().map(one).collect::<Result<_>>()?)),
            other => one(other),
        }
    }

    /// How choices were permuted: answer id → `shuffle` or `answerpool` and the names in shown order.
    #[must_use]
    pub fn permutation(&self) -> Option<Value> {
        use crate::responses::Kind;
        let mut all = Map::new();
        for responder in &self.responders {
            let (Kind::MultipleChoice(choices) | Kind::TrueFalse(choices)) = &responder.kind else {
                continue;
            };
            if let (Some(how), Some(input)) = (choices.permuted, responder.inputs.first()) {
                let names: Vec<&str> = self
                    .tree
                    .find_all(input.node, "choice")
                    .into_iter()
                    .filter_map(|choice| self.tree.get(choice, "name"))
                    .collect();
                all.insert(input.id.clone(), json!([how, names]));
            }
        }
        (!all.is_empty()).then_some(Value::Object(all))
    }
}
