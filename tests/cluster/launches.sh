# shellcheck shell=bash
# One program, unchanged, started in every way that there is. Each case says on which nodes its calls have to run.
# Sourced by `check`.

# launch NODES COMMAND…: the command runs the program, whose calls must run on exactly these nodes, all of them.
launch() {
    local expected=$1
    shift
    start "$@"
    finish 0
    expect "calls ran on" "$expected" "$(hosts)"
    expect "programs whose main ran" 1 "$(grep -c '^main on ' "$OUT")"
}

case_alone() {
    launch "n0" "$PROGRAM" 20 10
}

case_srun() {
    launch "n1 n2 n3" srun --mpi=none -N3 -n3 "$PROGRAM" 200 20
    expect "files left in the home" "" "$(ls -A "$ROOT/home/.loky")"
}

# A file of an earlier run leads nowhere: ranks that find it read it again, until that of their driver is there.
case_srun_after_a_run_that_was_killed() {
    local last file
    last=$("$HERE/run" timeout 20 sbatch --parsable --wait --output=/dev/null --wrap true)
    file=$ROOT/home/.loky/$CLUSTER.$((last + 1)).0.0
    (umask 077 && mkdir -p "$ROOT/home/.loky" && printf '1/%s.10:9/bare:%064d' "$NET" 0 >"$file")
    cat >"$ROOT/ranks" <<RANKS
0 bash -c 'sleep 2; exec $PROGRAM 200 20'
1-2 $PROGRAM
RANKS
    launch "n1 n2 n3" srun --mpi=none -N3 -n3 --multi-prog "$ROOT/ranks"
    [[ ! -e $file ]] || fail "the file is still there: the ranks have met by another one"
}

case_srun_pmi2() {
    launch "n1 n2 n3" srun --mpi=pmi2 -N3 -n3 "$PROGRAM" 200 20
}

case_srun_pmix() {
    launch "n1 n2 n3" srun --mpi=pmix -N3 -n3 "$PROGRAM" 200 20
}

case_srun_two_on_each_node() {
    launch "n1 n2" srun -N2 -n4 "$PROGRAM" 200 20
}

case_mpirun_of_mpich() {
    launch "n0" mpirun.mpich -n 3 "$PROGRAM" 60 20
}

case_mpirun_of_mpich_on_nodes() {
    launch "n1 n2 n3" salloc -Q -N3 mpirun.mpich -n 3 "$PROGRAM" 200 20
}

case_mpirun_of_openmpi() {
    launch "n0" mpirun.openmpi --oversubscribe -n 3 "$PROGRAM" 60 20
}

case_mpirun_of_openmpi_on_nodes() {
    launch "n1 n2 n3" salloc -Q -N3 mpirun.openmpi -n 3 "$PROGRAM" 200 20
}

# Not in Debian: OPENMPI5 is where it was unpacked.
case_mpirun_of_openmpi_5() {
    [[ -n ${OPENMPI5:-} && -x $OPENMPI5/bin/mpirun ]] || skip "OPENMPI5 does not say where Open MPI 5 is"
    launch "n0" "$OPENMPI5/bin/mpirun" --oversubscribe -n 3 "$PROGRAM" 60 20
}

case_salloc() {
    launch "n1 n2 n3 n4" salloc -Q --no-kill -N4 "$PROGRAM" 300 20
    expect "place of main" "n0" "$(place_of_main)"
    expect "warnings of a lost node" 0 "$(grep -c -- '--no-kill' "$ERR")"
    expect "lines at the start" 1 "$(grep -c '^loky: 4 nodes' "$ERR")"
}

case_sbatch() {
    launch "n1 n2 n3 n4" "$HERE/batch" --output="$OUT" --error="$ERR" --open-mode=append -N4 --wrap "$PROGRAM 300 20"
    expect "place of main" "n1" "$(place_of_main)"
    expect "warnings of a lost node" 1 "$(grep -c -- '--no-kill' "$ERR")"
}

# Nothing but its own node is an array's element given.
case_sbatch_array() {
    launch "n1" "$HERE/batch" --output="$OUT" --error="$ERR" --open-mode=append -N1 -w n1 --array=7 --wrap "$PROGRAM 20 10"
}

case_srun_in_sbatch() {
    launch "n1 n2 n3" "$HERE/batch" --output="$OUT" --error="$ERR" --open-mode=append -N3 --wrap "srun $PROGRAM 200 20"
}

# A step of one task is one program, whatever else is in the allocation.
case_srun_of_one_task() {
    launch "n1" salloc -Q -N3 srun -N1 -n1 -w n1 "$PROGRAM" 20 10
}

case_submitted() {
    launch "n1 n2 n3 n4" env LOKY_CLUSTER=slurm:agents=4 "$PROGRAM" 400 20
    expect "elements left in the queue" "" "$(squeue_on_login)"
}

case_told_to_stay() {
    launch "n0" env LOKY_CLUSTER=off salloc -Q -N4 "$PROGRAM" 20 10
}

case_exit_code() {
    start srun --no-kill -N3 -n3 "$PROGRAM" 30 10 9
    finish 9
    start salloc -Q --no-kill -N3 "$PROGRAM" 30 10 9
    finish 9
}
