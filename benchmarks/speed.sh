#!/bin/sh
# SPDX-License-Identifier: MIT
# Every speed that the project has set itself, beside what it is measured by, from one run:
#   sh benchmarks/speed.sh [build folder [rounds [percent of the work]]]
# Rates are those the program prints, on one pinned core; peers and limits are measured in the same round, because clocks
# and neighbours drift, and only figures of one round are divided by each other. Rates are per second of wall time, random words of processor time.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=benchmarks/common.sh
. "$here/common.sh"

build=${1:-$here/../build}
rounds=${2:-9}
percent=${3:-100}
program=$build/pgbench
micro=$build/benchmarks/pgbench_micro
built "$program" "$micro"
number rounds "$rounds"
number percent "$percent"
# Two ranks where the program takes them: one without MPI would run twice.
ranks=1
"$program" --version | grep -q '^MPI *none' || ranks=2
: "${OMPI_ALLOW_RUN_AS_ROOT:=1}" "${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:=1}"
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM

fail() {
  echo "speed.sh: $1; the run said:" >&2
  cat "$room/log" >&2
  exit 1
}

# has NAME: whether the program lists it.
has() {
  "$program" list | grep -q "^  $1 "
}

# of KEY: that number of the last run's JSON.
of() {
  sed -n "s/.*\"$1\": *\\([0-9.e+-]*\\).*/\\1/p" "$room/out" | head -n 1
}

# run REPLICATES command...: the program's JSON into $room/out.
run() {
  replicates=$(($1 * percent / 100))
  shift
  [ "$replicates" -ge 4 ] || replicates=4
  "$@" --replicates "$replicates" --format json --progress never --output "$room/out.h5" --force \
    >"$room/out" 2>"$room/log" || fail "a run failed"
}

cartpole='--env cartpole --policy softmax-linear'
pendulum='--env pendulum --policy gaussian-linear'
perceptron='--env cartpole --policy softmax-mlp:hidden=64x64'
alone='--batch 64 --estimator gpomdp --baseline none'
cheap='--batch 64 --estimator reinforce,gpomdp --baseline none,mean,loo,normalised,optimal'

# peers FILTER: "name rate rate" of the micro benchmarks (steps of pipelines, else their words or flops), per second of wall
# time and of processor time.
peers() {
  pin "$micro" --benchmark_filter="$1" --benchmark_min_time=0.2 --benchmark_format=json 2>"$room/log" >"$room/json" ||
    fail "the micro benchmarks failed"
  flat <"$room/json" | awk '{
      rate = $5
      for (k = 4; k < NF; k += 2)
        if ($k == "items_per_second") rate = $(k + 1)
      print $1, rate * $3 / $2, rate
    }'
}

# peer NAME [3]: its rate, the second column or the third.
peer() {
  awk -v name="$1" -v at="${2:-2}" 'index($1, name) == 1 { print $at; exit }' "$room/peers"
}

pair() {
  if [ -z "$2" ] || [ -z "$3" ]; then
    fail "no rate for $1"
  fi
  echo "$1 $2 $3" >>"$room/pairs"
}

best=$("$micro" --benchmark_list_tests 2>/dev/null | sed -n 's,^lanes/multiply_add/,,p' | tail -n 1)
[ -n "$best" ] || best=none
has_mpi=false
has_pendulum=false
has_perceptron=false
command -v mpirun >/dev/null 2>&1 && [ "$ranks" -gt 1 ] && has_mpi=true
has pendulum && has_pendulum=true
has softmax-mlp && has_perceptron=true

