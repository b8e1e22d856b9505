//! Names of nodes as Slurm abbreviates them: `login,n[1-4,7],rack[1-2]n[01-10]`.

/// More nodes are in no cluster; a list that claims them is wrong.
const NODES_MAX: usize = 100_000;

/// All names, in the order of the list.
pub(super) fn expand(list: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in split_outside(list) {
        let room = NODES_MAX - names.len();
        names.extend(expand_one(part, room).ok_or_else(|| format!("{list:?} is no list of nodes"))?);
    }
    Ok(names)
}

/// At the commas that are not within brackets.
fn split_outside(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    list.split(move |letter| {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    })
}

fn expand_one(part: &str, room: usize) -> Option<Vec<String>> {
    let Some((before, rest)) = part.split_once('[') else {
        let is_name = !part.is_empty() && !part.contains(']') && room > 0;
        return is_name.then(|| vec![part.to_owned()]);
    };
    let (ranges, after) = rest.split_once(']')?;
    let tails = if after.is_empty() { vec![String::new()] } else { expand_one(after, room)? };
    let mut names = Vec::new();
    for range in ranges.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u64, u64) = (number(first)?, number(last)?);
        let count = usize::try_from(to.checked_sub(from)?).ok()?.checked_add(1)?;
        if names.len() + count.checked_mul(tails.len())? > room {
            return None;
        }
        for number in from..=to {
            // As wide as it is written: `[08-10]` is 08, 09 and 10.
            let number = format!("{number:0width$}", width = first.len());
            names.extend(tails.iter().map(|tail| format!("{before}{number}{tail}")));
        }
    }
    Some(names)
}

fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(list: &str) -> String {
        expand(list).map_or_else(|why| why, |names| names.join(" "))
    }

    #[test]
    fn lists_are_expanded_in_their_order() {
        assert_eq!(expanded("n1"), "n1");
        assert_eq!(expanded("n[1-4]"), "n1 n2 n3 n4");
        assert_eq!(expanded("b,a[9-11,3],c-x"), "b a9 a10 a11 a3 c-x");
        assert_eq!(expanded("n[08-10]"), "n08 n09 n10");
        assert_eq!(expanded("r[1-2]n[01-02]-ib"), "r1n01-ib r1n02-ib r2n01-ib r2n02-ib");
    }

    #[test]
    fn nonsense_is_refused() {
        let wrong =
            ["", ",", "n[", "n]", "n[]", "n[4-1]", "n[a-b]", "n[1-]", "n[-1]", "n[1-999999999]", "n[1-9999]m[1-9999]"];
        for list in wrong.into_iter().chain(["n[+1-2]", "n[1-18446744073709551615]", "n[[1]]"]) {
            assert!(expand(list).is_err(), "{list}: {}", expanded(list));
        }
    }
}
