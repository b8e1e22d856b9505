//! Two ways to find a factor, neither of which knows how long it will take. Both look now and then whether they are still
//! wanted.

/// So many steps are quick enough that nobody notices one more round of them.
const STEPS: u32 = 10_000;

/// Tries every odd number in turn. `None`: it is prime.
#[loky::task]
pub(crate) fn by_trial(number: u128) -> Option<u128> {
    if number % 2 == 0 {
        return (number > 2).then_some(2);
    }
    let mut candidate = 3;
    while candidate * candidate <= number {
        if loky::is_cancelled() {
            return None;
        }
        for _ in 0..STEPS {
            if number % candidate == 0 {
                return (candidate < number).then_some(candidate);
            }
            candidate += 2;
        }
    }
    None
}

/// Pollard's rho with Floyd's way to find a cycle (1975). Never ends for a prime.
#[loky::task]
pub(crate) fn by_rho(number: u128) -> Option<u128> {
    (1..).take_while(|_| !loky::is_cancelled()).find_map(|constant| walk(number, constant))
}

/// `None`: this walk came back to where it was without a factor, or nobody wants one any more.
fn walk(number: u128, constant: u128) -> Option<u128> {
    let step = |x| (multiply(x, x, number) + constant) % number;
    let (mut slow, mut fast) = (2, 2);
    while !loky::is_cancelled() {
        for _ in 0..STEPS {
            (slow, fast) = (step(slow), step(step(fast)));
            match common_divisor(slow.abs_diff(fast), number) {
                1 => {}
                all if all == number => return None,
                factor => return Some(factor),
            }
        }
    }
    None
}

/// Without overflow where the numbers have up to 127 bits.
fn multiply(mut a: u128, mut b: u128, modulus: u128) -> u128 {
    if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
        return u128::from(a) * u128::from(b) % modulus;
    }
    let mut product = 0;
    while b > 0 {
        if b & 1 == 1 {
            product = (product + a) % modulus;
        }
        a = a * 2 % modulus;
        b >>= 1;
    }
    product
}

fn common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_find_factors() {
        for number in [15, 21, 3 * 1_000_003, 1_000_003 * 1_000_033, (1 << 61) * 3] {
            for factor in [by_trial(number), by_rho(number)] {
                let factor = factor.expect("it has some");
                assert!(factor > 1 && factor < number && number % factor == 0, "{factor} of {number}");
            }
        }
        assert_eq!([2, 3, 97, 1_000_003].map(by_trial), [None; 4]);
    }

    #[test]
    fn numbers_beyond_half_of_the_bits_are_multiplied() {
        let large = (1 << 100) + 7;
        assert_eq!(multiply(1 << 90, 1 << 30, large), (1 << 20) * (large - 7) % large);
        assert_eq!(common_divisor(multiply(large - 1, large - 1, large), large), 1);
    }
}
