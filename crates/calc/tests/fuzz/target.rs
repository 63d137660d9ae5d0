//! Fuzz target of the calculator: no formula panics, and every answer has a text (capa.md §10).

use calc::{Functions, Number, Tolerance, Variables};

/// Evaluates, previews and renders one input.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut variables = Variables::new();
    variables.insert("x".to_owned(), Number::Float(2.5));
    variables.insert("n".to_owned(), Number::from(7));
    for case_sensitive in [false, true] {
        if let Ok(value) = calc::evaluate(text, &variables, &Functions::new(), case_sensitive) {
            let _ = value.to_string();
            let _ = calc::within_tolerance(&value, &value, &Tolerance::Text(text), false);
            // What has a value is a formula, and a formula has a preview.
            assert!(calc::latex(text).is_ok());
        }
    }
    let _ = calc::latex(text);
    let _ = calc::calculate(text);
    let _ = calc::chem::render_to_html(text);
    let (left, right) = text.split_once('=').unwrap_or((text, text));
    let _ = calc::chem::divide_chemical_expression(left, right, false);
    let _ = calc::chem::chemical_equations_equal(left, right, true);
}
