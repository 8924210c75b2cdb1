#!/bin/sh
# SPDX-License-Identifier: MIT
# How pgbench's communication would scale on clusters that nobody here has, simulated with SimGrid's SMPI:
#
#   sh benchmarks/simgrid.sh BUILD [--csv] [--ranks "2 32 512"] [--policy small|large] [--mode strong|weak]
#                            [--topology fat-tree|dragonfly]
#
# BUILD: folder with the program, built. Needs smpicc and smpirun (Debian: libsimgrid-dev). One process on one core; by
# default ranks up to 1024; 4096 take some minutes and up to 8 GB for a setting. What is real and what is not:
# benchmarks/simgrid/sim.h. All rates come from short runs of the program at the start.
#
# The clusters: 128 nodes of 32 cores, one rank on each, filled node by node.
# - Links of 100 Gbit/s (12.5 GB/s: InfiniBand EDR and HDR100, InfiniBand Trade Association's roadmap). A link and the
#   switch or adapter behind it take 0.3 us, hence 0.6 us between nodes of one switch and 1.2 us across the tree: what
#   the OSU micro-benchmarks report as MPI's latency on such networks, about 1 us. Within a node 0.3 us and 10 GB/s
#   for each pair of ranks, without contention for memory.
# - fat-tree: 8 leaf switches of 16 nodes under 8 spine switches, as much bandwidth up as down, D-mod-k routing
#   (Zahavi 2012, Concurrency Computat.: Pract. Exper. 24:217).
# - dragonfly (Kim et al. 2008, ISCA): 8 groups of 2 chassis of 4 routers of 2 nodes, two links between chassis and
#   between groups, minimal routing.
# Collectives: SMPI's copy of Open MPI's decisions (coll-selector ompi), but broadcasts by a binomial tree, for SMPI's
# version sends 4 bytes through a chain of all ranks; bandwidth and latency factors 1 (SMPI's own were fitted to
# gigabit Ethernet). Not simulated: MPI_Init, reading of the study, other jobs on the network, noise of the system.
set -eu

usage() {
  sed -n 's/^#   sh/usage: sh/p; s/^#  *\[--topology/  [--topology/p' "$0" >&2
  exit 2
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
[ $# -ge 1 ] || usage
build=$(CDPATH='' cd -- "$1" && pwd)
program=$build/pgbench
shift
csv=false
all_ranks='2 8 32 128 512 1024'
policies='small large'
modes='strong weak'
topologies='fat-tree dragonfly'
while [ $# -gt 0 ]; do
  case $1 in
  --csv) csv=true ;;
  --ranks | --policy | --mode | --topology)
    [ $# -ge 2 ] || usage
    case $1 in
    --ranks) all_ranks=$2 ;;
    --policy) policies=$2 ;;
    --mode) modes=$2 ;;
    --topology) topologies=$2 ;;
    esac
    shift
    ;;
  *) usage ;;
  esac
  shift
done
for tool in smpicc smpirun "$program"; do
  command -v "$tool" >/dev/null 2>&1 || {
    echo "simgrid.sh: no $tool; build the program first, and apt-get install libsimgrid-dev" >&2
    exit 2
  }
done

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' INT TERM
cd "$room"

# ---- The driver ----

