//! Response types: what is right, and how an answer is marked (contract §3).
//!
//! To add one: give it a tag in [`KINDS`], a variant of [`Kind`], a module with its `setup` and `score`,
//! and its lines in [`Responder::new`], [`Responder::score`] and [`Responder::answers`].

mod annotation;
mod choice;
mod choicetext;
mod code;
mod custom;
mod formula;
mod hints;
mod image;
mod multiplechoice;
mod numerical;
mod option;
mod pyregex;
mod schematic;
mod string;
mod symbolic;
mod tidy;

use serde_json::Value;

use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{parse_int, strip};
use crate::xml::{NodeId, Tree};

pub(crate) use code::{queue_key, student_info};

/// Fixed properties of a response type.
struct Properties {
    tag: &'static str,
    inputs: &'static [&'static str],
    max_inputs: usize,
    required: &'static [&'static str],
    hint_tag: Option<&'static str>,
}

const CUSTOM_INPUTS: &[&str] = &[
    "textline",
    "textbox",
    "crystallography",
    "chemicalequationinput",
    "vsepr_input",
    "drag_and_drop_input",
    "designprotein2dinput",
    "editageneinput",
    "annotationinput",
    "jsinput",
    "formulaequationinput",
];

const fn kind(
    tag: &'static str,
    inputs: &'static [&'static str],
    max_inputs: usize,
    required: &'static [&'static str],
    hint_tag: Option<&'static str>,
) -> Properties {
    Properties {
        tag,
        inputs,
        max_inputs,
        required,
        hint_tag,
    }
}

const ANY: usize = usize::MAX;

const KINDS: &[Properties] = &[
    kind("multiplechoiceresponse", &["choicegroup"], 1, &[], None),
    kind("truefalseresponse", &["choicegroup"], 1, &[], None),
    kind(
        "choiceresponse",
        &["checkboxgroup", "radiogroup"],
        1,
        &[],
        None,
    ),
    kind(
        "optionresponse",
        &["optioninput"],
        ANY,
        &[],
        Some("optionhint"),
    ),
    kind(
        "stringresponse",
        &["textline"],
        1,
        &["answer"],
        Some("stringhint"),
    ),
    kind(
        "numericalresponse",
        &["textline", "formulaequationinput"],
        1,
        &["answer"],
        Some("numericalhint"),
    ),
    kind(
        "formularesponse",
        &["textline", "formulaequationinput"],
        1,
        &["answer", "samples"],
        Some("formulahint"),
    ),
    kind("customresponse", CUSTOM_INPUTS, ANY, &[], None),
    kind("symbolicresponse", CUSTOM_INPUTS, 1, &[], None),
    kind(
        "coderesponse",
        &["textbox", "filesubmission", "matlabinput"],
        1,
        &[],
        None,
    ),
    kind("externalresponse", &["textline", "textbox"], ANY, &[], None),
    kind("schematicresponse", &["schematic"], ANY, &[], None),
    kind("imageresponse", &["imageinput"], ANY, &[], None),
    kind("annotationresponse", &["annotationinput"], 1, &[], None),
    kind(
        "choicetextresponse",
        &["radiotextgroup", "checkboxtextgroup"],
        1,
        &[],
        None,
    ),
];

fn properties(tag: &str) -> Option<&'static Properties> {
    KINDS.iter().find(|kind| kind.tag == tag)
}

/// Whether the tag is a response.
pub(crate) fn is_response(tag: &str) -> bool {
    properties(tag).is_some()
}

/// Whether learners can hand in files to such a response; it cannot be rescored.
pub(crate) fn allows_files(tag: &str) -> bool {
    properties(tag).is_some_and(|kind| kind.inputs.contains(&"filesubmission"))
}

/// One input of a response.
#[derive(Clone, Debug)]
pub(crate) struct InputField {
    pub node: NodeId,
    pub id: String,
    /// Its `points`, 1 by default.
    pub points: i64,
}

/// What a response has to know to grade.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Set up only to count points.
    Minimal,
    MultipleChoice(multiplechoice::MultipleChoice),
    TrueFalse(multiplechoice::MultipleChoice),
    Choice(choice::Choice),
    Option,
    String(string::StringAnswer),
    Numerical(numerical::Numerical),
    Formula(formula::Formula),
    Custom(custom::Custom),
    Symbolic(custom::Custom),
    Code(code::Code),
    Schematic,
    Image,
    Annotation,
    ChoiceText(choicetext::ChoiceText),
}

