#!/bin/sh
# SPDX-License-Identifier: MIT
# Two builds, benchmark by benchmark: sh benchmarks/compare.sh BUILD_A BUILD_B [filter [rounds [seconds]]]
# Each round runs both, turning about which is first, because clocks and neighbours drift (back-to-back runs of one
# binary differ by a third); only times of one round are divided by each other. Above 1, B is faster. All intervals hold
# at once, 95 times of 100.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=benchmarks/common.sh
. "$here/common.sh"

[ $# -ge 2 ] || {
  echo "compare.sh: two build folders are needed: compare.sh BUILD_A BUILD_B [filter [rounds [seconds]]]" >&2
  exit 2
}
one=$1/benchmarks/pgbench_micro
two=$2/benchmarks/pgbench_micro
filter=${3:-.}
rounds=${4:-15}
seconds=${5:-0.05}
built "$one" "$two"
number rounds "$rounds"

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM

# Lines "name ns" of one run: processor time, or what the benchmark timed itself.
timed() {
  pin "$1" --benchmark_filter="$filter" --benchmark_min_time="$seconds" --benchmark_format=json \
    >"$room/json" 2>"$room/log" || {
    echo "compare.sh: $1 failed; it said:" >&2
    cat "$room/log" >&2
    exit 1
  }
  flat <"$room/json" | awk '{ print $1, $1 ~ /\/manual_time/ ? $2 : $3 }'
}

i=0
while [ "$i" -lt "$rounds" ]; do
  if [ $((i % 2)) -eq 0 ]; then
    timed "$one" >"$room/a"
    timed "$two" >"$room/b"
  else
    timed "$two" >"$room/b"
    timed "$one" >"$room/a"
  fi
  # time of A over time of B is the speed of B over that of A
  awk 'NR == FNR { b[$1] = $2; next } $1 in b { print $1, b[$1], $2 }' "$room/b" "$room/a" >>"$room/pairs"
  i=$((i + 1))
done
[ -s "$room/pairs" ] || {
  echo "compare.sh: no benchmark of both builds fits the filter $filter" >&2
  exit 1
}

ratios together <"$room/pairs" | awk -v rounds="$rounds" '
  function time(ns) {
    return ns < 1e3 ? sprintf("%.1f ns", ns) : ns < 1e6 ? sprintf("%.2f us", ns / 1e3) : sprintf("%.2f ms", ns / 1e6)
  }
  BEGIN { printf "%-58s %11s %11s %7s  %-15s\n", "median of " rounds " rounds", "A", "B", "A/B", "95 % interval" }
  {
    unsure += !$8
    what = $6 > 1 ? "B is faster" : $7 < 1 ? "B is slower" : "no difference seen"
    printf "%-58s %11s %11s %7.3f  %.3f to %.3f  %s\n", $1, time($4), time($3), $5, $6, $7, what
  }
  END { if (unsure) print "too few rounds for 95 %: the intervals are the range of all rounds; give more" }'
