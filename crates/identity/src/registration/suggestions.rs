//! Usernames to propose.

/// Longest username.
pub(crate) const MAX_USERNAME: usize = 30;
/// Numbers are appended from these ranges, one draw each.
const RANGES: [(u32, u32); 5] = [(0, 9), (10, 99), (100, 999), (1000, 9999), (10_000, 99_999)];

/// Usernames like a name, best first; the caller offers the first three that are free. `draw` gives a number of a
/// range, both ends included. Names beyond ASCII have none.
#[must_use]
pub fn username_candidates(name: &str, mut draw: impl FnMut(u32, u32) -> u32) -> Vec<String> {
    if !name.is_ascii() {
        return Vec::new();
    }
    let cleaned: String = name
        .chars()
        .filter(|ch| ch.is_ascii_alphanumeric() || matches!(ch, ' ' | '-' | '_'))
        .collect::<String>()
        .to_lowercase();
    let mut parts = cleaned.split(' ');
    let first = parts.next().unwrap_or_default();
    let last = parts.next_back().unwrap_or(first);
    let cut = |text: String| text.chars().take(MAX_USERNAME).collect::<String>();
    let mut out = Vec::new();
    if first != last {
        out.push(cut(format!("{first}{last}")));
        if let Some(initial) = first.chars().next() {
            out.push(cut(format!("{initial}-{last}")));
        }
    }
    if first.len() >= 2 {
        let short: String = first
            .chars()
            .take(MAX_USERNAME - 6)
            .filter(|ch| !matches!(ch, '-' | '_'))
            .collect();
        for (low, high) in RANGES {
            out.push(format!("{short}_{}", draw(low, high)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §7.2: recorded proposals.
    #[test]
    fn proposals() {
        for (name, draw, expected) in [
            ("John Doe", 0, vec!["johndoe", "j-doe", "john_0"]),
            ("john JOHN", 5, vec!["john_5", "john_15", "john_105"]),
            ("A-B", 0, vec!["ab_0", "ab_10", "ab_100"]),
            ("a b", 0, vec!["ab", "a-b"]),
            ("_ _", 0, vec![]),
            ("J. R. R. Tolkien", 5, vec!["jtolkien", "j-tolkien"]),
            ("O'Neil Shaq", 0, vec!["oneilshaq", "o-shaq", "oneil_0"]),
            ("John Doe ", 0, vec!["john", "j-", "john_0"]),
            (
                "John\tDoe",
                0,
                vec!["johndoe_0", "johndoe_10", "johndoe_100"],
            ),
            ("-- --", 0, vec!["_0", "_10", "_100"]),
            ("日本 太郎", 0, vec![]),
            ("  ", 0, vec![]),
        ] {
            let mut found = username_candidates(name, |low, high| high.min(low + draw));
            found.truncate(3);
            assert_eq!(found, expected, "{name}");
        }
    }
}
