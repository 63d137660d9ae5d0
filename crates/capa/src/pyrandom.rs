//! Python's Mersenne twister, and the sequences drawn from it by `random2` (Python 2.7's algorithms,
//! contract §6.2) and by Python 3's `random`.

const N: usize = 624;
const M: usize = 397;

/// A generator seeded as `random.Random(int)` is.
#[derive(Clone)]
pub struct PyRandom {
    state: Box<[u32; N]>,
    index: usize,
}

impl std::fmt::Debug for PyRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PyRandom")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl PyRandom {
    /// Seeds with an integer; only its absolute value counts.
    #[must_use]
    pub fn new(seed: i64) -> Self {
        let seed = seed.unsigned_abs();
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        if high == 0 {
            Self::from_key(&[low])
        } else {
            Self::from_key(&[low, high])
        }
    }

    /// Seeds with the 32-bit words of an integer, least significant first (`init_by_array`).
    #[must_use]
    pub fn from_key(key: &[u32]) -> Self {
        let key = if key.is_empty() { &[0][..] } else { key };
        let mut state = Box::new([0_u32; N]);
        state[0] = 19_650_218;
        for i in 1..N {
            let previous = state[i - 1];
            state[i] = 1_812_433_253_u32
                .wrapping_mul(previous ^ (previous >> 30))
                .wrapping_add(i as u32);
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let previous = state[i - 1];
            state[i] = (state[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let previous = state[i - 1];
            state[i] = (state[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, index: N }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.index >= N {
            for k in 0..N {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
                let twist = if y & 1 == 0 { 0 } else { 0x9908_b0df };
                self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ twist;
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `random()`: uniform in [0, 1) with 53 bits.
    pub fn random(&mut self) -> f64 {
        let a = f64::from(self.next_u32() >> 5);
        let b = f64::from(self.next_u32() >> 6);
        (a * 67_108_864.0 + b) / 9_007_199_254_740_992.0
    }

    /// `random2`'s index draw: `int(random() * n)`.
    pub fn index(&mut self, n: usize) -> usize {
        ((self.random() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// `random2.randrange(start, stop, step)` and, with `stop + 1`, `randint`; none when empty.
    pub fn randrange(&mut self, start: i64, stop: i64, step: i64) -> Option<i64> {
        let width = i128::from(stop) - i128::from(start);
        let step = i128::from(step);
        let count = match step.signum() {
            1 => (width + step - 1).div_euclid(step),
            -1 => (width + step + 1) / step,
            _ => return None,
        };
        (count > 0).then(|| {
            let drawn = i128::from(start) + step * ((self.random() * count as f64) as i128);
            i64::try_from(drawn).unwrap_or(start)
        })
    }

    /// `random2.uniform(a, b)`.
    pub fn uniform(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.random()
    }

    /// `random2.choice`.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        let index = self.index(items.len());
        items.get(index)
    }

    /// `random2.shuffle`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.index(i + 1);
            items.swap(i, j);
        }
    }

    /// `random2.sample`: positions drawn from `0..n`; none when `k > n`.
    pub fn sample(&mut self, n: usize, k: usize) -> Option<Vec<usize>> {
        sample_with(n, k, &mut |bound| self.index(bound))
    }

    /// Python 3's `_randbelow`.
    pub fn below3(&mut self, n: usize) -> usize {
        if n <= 1 {
            // Python draws bits even for one item.
            if n == 1 {
                while self.bits3(1) >= 1 {}
            }
            return 0;
        }
        let bits = usize::BITS - n.leading_zeros();
        loop {
            let drawn = self.bits3(bits);
            if drawn < n as u64 {
                return drawn as usize;
            }
        }
    }

    fn bits3(&mut self, bits: u32) -> u64 {
        if bits <= 32 {
            u64::from(self.next_u32() >> (32 - bits))
        } else {
            let low = u64::from(self.next_u32());
            low | (u64::from(self.next_u32() >> (64 - bits)) << 32)
        }
    }

    /// Python 3's `random.shuffle`.
    pub fn shuffle3<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below3(i + 1);
            items.swap(i, j);
        }
    }

    /// Python 3's `random.choice`.
    pub fn choice3<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        let index = self.below3(items.len());
        items.get(index)
    }

    /// Python 3's `random.sample`: positions drawn from `0..n`; none when `k > n`.
    pub fn sample3(&mut self, n: usize, k: usize) -> Option<Vec<usize>> {
        sample_with(n, k, &mut |bound| self.below3(bound))
    }
}

/// The algorithm that both versions share: a pool when it is small, a set of seen positions otherwise.
fn sample_with(n: usize, k: usize, below: &mut dyn FnMut(usize) -> usize) -> Option<Vec<usize>> {
    if k > n {
        return None;
    }
    let mut set_size = 21_usize;
    if k > 5 {
        let power = ((k as f64 * 3.0).ln() / 4.0_f64.ln()).ceil();
        set_size = set_size.saturating_add(4.0_f64.powf(power) as usize);
    }
    let mut drawn = Vec::with_capacity(k);
    if n <= set_size {
        let mut pool: Vec<usize> = (0..n).collect();
        for i in 0..k {
            let j = below(n - i);
            drawn.push(pool[j]);
            pool[j] = pool[n - i - 1];
        }
    } else {
        let mut seen = std::collections::HashSet::new();
        while drawn.len() < k {
            let j = below(n);
            if seen.insert(j) {
                drawn.push(j);
            }
        }
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    // §15.6
    #[test]
    fn draws_as_random2_does() {
        for (seed, int, letter, real) in [
            (1, 14, "z", 0.763_774_618_976_614),
            (42, 64, "x", 0.275_029_318_369_119_26),
        ] {
            let mut random = PyRandom::new(seed);
            assert_eq!(random.randrange(1, 101, 1), Some(int));
            assert_eq!(random.choice(&["x", "y", "z"]), Some(&letter));
            assert_eq!(random.uniform(0.0, 1.0), real);
        }
    }

    // §15.7
    #[test]
    fn shuffles_and_samples_as_random2_does() {
        let mut random = PyRandom::new(1);
        random.randrange(1, 101, 1);
        random.choice(&["x", "y", "z"]);
        random.uniform(0.0, 1.0);
        let mut items = [1, 2, 3, 4, 5];
        random.shuffle(&mut items);
        assert_eq!(items, [1, 3, 4, 5, 2]);
        assert_eq!(random.sample(10, 3), Some(vec![7, 0, 8]));
        assert_eq!(random.randrange(0, 50, 5), Some(40));
    }

    #[test]
    fn draws_as_python_3_does() {
        let mut items: Vec<u32> = (0..10).collect();
        PyRandom::new(1).shuffle3(&mut items);
        assert_eq!(items, [6, 8, 9, 7, 5, 3, 0, 4, 1, 2]);
        assert_eq!(
            PyRandom::new(7).sample3(100, 5),
            Some(vec![41, 19, 50, 83, 6])
        );
        assert_eq!(PyRandom::new(5).below3(1), 0);
    }

    #[test]
    fn empty_draws_give_nothing() {
        let mut random = PyRandom::new(0);
        assert_eq!(random.randrange(5, 5, 1), None);
        assert_eq!(random.choice::<u8>(&[]), None);
        assert_eq!(random.sample(1, 2), None);
    }
}
