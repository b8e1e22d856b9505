# shellcheck shell=bash
# Shared by the scripts of this folder: where an emulated cluster keeps its things, and what its nodes are called.
# Sourced, never run.
#
# CLUSTER names the cluster, so that two checkouts can have one each at the same time: its folder is /run/$CLUSTER, the
# namespaces of its nodes are $CLUSTER-n1, $CLUSTER-n2…, and $CLUSTER-n0 is that of the login node.

readonly CLUSTER=${CLUSTER:-loky-cluster}
readonly ROOT=/run/$CLUSTER
export NET=10.79.0
export SLURM_CONF=$ROOT/slurm.conf

namespace() {
    echo "$CLUSTER-n$1"
}

nodes() {
    cat "$ROOT/nodes"
}

# The process that is the first one inside of a node: all others of the node end with it.
first_process() {
    pgrep -P "$(cat "$ROOT/pids/node.$1")"
}

# Each node has a network of its own, by which its processes are found even from outside.
processes_of() {
    ip netns pids "$(namespace "$1")"
}

# Whether a process is still there; a zombie is not.
is_there() {
    [[ $(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) == [^Z] ]]
}

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}
