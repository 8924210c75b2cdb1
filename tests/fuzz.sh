#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzzers of tests/fuzz over the readers of studies, options and files, with address and undefined-behaviour
# sanitizers, built by clang.
#   sh tests/fuzz.sh [seconds]     so many seconds for each reader, e.g. 3600; without: a short fixed number of inputs
# What a reader stumbles over is left in build/fuzz/found; make it a case of the reader's unit test.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
seconds=${1-}
case $seconds in
*[!0-9]* | 0)
  echo "fuzz.sh: seconds $seconds: not a positive number; give for instance 3600" >&2
  exit 2
  ;;
esac
build=${PGB_FUZZ_BUILD:-$root/build/fuzz}

command -v clang >/dev/null 2>&1 || {
  echo "fuzz.sh: clang is not installed: skipped"
  exit 77
}
mkdir -p "$build"
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d == 0 && n == 1; }' >"$build/probe.c"
clang -fsanitize=fuzzer "$build/probe.c" -o "$build/probe" >/dev/null 2>&1 || {
  echo "fuzz.sh: this clang has no libFuzzer (Debian: libclang-rt-dev of its version): skipped"
  exit 77
}
if ! { cmake -S "$root" -B "$build" -DPGB_FUZZ=ON -DPGB_MPI=OFF -DPGB_WERROR=ON -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_C_FLAGS=-O1 -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ &&
  cmake --build "$build" -j 2; } >"$build/log" 2>&1; then
  tail -n 40 "$build/log"
  echo "fuzz.sh: the build failed; all of it is in $build/log" >&2
  exit 1
fi

# Where each reader starts from: what it reads in earnest.
seeds() {
  mkdir -p "$build/corpus/$1"
  case $1 in
  study) cp "$root"/benchmarks/studies/*.yaml "$build/corpus/study" ;;
  options) cp "$root"/tests/fuzz/options/* "$build/corpus/options" ;;
  *)
    "${PGB_PYTHON:-/usr/bin/python3}" - "$build/corpus/$1" <<'PYTHON' || echo "fuzz.sh: no h5py: $1 starts from nothing" >&2
import sys
import h5py
import numpy as np

for name, values, options in (("plain", np.arange(6.0), {}), ("packed", np.arange(40, dtype="f4"), {"chunks": (8,), "compression": "gzip"})):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as file:
        file.create_dataset("theta", data=values, **options)
PYTHON
    ;;
  esac
}

failed=''
for program in "$build"/tests/fuzz/fuzz_*; do
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
  reader=${program##*/fuzz_}
  seeds "$reader"
  mkdir -p "$build/found"
  # A folder of mine for what it learns, so that the seeds stay as they are.
  mkdir -p "$build/learnt/$reader"
  words=-dict=$root/tests/fuzz/study.dict
  inputs=20000
  leaks=1
  if [ "$reader" = file ]; then # each in a process of its own (src/io/probe.h); libhdf5 loses memory over such files
    words=''
    inputs=500
    leaks=0
  fi
  limit=-runs=$inputs
  [ -z "$seconds" ] || limit=-max_total_time=$seconds
  # shellcheck disable=SC2086
  if ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1 "$program" $words "$limit" -seed=1 -timeout=20 -rss_limit_mb=4096 -max_len=4096 \
    -artifact_prefix="$build/found/$reader-" "$build/learnt/$reader" "$build/corpus/$reader" \
    >"$build/$reader.log" 2>&1; then
    rm -f "$build/found/$reader-"* # of child processes: they were meant to end so
    echo "$reader: $(grep -o 'Done .*' "$build/$reader.log"), $(grep -o 'cov: [0-9]*' "$build/$reader.log" | tail -n 1)"
  else
    failed="$failed $reader"
    tail -n 30 "$build/$reader.log"
  fi
done
[ -z "$failed" ] || {
  echo "fuzz.sh: found something in:$failed; the inputs are in $build/found" >&2
  exit 1
}
