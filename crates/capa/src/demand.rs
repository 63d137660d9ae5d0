//! Demand hints: those that a learner asks for (contract §11, hint_button).

use crate::problem::Problem;
use crate::xml::{NodeId, Tree};

/// Demand hints shown so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemandHint {
    /// Index of the last one, from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
    /// Inner HTML of the last one.
    pub text: String,
    /// The list as HTML.
    pub html: String,
}

impl DemandHint {
    /// Whether "Next hint" has more to show.
    #[must_use]
    pub const fn more(&self) -> bool {
        self.index + 1 < self.count
    }
}

/// The demand hint nodes of a problem's tree.
pub(crate) fn demand_hints(tree: &Tree) -> Vec<NodeId> {
    let mut hints = Vec::new();
    for problem in tree.all(&|tag| tag == "problem") {
        for demand in tree.find_all(problem, "demandhint") {
            hints.extend(tree.find_all(demand, "hint"));
        }
    }
    hints
}

pub(crate) fn demand_hint(tree: &Tree, index: i64) -> Option<DemandHint> {
    use std::fmt::Write as _;
    let hints = demand_hints(tree);
    let count = hints.len();
    let index = usize::try_from(index.checked_rem_euclid(i64::try_from(count).ok()?)?).ok()?;
    let mut html = String::from("<ol>");
    let mut text = String::new();
    for (i, hint) in hints.iter().take(index + 1).enumerate() {
        text = tree.inner_ascii_with_tail(*hint);
        let _ = write!(
            html,
            "<li class=\"hint-index-{i}\" tabindex=\"-1\"><strong>Hint ({} of {count}): </strong>{text}</li>",
            i + 1
        );
    }
    html.push_str("</ol>");
    Some(DemandHint {
        index,
        count,
        text,
        html,
    })
}

impl Problem<'_> {
    /// Demand hints: the nodes `//problem/demandhint/hint`.
    #[must_use]
    pub fn demand_hint_count(&self) -> usize {
        demand_hints(&self.tree).len()
    }

    /// Demand hints up to `index` modulo their number: (index, whether more follow, html). None when the
    /// problem has none (contract §11, hint_button).
    #[must_use]
    pub fn demand_hint(&self, index: i64) -> Option<DemandHint> {
        demand_hint(&self.tree, index)
    }
}
