//! What `cargo test` starts: libtest's command line, and one warden per case.

use std::process::{ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::{Case, watched};

/// Runs the cases the command line asks for.
pub(crate) fn run(areas: &[&[Case]]) -> ExitCode {
    let arguments = Arguments::from_args();
    refuse_namesakes(areas);
    let is_shown = arguments.nocapture;
    let cases = areas.iter().copied().flatten().filter(|case| case.is_listed).copied();
    let trials = cases.map(|case| Trial::test(case.name, move || run_one(case, is_shown))).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case is found by its name in its own process, so two of one name would run the first one twice.
fn refuse_namesakes(areas: &[&[Case]]) {
    let mut names: Vec<_> = areas.iter().copied().flatten().map(|case| case.name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        panic!("two cases are called {}", pair[0]);
    }
}

fn run_one(case: Case, is_shown: bool) -> Result<(), Failed> {
    let mut warden = watched(case.name);
    warden.stdin(Stdio::null());
    // What surrounds the run must not decide how it ends; a case sets what it needs itself.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOKY_") && !name.starts_with("LOKY_TESTS_"))
    {
        warden.env_remove(name);
    }
    if is_shown {
        let status = warden.arg("--nocapture").status()?;
        return if status.success() { Ok(()) } else { Err("see above".into()) };
    }
    let output = warden.output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(format!("{}\n{said}", output.status).into()) }
}
