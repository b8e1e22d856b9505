//! How an agent reaches its driver: a few words that travel by whatever carries text.
//!
//! `1/ADDRESS,ADDRESS/SECRET`, with the secret as `seal` has it. Whoever can write them can only mislead, not intrude: the
//! driver proves by TLS that it knows the secret, and so does the agent.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::secret::Secret;
use super::variables::Variables;
use super::{file, hostlist, seal};
use crate::env;

/// How an agent reaches its driver.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    /// Where the driver listens, in the order in which to try.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) secret: Secret,
    /// Its number among the agents of this program; one that takes the place of a lost one has the number of that one.
    pub(crate) node: u32,
    /// How many agents of this program are on its machine, all with the same processors unless they are bound.
    pub(crate) share: u32,
    /// How long it may try.
    pub(crate) until: Option<Duration>,
    /// The file that it was read from, if it was.
    pub(super) file: Option<file::Place>,
}

/// How long an agent tries to reach its driver.
pub(super) const REACH_MAX: Duration = Duration::from_secs(60);

const VERSION: &str = "1";

/// Longer ones are nobody's: a secret, and the addresses of a machine with dozens of interfaces.
pub(super) const LENGTH_MAX: usize = 4096;

/// The words for a driver that listens at `addresses`. Neither white space nor `=` is in them, which launchers have for
/// themselves.
pub(super) fn words(addresses: &[SocketAddr], sealed: &str) -> String {
    let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    format!("{VERSION}/{}/{}", addresses.join(","), sealed.replace('=', "~"))
}

pub(super) fn understand(words: &str) -> Result<(Vec<SocketAddr>, Secret), String> {
    // A sealed secret may have a slash in it.
    let parts: Vec<&str> = words.trim().splitn(3, '/').collect();
    let [version, addresses, sealed] = parts[..] else {
        return Err("the words of its driver are not complete".to_owned());
    };
    if version != VERSION {
        return Err("its driver is another version of this program".to_owned());
    }
    let addresses: Result<Vec<SocketAddr>, _> = addresses.split(',').map(str::parse).collect();
    let addresses = addresses.map_err(|why| format!("the addresses of its driver are wrong: {why}"))?;
    Ok((addresses, seal::unseal(&sealed.replace('~', "="))?))
}

impl Invitation {
    /// From the environment that the driver gave to the launcher.
    pub(super) fn from_environment(variables: &Variables) -> Result<Self, String> {
        let text = variables.get(env::INVITATION).unwrap_or_default();
        let (place, words) = text.split_once(' ').unwrap_or(("", text));
        let understood = Standing::parse(place).ok_or("it is not complete".to_owned()).and_then(|place| {
            let (addresses, secret) = understand(words)?;
            Ok((place, addresses, secret))
        });
        let (place, addresses, secret) = understood.map_err(|why| {
            format!(
                "this process was started as an agent (the variable {} is set), but cannot be one: {why}; if you \
                 have set the variable yourself, unset it",
                env::INVITATION
            )
        })?;
        let (node, share) = (place.number(variables), place.share());
        Ok(Self { addresses, secret, node, share, until: Some(REACH_MAX), file: None })
    }

    /// The invitation as it is now, for an agent that could not reach its driver by it: a file may have been that of an
    /// earlier run.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let Some(place) = &self.file else { return Ok(self.clone()) };
        let words = place.read(Instant::now()).map_err(io::Error::other)?;
        let (addresses, secret) = understand(&words).map_err(io::Error::other)?;
        Ok(Self { addresses, secret, ..self.clone() })
    }
}

/// How an agent that is started by its driver knows its number, since many are started with one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the only one: its number, and how many others have its machine.
    Only(u32, u32),
    /// There is one on each node of an allocation.
    OfNode,
    /// There is one in each element of an array of allocations.
    OfArray,
}

impl Standing {
    /// The value of the variable for agents of this standing.
    pub(super) fn environment(self, words: &str) -> String {
        match self {
            Self::Only(number, share) => format!("{number}:{share} {words}"),
            Self::OfNode => format!("node {words}"),
            Self::OfArray => format!("array {words}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "node" => Some(Self::OfNode),
            "array" => Some(Self::OfArray),
            text => {
                let (number, share) = text.split_once(':')?;
                Some(Self::Only(number.parse().ok()?, share.parse().ok().filter(|&share| share > 0)?))
            }
        }
    }

    fn number(self, variables: &Variables) -> u32 {
        let of_node = || {
            let nodes = hostlist::expand(variables.get("SLURM_JOB_NODELIST")?).ok()?;
            let at = nodes.iter().position(|node| Some(node.as_str()) == variables.get("SLURMD_NODENAME"))?;
            u32::try_from(at).ok()
        };
        let found = match self {
            Self::Only(number, _) => Some(number),
            Self::OfNode => of_node(),
            Self::OfArray => variables.number("SLURM_ARRAY_TASK_ID"),
        };
        found.unwrap_or(0)
    }

    fn share(self) -> u32 {
        if let Self::Only(_, share) = self { share } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(secret: &Secret) -> String {
        format!("bare:{}", secret.to_hex())
    }

    #[test]
    fn words_are_understood() {
        let secret = Secret::new().unwrap();
        let addresses = ["10.0.0.1:7000", "[fe80::1%3]:7000", "[::1]:7000"].map(|address| address.parse().unwrap());
        let words = words(&addresses, &bare(&secret));
        assert!(!words.contains(['=', ' ', '\n']));
        assert_eq!(understand(&words), Ok((addresses.to_vec(), secret)));
    }

    #[test]
    fn others_are_refused() {
        let good = words(&["10.0.0.1:7000".parse().unwrap()], &bare(&Secret([1; 32])));
        assert!(understand(&good).is_ok());
        let cuts = (0..good.len()).map(|at| good[..at].to_owned());
        let others = [
            good.replace("1/10", "2/10"),
            good.replace(":7000", ""),
            format!("{good}/more"),
            good.replace("bare", "x"),
        ];
        for words in cuts.chain(others) {
            assert!(understand(&words).is_err(), "{words}");
        }
    }

    #[test]
    fn an_agent_knows_its_number() {
        let number = |standing: Standing, variables: &Variables| {
            let value = standing.environment(&words(&[], &bare(&Secret([1; 32]))));
            let standing = Standing::parse(value.split(' ').next().unwrap()).unwrap();
            (standing.number(variables), standing.share())
        };
        let agents = Variables::of(include_str!("recorded/srun_agents.env"));
        assert_eq!(number(Standing::OfNode, &agents), (1, 1));
        let replaced = agents.with("SLURM_NODEID", "0").with("SLURM_PROCID", "0").with("SLURMD_NODENAME", "lk4");
        assert_eq!(number(Standing::OfNode, &replaced), (3, 1));
        let array = Variables::of(include_str!("recorded/sbatch_array.env"));
        assert_eq!(number(Standing::OfArray, &array), (2, 1));
        assert_eq!(number(Standing::Only(5, 2), &array), (5, 2));
        assert_eq!(number(Standing::OfNode, &Variables::default()), (0, 1));
    }

    #[test]
    fn a_variable_that_is_no_invitation_is_named() {
        for value in ["yes", "node yes", "0:0 1/10.0.0.1:1/bare:", "node", "x 1/10.0.0.1:1/bare:"] {
            let why = Invitation::from_environment(&Variables::default().with("LOKY_INVITATION", value)).unwrap_err();
            assert!(why.contains("LOKY_INVITATION") && why.contains("unset it"), "{why}");
        }
    }
}
