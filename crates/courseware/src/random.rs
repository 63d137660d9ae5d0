//! Draws that decide what a learner gets, not what keeps anybody out: groups, selections, orders.

/// A number below `bound`; 0 for a bound of 0.
#[must_use]
pub fn below(bound: usize) -> usize {
    // The lower half of a random UUID holds 62 random bits; a bias of bound / 2^62 is none.
    let bits = uuid::Uuid::new_v4().as_u64_pair().1 & (u64::MAX >> 2);
    usize::try_from(bits)
        .unwrap_or(usize::MAX)
        .checked_rem(bound)
        .unwrap_or_default()
}

/// Brings a list into a random order.
pub fn shuffle<T>(items: &mut [T]) {
    for at in (1..items.len()).rev() {
        items.swap(at, below(at + 1));
    }
}

/// Takes `count` random items out of a list, or all of them.
pub fn take<T>(items: &mut Vec<T>, count: usize) -> Vec<T> {
    let mut taken = Vec::new();
    while taken.len() < count && !items.is_empty() {
        taken.push(items.swap_remove(below(items.len())));
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_bounds() {
        assert_eq!(below(0), 0);
        assert!((0..100).all(|_| below(3) < 3));
        let mut items: Vec<u8> = (0..20).collect();
        shuffle(&mut items);
        let taken = take(&mut items, 5);
        assert_eq!((taken.len(), items.len()), (5, 15));
        let mut all: Vec<u8> = items.into_iter().chain(taken).collect();
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<u8>>());
        assert_eq!(take(&mut vec![1, 2], 9).len(), 2);
    }
}
