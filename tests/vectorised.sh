#!/bin/sh
# SPDX-License-Identifier: MIT
# The lane loops are vector code: sh tests/vectorised.sh BUILD_FOLDER
# Compiles every kernel with gcc for AVX2, as the build does, and reads what the compiler says it vectorised. Each
# loop after a PGB_LANE_LOOP line, in the kernel and in every header that it includes, must be named there.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

# Loops that may stay scalar: "file:first line of the loop's body  # why".
allowed='src/core/philox_lanes.h:uint32_t c0 = block[i], c1 = number[i], c2 = replicate[i], c3 = tag, k0 = key0, k1 = key1;  # AVX2 copies use intrinsics'

compiler=${PGB_GCC:-gcc}
"$compiler" --version 2>/dev/null | grep -q 'Free Software Foundation' || {
  echo "skipped: no gcc, whose report this test reads; apt-get install gcc"
  exit 77
}
case $("$compiler" -dumpmachine) in
x86_64*) ;;
*)
  echo "skipped: the kernels' instruction sets are those of x86-64"
  exit 77
  ;;
esac

# The flags that change code, from the root CMakeLists.txt: a test of other flags would prove nothing.
flags=$(sed -n 's/^set(PGB_FLOAT \(.*\))$/\1/p' CMakeLists.txt)
optimise=$(sed -n 's/^set(CMAKE_C_FLAGS_RELEASE "\(.*\)")$/\1/p' CMakeLists.txt)
avx2=$(sed -n 's/^ *set(PGB_ISA_FLAGS_avx2 \(.*\))$/\1/p' CMakeLists.txt)
if [ -z "$flags" ] || [ -z "$optimise" ] || [ -z "$avx2" ]; then
  echo "PGB_FLOAT, CMAKE_C_FLAGS_RELEASE or PGB_ISA_FLAGS_avx2 is not where this test looks for it in CMakeLists.txt"
  exit 1
fi

# compile FILE [flag]: runs gcc on a kernel.
compile() {
  source=$1
  shift
  # shellcheck disable=SC2086 # lists of flags
  "$compiler" -std=c11 -D_POSIX_C_SOURCE=200809L $optimise $flags $avx2 -Isrc -I. -DPGB_X86_KERNELS \
    -DPGB_KERNEL_SUFFIX=avx2 "$@" "$source"
}

# loops FILE: "first:last" lines of each loop that follows a PGB_LANE_LOOP, found by the tree's indentation.
loops() {
  awk '
    function indent(s) { match(s, /^ */); return RLENGTH }
    /^ *PGB_LANE_LOOP$/ { wait = 1; next }
    wait == 1 {
      first = NR; depth = indent($0); wait = 0
      braces = $0 ~ /\{$/; inside = 1; next
    }
    inside {
      if (braces ? indent($0) == depth && $0 ~ /^ *\}/ : $0 ~ /;$/) { print first ":" NR; inside = 0 }
    }' "$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checked=0
failed=0
# Whatever holds lane loops and is compiled: kernels, and evaluation in src/rollout/value.c.
for kernel in envs/*.c src/policy/*.c src/estimator/*.c src/rollout/*.c; do
  grep -qE 'PGB_LANE_LOOP|PGB_KERNEL' "$kernel" || continue
  compile "$kernel" -c -fopt-info-vec-optimized="$work/report" -o "$work/object" 2>"$work/errors" || {
    cat "$work/errors"
    exit 1
  }
  compile "$kernel" -MM >"$work/needs"
  for file in $(tr -d '\\:' <"$work/needs" | tr ' ' '\n' | grep '\.[ch]$' | sort -u); do
    grep -q '^ *PGB_LANE_LOOP$' "$file" || continue
    ranges=$(loops "$file")
    [ "$(echo "$ranges" | wc -l)" -eq "$(grep -c '^ *PGB_LANE_LOOP$' "$file")" ] || {
      echo "$file: the end of a lane loop is not found; is the file formatted?"
      failed=1
    }
    for range in $ranges; do
      checked=$((checked + 1))
      first=${range%:*}
      last=${range#*:}
      seen=$(grep -F "$file:" "$work/report" | grep 'loop vectorized' |
        awk -F: -v first="$first" -v last="$last" '$2 >= first && $2 <= last {print "yes"; exit}')
      [ -z "$seen" ] || continue
      body=$(sed -n "$((first + 1))s/^ *//p" "$file")
      echo "$allowed" | grep -qF "$file:$body" && continue
      echo "$file:$first: the loop stays scalar in $kernel: $body"
      failed=1
    done
  done
done
[ "$checked" -gt 40 ] || {
  echo "only $checked lane loops found; the search is broken"
  exit 1
}
[ "$failed" -eq 0 ] && echo "vectorised: $checked lane loops"
exit "$failed"
