//! Plural rules: the small C expression of a catalogue's `Plural-Forms` header.

/// A compiled rule.
#[derive(Debug, Clone)]
pub(super) struct Plural {
    rule: Expr,
    forms: usize,
}

#[derive(Debug, Clone)]
enum Expr {
    N,
    Number(u64),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

const OPERATORS: [(&str, Operator, u8); 13] = [
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Equal, 3),
    ("!=", Operator::NotEqual, 3),
    ("<=", Operator::LessEqual, 4),
    (">=", Operator::GreaterEqual, 4),
    ("<", Operator::Less, 4),
    (">", Operator::Greater, 4),
    ("+", Operator::Plus, 5),
    ("-", Operator::Minus, 5),
    ("*", Operator::Times, 6),
    ("/", Operator::Divide, 6),
    ("%", Operator::Modulo, 6),
];

/// Deeper rules than any language has are refused, so that a file cannot exhaust the stack.
const MAX_DEPTH: usize = 64;

impl Default for Plural {
    /// English: one, and everything else.
    fn default() -> Self {
        let rule = Expr::Binary(
            Operator::NotEqual,
            Box::new(Expr::N),
            Box::new(Expr::Number(1)),
        );
        Self { rule, forms: 2 }
    }
}

impl Plural {
    /// Reads `nplurals=2; plural=(n != 1);`.
    pub(super) fn parse(header: &str) -> Result<Self, String> {
        let field = |name: &str| {
            header.split(';').find_map(|part| {
                let (key, value) = part.split_once('=')?;
                (key.trim() == name).then(|| value.trim())
            })
        };
        let forms = field("nplurals")
            .and_then(|number| number.parse().ok())
            .filter(|number| (1..=8).contains(number))
            .ok_or("bad nplurals")?;
        let mut reader = Reader {
            rest: field("plural").ok_or("no plural rule")?,
            depth: 0,
        };
        let rule = reader.choice()?;
        if reader.peek().is_empty() {
            Ok(Self { rule, forms })
        } else {
            Err("bad plural rule".to_owned())
        }
    }

    /// Which form a count takes.
    pub(super) fn index(&self, count: u64) -> usize {
        let index = usize::try_from(evaluate(&self.rule, count)).unwrap_or(usize::MAX);
        index.min(self.forms - 1)
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn take(&mut self, token: &str) -> bool {
        match self.peek().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn choice(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("plural rule too deep".to_owned());
        }
        let condition = self.binary(1)?;
        let expr = if self.take("?") {
            let yes = self.choice()?;
            if !self.take(":") {
                return Err("plural rule lacks ':'".to_owned());
            }
            Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.choice()?))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn binary(&mut self, least: u8) -> Result<Expr, String> {
        let mut left = self.unary()?;
        loop {
            let next = self.peek();
            let Some((token, operator, strength)) = OPERATORS
                .iter()
                .find(|(token, ..)| next.starts_with(token))
                .copied()
            else {
                return Ok(left);
            };
            if strength < least {
                return Ok(left);
            }
            self.take(token);
            let right = self.binary(strength + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("plural rule too deep".to_owned());
        }
        let expr = if self.take("(") {
            let inner = self.choice()?;
            if !self.take(")") {
                return Err("plural rule lacks ')'".to_owned());
            }
            inner
        } else if self.take("n") {
            Expr::N
        } else if self.take("!") {
            Expr::Not(Box::new(self.unary()?))
        } else {
            let text = self.peek();
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let (digits, rest) = text.split_at(end);
            self.rest = rest;
            Expr::Number(digits.parse().map_err(|_| "bad plural rule".to_owned())?)
        };
        self.depth -= 1;
        Ok(expr)
    }
}

fn evaluate(expr: &Expr, n: u64) -> u64 {
    match expr {
        Expr::N => n,
        Expr::Number(number) => *number,
        Expr::Not(inner) => u64::from(evaluate(inner, n) == 0),
        Expr::Choice(condition, yes, no) => {
            evaluate(if evaluate(condition, n) != 0 { yes } else { no }, n)
        }
        Expr::Binary(operator, left, right) => {
            let (a, b) = (evaluate(left, n), evaluate(right, n));
            match operator {
                Operator::Or => u64::from(a != 0 || b != 0),
                Operator::And => u64::from(a != 0 && b != 0),
                Operator::Equal => u64::from(a == b),
                Operator::NotEqual => u64::from(a != b),
                Operator::Less => u64::from(a < b),
                Operator::LessEqual => u64::from(a <= b),
                Operator::Greater => u64::from(a > b),
                Operator::GreaterEqual => u64::from(a >= b),
                Operator::Plus => a.wrapping_add(b),
                Operator::Minus => a.wrapping_sub(b),
                Operator::Times => a.wrapping_mul(b),
                Operator::Divide => a.checked_div(b).unwrap_or_default(),
                Operator::Modulo => a.checked_rem(b).unwrap_or_default(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Plural;
    use proptest::prelude::*;

    #[test]
    fn slavic_rule() {
        let rule = Plural::parse(
            "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
        )
        .unwrap();
        let got: Vec<_> = [1, 2, 5, 11, 21, 22, 112]
            .into_iter()
            .map(|n| rule.index(n))
            .collect();
        assert_eq!(got, [0, 1, 2, 2, 0, 1, 2]);
    }

    #[test]
    fn refuses_nonsense() {
        for bad in [
            "",
            "nplurals=2",
            "nplurals=9; plural=n",
            "nplurals=2; plural=n +",
            "nplurals=2; plural=x",
        ] {
            assert!(Plural::parse(bad).is_err(), "{bad}");
        }
        let deep = format!("nplurals=2; plural={}n", "(".repeat(100_000));
        assert!(Plural::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn any_rule_gives_a_form_in_range(rule in "(n|[0-9]|[-+*/%<>!?:()&|= ]){0,24}", n: u64) {
            if let Ok(rule) = Plural::parse(&format!("nplurals=3; plural={rule}")) {
                prop_assert!(rule.index(n) < 3);
            }
        }
    }
}
