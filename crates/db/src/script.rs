//! Cutting a file of SQL into statements.

use crate::Dialect;

/// Statements of a script, without their semicolons and without comment lines. Semicolons inside
/// quotes are text; a backslash escapes inside MySQL's quotes only.
pub(crate) fn statements(script: &str, dialect: Dialect) -> Vec<&str> {
    let bytes = script.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    let mut quote: Option<u8> = None;
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        match quote {
            Some(open) => {
                if byte == b'\\' && open != b'`' && dialect == Dialect::MySql {
                    index += 1;
                } else if byte == open {
                    quote = None;
                }
            }
            None => match byte {
                b'\'' | b'"' | b'`' => quote = Some(byte),
                b'-' if bytes.get(index + 1) == Some(&b'-') => {
                    while bytes.get(index).is_some_and(|&byte| byte != b'\n') {
                        index += 1;
                    }
                    if script[start..index].trim_start().starts_with("--") {
                        start = index;
                    }
                }
                b';' => {
                    found.push(script[start..index].trim());
                    start = index + 1;
                }
                _ => {}
            },
        }
        index += 1;
    }
    found.push(script.get(start..).unwrap_or_default().trim());
    found.retain(|statement| !statement.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Quoted texts of any content stay whole, on both engines.
        #[test]
        fn statements_come_back_as_they_were(texts in prop::collection::vec("[a-z;'\"`\\\\ \n-]{0,12}", 1..6)) {
            for dialect in [Dialect::Sqlite, Dialect::MySql] {
                let statements: Vec<String> = texts
                    .iter()
                    .map(|text| {
                        let text = text.replace('\'', "''");
                        let text = match dialect {
                            Dialect::Sqlite => text,
                            Dialect::MySql => text.replace('\\', "\\\\"),
                        };
                        format!("INSERT INTO t VALUES ('{text}')")
                    })
                    .collect();
                let script = statements.join(";\n-- a comment; with 'quotes\n");
                prop_assert_eq!(super::statements(&script, dialect), statements);
            }
        }

        #[test]
        fn no_text_breaks_the_cutter(text in ".{0,60}") {
            statements(&text, Dialect::MySql);
        }
    }

    #[test]
    fn semicolons_and_quotes_inside_text_do_not_cut() {
        let script = "-- a; comment\nINSERT INTO t VALUES ('a;b', 'it''s');\n\nCREATE TABLE `x;y` \
                      (a int); -- done\n";
        assert_eq!(
            statements(script, Dialect::Sqlite),
            [
                "INSERT INTO t VALUES ('a;b', 'it''s')",
                "CREATE TABLE `x;y` (a int)"
            ]
        );
        let escaped = "INSERT INTO t VALUES ('it\\'s; fine\\\\'); SELECT 1";
        assert_eq!(
            statements(escaped, Dialect::MySql),
            ["INSERT INTO t VALUES ('it\\'s; fine\\\\')", "SELECT 1"]
        );
        assert!(statements(" ; ;\n-- x", Dialect::Sqlite).is_empty());
    }
}
