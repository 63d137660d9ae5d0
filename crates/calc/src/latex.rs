//! The LaTeX preview of a formula (capa.md §10.1).

use crate::CalcError;
use crate::evaluate::is_blank;
use crate::parse::{Node, parse};

/// Greek letters that LaTeX knows, in lower case.
const GREEK: &[&str] = &[
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "varepsilon",
    "zeta",
    "eta",
    "theta",
    "vartheta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "varphi",
    "chi",
    "psi",
    "omega",
];

/// A rendered piece.
struct Rendered {
    latex: String,
    /// The piece without its outermost parentheses.
    bare: String,
    /// Whether its parentheses must grow.
    tall: bool,
}

impl Rendered {
    fn new(latex: String, tall: bool) -> Self {
        Self {
            bare: latex.clone(),
            latex,
            tall,
        }
    }
}

/// The formula in LaTeX; blank for a blank one. Unknown names are shown as typed.
///
/// # Errors
/// [`CalcError::Parse`] for anything that is not a formula, unmatched parentheses included, and
/// [`CalcError::TooDeep`].
pub fn latex(expression: &str) -> Result<String, CalcError> {
    if is_blank(expression) {
        return Ok(String::new());
    }
    let (node, _) = parse(expression)?;
    Ok(render(&node).latex)
}

fn render(node: &Node) -> Rendered {
    match node {
        Node::Number {
            mantissa,
            exponent,
            percent,
        } => {
            let suffix = if *percent { r"\text{%}" } else { "" };
            match exponent {
                Some(exponent) => Rendered::new(
                    format!(r"{mantissa}\!\times\!10^{{{exponent}}}{suffix}"),
                    true,
                ),
                None => Rendered::new(format!("{mantissa}{suffix}"), false),
            }
        }
        Node::Variable(name) => {
            let latex = match name.split_once('_') {
                Some((first, second)) if !second.is_empty() => {
                    format!("{}_{{{}}}", symbol(first), symbol(second))
                }
                _ => symbol(name),
            };
            Rendered::new(latex, false)
        }
        Node::Call(name, argument) => {
            let inner = render(argument);
            let latex = if name == "sqrt" {
                format!(r"\sqrt{{{}}}", inner.latex)
            } else {
                let name = match name.as_str() {
                    "log10" => r"\log_{10}".to_owned(),
                    "log2" => r"\log_2".to_owned(),
                    other => format!(r"\text{{{other}}}"),
                };
                format!("{name}{}", in_parentheses(&inner))
            };
            Rendered::new(latex, inner.tall)
        }
        Node::Group(inner) => {
            let inner = render(inner);
            Rendered {
                latex: in_parentheses(&inner),
                bare: inner.latex,
                tall: inner.tall,
            }
        }
        Node::Power(parts) => {
            let mut parts: Vec<Rendered> = parts.iter().map(render).collect();
            let mut latex = parts.pop().map(|last| last.bare).unwrap_or_default();
            while let Some(base) = parts.pop() {
                latex = format!("{}^{{{latex}}}", base.latex);
            }
            Rendered::new(latex, true)
        }
        Node::Parallel(parts) => {
            let parts: Vec<Rendered> = parts.iter().map(render).collect();
            let tall = parts.iter().any(|part| part.tall);
            let latex = parts
                .iter()
                .map(|part| part.latex.as_str())
                .collect::<Vec<_>>()
                .join(r"\|");
            Rendered::new(latex, tall)
        }
        Node::Product(factors) => render_product(factors),
        Node::Sum(terms) => {
            if let [(0, only)] = terms.as_slice() {
                return render(only);
            }
            let mut latex = String::new();
            let mut tall = false;
            for (sign, term) in terms {
                if *sign != 0 {
                    latex.push(char::from(*sign));
                }
                let term = render(term);
                latex += &term.latex;
                tall |= term.tall;
            }
            Rendered::new(latex, tall)
        }
    }
}

/// Products: what stands around a `/` becomes a fraction, up to the next `*` after it.
fn render_product(factors: &[(u8, Node)]) -> Rendered {
    if let [(_, only)] = factors {
        return render(only);
    }
    let mut latex = String::new();
    let (mut above, mut below): (Vec<Rendered>, Vec<Rendered>) = (Vec::new(), Vec::new());
    let mut tall = false;
    for (operator, factor) in factors {
        let factor = render(factor);
        if *operator == b'/' {
            tall = true;
            below.push(factor);
            continue;
        }
        tall |= factor.tall;
        if !below.is_empty() {
            latex += &fraction(&above, &below);
            latex += r"\cdot ";
            above.clear();
            below.clear();
        }
        above.push(factor);
    }
    if below.is_empty() {
        latex += &dotted(&above);
    } else {
        latex += &fraction(&above, &below);
    }
    Rendered::new(latex, tall)
}

fn fraction(above: &[Rendered], below: &[Rendered]) -> String {
    let side = |parts: &[Rendered]| match parts {
        [only] => only.bare.clone(),
        many => dotted(many),
    };
    format!(r"\frac{{{}}}{{{}}}", side(above), side(below))
}

fn dotted(parts: &[Rendered]) -> String {
    parts
        .iter()
        .map(|part| part.latex.as_str())
        .collect::<Vec<_>>()
        .join(r"\cdot ")
}

fn in_parentheses(inner: &Rendered) -> String {
    if inner.tall {
        format!(r"\left({}\right)", inner.latex)
    } else {
        format!("({})", inner.latex)
    }
}

/// A name, as a Greek letter where it is one.
fn symbol(name: &str) -> String {
    let mut rest = name.chars();
    let lower: String = rest
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(rest)
        .collect();
    if GREEK.contains(&lower.as_str()) || name == "hbar" || name == "infty" {
        format!("\\{name}")
    } else {
        name.replace('_', r"\_")
    }
}
