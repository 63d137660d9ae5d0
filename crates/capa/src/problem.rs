//! A problem as loaded for one learner: parsing, numbering, grading, answers (contract §2).

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::context::{Context, contextualize};
use crate::correct_map::CorrectMap;
use crate::environment::{Environment, ProblemState};
use crate::error::{Error, Result};
use crate::inputs;
use crate::labels::InputData;
use crate::pyrandom::PyRandom;
use crate::pyvalue::{PyValue, strip};
use crate::responses::{self, Responder};
use crate::script::{Globals, ScriptError, ScriptRun};
use crate::xml::{self, NodeId, Tree};

/// Submitted answers: answer id → text, list of texts or object, in the order of the form.
pub type Answers = Map<String, Value>;

/// A loaded problem.
#[derive(Debug)]
pub struct Problem<'e> {
    pub(crate) env: &'e Environment<'e>,
    pub(crate) id: String,
    pub(crate) seed: i64,
    pub(crate) tree: Tree,
    pub(crate) context: Context,
    pub(crate) student_answers: Answers,
    pub(crate) correct_map: CorrectMap,
    pub(crate) correct_map_history: Vec<CorrectMap>,
    pub(crate) has_saved_answers: bool,
    pub(crate) input_state: Map<String, Value>,
    pub(crate) done: bool,
    pub(crate) input_data: IndexMap<String, InputData>,
    pub(crate) responders: Vec<Responder>,
    pub(crate) answers: Vec<(NodeId, Vec<(String, Value)>)>,
    pub(crate) rng: Option<PyRandom>,
    pub(crate) targeted_done: bool,
    /// Inputs seen by rendering: id → element.
    pub(crate) rendered: IndexMap<String, NodeId>,
    pub(crate) hint_events: Vec<Value>,
}

/// How much of a problem is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// Only what counts points.
    Minimal,
    /// All but the first rendering.
    Unrendered,
    /// All.
    Full,
}

/// Parses a problem's text after the replacements of contract §2.2.
pub(crate) fn parse_text(text: &str) -> Result<Tree> {
    let text = replace_out_text(text);
    Ok(xml::parse(&text)?)
}

