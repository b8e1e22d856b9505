//! The Ising model of a magnet: spins on a square that closes upon itself, each of which likes to be as its neighbors are.

/// How much the spins agree, from 0 to 1, on average over the second half of so many steps; in each one every spin is
/// looked at once, by the rule of Metropolis et al. (1953).
pub(crate) fn magnetization(temperature: f64, side: usize, steps: usize, seed: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut spins = vec![1_i32; side * side];
    // By half of what the neighbors of a spin agree with it; the other half never costs anything.
    let chances = [1.0, (-4.0 / temperature).exp(), (-8.0 / temperature).exp()];
    let mut sum = 0.0;
    for step in 0..steps {
        for place in 0..spins.len() {
            let agreement = spins[place] * neighbors(place, side).map(|other| spins[other]).iter().sum::<i32>();
            if agreement <= 0 || random.f64() < chances[agreement as usize / 2] {
                spins[place] = -spins[place];
            }
        }
        if step >= steps / 2 {
            sum += f64::from(spins.iter().sum::<i32>().abs()) / spins.len() as f64;
        }
    }
    sum / (steps - steps / 2) as f64
}

fn neighbors(place: usize, side: usize) -> [usize; 4] {
    let (row, column) = (place / side, place % side);
    let (above, below) = ((row + side - 1) % side, (row + 1) % side);
    let (left, right) = ((column + side - 1) % side, (column + 1) % side);
    [above * side + column, below * side + column, row * side + left, row * side + right]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cold_agrees_and_what_is_hot_does_not() {
        let at = |temperature| magnetization(temperature, 16, 400, 1);
        assert!(at(1.0) > 0.99 && at(10.0) < 0.2, "{} and {}", at(1.0), at(10.0));
        assert_eq!(at(2.0), at(2.0), "a seed is a seed");
    }

    #[test]
    fn everybody_has_four_neighbors() {
        let mut seen = [0; 12 * 12];
        (0..seen.len()).flat_map(|place| neighbors(place, 12)).for_each(|place| seen[place] += 1);
        assert!(seen.iter().all(|&times| times == 4));
        assert_eq!(neighbors(0, 12), [132, 12, 11, 1]);
    }
}