/// A response of a loaded problem.
#[derive(Clone, Debug)]
pub(crate) struct Responder {
    pub node: NodeId,
    pub id: String,
    pub tag: String,
    pub line: u32,
    pub inputs: Vec<InputField>,
    /// `correct_answer` of the inputs, substituted.
    pub default_answers: Vec<(String, Value)>,
    /// Words of `partial_credit`; none when there is no partial credit.
    pub partial_credit: Option<Vec<String>>,
    pub kind: Kind,
}

impl Responder {
    /// Checks and sets up a response (contract §3, common attributes).
    pub fn new(
        problem: &mut Problem<'_>,
        node: NodeId,
        fields: &[NodeId],
        minimal: bool,
    ) -> Result<Self> {
        let tree = &problem.tree;
        let tag = tree.tag(node).to_owned();
        let line = tree.node(node).line;
        let Some(properties) = properties(&tag) else {
            return Err(Error::other("not a response"));
        };
        let name = format!("LoncapaProblem Response {tag}");
        let located =
            |message: String| Error::Problem(format!("{message}\nSee XML source line {line}"));
        for field in fields {
            let input = tree.tag(*field);
            if !properties.inputs.contains(&input) {
                return Err(located(format!("{name}: cannot have input field {input}")));
            }
        }
        if fields.len() > properties.max_inputs {
            let max = properties.max_inputs;
            return Err(located(format!(
                "{name}: cannot have more than {max} input fields"
            )));
        }
        for required in properties.required {
            if tree.get(node, required).is_none_or(str::is_empty) {
                return Err(located(format!(
                    "Error in problem specification: {name} missing required attribute {required}"
                )));
            }
        }
        if properties.max_inputs == 1 && fields.is_empty() {
            return Err(Error::other("a response without input"));
        }
        let mut inputs = Vec::with_capacity(fields.len());
        for field in fields {
            let points = match tree.get(*field, "points") {
                Some(text) => parse_int(text).ok_or_else(|| Error::other("points"))?,
                None => 1,
            };
            let id = tree.get(*field, "id").unwrap_or_default().to_owned();
            inputs.push(InputField {
                node: *field,
                id,
                points,
            });
        }
        let mut responder = Self {
            node,
            id: tree.get(node, "id").unwrap_or_default().to_owned(),
            tag,
            line,
            inputs,
            default_answers: Vec::new(),
            partial_credit: None,
            kind: Kind::Minimal,
        };
        if minimal {
            return Ok(responder);
        }
        for input in &responder.inputs {
            if let Some(answer) = problem.tree.get(input.node, "correct_answer")
                && !answer.is_empty()
            {
                let answer = Value::String(problem.contextualize(answer));
                responder.default_answers.push((input.id.clone(), answer));
            }
        }
        if let Some(words) = problem.tree.get(node, "partial_credit")
            && strip(&words.to_lowercase()) != "false"
        {
            let words = words
                .split(',')
                .map(|word| strip(word).to_lowercase())
                .collect();
            responder.partial_credit = Some(words);
        }
        responder.kind = match responder.tag.as_str() {
            "multiplechoiceresponse" => Kind::MultipleChoice(multiplechoice::setup(
                problem,
                &responder,
                "MultipleChoice",
            )?),
            "truefalseresponse" => {
                Kind::TrueFalse(multiplechoice::setup(problem, &responder, "TrueFalse")?)
            }
            "choiceresponse" => Kind::Choice(choice::setup(problem, &responder)?),
            "optionresponse" => Kind::Option,
            "stringresponse" => Kind::String(string::setup(problem, &responder)?),
            "numericalresponse" => Kind::Numerical(numerical::setup(problem, &responder)?),
            "formularesponse" => Kind::Formula(formula::setup(problem, &responder)),
            "customresponse" => Kind::Custom(custom::setup(problem, &responder)?),
            "symbolicresponse" => Kind::Symbolic(custom::setup(problem, &responder)?),
            "coderesponse" => Kind::Code(code::setup(problem, &responder)?),
            "externalresponse" => {
                return Err(Error::other("external graders are not available"));
            }
            "schematicresponse" => {
                schematic::code(&problem.tree, responder.node)?;
                Kind::Schematic
            }
            "imageresponse" => Kind::Image,
            "annotationresponse" => Kind::Annotation,
            _ => Kind::ChoiceText(choicetext::setup(problem, &responder)?),
        };
        Ok(responder)
    }

    /// The first input's id.
    pub fn answer_id(&self) -> &str {
        self.inputs.first().map_or("", |input| input.id.as_str())
    }

    /// Sum of the inputs' `points`.
    pub fn input_points(&self) -> i64 {
        self.inputs
            .iter()
            .map(|input| input.points)
            .fold(0, i64::saturating_add)
    }

