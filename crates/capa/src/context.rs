//! The variables of a problem and their substitution into text (contract §6.3).

use indexmap::IndexMap;

use crate::pyvalue::PyValue;

/// Variables in the order of their definition.
pub type Context = IndexMap<String, PyValue>;

/// Most bytes that substitution may produce.
const MAX_TEXT: usize = 50_000_000;

/// Replaces each `$name`, longest names first, by the printed value.
#[must_use]
pub fn contextualize(text: &str, context: &Context) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let mut names: Vec<&String> = context.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.chars().count()));
    let mut text = text.to_owned();
    for name in names {
        let key = format!("${name}");
        if text.contains(&key)
            && let Some(value) = context.get(name)
        {
            let value = value.str();
            if text
                .len()
                .saturating_add(text.matches(&key).count().saturating_mul(value.len()))
                > MAX_TEXT
            {
                continue;
            }
            text = text.replace(&key, &value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // §15.9
    #[test]
    fn longest_names_first() {
        let context: Context = [
            ("x".to_owned(), PyValue::Int(1)),
            ("xy".to_owned(), PyValue::Int(22)),
        ]
        .into_iter()
        .collect();
        assert_eq!(contextualize("$xy $x $$x $zz", &context), "22 1 $1 $zz");
    }
}
