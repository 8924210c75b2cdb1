#!/bin/sh
# SPDX-License-Identifier: MIT
# The program against the plain C twin on CartPole (softmax-linear, gpomdp, no baseline, batches of 64), one core,
# interleaved, because clocks and neighbours drift: sh benchmarks/speed.sh [build folder [rounds]]
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${1:-$root/build}
rounds=${2:-9}
program=$build/pgbench
micro=$build/benchmarks/pgbench_micro

for file in "$program" "$micro"; do
  [ -x "$file" ] || {
    echo "speed.sh: no $file; build first, with Google Benchmark (libbenchmark-dev) installed" >&2
    exit 2
  }
done
case $rounds in
'' | *[!0-9]* | 0)
  echo "speed.sh: rounds $rounds: not a positive number; give for instance 9" >&2
  exit 2
  ;;
esac

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM

# On one core, the last of those that this process may use, where taskset exists.
pin() {
  if command -v taskset >/dev/null 2>&1; then
    taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$@"
  else
    "$@"
  fi
}

# Steps per second of wall time, as the program counts; Google Benchmark's rates are per second of processor time.
twin() {
  pin "$micro" --benchmark_filter=plain_c_twin --benchmark_min_time=0.5 --benchmark_format=json 2>"$room/log" |
    awk -F '[:,]' '
      /"real_time"/ { real = $2 }
      /"cpu_time"/ { cpu = $2 }
      /"items_per_second"/ { printf "%.0f\n", $2 * cpu / real }'
}

ours() {
  pin "$program" --env cartpole --policy softmax-linear --estimator gpomdp --baseline none --batch 64 \
    --replicates 30000 --format json --progress never --output "$room/out.h5" --force 2>"$room/log" |
    sed -n 's/.*"steps_per_second": *\([0-9.e+-]*\).*/\1/p'
}

i=0
while [ "$i" -lt "$rounds" ]; do
  a=$(twin)
  b=$(ours)
  if [ -z "$a" ] || [ -z "$b" ]; then
    echo "speed.sh: no rate was printed; the run said:" >&2
    cat "$room/log" >&2
    exit 1
  fi
  echo "$a $b" >>"$room/pairs"
  i=$((i + 1))
done

awk '
  function median(x, n, i, j, t) {
    for (i = 2; i <= n; i++)
      for (j = i; j > 1 && x[j] < x[j - 1]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
    return n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2
  }
  { twin[NR] = $1; ours[NR] = $2; ratio[NR] = $2 / $1 }
  END {
    t = median(twin, NR); o = median(ours, NR); r = median(ratio, NR)
    printf "twin     %8.1f M steps/s, median of %d\n", t / 1e6, NR
    printf "pgbench  %8.1f M steps/s, median of %d\n", o / 1e6, NR
    printf "ratio    %8.2f, median of the pairs; from %.2f to %.2f\n", r, ratio[1], ratio[NR]
  }' "$room/pairs"
