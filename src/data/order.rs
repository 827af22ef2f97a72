//! Sorting that costs the web page one copy of the machinery instead of one a type: the standard library's sort is
//! instantiated for indexes alone, and the items follow.

use std::cmp::Ordering;

/// Stable. O(n log n) comparisons through a pointer, O(n) moves.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = sorted_indexes(items.len(), &mut |a, b| compare(&items[a as usize], &items[b as usize]));
    follow(order, &mut |a, b| items.swap(a, b));
}

/// As [`sort_by`], by a key.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// As [`sort_by`], by the items' own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

#[inline(never)]
fn sorted_indexes(len: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(len).expect("a reply has fewer items")).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

/// Brings every item to its place by swaps along the cycles of the permutation.
#[inline(never)]
fn follow(mut order: Vec<u32>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        while order[at] as usize != start {
            let from = order[at] as usize;
            swap(at, from);
            order[at] = at as u32;
            at = from;
        }
        order[at] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut state = 7u64;
        for len in [0, 1, 2, 3, 10, 100, 1000] {
            let mut items: Vec<(u64, usize)> = (0..len)
                .map(|at| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    ((state >> 33) % 10, at)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            super::sort_by_key(&mut items, |item| item.0);
            assert_eq!(items, expected);
        }
    }
}
