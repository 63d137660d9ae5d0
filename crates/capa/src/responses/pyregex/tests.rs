use super::*;

fn fault(pattern: &str) -> String {
    PyRegex::new(pattern, false).err().unwrap_or_default()
}

// §15.23 and §3.4: Python's messages
#[test]
fn errors_are_pythons() {
    for (pattern, message) in [
        ("^[$", "unterminated character set at position 1"),
        ("^(a$", "missing ), unterminated subpattern at position 1"),
        ("^*a$", "nothing to repeat at position 1"),
        (
            "^a{2,1}$",
            "min repeat greater than max repeat at position 3",
        ),
        ("^(?P<x$", "missing >, unterminated name at position 5"),
        ("^a**$", "multiple repeat at position 3"),
        ("^\\q$", "bad escape \\q at position 1"),
        ("^a)$", "unbalanced parenthesis at position 2"),
        ("^[z-a]$", "bad character range z-a at position 2"),
        ("^(?<n>a)$", "unknown extension ?<n at position 2"),
        ("^\\2$", "invalid group reference 2 at position 2"),
    ] {
        assert_eq!(fault(pattern), message, "{pattern}");
    }
}

#[test]
fn python_and_the_engine_agree() {
    for (pattern, text, found) in [
        ("^[[:alpha:]]+$", "abc", false),
        ("^[[:alpha:]]+$", "a]", true),
        ("^a$", "a\n", true),
        ("^\\Aab\\Z$", "ab", true),
        ("^x*+y?$", "xxy", true),
        ("^(\\w)(\\w)\\2\\1$", "abba", true),
        ("^a{,2}$", "aa", true),
        ("^a{,x}$", "a{,x}", true),
        ("^cat|dog$", "hotdog", true),
        ("^(?i:A)b$", "ab", true),
        ("^\\d+ (apples|pears)$", "3 pears", true),
    ] {
        let regex = PyRegex::new(pattern, false).expect(pattern);
        assert_eq!(regex.is_match(text), Ok(found), "{pattern} {text}");
    }
}
