#!/usr/bin/env bash
# A real SLURM of one node with one pretended GPU, on loopback, from Debian's packages.
#
#   tests/slurm/cluster.sh install         what is missing of the packages, with apt-get
#   tests/slurm/cluster.sh start FOLDER    munge, controller and node, all their files in FOLDER
#   tests/slurm/cluster.sh stop FOLDER     ends what start began
#
# A link from /etc/slurm/slurm.conf lets sbatch, and srun inside jobs, find it; where anything else
# stands there, the machine has a SLURM of its own and start refuses. Ports and munge key are its own.
# As root, for SLURM's daemons start jobs as other users.
set -euo pipefail

CONFIG=/etc/slurm/slurm.conf

NAME=landslip-tests
CONTROLLER_PORT=26817
NODE_PORT=26818

install() {
    local program
    for program in slurmctld slurmd munged sbatch ps; do
        PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null && continue
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge procps >/dev/null
        return
    done
}

configure() {
    local folder=$1 host
    host=$(hostname -s)
    # The node says that it has more cores and memory than the machine may have, so that the
    # workflow's own requests fit; they limit nothing here (no cgroups). GPUs it has exactly one.
    cat >"$folder/slurm.conf" <<CONF
ClusterName=$NAME
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$CONTROLLER_PORT
SlurmdPort=$NODE_PORT
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.txt
JobRequeue=1
ReturnToService=0
MinJobAge=3600
KillWait=20
SchedulerParameters=batch_sched_delay=1,sched_interval=5,sched_min_interval=200000
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=landslip NodeHostname=$host NodeAddr=127.0.0.1 CPUs=16 CoresPerSocket=16 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES DefaultTime=60 MaxTime=INFINITE State=UP
CONF
    # SLURM counts this as a GPU and gives it to one job at a time; no program can compute on it.
    echo "NodeName=landslip Name=gpu File=/dev/zero" >"$folder/gres.conf"
    echo "CgroupAutomount=no" >"$folder/cgroup.conf"
}

# Whether a configuration is one that start wrote.
ours() { grep -qsx "ClusterName=$NAME" "$1"; }

start() {
    local folder=$1 other
    if [ -e "$CONFIG" ]; then
        other=$(dirname "$(readlink -f "$CONFIG")")
        if ! [ -L "$CONFIG" ] || ! ours "$CONFIG"; then
            echo "$CONFIG is there: this machine has a SLURM of its own, which stays as it is" >&2
            return 1
        elif kill -0 "$(cat "$other/slurmctld.pid" 2>/dev/null)" 2>/dev/null; then
            echo "a SLURM is running already; end it with: $0 stop $other" >&2
            return 1
        fi # what is left of one that has ended
    fi
    mkdir -p "$folder/state" "$folder/spool"
    chmod 755 "$folder"
    dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none
    chmod 600 "$folder/munge.key"
    configure "$folder"
    mkdir -p "${CONFIG%/*}"
    ln -sfn "$folder/slurm.conf" "$CONFIG"
    export SLURM_CONF="$folder/slurm.conf" PATH="$PATH:/usr/sbin"
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
        --seed-file="$folder/munged.seed" 2>"$folder/munged.err"
    if slurmctld -c && slurmd -N landslip; then
        for _ in $(seq 20); do
            [ "$(timeout 2 sinfo --noheader --format=%T 2>/dev/null)" = idle ] && return
            sleep 0.5
        done
    fi
    echo "the node did not come up:" >&2
    tail -n 20 "$folder"/*.log >&2
    return 1
}

stop() {
    local folder=$1 name pid
    if ! ours "$folder/slurm.conf"; then
        echo "$folder holds no SLURM that start began" >&2
        return 1
    fi
    export SLURM_CONF="$folder/slurm.conf"
    # Jobs first: a node that goes leaves their processes behind.
    timeout 10 scancel --user=root --full --signal=KILL 2>/dev/null || true
    timeout 10 scancel --user=root 2>/dev/null || true
    for _ in $(seq 40); do
        [ -z "$(timeout 5 squeue --noheader --states=RUNNING,COMPLETING 2>/dev/null)" ] && break
        sleep 0.5
    done
    for name in slurmd slurmctld munged; do
        [ -f "$folder/$name.pid" ] || continue
        pid=$(cat "$folder/$name.pid")
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 40); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.25
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    [ "$(readlink "$CONFIG")" != "$folder/slurm.conf" ] || rm "$CONFIG"
}

case "${1:-}" in
install) install ;;
start | stop) "$1" "$(realpath -m "${2:?name a folder}")" ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