/// `startouttext /` → `text`, `endouttext /` → `/text`.
fn replace_out_text(text: &str) -> String {
    let mut text = text.to_owned();
    for (word, replacement) in [("startouttext", "text"), ("endouttext", "/text")] {
        if !text.contains(word) {
            continue;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(word) {
            let after = rest.get(at + word.len()..).unwrap_or_default();
            out.push_str(rest.get(..at).unwrap_or_default());
            if let Some(tail) = after.trim_start().strip_prefix('/') {
                out.push_str(replacement);
                rest = tail;
            } else {
                out.push_str(word);
                rest = after;
            }
        }
        out.push_str(rest);
        text = out;
    }
    text
}

/// Maximum score by the "minimal" load (contract §2, last paragraph): no script is run and nothing is set
/// up. A specification error gives 0; malformed XML is an error.
pub fn max_score(text: &str, files: &dyn Fn(&str) -> Option<String>) -> Result<i64> {
    let env = Environment {
        files,
        ..Environment::default()
    };
    match Problem::load(
        text,
        "problem",
        &ProblemState::default(),
        1,
        &env,
        Load::Minimal,
    ) {
        Ok(problem) => Ok(problem.responders.iter().map(Responder::input_points).sum()),
        Err(Error::Problem(_)) => Ok(0),
        Err(error) => Err(error),
    }
}

impl<'e> Problem<'e> {
    /// Loads a problem and renders it once (contract §2). `seed` counts when the state has none.
    pub fn new(
        text: &str,
        id: &str,
        state: &ProblemState,
        seed: i64,
        env: &'e Environment<'e>,
    ) -> Result<Self> {
        Self::load(text, id, state, seed, env, Load::Full)
    }

    /// Loads a problem without rendering it: enough for the responses report.
    pub fn for_report(
        text: &str,
        id: &str,
        state: &ProblemState,
        env: &'e Environment<'e>,
    ) -> Result<Self> {
        Self::load(text, id, state, 1, env, Load::Unrendered)
    }

    fn load(
        text: &str,
        id: &str,
        state: &ProblemState,
        seed: i64,
        env: &'e Environment<'e>,
        load: Load,
    ) -> Result<Self> {
        let minimal = load == Load::Minimal;
        let tree = parse_text(text)?;
        let mut problem = Self {
            env,
            id: id.to_owned(),
            seed: state.seed.unwrap_or(seed),
            tree,
            context: Context::new(),
            student_answers: state.student_answers.clone(),
            correct_map: CorrectMap::from_json(&state.correct_map),
            correct_map_history: state
                .correct_map_history
                .iter()
                .map(CorrectMap::from_json)
                .collect(),
            has_saved_answers: state.has_saved_answers,
            input_state: state.input_state.clone(),
            done: state.done,
            input_data: IndexMap::new(),
            responders: Vec::new(),
            answers: Vec::new(),
            rng: None,
            targeted_done: false,
            rendered: IndexMap::new(),
            hint_events: Vec::new(),
        };
        problem.make_compatible()?;
        problem.process_includes()?;
        if !minimal {
            problem.run_scripts()?;
        }
        problem.preprocess(minimal)?;
        if !minimal {
            if problem.student_answers.is_empty() {
                problem.set_initial_display();
            }
            problem.late_transforms()?;
        }
        if load == Load::Full {
            problem.render_tree()?;
        }
        Ok(problem)
    }

    /// Contract §2.3.
    fn make_compatible(&mut self) -> Result<()> {
        for string in self.tree.all(&|tag| tag == "stringresponse") {
            for additional in self.tree.find_all(string, "additional_answer") {
                let text = self.tree.text(additional).to_owned();
                if self
                    .tree
                    .get(additional, "answer")
                    .is_none_or(str::is_empty)
                    && !text.is_empty()
                {
                    self.tree.set(additional, "answer", &text);
                    self.tree.node_mut(additional).text = Some(String::new());
                }
            }
        }
        for input in self.tree.all(&|tag| tag == "optioninput") {
            let options = self.tree.find_all(input, "option");
            if options.is_empty() {
                continue;
            }
            let mut correct = Vec::new();
            let mut texts = Vec::new();
            for option in options {
                let text = strip(self.tree.text(option)).to_owned();
                let marked = self
                    .tree
                    .get(option, "correct")
                    .ok_or_else(|| Error::other("an option without the attribute correct"))?;
                if marked.to_uppercase() == "TRUE" {
                    correct.push(text.clone());
                }
                texts.push(format!("'{text}'"));
            }
            if correct.len() > 1 {
                return Err(Error::Problem(
                    "Dropdown questions can only have one correct answer.".to_owned(),
                ));
            }
            self.tree
                .set(input, "options", &format!("({})", texts.join(",")));
            if let Some(correct) = correct.first() {
                self.tree.set(input, "correct", correct);
            }
        }
        Ok(())
    }

    /// Contract §2.4.
    fn process_includes(&mut self) -> Result<()> {
        for include in self.tree.all(&|tag| tag == "include") {
            let Some(file) = self.tree.get(include, "file").map(str::to_owned) else {
                continue;
            };
            let Some(parent) = self.tree.parent(include) else {
                continue;
            };
            let Some(text) = (self.env.files)(&file) else {
                if self.env.debug {
                    continue;
                }
                return Err(Error::Other(format!("cannot find include file {file}")));
            };
            match xml::parse(&text) {
                Ok(included) => {
                    let node = self.tree.import(&included, included.root());
                    let index = self.tree.index(include).unwrap_or_default();
                    self.tree.insert(parent, index, node);
                    self.tree.detach(include);
                }
                Err(_) if self.env.debug => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Contract §2.5.
    fn run_scripts(&mut self) -> Result<()> {
        self.context
            .insert("seed".to_owned(), PyValue::Int(self.seed));
        self.context.insert(
            "anonymous_student_id".to_owned(),
            PyValue::from(self.env.anonymous_student_id),
        );
        let mut code = String::new();
        for script in self.tree.all(&|tag| tag == "script") {
            let kind = self.tree.get(script, "type").unwrap_or_default();
            if kind.contains("javascript") || kind.contains("perl") {
                continue;
            }
            let text = self.tree.node(script).text.as_deref();
            let text = text.ok_or_else(|| Error::other("a script without text"))?;
            code.push_str(&unescape(text));
        }
        if !code.is_empty() {
            let id = self.id.clone();
            let globals = self.context.clone();
            let out = self.run_code(&code, &globals, &id, true).map_err(|error| {
                let message = escape_markup(&error.0);
                Error::Problem(format!("Error while executing script code: {message}"))
            })?;
            self.context.extend(out);
        }
        let zip = || PyValue::from("python_lib.zip");
        let uses_lib = !code.is_empty() && self.env.python_lib.is_some();
        self.context
            .insert("script_code".to_owned(), PyValue::Str(code));
        let path = if uses_lib { vec![zip()] } else { Vec::new() };
        self.context
            .insert("python_path".to_owned(), PyValue::List(path));
        let extra = if uses_lib {
            PyValue::List(vec![zip()])
        } else {
            PyValue::None
        };
        self.context.insert("extra_files".to_owned(), extra);
        Ok(())
    }

    /// Runs code in the sandbox with the problem's seed.
    pub(crate) fn run_code(
        &self,
        code: &str,
        globals: &Globals,
        slug: &str,
        cacheable: bool,
    ) -> Result<Globals, ScriptError> {
        let Some(runner) = self.env.scripts else {
            return Err(ScriptError("scripts are not available here".to_owned()));
        };
        // The library is on the path only when the problem has script code (contract §16); the problem's
        // own script is run before `python_path` is known.
        let with_lib = self.context.get("python_path").is_none_or(PyValue::truthy);
        runner.run(&ScriptRun {
            code,
            globals,
            python_lib: self.env.python_lib.filter(|_| with_lib),
            seed: self.seed,
            slug,
            cacheable,
        })
    }

    /// Contract §2.6 and §2.7.
    fn preprocess(&mut self, minimal: bool) -> Result<()> {
        let nodes = self.tree.all(&responses::is_response);
        for (index, node) in nodes.into_iter().enumerate() {
            let number = index + 1;
            let id = format!("{}_{number}", self.id);
            self.tree.set(node, "id", &id);
            let fields = self.tree.descendants(node, &inputs::is_input);
            for (position, field) in fields.iter().enumerate() {
                let answer = position + 1;
                self.tree
                    .set(*field, "response_id", &(number + 1).to_string());
                self.tree.set(*field, "answer_id", &answer.to_string());
                let answer_id = format!("{}_{}_{answer}", self.id, number + 1);
                self.tree.set(*field, "id", &answer_id);
            }
            self.accessibility(node, &fields, &id);
            let responder = Responder::new(self, node, &fields, minimal)?;
            self.responders.push(responder);
        }
        if minimal {
            return Ok(());
        }
        let responders = std::mem::take(&mut self.responders);
        for responder in &responders {
            let answers = responder.answers(self);
            self.answers.push((responder.node, answers));
        }
        self.responders = responders;
        let solutions = self
            .tree
            .descendants(self.tree.root(), &|tag| tag == "solution");
        for (index, solution) in solutions.into_iter().enumerate() {
            let id = format!("{}_solution_{}", self.id, index + 1);
            self.tree.set(solution, "id", &id);
        }
        Ok(())
    }

    /// Contract §2.8.
    fn set_initial_display(&mut self) {
        let mut initial = Answers::new();
        for responder in &self.responders {
            initial.extend(responder.initial_display(self));
        }
        self.student_answers = initial;
    }

    /// Contract §2.9.
    fn late_transforms(&mut self) -> Result<()> {
        let mut responders = std::mem::take(&mut self.responders);
        let mut outcome = Ok(());
        for responder in &mut responders {
            outcome = responder.late_transforms(self);
            if outcome.is_err() {
                break;
            }
        }
        self.responders = responders;
        outcome
    }

    /// Substitutes variables.
    #[must_use]
    pub fn contextualize(&self, text: &str) -> String {
        contextualize(text, &self.context)
    }

    /// The generator shared by all responses (contract §3.1).
    pub(crate) fn shared_rng(&mut self) -> &mut PyRandom {
        let seed = self.seed;
        self.rng.get_or_insert_with(|| PyRandom::new(seed))
    }

    /// Grades answers; `attempt` is the number of this attempt, from 1. The problem holds the answers even
    /// when grading fails, and its correct map only when it succeeds.
    pub fn grade(&mut self, answers: &Answers, attempt: i64) -> Result<&CorrectMap> {
        self.context
            .insert("attempt".to_owned(), PyValue::Int(attempt));
        self.student_answers.clone_from(answers);
        let graded = self.evaluate(answers)?;
        self.correct_map = graded;
        self.correct_map_history.push(self.correct_map.clone());
        Ok(&self.correct_map)
    }

    /// Grades the stored answers again without touching attempts; new entries are merged (contract §12).
    pub fn regrade(&mut self, attempts: i64) -> Result<&CorrectMap> {
        if !self.supports_rescoring() {
            return Err(Error::Other(
                "Problem's definition does not support rescoring.".to_owned(),
            ));
        }
        self.context
            .insert("attempt".to_owned(), PyValue::Int(attempts.max(1)));
        let answers = self.student_answers.clone();
        let graded = self.evaluate(&answers)?;
        self.correct_map.update(graded);
        Ok(&self.correct_map)
    }

    fn evaluate(&mut self, answers: &Answers) -> Result<CorrectMap> {
        let responders = std::mem::take(&mut self.responders);
        let old = self.correct_map.clone();
        let mut graded = CorrectMap::default();
        let mut outcome = Ok(());
        for responder in &responders {
            match responder.evaluate(self, answers, &old) {
                Ok(map) => graded.update(map),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.responders = responders;
        outcome.map(|()| graded)
    }

    /// What Show Answer gives, solutions included (contract §11, problem_show).
    #[must_use]
    pub fn question_answers(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for (_, answers) in &self.answers {
            all.extend(answers.iter().cloned());
        }
        for solution in self.tree.all(&|tag| tag == "solution") {
            let text = self.contextualize(&self.tree.to_ascii(solution));
            let id = self.tree.get(solution, "id").unwrap_or_default();
            all.insert(id.to_owned(), Value::String(text));
        }
        all
    }

    /// Ids of all answers, in order.
    pub fn answer_ids(&self) -> impl Iterator<Item = &str> {
        self.responders
            .iter()
            .flat_map(|r| r.inputs.iter().map(|input| input.id.as_str()))
    }

    /// Sum of points of the correct map.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.correct_map.score()
    }

    /// Points that can be had.
    #[must_use]
    pub fn max_score(&self) -> f64 {
        self.responders
            .iter()
            .map(Responder::max_score)
            .sum::<i64>() as f64
    }

    /// The current correct map.
    #[must_use]
    pub const fn correct_map(&self) -> &CorrectMap {
        &self.correct_map
    }

    /// The current answers.
    #[must_use]
    pub const fn student_answers(&self) -> &Answers {
        &self.student_answers
    }

    /// The seed in use.
    #[must_use]
    pub const fn seed(&self) -> i64 {
        self.seed
    }

    /// The problem's html id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Marks the problem as submitted or not.
    pub const fn set_done(&mut self, done: bool) {
        self.done = done;
    }

    /// Whether the problem was submitted since the last reset.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// Marks answers as saved after the last submit.
    pub const fn set_saved_answers(&mut self, saved: bool) {
        self.has_saved_answers = saved;
    }

    /// Puts answers without grading them.
    pub fn set_student_answers(&mut self, answers: Answers) {
        self.student_answers = answers;
    }

    /// Payloads of `edx.problem.hint.feedback_displayed` that the last grading made; taking them empties
    /// the list. Module id is for the caller to add.
    pub fn take_hint_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.hint_events)
    }

    /// Whether stored answers can be graded again: not those that may hold files.
    #[must_use]
    pub fn supports_rescoring(&self) -> bool {
        !self
            .responders
            .iter()
            .any(|r| responses::allows_files(&r.tag))
    }

    /// Whether any answer waits for an external grader.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.correct_map
            .entries
            .keys()
            .any(|id| self.correct_map.is_queued(id))
    }

    /// The state as stored, seven keys.
    #[must_use]
    pub fn state(&self) -> Value {
        let history: Vec<Value> = self
            .correct_map_history
            .iter()
            .map(CorrectMap::to_json)
            .collect();
        json!({
            "seed": self.seed,
            "student_answers": self.student_answers,
            "has_saved_answers": self.has_saved_answers,
            "correct_map": self.correct_map.to_json(),
            "correct_map_history": history,
            "input_state": self.input_state,
            "done": self.done,
        })
    }
}

/// `&gt; &lt; &apos; &quot;` and last `&amp;` undone (contract §2.5).
fn unescape(text: &str) -> String {
    text.replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// HTML-escapes as markupsafe does.
#[must_use]
pub fn escape_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
