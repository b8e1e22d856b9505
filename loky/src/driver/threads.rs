//! How many threads libraries start in workers: said by environment variables, before anything of a worker runs.
//!
//! What the program's user has set is a decision, and stays. What a pool further up has said to this process is none:
//! that was meant for this process alone, and is divided among its workers.

use std::ffi::OsString;

use crate::config::Settings;
use crate::{env, identity};

/// A change to the environment.
type Change = (OsString, Option<OsString>);

/// Lets the thread pools of all workers together have as many threads as the pool has processors.
pub(super) fn variables(settings: &Settings) -> Vec<Change> {
    let threads = OsString::from(settings.share_of_all().to_string());
    let is_free = |(place, value): &(usize, Option<OsString>)| {
        value.as_ref().is_none_or(|value| identity::was_told_threads(*place, value))
    };
    let free = env::thread_pools().into_iter().enumerate().filter(is_free);
    free.map(|(place, _)| (env::THREAD_POOLS[place].into(), Some(threads.clone()))).collect()
}

/// For which of them a worker with this environment finds what the pool has said: a bit for each place.
pub(super) fn said(settings: &Settings, environment: &[Change]) -> u8 {
    let ours = variables(settings);
    let is_said = |name: &&str| {
        let is_it = |change: &&Change| change.0 == **name;
        ours.iter().any(|change| is_it(&change)) && environment.iter().filter(is_it).count() == 1
    };
    let places = (0..).zip(env::THREAD_POOLS).filter(|(_, name)| is_said(name));
    places.fold(0, |said, (place, _)| said | 1 << place)
}

const _: () = assert!(env::THREAD_POOLS.len() <= u8::BITS as usize, "each has a bit");

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_has_set_is_not_said_by_the_pool() {
        let settings = Settings { workers: 3, ..Settings::default_for(8) };
        let mut environment = variables(&settings);
        let all = said(&settings, &environment);
        assert!(environment.iter().all(|(_, threads)| threads.as_ref().is_some_and(|threads| threads == "2")));
        environment.push((env::THREAD_POOLS[0].into(), Some("5".into())));
        environment.push((env::THREAD_POOLS[1].into(), None));
        environment.push(("OTHER".into(), Some("2".into())));
        assert_eq!(said(&settings, &environment), all & !0b11);
    }
}
