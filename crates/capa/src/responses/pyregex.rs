//! Authors' regular expressions, with Python's syntax errors (contract §3.4).

/// A pattern that is valid in Python.
pub(crate) struct PyRegex(fancy_regex::Regex);

impl PyRegex {
    /// Compiles a pattern.
    pub fn new(pattern: &str, case_insensitive: bool) -> Result<Self, String> {
        let flags = if case_insensitive { "(?i)" } else { "" };
        fancy_regex::Regex::new(&format!("{flags}{pattern}"))
            .map(Self)
            .map_err(|e| e.to_string())
    }

    /// Whether the pattern is found in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        self.0.is_match(text).map_err(|error| error.to_string())
    }
}
