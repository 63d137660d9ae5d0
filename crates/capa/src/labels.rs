//! Labels and descriptions of inputs (contract §4.3).

use crate::problem::Problem;
use crate::pyvalue::strip;
use crate::xml::{NodeId, Tree};

/// Inputs whose label is taken out of the problem text, since they show it themselves (contract §4.3).
const LABELLED_INPUTS: [&str; 7] = [
    "checkboxgroup",
    "radiogroup",
    "choicegroup",
    "optioninput",
    "textline",
    "formulaequationinput",
    "textbox",
];

/// Texts that belong to one input (contract §4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputData {
    /// The question as HTML.
    pub label: String,
    /// The question of a group of inputs as HTML.
    pub group_label: String,
    /// Descriptions: element id and HTML.
    pub descriptions: Vec<(String, String)>,
}

impl Problem<'_> {
    /// Finds the texts of a response's inputs and takes them out of the problem's text where the inputs show
    /// them themselves.
    pub(crate) fn accessibility(&mut self, response: NodeId, fields: &[NodeId], id: &str) {
        let Some(first) = fields.first().copied() else {
            return;
        };
        let field_id =
            |tree: &Tree, field: NodeId| tree.get(field, "id").unwrap_or_default().to_owned();
        if fields.len() > 1 {
            self.tree.set(response, "multiple_inputtypes", "true");
            let mut group_label = String::new();
            if let Some(label) = self.tree.find(response, "label") {
                let label_id = format!("multiinput-group-label-{id}");
                "p".clone_into(&mut self.tree.node_mut(label).tag);
                self.tree.set(label, "id", &label_id);
                self.tree.set(label, "class", "multi-inputs-group-label");
                group_label = self.tree.inner(label);
                self.tree
                    .set(response, "multiinput-group-label-id", &label_id);
            }
            let mut ids = Vec::new();
            for (i, text) in self
                .tree
                .find_all(response, "description")
                .into_iter()
                .enumerate()
            {
                let text_id = format!("multiinput-group-description-{id}-{i}");
                "p".clone_into(&mut self.tree.node_mut(text).tag);
                self.tree.set(text, "id", &text_id);
                let class = "multi-inputs-group-description question-description";
                self.tree.set(text, "class", class);
                ids.push(text_id);
            }
            if !ids.is_empty() {
                self.tree
                    .set(response, "multiinput-group_description_ids", &ids.join(" "));
            }
            for field in fields {
                let data = InputData {
                    label: self
                        .tree
                        .get(*field, "label")
                        .unwrap_or_default()
                        .to_owned(),
                    group_label: group_label.clone(),
                    descriptions: Vec::new(),
                };
                self.input_data.insert(field_id(&self.tree, *field), data);
            }
            return;
        }
        let before = self.tree.preceding_elements(response).first().copied();
        let mut source = None;
        if let Some(label) = self.tree.find(response, "label") {
            source = Some(label);
        } else if let Some(wanted) = self.tree.get(first, "label") {
            source = before.filter(|p| {
                self.tree.tag(*p) == "p" && self.tree.node(*p).text.as_deref() == Some(wanted)
            });
        } else if before.is_some_and(|label| self.tree.tag(label) == "label") {
            source = before;
        }
        let label = source.map(|node| strip(&self.tree.inner(node)).to_owned());
        if let Some(node) = source
            && LABELLED_INPUTS.contains(&self.tree.tag(first))
        {
            self.tree.detach(node);
        }
        let mut descriptions = Vec::new();
        for (i, text) in self
            .tree
            .find_all(response, "description")
            .into_iter()
            .enumerate()
        {
            descriptions.push((format!("description_{id}_{}", i + 1), self.tree.inner(text)));
            self.tree.detach(text);
        }
        let data = InputData {
            label: label.unwrap_or_default(),
            group_label: String::new(),
            descriptions,
        };
        self.input_data.insert(field_id(&self.tree, first), data);
    }
}
