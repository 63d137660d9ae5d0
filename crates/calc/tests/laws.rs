//! Laws of the calculator (contract capa.md §10, §3.6), and texts that must never harm it.

use calc::{CalcError, Functions, Number, Tolerance, Variables, evaluate, within_tolerance};
use proptest::prelude::*;

fn value(text: &str) -> Result<Number, CalcError> {
    evaluate(text, &Variables::new(), &Functions::new(), false)
}

fn real(text: &str) -> f64 {
    value(text)
        .and_then(|n| n.to_complex())
        .map_or(f64::NAN, |(re, _)| re)
}

/// Formulas that parse, of bounded size.
fn formula() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_u32..1000).prop_map(|n| n.to_string()),
        (1_u32..100).prop_map(|n| format!("{n}.5")),
        Just("pi".to_owned()),
        Just("i".to_owned()),
        (1_u32..90).prop_map(|n| format!("{n}%")),
    ];
    leaf.prop_recursive(4, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone(), "[-+*/^]")
                .prop_map(|(a, b, op)| format!("({a}){op}({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})||({b})")),
            (inner, "sin|sqrt|ln|abs|arcsec|fact|coth")
                .prop_map(|(a, name)| format!("{name}({a})")),
        ]
    })
}

/// The parts of a result, NaN made equal to itself.
fn parts(result: Result<Number, CalcError>) -> String {
    match result {
        Ok(number) => match number.to_complex() {
            Ok((re, im)) => format!("{re:?} {im:?}"),
            Err(error) => error.class().to_owned(),
        },
        Err(error) => error.class().to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any text at all gets an answer.
    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = value(&text);
        let _ = calc::latex(&text);
        let _ = calc::calculate(&text);
        let _ = calc::chem::render_to_html(&text);
        let _ = calc::chem::chemical_equations_equal(&text, &text, true);
    }

    /// So does any text of the calculator's own alphabet.
    #[test]
    fn no_near_formula_panics(text in "[-+*/^|().%0-9eixpnsqrt_{}' ]{0,40}") {
        let _ = value(&text);
        let _ = calc::latex(&text);
    }

    /// Spaces between tokens change nothing, nor do outer parentheses. Of a number that is none either part may be NaN:
    /// a real one becomes complex on its way through parentheses, as in Python.
    #[test]
    fn spaces_and_parentheses_change_nothing(text in formula()) {
        let plain = parts(value(&text));
        let wrapped = parts(value(&format!(" ( {text} )\n")));
        let both_are_none = plain.contains("NaN") && wrapped.contains("NaN");
        prop_assert!(both_are_none || plain == wrapped, "{plain} became {wrapped}");
    }

    /// What evaluates has a preview.
    #[test]
    fn formulas_have_previews(text in formula()) {
        prop_assert!(calc::latex(&text).is_ok_and(|latex| !latex.is_empty()));
    }

    /// Sums and products of integers are exact.
    #[test]
    fn integers_are_exact(a in any::<i64>(), b in any::<i64>()) {
        let product = i128::from(a) * i128::from(b);
        prop_assert_eq!(calc::calculate(&format!("({a})*({b})")), product.to_string());
        let sum = i128::from(a) + i128::from(b);
        prop_assert_eq!(calc::calculate(&format!("({a})+({b})")), sum.to_string());
    }

    /// Division of integers is that of doubles where doubles hold them, and near it elsewhere.
    #[test]
    fn quotients_are_rounded(a in any::<i64>(), b in any::<i64>()) {
        prop_assume!(b != 0);
        let got = real(&format!("({a})/({b})"));
        let want = a as f64 / b as f64;
        prop_assert!((got - want).abs() <= 1e-15 * want.abs());
    }

    /// Case counts only when asked for.
    #[test]
    fn case_is_folded(text in formula()) {
        prop_assert_eq!(parts(value(&text)), parts(value(&text.to_uppercase())));
    }

    /// Nearness is symmetric under an absolute tolerance, and everything is near itself.
    #[test]
    fn tolerance_is_symmetric(a in -1e6..1e6_f64, b in -1e6..1e6_f64, t in 0.0..1e6_f64) {
        let near = |x: f64, y: f64| within_tolerance(
            &Number::Float(x), &Number::Float(y), &Tolerance::Value(Number::Float(t)), false);
        prop_assert_eq!(near(a, b), near(b, a));
        prop_assert_eq!(near(a, a), Ok(true));
    }

    /// An expression times n is n times itself.
    #[test]
    fn chemistry_divides(n in 1_u32..50, phase in "|\\(s\\)|\\(aq\\)") {
        let one = format!("H2O{phase}");
        let many = format!("{n}H2O{phase}");
        prop_assert_eq!(
            calc::chem::divide_chemical_expression(&many, &one, false), Ok(Some(f64::from(n))));
    }
}

/// capa.md §15, checks 42, 43 and 47.
#[test]
fn acceptance_checks() {
    for (text, want) in [
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2*-3", -6.0),
        ("2^-1", 0.5),
        ("10%", 0.1),
        ("1 e 3", 1000.0),
        ("--3", 3.0),
        ("i^2", -1.0),
    ] {
        assert_eq!(real(text), want, "{text}");
    }
    assert!((real("7||14") - 14.0 / 3.0).abs() < 1e-12);
    assert!(real("4||0").is_nan());
    assert!(real("").is_nan());
    assert_eq!(value("3x"), Err(CalcError::Parse));
    assert_eq!(value("10k"), Err(CalcError::Parse));
    assert_eq!(calc::calculate("7/2"), "3.5");
    assert_eq!(calc::calculate("2x"), "Invalid syntax");
}

/// Formulas that would cost much are refused, quickly.
#[test]
fn hostile_formulas_are_bounded() {
    let deep = "(".repeat(5000) + "1" + &")".repeat(5000);
    assert_eq!(value(&deep), Err(CalcError::TooDeep));
    assert_eq!(value("9^9^9^9"), Err(CalcError::Overflow));
    assert_eq!(value("fact(5001)"), Err(CalcError::Overflow));
    assert_eq!(value("fact(fact(9))"), Err(CalcError::Overflow));
    assert_eq!(value("2^65537"), Err(CalcError::Overflow));
    assert_eq!(calc::calculate("1^(10^400)"), "1");
    let many = vec!["fact(5000)"; 1400].join("+");
    assert_eq!(value(&many), Err(CalcError::Overflow));
    assert_eq!(value(&"1+".repeat(20_000)), Err(CalcError::Parse));
    assert_eq!(
        calc::chem::render_to_html(&"(".repeat(9000)).map(|html| html.len() > 9000),
        Ok(true)
    );
}
