//! Unit `opaque_keys`.

use serde_json::Value;

use crate::Answer;

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, _input: &Value) -> Answer {
    Err(format!("no operation {op}"))
}
