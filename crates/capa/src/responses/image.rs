//! Clicks on images (contract §3.11).

use serde_json::{Value, json};

use super::Responder;
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::Answers;
use crate::pyvalue::strip;
use crate::xml::Tree;

pub(super) fn answers(tree: &Tree, responder: &Responder) -> Vec<(String, Value)> {
    let of = |input: &super::InputField| {
        json!({
            "rectangle": tree.get(input.node, "rectangle"), "regions": tree.get(input.node, "regions"),
        })
    };
    responder
        .inputs
        .iter()
        .map(|input| (input.id.clone(), of(input)))
        .collect()
}

/// Reads numbers between given characters from the start of a text, blanks removed; what follows does not
/// count. `shape` has `#` for a number and `(`/`)` for any bracket.
fn numbers(text: &str, shape: &str, round: bool) -> Option<Vec<u64>> {
    let text: String = strip(text).chars().filter(|c| *c != ' ').collect();
    let mut rest = text.as_str();
    let mut found = Vec::new();
    for c in shape.chars() {
        if c == '#' {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let digits = rest.get(..end)?;
            if digits.is_empty() {
                return None;
            }
            found.push(digits.parse().unwrap_or(u64::MAX));
            rest = rest.get(end..)?;
            continue;
        }
        let next = rest.chars().next()?;
        let fits = match c {
            '(' => next == '[' || (round && next == '('),
            ')' => next == ']' || (round && next == ')'),
            other => next == other,
        };
        if !fits {
            return None;
        }
        rest = rest.get(next.len_utf8()..)?;
    }
    Some(found)
}

type Point = (f64, f64);

fn cross(o: Point, a: Point, b: Point) -> f64 {
    (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0)
}

/// Whether the point is strictly inside the convex hull of the others.
fn inside_hull(point: Point, mut points: Vec<Point>) -> bool {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in points {
            while let [.., a, b] = chain.as_slice() {
                if cross(*a, *b, p) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    if hull.len() < 3 {
        return false;
    }
    let next = hull.iter().cycle().skip(1);
    hull.iter()
        .zip(next)
        .all(|(a, b)| cross(*a, *b, point) > 0.0)
}

fn polygon(region: &Value) -> Result<Vec<Point>> {
    let bad = || Error::other("regions");
    let point = |value: &Value| {
        let pair = value.as_array().ok_or_else(bad)?;
        let at = |i: usize| pair.get(i).and_then(Value::as_f64).ok_or_else(bad);
        Ok((at(0)?, at(1)?))
    };
    region
        .as_array()
        .ok_or_else(bad)?
        .iter()
        .map(point)
        .collect()
}

pub(super) fn score(tree: &Tree, responder: &Responder, answers: &Answers) -> Result<CorrectMap> {
    let mut map = CorrectMap::default();
    for input in &responder.inputs {
        let given = answers
            .get(&input.id)
            .ok_or_else(|| Error::other("no answer"))?;
        map.entries
            .insert(input.id.clone(), Entry::mark("incorrect"));
        let truthy = crate::pyvalue::PyValue::from(given).truthy();
        if !truthy {
            continue;
        }
        let given = given.as_str().ok_or_else(|| Error::other("no text"))?;
        let point = numbers(given, "[#,#]", false)
            .ok_or_else(|| Error::Other(format!("error grading {} (input={given})", input.id)))?;
        let (Some(x), Some(y)) = (point.first().copied(), point.get(1).copied()) else {
            continue;
        };
        let mut right = false;
        for rectangle in tree
            .get(input.node, "rectangle")
            .unwrap_or_default()
            .split(';')
        {
            if tree.get(input.node, "rectangle").is_none_or(str::is_empty) || right {
                break;
            }
            let sides = numbers(rectangle, "(#,#)-(#,#)", true)
                .ok_or_else(|| Error::other("error in problem specification"))?;
            if let [left, top, to_right, bottom] = sides.as_slice() {
                right = (*left..=*to_right).contains(&x) && (*top..=*bottom).contains(&y);
            }
        }
        let regions = tree.get(input.node, "regions").unwrap_or_default();
        if !right && !regions.is_empty() {
            let parsed: Value =
                serde_json::from_str(regions).map_err(|_| Error::other("regions"))?;
            let list = parsed.as_array().ok_or_else(|| Error::other("regions"))?;
            let nested = match list.first() {
                None => continue,
                Some(first) => {
                    let inner = first.as_array().and_then(|first| first.first());
                    inner.ok_or_else(|| Error::other("regions"))?.is_array()
                }
            };
            let single = [parsed.clone()];
            for region in if nested { list.as_slice() } else { &single[..] } {
                if inside_hull((x as f64, y as f64), polygon(region)?) {
                    right = true;
                    break;
                }
            }
        }
        if right {
            map.entries.insert(input.id.clone(), Entry::mark("correct"));
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    // §15.38
    #[test]
    fn edges_of_a_region_are_outside() {
        let triangle = vec![(0.0, 0.0), (40.0, 0.0), (0.0, 40.0)];
        assert!(inside_hull((5.0, 5.0), triangle.clone()));
        assert!(!inside_hull((20.0, 20.0), triangle));
        assert!(!inside_hull((1.0, 1.0), vec![(0.0, 0.0), (2.0, 2.0)]));
    }

    #[test]
    fn reads_points() {
        assert_eq!(numbers(" [1, 2]x", "[#,#]", false), Some(vec![1, 2]));
        assert_eq!(numbers("[1.5,2]", "[#,#]", false), None);
        assert_eq!(
            numbers("(1,2)-[3,4]", "(#,#)-(#,#)", true),
            Some(vec![1, 2, 3, 4])
        );
    }
}
