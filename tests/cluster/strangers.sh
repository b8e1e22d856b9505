# shellcheck shell=bash
# Who is not one of us: another build, another user, somebody who listens. Sourced by `check`.

readonly NOBODY=65534

as_nobody() {
    setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups "$@"
}

# One rank is another build: it is refused by name, and the others do the work.
case_another_build() {
    cat >"$ROOT/ranks" <<RANKS
0,1,3 $PROGRAM 300 20
2 $OTHER_PROGRAM 300 20
RANKS
    start srun --no-kill -N4 -n4 --multi-prog "$ROOT/ranks"
    finish 0
    expect "calls ran on" "n1 n2 n4" "$(hosts)"
    grep -q 'n3' "$ERR" || fail "nobody is told that n3 has another build: $(tail -n 5 "$ERR")"
}

# By hand: whoever has another secret is refused, and the program goes on with who has the right one.
case_another_secret() {
    local right wrong address=$NET.10:7070
    right=$(printf 'ab%.0s' {1..32})
    wrong=$(printf 'cd%.0s' {1..32})
    start env LOKY_CLUSTER="listen:$address" LOKY_CLUSTER_SECRET="$right" "$PROGRAM" 200 20
    AT=1 on_node env LOKY_AGENT="$address" LOKY_CLUSTER_SECRET="$wrong" "$PROGRAM" &
    local stranger=$!
    AT=2 on_node env LOKY_AGENT="$address" LOKY_CLUSTER_SECRET="$right" "$PROGRAM" &
    local agent=$!
    finish 0
    expect "calls ran on" "n2" "$(hosts)"
    wait "$agent"
    # It would go on trying for a minute.
    ours 1 | xargs kill -9
    wait "$stranger" 2>/dev/null || true
}

on_node() {
    timeout --kill-after=2 30 "$HERE/run" "$@" </dev/null >>"$ROOT/log/agents" 2>&1
}

# What another user of the same machine can see: neither the secret in the file, nor that in the environment; and what
# connects without it is refused, while the program goes on.
case_another_user() {
    # The file is there until all ranks have come.
    echo "0-1 $PROGRAM 400 50" >"$ROOT/ranks"
    echo "2 bash -c 'while [ ! -e $ROOT/go ]; do sleep 0.1; done; exec $PROGRAM 400 50'" >>"$ROOT/ranks"
    start srun --mpi=none --no-kill -N3 -n3 --multi-prog "$ROOT/ranks"
    until_ran_on n1 n2
    local file agent
    file=$(find "$ROOT/home/.loky" -type f | head -n 1)
    agent=$(agents_of 2)
    [[ -n $file ]] || fail "there is no file to be tried"
    ! as_nobody cat "$file" 2>/dev/null || fail "another user can read $file"
    ! as_nobody cat "/proc/$agent/environ" 2>/dev/null || fail "another user can read the environment of an agent"
    ! tr '\0' ' ' <"/proc/$agent/cmdline" | grep -E 'munge:|bare:' || fail "the secret is an argument"
    knock
    touch "$ROOT/go"
    finish 0
    rm "$ROOT/go"
    expect "calls ran on" "n1 n2 n3" "$(hosts)"
}

# Something else than TLS, at each port that the program listens at, from another node: refused, and nothing more.
knock() {
    local driver port knocks=0
    driver=$(place_of_main)
    for port in $(ip netns exec "$(namespace "${driver#n}")" ss -Hltnp | sed -n 's/.*:\([0-9]*\) .*on_nodes.*/\1/p'); do
        AT=4 as_nobody_on_node bash -c "printf 'GET / HTTP/1.0\r\n\r\n' >/dev/tcp/$NET.$((10 + ${driver#n}))/$port"
        knocks=$((knocks + 1))
    done
    ((knocks > 0)) || fail "no port of the program was found"
}

as_nobody_on_node() {
    "$HERE/run" setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups timeout 5 "$@"
}

# All that crosses the wire, of launchers and of us.
case_somebody_listens() {
    local capture=$ROOT/capture
    ip netns exec "$CLUSTER-switch" timeout 60 tcpdump -i bridge -s 0 -U -w "$capture" 2>"$ROOT/tcpdump" &
    local listener=$!
    within 10 grep -q 'listening on' "$ROOT/tcpdump"
    start salloc -Q --no-kill -N4 "$PROGRAM" 200 20
    finish 0
    start srun --mpi=pmi2 -N3 -n3 "$PROGRAM" 100 20
    finish 0
    sleep 0.5 # Until the last packet is written.
    kill "$listener"
    wait "$listener" || true
    # What must be there, so that the absence of the rest says something.
    grep -qa 'munge:MUNGE' "$capture" || fail "the sealed secret is not even there"
    ! grep -qa 'bare:' "$capture" || fail "a secret that is not sealed crosses the wire"
    ! grep -qai 'none-but-us-may-read-this' "$capture" || fail "arguments or results cross the wire as they are"
}
