#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job on this machine: installs what is missing, builds, runs pgbench on all cores, reports.
#
#   sh jobs/local.sh [pgbench options]     e.g.  sh jobs/local.sh --study my.yaml --replicates 1000
#
# Leaves in results/ of this tree: NAME.h5 (the measurements), NAME.txt (the tables), NAME-variance.png and .svg,
# NAME.html. NAME is the study's (`default`). A result of the same name from an earlier run of this script is replaced;
# with -o FILE everything goes where FILE is, and an existing FILE is refused unless --force is
# given, as by pgbench itself. An interrupted run leaves NAME.h5.part and is finished with
#   sh jobs/local.sh --resume results/NAME.h5
# Other commands (list, describe, ...) run as they are.
# RANKS=n in the environment: so many ranks instead of one per core.
# Exit code: pgbench's (0 VALID or nothing to judge, 3 INVALID: reported all the same), 2 where set-up cannot go on,
# 75 stopped by --time-limit or SIGUSR1, to be resumed (1 after Ctrl-C or SIGTERM, for which mpirun has no other).
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=jobs/setup.sh
. "$root/jobs/setup.sh"

# Name, output and command, from the arguments.
study=default output='' command=variance previous=''
for argument in "$@"; do
  case $previous in
  --study) study=$argument ;;
  -o | --output | --resume) output=$argument ;;
  esac
  case $argument in
  --study=*) study=${argument#*=} ;;
  --output=* | --resume=*) output=${argument#*=} ;;
  -o?*) output=${argument#-o} ;;
  esac
  previous=$argument
done
case ${1-} in
'' | -*) ;;
*) command=$1 ;;
esac

pgb_setup run || exit 2
pgb_build "$root/build" pgbench -DCMAKE_BUILD_TYPE=Release >&2 || {
  pgb_say "local.sh: the build failed (messages above); if build/ is from another tree or compiler, remove it and try again"
  exit 1
}
pgb_mpi_environment

if [ "$command" = variance ] && [ -z "$output" ]; then
  name=$(basename -- "$study")
  output=$root/results/${name%.*}.h5
  mkdir -p "$root/results"
  # What an interrupted run left is not thrown away: pgbench then says how to finish or give up that run.
  [ -e "$output.part" ] || set -- "$@" --force
  set -- "$@" -o "$output"
fi

# Only a file that this run wrote is reported: it must be newer than the marker.
marker=$(mktemp)
OMPI_MCA_orte_execute_quiet=1 # pgbench has said why it failed; mpirun need not say it in ten lines more
export OMPI_MCA_orte_execute_quiet
trap 'rm -f "$marker"' EXIT
code=0
mpirun -n "${RANKS:-$(pgb_jobs)}" "$root/build/pgbench" "$@" || code=$?
case $code in
0 | 3) ;;
*) exit "$code" ;;
esac
if [ -z "$output" ] || [ -z "$(find "$output" -newer "$marker" 2>/dev/null)" ]; then
  exit "$code"
fi

folder=$(dirname -- "$output")
stem=$(basename -- "$output")
stem=${stem%.*}
[ "$folder" = . ] || stem=$folder/$stem
report() {
  PYTHONPATH="$root/analysis" PYTHONDONTWRITEBYTECODE=1 MPLBACKEND=Agg "$PGB_PYTHON" -m pgbench_report "$output" "$@"
}
report --summary >"$stem.txt"
report -o "$folder" --format html,png,svg >/dev/null
{
  echo
  echo "measurements  $output"
  echo "tables        $stem.txt"
  echo "figures       $stem-variance.png, $stem-variance.svg"
  echo "page          $stem.html"
} >&2
exit "$code"
