//! What comes before anything else: is this process a worker, an agent, or the program itself?

use crate::worker;
#[cfg(feature = "cluster")]
use crate::{boot, node};

/// Catches worker processes: in one of them this serves calls and never returns; anywhere else it returns at once,
/// and tasks may be spawned from then on.
///
/// [`main!`](crate::main) calls it first thing, which is the better way; call it yourself, as the first statement of
/// `main`, if you want to write `main` by hand. What stands before it runs in every worker, too. Calling it again does
/// nothing.
///
/// # Panics
///
/// If two tasks of this program have the same name; the message names both places.
///
/// # Examples
///
/// ```
/// loky::init();
/// println!("no worker ever gets here");
/// ```
pub fn init() {
    worker::catch();
    #[cfg(feature = "cluster")]
    look_around();
}

/// Finds out whether there are other machines. In an agent this never returns.
#[cfg(feature = "cluster")]
fn look_around() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let begun = match boot::role() {
            Ok(boot::Role::Alone) => Ok(()),
            Ok(boot::Role::Agent(invitation)) => node::serve(&invitation),
            Ok(boot::Role::Driver(plan)) => {
                node::begin(plan).map_err(|why| boot::Refusal { why: why.to_string(), code: CANNOT_BEGIN })
            }
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = begun {
            eprintln!("loky: {}", refusal.why);
            std::process::exit(refusal.code);
        }
    });
}

/// With which code a program ends whose agents could never come.
#[cfg(feature = "cluster")]
const CANNOT_BEGIN: i32 = 1;
