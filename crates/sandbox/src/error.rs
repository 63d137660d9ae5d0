//! What can go wrong.

/// Scripts cannot run here at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The interpreter of the setting `sandbox_python` cannot be started.
    #[error("the interpreter {0} cannot be started: {1}")]
    Interpreter(String, String),
    /// A layer that is required is missing.
    #[error("scripts are not run: {0}")]
    Layer(String),
    /// The account of the setting `sandbox_user` is unknown or is root.
    #[error("the account {0} cannot run scripts")]
    Account(String),
    /// The operating system refused something else.
    #[error("{0}: {1}")]
    System(&'static str, String),
}

impl Error {
    pub(crate) fn io(what: &'static str, error: &std::io::Error) -> Self {
        Self::System(what, error.to_string())
    }
}

/// Why a script left nothing. `Display` is the text of the jail (contract capa.md §6.1, failure text), from
/// which `capa` takes what a learner sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The script raised, or left what JSON cannot hold. The same inputs fail again.
    #[error("{0}")]
    Script(String),
    /// It wanted more memory than it may have.
    #[error("{0}")]
    Memory(String),
    /// It ran longer than it may, or the request's time was up.
    #[error("{}", jailed("", -9))]
    TimedOut,
    /// Its process ended without an answer: the status, negative for a signal.
    #[error("{}", jailed("", *.0))]
    Ended(i32),
    /// The sandbox itself failed. Another try may succeed.
    #[error("{}", jailed(.0, 1))]
    Fault(String),
}

impl Failure {
    /// Whether the same script with the same inputs must fail in the same way.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        matches!(self, Self::Script(_))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Fault(error.to_string())
    }
}

/// The jail's failure text.
fn jailed(stderr: &str, status: i32) -> String {
    // A final line with a colon: what is after it is shown to the learner.
    let stderr = if stderr.is_empty() {
        String::new()
    } else {
        format!("SandboxError: {}\\n", stderr.replace(['\\', '\''], " "))
    };
    format!(
        "Couldn't execute jailed code: stdout: b'', stderr: b'{stderr}' with status code: {status}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // capa.md §6.1: the text that ends a failed run
    #[test]
    fn failures_print_as_the_jail_does() {
        assert_eq!(
            Failure::TimedOut.to_string(),
            "Couldn't execute jailed code: stdout: b'', stderr: b'' with status code: -9"
        );
        assert_eq!(
            Failure::Fault("it's off".to_owned()).to_string(),
            "Couldn't execute jailed code: stdout: b'', stderr: b'SandboxError: it s off\\n' with status code: 1"
        );
    }
}