real='src/study/run.c src/study/rounds.c src/study/share.c src/study/deal.c src/study/result.c src/study/judge.c src/study/predict.c
  src/study/cost.c src/study/pieces.c src/stats/*.c src/comm/comm_mpi.c src/comm/comm_common.c src/core/mem.c src/core/status.c
  src/core/option.c src/core/yaml.c'
wrapped='MPI_Allreduce MPI_Iallreduce MPI_Wait MPI_Request_get_status pgb_result_measured pgb_block_count pgb_block_range
  pgb_piece_count pgb_piece_range MPI_Isend MPI_Recv MPI_Irecv'
wrap=''
for name in $wrapped; do
  wrap="$wrap -Wl,--wrap=$name"
done
# shellcheck disable=SC2086 # lists of files and options
(cd "$root" && smpicc -std=c11 -O3 -Wall -Wextra -D_GNU_SOURCE -Isrc -Ibenchmarks/simgrid benchmarks/simgrid/*.c $real \
  $wrap -lyaml -lm -o "$room/driver")

# ---- What a core does, from the program ----

# settings of a policy for the driver: what the study says and what a run of it took.
study() {
  cat >"$1.yaml" <<END
seed: 1
gamma: 0.99
env: cartpole
policy: $2
estimators: $3
baselines: $4
batch: 64
replicates: $5
pilot: 4096
END
}

# timed FILE OPTIONS...: "steps=... roll_seconds=..." of one run, for a core that the program has to itself.
timed() {
  study=$1
  shift
  "$program" scaling --study "$study" --scaling strong --repeats 1 --format json --output "$room/timed.h5" "$@" >timed.json
  rm -f timed.h5
  awk -F '[:,]' '
    { name = $1; gsub(/[" ]/, "", name) }
    name ~ /^(rollout|gradient|io)$/ { phase = name }
    name == "mean" && phase != "" { mean[phase] = $2; phase = "" }
    name ~ /^(steps|core_share|peak_memory|replicates)$/ { value[name] = $2 }
    END {
      share = value["core_share"]
      printf "steps=%.0f episodes=%.0f real_replicates=%.0f roll_seconds=%.6g grad_seconds=%.6g io_seconds=%.6g peak=%.0f\n",
        value["steps"], value["replicates"] * 64, value["replicates"], mean["rollout"] * share, mean["gradient"] * share,
        mean["io"] * share, value["peak_memory"]
    }' timed.json
}

# Relative standard deviation of an episode's length, from the steps of samples of 1024 episodes.
spread() {
  for seed in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
    timed small.yaml --replicates 16 --seed "$seed"
  done | awk -F '[= ]' '
    { sum += $2; square += $2 * $2; n++ }
    END { mean = sum / n; printf "spread=%.4g\n", sqrt((square - n * mean * mean) / (n - 1)) / mean * sqrt(1024) }'
}

# simulate RANKS PLATFORM SETTINGS...: the driver's line.
simulate() {
  ranks=$1
  platform=$2
  shift 2
  i=0
  while [ "$i" -lt "$ranks" ]; do
    echo "n$((i / 32))"
    i=$((i + 1))
  done >hosts
  smpirun -np "$ranks" -platform "$platform.xml" -hostfile hosts -no-privatize --cfg=smpi/coll-selector:ompi \
    --cfg=smpi/bcast:binomial_tree --cfg=smpi/simulate-computation:no --cfg=smpi/wtime:0 --cfg=smpi/bw-factor:0:1 \
    --cfg=smpi/lat-factor:0:1 --cfg=contexts/stack-size:256 --log=root.thresh:warning ./driver "ranks=$ranks" "$@"
}

# cluster NAME SWITCHES
cluster() {
  cat >"$1.xml" <<END
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="$1" prefix="n" suffix="" radical="0-127" speed="1Gf" core="32" bw="12.5GBps" lat="300ns"
           loopback_bw="10GBps" loopback_lat="300ns" $2/>
</platform>
END
}

cluster fat-tree 'topology="FAT_TREE" topo_parameters="2;16,8;1,8;1,2"'
cluster dragonfly 'topology="DRAGONFLY" topo_parameters="8,2;2,2;4,1;2"'
study small '{name: softmax-linear, theta: zero}' '[reinforce, gpomdp]' '[none, loo, optimal, value-linear]' 25600
study large '{name: softmax-mlp, hidden: 997x997}' '[gpomdp]' '[none, value-linear]' 64
same="batch=64 pilot=4096 $(spread)"
# Two ranks add some megabytes, whatever the policy.
same="$same $(simulate 2 fat-tree batch=64 parameters=10 pairs=1 replicates=64 steps=1 episodes=1 calibrate=1)"
for policy in $policies; do
  case $policy in
  small) sizes='parameters=10 pairs=8 roll_fits=1 full_fits=2' ;;
  large) sizes='parameters=999424 pairs=2 roll_fits=1 full_fits=0' ;;
  *) usage ;;
  esac
  sizes="$same $sizes $(timed "$policy.yaml")"
  # shellcheck disable=SC2086 # a list of settings
  took=$(simulate 1 fat-tree $sizes calibrate=1 replicates=25600)
  echo "$sizes $took" >"$policy.set"
  echo "simgrid.sh: $policy policy: $sizes $took" >&2
done

# ---- The settings ----

# work POLICY MODE: replicates of the study, or of each rank.
work() {
  case $1-$2 in
  small-strong) echo 'replicates=104857600' ;;
  small-weak) echo 'replicates=409600 weak=1' ;;
  large-strong) echo 'replicates=25600' ;;
  large-weak) echo 'replicates=256 weak=1' ;;
  *) usage ;;
  esac
}

# row POLICY MODE TOPOLOGY RANKS
row() {
  thin=1
  [ "$1" = small ] || thin=4096 # a million parameters are held as every 4096th of them, see benchmarks/simgrid/sim.h
  # shellcheck disable=SC2046 # lists of settings
  line=$(simulate "$4" "$3" $(cat "$1.set") $(work "$1" "$2") "thin=$thin")
  echo "topology=$3 policy=$1 mode=$2 ranks=$4 $line"
}

# On one node the network plays no part.
for policy in $policies; do
  for mode in $modes; do
    row "$policy" "$mode" fat-tree 1
    for ranks in $all_ranks; do
      for topology in $topologies; do
        [ "$ranks" -gt 32 ] || topology=fat-tree
        [ "$ranks" -eq 1 ] || row "$policy" "$mode" "$topology" "$ranks"
        [ "$ranks" -gt 32 ] || break
      done
      echo "simgrid.sh: $policy $mode $ranks ranks done" >&2
    done
  done
done >rows

awk -v csv="$csv" '
  {
    for (i = 1; i <= NF; i++) {
      split($i, part, "=")
      v[part[1]] = part[2]
    }
    key = v["policy"] " " v["mode"]
    if (v["ranks"] == 1)
      alone[key] = v["seconds"]
    if (v["ranks"] <= 32)
      v["topology"] = "one node"
    other = 1 - v["busy"] - v["reduce"] - v["wait"]
    efficiency = alone[key] / v["seconds"] / (v["mode"] == "strong" ? v["ranks"] : 1)
    if (csv == "true") {
      if (NR == 1)
        print "topology,policy,mode,ranks,seconds,efficiency,reduce_share,allreduce_seconds,wait_share,other_share,start_seconds,bytes_per_rank,idle_ranks"
      printf "%s,%s,%s,%d,%.6g,%.4f,%.6f,%.6g,%.6f,%.6f,%.6g,%.0f,%d\n", v["topology"], v["policy"], v["mode"], v["ranks"],
        v["seconds"], efficiency, v["reduce"], v["allreduce"], v["wait"], other, v["start"], v["bytes"], v["idle"]
      next
    }
    if (NR == 1)
      printf "%-9s  %-6s  %-6s  %5s  %9s  %10s  %8s  %11s  %6s  %7s  %8s  %7s  %5s\n", "topology", "policy",
        "mode", "ranks", "seconds", "efficiency", "reduce %", "allreduce s", "wait %", "other %", "start us", "MB/rank", "idle"
    printf "%-9s  %-6s  %-6s  %5d  %9.4g  %10.3f  %8.3f  %11.4g  %6.2f  %7.2f  %8.3g  %7.0f  %5d\n", v["topology"], v["policy"],
      v["mode"], v["ranks"], v["seconds"], efficiency, 100 * v["reduce"], v["allreduce"], 100 * v["wait"], 100 * other,
      1e6 * v["start"], v["bytes"] / 1e6, v["idle"]
  }' rows
