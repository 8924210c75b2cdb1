#!/bin/sh
# SPDX-License-Identifier: MIT
# One static check, by name: sh tests/lint.sh format|shell|tidy|cppcheck|report [build folder], or: pytest FILE...
# 77 with a reason (ctest: skipped) where the tool is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
check=$1
build=${2:-$root/build}
cd "$root"

# Tracked files where this is a clone, else all of the tree's own.
files() {
  git -C "$root" ls-files -- "$@" 2>/dev/null | grep . ||
    for pattern in "$@"; do
      find .ci benchmarks envs src jobs tests -type f -name "$pattern" | sort
    done
}

need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "skipped: $1 is not installed; apt-get install $2"
  exit 77
}

# Prints what it checks, so that an empty list is seen, and fails on one.
counted() {
  [ -n "$1" ] || {
    echo "nothing to check: no file matches"
    exit 1
  }
  echo "$check: $(echo "$1" | wc -l) files"
}

python() {
  PYTHONPATH=$root/analysis PYTHONDONTWRITEBYTECODE=1 "${PGB_PYTHON:-/usr/bin/python3}" "$@"
}

python_ready() {
  python -c 'import sys; from importlib.util import find_spec
sys.exit(not all(map(find_spec, "pytest h5py xarray h5netcdf matplotlib jinja2".split())))' && return
  echo "skipped: pytest, h5py, xarray, h5netcdf, matplotlib or jinja2 is missing; jobs/setup.sh has the packages"
  exit 77
}

case $check in
format)
  need clang-format clang-format
  list=$(files '*.c' '*.h')
  counted "$list"
  echo "$list" | xargs clang-format --dry-run --Werror || {
    echo "not formatted; run clang-format -i on the files named above"
    exit 1
  }
  ;;
shell)
  need shellcheck shellcheck
  list=$(files '*.sh' '*.sbatch' '*.pbs' '*.lsf' 'jobs/sites/*.env' '.ci/run' 'analysis/pgbench-report' | sort -u)
  counted "$list"
  echo "$list" | xargs shellcheck -x
  ;;
tidy)
  need clang-tidy clang-tidy
  [ -f "$build/compile_commands.json" ] || {
    echo "skipped: no compile_commands.json in $build; configure with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON"
    exit 77
  }
  list=$(files '*.c' | grep -E '^(\./)?(src|envs)/')
  counted "$list"
  # The checks are in .clang-tidy; warnings of gcc that clang does not know are no finding.
  echo "$list" | xargs -n 4 -P "$(nproc)" clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
  ;;
cppcheck)
  need cppcheck cppcheck
  list=$(files '*.c' | grep -E '^(\./)?(src|envs|benchmarks)/')
  counted "$list"
  echo "$list" | xargs cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" -I src -I . \
    --enable=warning,portability,performance --suppress=missingIncludeSystem --suppress=unusedStructMember
  ;;
report)
  python_ready
  python -m pytest -q -p no:cacheprovider analysis/tests
  ;;
pytest)
  python_ready
  shift
  python -m pytest -q -p no:cacheprovider "$@"
  ;;
*)
  echo "usage: sh tests/lint.sh format|shell|tidy|cppcheck|report [build folder], or: pytest FILE..." >&2
  exit 2
  ;;
esac
