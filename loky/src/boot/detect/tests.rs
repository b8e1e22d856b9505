//! Environments as real launchers gave them, of one rank each: the second one, where there are several.

use super::*;

macro_rules! recorded {
    ($name:literal) => {
        Variables::of(include_str!(concat!("../recorded/", $name, ".env")))
    };
}

fn rank(number: u32, of: u32, share: u32, way: Way) -> Result<Found, String> {
    Ok(Found::Rank(Rank { number, of, share, way }))
}

fn file(name: &str) -> Way {
    Way::File(name.to_owned())
}

fn allocation(nodes: u32, list: &str) -> Result<Found, String> {
    Ok(Found::Allocation(Allocation { nodes, list: list.to_owned() }))
}

#[test]
fn alone() {
    assert_eq!(detect(&recorded!("alone")), Ok(Found::Alone));
}

#[test]
fn steps() {
    assert_eq!(detect(&recorded!("srun_none")), rank(1, 3, 1, file("loky.1.0.0")));
    assert_eq!(detect(&recorded!("srun_pmi2")), rank(1, 3, 1, Way::Pmi(11)));
    assert_eq!(detect(&recorded!("srun_pmix")), rank(1, 3, 1, Way::Pmix));
    assert_eq!(detect(&recorded!("srun_two_a_node")), rank(3, 4, 2, file("loky.12.0.0")));
    assert_eq!(detect(&recorded!("srun_heterogeneous")), rank(1, 3, 1, file("loky.14.0.0")));
    assert_eq!(detect(&recorded!("salloc_srun")), rank(1, 3, 1, file("loky.8.0.0")));
}

#[test]
fn launchers_of_mpi() {
    assert_eq!(detect(&recorded!("mpirun_mpich")), rank(1, 3, 3, Way::Pmi(8)));
    assert_eq!(detect(&recorded!("mpirun_openmpi_4")), rank(1, 3, 3, Way::Pmix));
    assert_eq!(detect(&recorded!("mpirun_openmpi_5")), rank(1, 3, 3, Way::Pmix));
}

#[test]
fn launchers_of_mpi_count_before_the_steps_that_they_use() {
    assert_eq!(detect(&recorded!("salloc_mpirun_mpich")), rank(1, 3, 1, Way::Pmi(5)));
    assert_eq!(detect(&recorded!("salloc_mpirun_openmpi_4")), rank(1, 3, 1, Way::Pmix));
    // The daemons of `mpirun` may themselves have been given a PMI.
    let both = recorded!("salloc_mpirun_openmpi_4").with("PMI_FD", "5").with("PMI_RANK", "0").with("PMI_SIZE", "2");
    assert_eq!(detect(&both), rank(1, 3, 1, Way::Pmix));
    let once = recorded!("salloc_mpirun_mpich").with("PMI_SIZE", "1").with("PMI_RANK", "0");
    assert_eq!(detect(&once), Ok(Found::Alone), "it was started once, though by a step of several");
}

#[test]
fn allocations() {
    assert_eq!(detect(&recorded!("salloc")), allocation(4, "lk[1-4]"));
    assert_eq!(detect(&recorded!("sbatch")), allocation(4, "lk[1-4]"));
    assert_eq!(detect(&recorded!("salloc").with("SLURM_JOB_NUM_NODES", "1")), allocation(1, "lk[1-4]"));
    assert_eq!(detect(&recorded!("sbatch_array")), Ok(Found::Alone), "it runs on its only node");
    let interactive = recorded!("srun_one").with("SLURM_STEP_ID", "4294967290").with("SLURM_JOB_NUM_NODES", "4");
    assert_eq!(detect(&interactive), allocation(4, "lk2"), "the step is that of the shell");
}

#[test]
fn a_step_of_one_task_stays_by_itself() {
    assert_eq!(detect(&recorded!("srun_one")), Ok(Found::Alone));
    assert_eq!(detect(&recorded!("srun_one").with("SLURM_JOB_NUM_NODES", "4")), Ok(Found::Alone));
}

#[test]
fn what_we_have_started_counts_before_all_else() {
    assert_eq!(detect(&recorded!("srun_agents").with("LOKY_INVITATION", "x")), Ok(Found::Invited));
    let told_off = recorded!("srun_agents").with("LOKY_INVITATION", "x").with("LOKY_CLUSTER", "off");
    assert_eq!(detect(&told_off), Ok(Found::Invited));
}

#[test]
fn wishes_count_before_launchers() {
    for environment in [recorded!("srun_none"), recorded!("srun_pmix"), recorded!("mpirun_mpich"), recorded!("sbatch")]
    {
        assert_eq!(detect(&environment.clone().with("LOKY_CLUSTER", "off")), Ok(Found::Alone));
        assert_ne!(detect(&environment.clone().with("LOKY_CLUSTER", "auto")), Ok(Found::Alone));
        assert!(detect(&environment.with("LOKY_CLUSTER", "on")).is_err());
    }
    let submitting = detect(&recorded!("alone").with("LOKY_CLUSTER", "slurm:agents=2"));
    assert!(matches!(submitting, Ok(Found::Submitting(_))));
    let listening = detect(&recorded!("alone").with("LOKY_CLUSTER", "listen:127.0.0.1:7000"));
    assert_eq!(listening, Ok(Found::Listening("127.0.0.1:7000".parse().unwrap())));
}

#[test]
fn a_second_run_of_an_allocation_has_another_name() {
    let again = recorded!("srun_none").with("SLURM_RESTART_COUNT", "2");
    assert_eq!(detect(&again), rank(1, 3, 1, file("loky.1.0.2")));
    let odd = recorded!("srun_none").with("SLURM_CLUSTER_NAME", "../a b");
    assert_eq!(detect(&odd), rank(1, 3, 1, file("ab.1.0.0")));
}

#[test]
fn nonsense_is_no_launcher() {
    let nonsense =
        [("SLURM_STEP_ID", "x"), ("SLURM_PROCID", "-1"), ("SLURM_STEP_NUM_TASKS", ""), ("SLURM_PROCID", "7")];
    for (name, value) in nonsense {
        let found = detect(&recorded!("srun_none").with(name, value));
        assert!(!matches!(found, Ok(Found::Rank(_))), "{name}={value}: {found:?}");
    }
    for list in ["", "x", "1(x", "1(xy)", "1(x0)", "1(x1)"] {
        let found = detect(&recorded!("srun_none").with("SLURM_STEP_TASKS_PER_NODE", list));
        assert_eq!(found, rank(1, 3, 1, file("loky.1.0.0")), "{list}");
    }
}