    /// Points that can be had; annotations count two an input.
    pub fn max_score(&self) -> i64 {
        match self.kind {
            Kind::Annotation => self.inputs.len() as i64 * 2,
            _ => self.input_points(),
        }
    }

    /// Answers as shown by Show Answer.
    pub fn answers(&self, problem: &Problem<'_>) -> Vec<(String, Value)> {
        let id = || self.answer_id().to_owned();
        match &self.kind {
            Kind::Minimal => Vec::new(),
            Kind::MultipleChoice(choices) | Kind::TrueFalse(choices) => {
                vec![(id(), Value::from(choices.correct.clone()))]
            }
            Kind::Choice(choices) => {
                let mut names: Vec<&String> = choices.correct.iter().collect();
                names.sort();
                names.dedup();
                vec![(id(), names.into_iter().cloned().collect())]
            }
            Kind::Option => option::answers(problem, self),
            Kind::String(string) => vec![(id(), Value::String(hints::joined(&string.correct)))],
            Kind::Numerical(numerical) => vec![(id(), Value::String(numerical.displayed()))],
            Kind::Formula(formula) => vec![(id(), Value::String(formula.correct.clone()))],
            Kind::Custom(custom) | Kind::Symbolic(custom) => custom.answers(self),
            Kind::Code(code) => vec![(id(), Value::String(code.displayed()))],
            Kind::Schematic => self.default_answers.clone(),
            Kind::Image => image::answers(&problem.tree, self),
            Kind::Annotation => annotation::answers(&problem.tree, self),
            Kind::ChoiceText(choices) => choices.answers.clone(),
        }
    }

    /// Answers shown before the first submission.
    pub fn initial_display(&self, _problem: &Problem<'_>) -> Vec<(String, Value)> {
        match &self.kind {
            Kind::Code(code) => {
                vec![(self.answer_id().to_owned(), code.initial_display.clone())]
            }
            _ => Vec::new(),
        }
    }

    /// Shuffle and answer pool.
    pub fn late_transforms(&mut self, problem: &mut Problem<'_>) -> Result<()> {
        match &mut self.kind {
            Kind::MultipleChoice(choices) | Kind::TrueFalse(choices) => {
                multiplechoice::late_transforms(problem, self.node, choices)
            }
            _ => Ok(()),
        }
    }

    /// Marks the answers and adds hints.
    pub fn evaluate(
        &self,
        problem: &mut Problem<'_>,
        answers: &Answers,
        old: &CorrectMap,
    ) -> Result<CorrectMap> {
        let map = self.score(problem, answers)?;
        hints::add(problem, self, answers, map, old)
    }

    fn score(&self, problem: &mut Problem<'_>, answers: &Answers) -> Result<CorrectMap> {
        match &self.kind {
            Kind::Minimal => Err(Error::other("not set up")),
            Kind::MultipleChoice(choices) => multiplechoice::score(self, choices, answers),
            Kind::TrueFalse(choices) => {
                Ok(multiplechoice::score_true_false(self, choices, answers))
            }
            Kind::Choice(choices) => choice::score(self, choices, answers),
            Kind::Option => Ok(option::score(problem, self, answers)),
            Kind::String(string) => string::score(self, string, answers),
            Kind::Numerical(numerical) => numerical::score(problem, self, numerical, answers),
            Kind::Formula(formula) => formula::score(problem, self, formula, answers),
            Kind::Custom(custom) => custom::score(problem, self, custom, answers),
            Kind::Symbolic(custom) => symbolic::score(problem, self, custom, answers),
            Kind::Code(code) => code::score(problem, self, code, answers),
            Kind::Schematic => schematic::score(problem, self, answers),
            Kind::Image => image::score(&problem.tree, self, answers),
            Kind::Annotation => annotation::score(&problem.tree, self, answers),
            Kind::ChoiceText(choices) => choicetext::score(self, choices, answers),
        }
    }
}

/// The submitted text of an answer that must be there.
pub(crate) fn required_text<'a>(answers: &'a Answers, id: &str) -> Result<&'a str> {
    answers
        .get(id)
        .ok_or_else(|| Error::Other(format!("no answer for {id}")))?
        .as_str()
        .ok_or_else(|| Error::other("an answer that is no text"))
}

/// `//*[@id=$id]//responseparam[@type="tolerance"]/@default`, substituted.
pub(crate) fn tolerance(problem: &Problem<'_>, node: NodeId) -> Option<String> {
    let tree: &Tree = &problem.tree;
    let params = tree.descendants(node, &|tag| tag == "responseparam");
    params
        .into_iter()
        .filter(|param| tree.get(*param, "type") == Some("tolerance"))
        .find_map(|param| tree.get(param, "default"))
        .map(|text| problem.contextualize(text))
}
