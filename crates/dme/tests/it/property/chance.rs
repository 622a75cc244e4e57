//! Chance that can be had again: numbers out of a seed (SplitMix64).

/// A source of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // Seeds that lie near each other must not begin alike.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    /// A byte below this one.
    pub fn small(&mut self, end: u8) -> u8 {
        self.below(u64::from(end)) as u8
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The seeds to play: so many from 0 on, or those that the environment names, as `7` or `100..200`.
pub fn seeds(count: u64) -> Vec<u64> {
    let Ok(named) = std::env::var("DME_PROPERTY_SEED") else { return (0..count).collect() };
    let number = |text: &str| text.parse::<u64>().expect("DME_PROPERTY_SEED is 7 or 100..200");
    match named.split_once("..") {
        Some((first, end)) => (number(first)..number(end)).collect(),
        None => vec![number(&named)],
    }
}
