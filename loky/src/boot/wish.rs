//! What the user wishes of a cluster: the variable `LOKY_CLUSTER`.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

/// `LOKY_CLUSTER`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Use what this process was started in; the default.
    Auto,
    /// Stay on this machine.
    Off,
    /// Have agents started as allocations of their own.
    Submit(Submission),
    /// Listen there for agents that somebody starts by hand.
    Listen(SocketAddr),
}

/// `slurm:agents=1..64,partition=cpu,…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Submission {
    /// How many agents there are to be, at least and at most.
    pub(super) agents: RangeInclusive<u32>,
    /// What else `sbatch` is told, as `--name=value`.
    pub(super) options: Vec<String>,
}

/// More than one array of allocations can have where nobody has raised that.
const AGENTS_MAX: u32 = 1000;

/// What may be asked of `sbatch`: where and how long agents run. What they run and under what name is ours.
const OPTIONS: [&str; 11] = [
    "account",
    "constraint",
    "cpus-per-task",
    "exclude",
    "gres",
    "mem",
    "nodelist",
    "partition",
    "qos",
    "reservation",
    "time",
];

pub(super) fn understand(text: Option<&str>) -> Result<Wish, String> {
    let wish = match text {
        None | Some("auto") => Ok(Wish::Auto),
        Some("off") => Ok(Wish::Off),
        Some(text) => match text.split_once(':') {
            Some(("listen", address)) => listen(address).map(Wish::Listen),
            Some(("slurm", details)) => submission(details).map(Wish::Submit),
            _ => Err("it is neither `auto` nor `off`, and begins neither with `slurm:` nor with `listen:`".to_owned()),
        },
    };
    wish.map_err(|why| format!("the variable LOKY_CLUSTER is {:?}: {why}", text.unwrap_or_default()))
}

fn listen(address: &str) -> Result<SocketAddr, String> {
    address.parse().map_err(|_| format!("{address:?} is no address with a port, such as 10.0.0.1:7000 or [::]:7000"))
}

fn submission(details: &str) -> Result<Submission, String> {
    let mut agents = None;
    let mut options = Vec::new();
    for part in details.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not of the form name=value"))?;
        match name {
            "agents" => agents = Some(range(value)?),
            name if OPTIONS.contains(&name) && !value.is_empty() => options.push(format!("--{name}={value}")),
            name => return Err(format!("{name:?} is not known; besides `agents`, there are {}", OPTIONS.join(", "))),
        }
    }
    let agents = agents.ok_or("it does not say how many agents there are to be, as in `agents=1..16`")?;
    Ok(Submission { agents, options })
}

/// `8`, or `1..64`, which includes both ends.
fn range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    match (least.parse(), most.parse()) {
        (Ok(least), Ok(most)) if (1..=most).contains(&least) && most <= AGENTS_MAX => Ok(least..=most),
        _ => Err(format!("{text:?} is not a number of agents, such as 8 or 1..64, from 1 to {AGENTS_MAX}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        assert_eq!(understand(None), Ok(Wish::Auto));
        assert_eq!(understand(Some("auto")), Ok(Wish::Auto));
        assert_eq!(understand(Some("off")), Ok(Wish::Off));
        assert_eq!(understand(Some("listen:[::]:7000")), Ok(Wish::Listen("[::]:7000".parse().unwrap())));
        let submission = Submission { agents: 1..=64, options: vec!["--partition=cpu".into(), "--time=1:00".into()] };
        assert_eq!(understand(Some("slurm:agents=1..64,partition=cpu,time=1:00")), Ok(Wish::Submit(submission)));
        assert_eq!(understand(Some("slurm:agents=8")), Ok(Wish::Submit(Submission { agents: 8..=8, options: vec![] })));
    }

    #[test]
    fn what_is_not_is_named() {
        let wrong = [
            ("on", "\"on\": it is neither"),
            ("slurm", "it is neither"),
            ("slurm:", "\"\" is not of the form"),
            ("slurm:partition=cpu", "how many agents"),
            ("slurm:agents=0..3", "\"0..3\" is not a number"),
            ("slurm:agents=5..3", "\"5..3\" is not a number"),
            ("slurm:agents=1..1000000", "1..1000000"),
            ("slurm:agents=1,wrap=rm", "\"wrap\" is not known"),
            ("listen:here", "\"here\" is no address"),
        ];
        for (text, part) in wrong {
            let why = understand(Some(text)).unwrap_err();
            assert!(why.starts_with("the variable LOKY_CLUSTER is \"") && why.contains(part), "{text}: {why}");
        }
    }
}