# shellcheck disable=SC2086 # lists of options; runs of some seconds, in which planning, prediction and the file take about 2 %
one_core() {
  peers 'plain_c|^lanes/(multiply_add|philox4x32_10)/(scalar_twin|'"$best"')$' >"$room/peers"
  run 400000 pin "$program" $cartpole $alone
  one=$(of steps_per_second)
  pair cartpole_linear/twin "$(peer pipeline/cartpole_linear/plain_c_twin)" "$one"
  pair cartpole_linear/bare_environment "$(peer pipeline/cartpole_random/plain_c_peer)" "$one"
  run 400000 pin "$program" $cartpole $cheap
  rows=$(grep -c '"estimator"' "$room/out")
  pair each_further_pair/linear 1 "$(of steps_per_second | awk -v one="$one" -v n="$rows" '{ print (one / $1 - 1) / (n - 1) }')"
  if $has_pendulum; then
    run 40000 pin "$program" $pendulum $alone
    pair pendulum_gaussian/twin "$(peer pipeline/pendulum_gaussian/plain_c_twin)" "$(of steps_per_second)"
  fi
  if $has_perceptron; then
    run 5000 pin "$program" $perceptron $alone
    one=$(of steps_per_second)
    pair cartpole_mlp/fma_peak "$(peer lanes/multiply_add/)" "$(echo "$one" | awk '{ print $1 * 26112 }')"
    pair cartpole_mlp/twin "$(peer pipeline/cartpole_mlp/plain_c_twin)" "$one"
    run 5000 pin "$program" $perceptron --batch 64 --estimator reinforce,gpomdp --baseline none
    pair each_further_row/mlp 1 "$(of steps_per_second | awk -v one="$one" '{ print one / $1 - 1 }')"
  fi
  words=$(peer "lanes/philox4x32_10/$best" 3)
  pair philox_words/scalar_twin "$(peer lanes/philox4x32_10/scalar_twin 3)" "$words"
  pair philox_words/1.4e9_a_second 1.4e9 "$words"
}

# shellcheck disable=SC2086 # lists of options
two_ranks() {
  run 400000 mpirun -n 1 "$program" $cartpole $alone
  one=$(of steps_per_second_per_rank)
  run 800000 mpirun -n 2 --oversubscribe "$program" $cartpole $alone
  pair weak_scaling/1_to_2_ranks "$one" "$(of steps_per_second_per_rank)"
}

# The default study from start to finish, once.
default_study() {
  start=$(date +%s)
  run 50000 mpirun -n 2 --oversubscribe "$program"
  end=$(date +%s)
  pair default_study/seconds 1 $((end > start ? end - start : 1))
  pair default_study/reduction_share 1 "$(of allreduce_share)"
  bytes=$(of peak_bytes_per_rank)
  [ -z "$bytes" ] || pair default_study/bytes_per_rank 1 "$bytes"
}

i=0
while [ "$i" -lt "$rounds" ]; do
  one_core
  if $has_mpi; then
    two_ranks
  fi
  i=$((i + 1))
done
if $has_mpi; then
  default_study
fi

# name must stretch; a bound from above has a minus sign. What has no peer is divided by 1.
cat >"$room/targets" <<'END'
cartpole_linear/twin 10 16
cartpole_linear/bare_environment 4 6
pendulum_gaussian/twin 8 12
cartpole_mlp/fma_peak 0.50 0.67
philox_words/1.4e9_a_second 1 1.22
each_further_pair/linear -0.05 -0.05
each_further_row/mlp -0.30 -0.30
weak_scaling/1_to_2_ranks 0.95 0.98
default_study/seconds -60 -60
default_study/reduction_share -0.02 -0.02
default_study/bytes_per_rank -67108864 -67108864
END

ratios single <"$room/pairs" | awk -v rounds="$rounds" -v simd="$best" '
  function short(x) {
    return x >= 1e9 ? sprintf("%.3f G", x / 1e9) : x >= 1e6 ? sprintf("%.2f M", x / 1e6) : sprintf("%.4g", x)
  }
  function bound(x) { return x == "" ? "" : x < 0 ? "<= " short(-x) : ">= " short(x) }
  function reached(goal) { return goal < 0 ? $5 <= -goal : $5 >= goal }
  NR == FNR { must[$1] = $2; stretch[$1] = $3; next }
  FNR == 1 {
    printf "medians of %d rounds, --simd %s, rates per second\n", rounds, simd
    printf "%-34s %10s %10s %9s  %-21s %10s %10s\n", "work/measured by", "ours", "its", "ratio", "95 % interval",
      "must", "stretch"
  }
  {
    verdict = !($1 in must) ? "" : !reached(must[$1]) ? "not met" : reached(stretch[$1]) ? "stretch" : "met"
    printf "%-34s %10s %10s %9s  %-21s %10s %10s  %s\n", $1, short($4), short($3), short($5),
      short($6) " to " short($7), bound(must[$1]), bound(stretch[$1]), verdict
  }' "$room/targets" -
