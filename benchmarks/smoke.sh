#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether speed.sh and compare.sh work, on tiny sizes: sh benchmarks/smoke.sh BUILD_FOLDER
# No time is judged; the intervals are, on made-up times.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=benchmarks/common.sh
. "$here/common.sh"

build=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

wrong() {
  echo "smoke.sh: $1" >&2
  exit 1
}

# Nine rounds, ratios 1 to 9: the second and the eighth bound their median, 5, with 96 %. Two names at once ask for 97.5 %
# each, for which nine rounds have the whole range.
for i in 5 1 9 3 7 2 8 4 6; do echo "x 2 $((2 * i))"; done >"$room/one"
[ "$(ratios single <"$room/one")" = "x 9 2 10 5 2 8 1" ] || wrong "the interval of nine ratios: $(ratios single <"$room/one")"
sed 's/x/y/' "$room/one" | cat "$room/one" - | ratios together >"$room/two"
grep -q '^y 9 2 10 5 1 9 1$' "$room/two" || wrong "the intervals of two benchmarks: $(cat "$room/two")"
[ "$(head -n 5 "$room/one" | ratios single)" = "x 5 2 10 5 1 9 0" ] || wrong "five rounds are too few for an interval"

sh "$here/speed.sh" "$build" 1 1 >"$room/speed"
for row in cartpole_linear/twin cartpole_linear/bare_environment each_further_pair/linear philox_words; do
  grep -q "^$row" "$room/speed" || wrong "speed.sh: no row $row: $(cat "$room/speed")"
done
sh "$here/compare.sh" "$build" "$build" 'lanes/exp' 2 0.001 >"$room/compare"
grep -q '^lanes/exp/none .* to ' "$room/compare" || wrong "compare.sh: no row of lanes/exp/none: $(cat "$room/compare")"
grep -q 'too few rounds' "$room/compare" || wrong "compare.sh does not say that two rounds are too few"
code=0
sh "$here/compare.sh" "$build" /nowhere 2>"$room/text" || code=$?
[ "$code" -eq 2 ] || wrong "compare.sh: exit code $code for a folder without a build"
code=0
sh "$here/speed.sh" "$build" none 2>"$room/text" || code=$?
[ "$code" -eq 2 ] || wrong "speed.sh: exit code $code for rounds that are no number"
