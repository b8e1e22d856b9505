# shellcheck shell=bash
# What is lost while calls run, and what is left of the rest. A fault comes only when calls have run on every node: before
# that it would test nothing. Sourced by `check`.

# Starts so many calls of 50 ms on all four nodes, in an allocation that outlives a lost node, and waits until all take part.
begin() {
    start salloc -Q --no-kill -N4 "$PROGRAM" "$1" 50
    until_ran_on n1 n2 n3 n4
}

# Every result is right, and counted once.
all_right() {
    finish 0
    expect "results" "$1" "$(grep -c '^call [0-9]* on ' "$OUT")"
    expect "results counted twice" "" "$(sed -n 's/^call \([0-9]*\) on .*/\1/p' "$OUT" | sort | uniq -d)"
}

case_an_agent_is_killed() {
    begin 600
    local agent before
    agent=$(agents_of 2)
    kill -9 "$agent"
    sleep 1 # Until what had been under way has come.
    before=$(results_of n2)
    until_more_of n2 "$before"
    all_right 600
}

case_a_node_is_switched_off() {
    begin 600
    "$HERE/node" off 2
    all_right 600
}

# Its agent ends its workers before others run its calls, and comes back when it can.
case_a_node_is_cut_off_and_heals() {
    begin 700
    local before
    "$HERE/node" cut 3
    within 5 no_workers 3
    sleep 2 # Until what had been under way has come.
    before=$(results_of n3)
    "$HERE/node" heal 3
    until_more_of n3 "$before"
    all_right 700
}

case_the_program_is_killed() {
    begin 4000
    kill -9 "$(main_process)"
    for node in 1 2 3 4; do within 3 nothing_of_ours "$node"; done
    wait "$RUNNING" || true
}

case_the_srun_of_the_agents_is_killed() {
    begin 500
    pkill -9 -P "$(main_process)" -x srun
    all_right 500
}

case_the_controller_is_killed() {
    begin 600
    kill -9 "$(cat "$ROOT/pids/slurmctld")"
    all_right 600
}

# CALLS=20000 for as many.
case_all_of_that_at_once() {
    local calls=${CALLS:-4000}
    start salloc -Q --no-kill -N4 "$PROGRAM" "$calls" 4
    until_ran_on n1 n2 n3 n4
    kill -9 "$(agents_of 2)"
    "$HERE/node" cut 3
    "$HERE/node" off 4
    sleep 6
    "$HERE/node" heal 3
    all_right "$calls"
}
