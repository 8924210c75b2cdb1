# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the job templates of jobs/slurm, jobs/pbs and jobs/lsf. Takes from the environment, all optional:
#   PGB_HOME     the tree of pgbench, or share/pgbench of an installed one [where the job was submitted]
#   PGB_SITE     the site profile: a name of jobs/sites or a file [default]
#   PGB_RESULTS  where results go [results/ where the job was submitted]
# and defines, for the profile to override:
#   PGB_PROGRAM  pgbench [PGB_HOME/build/pgbench, or the installed one]
#   PGB_LAUNCH   the words that start it on every rank of the job [srun with PMIx, else mpirun]

pgb_stop() {
  echo "job: $1: $2; $3" >&2
  exit 2
}

case ${PGB_SITE:=default} in
*/*) pgb_profile=$PGB_SITE ;;
*) pgb_profile=${PGB_HOME:?}/jobs/sites/$PGB_SITE.env ;;
esac
[ -r "$pgb_profile" ] || pgb_stop "$pgb_profile" "no such site profile" "set PGB_SITE to a name of jobs/sites"
# shellcheck source=jobs/sites/default.env
. "$pgb_profile"

: "${PGB_PROGRAM:=$PGB_HOME/build/pgbench}"
[ -x "$PGB_PROGRAM" ] || [ ! -x "$PGB_HOME/../../bin/pgbench" ] || PGB_PROGRAM=$PGB_HOME/../../bin/pgbench
[ -x "$PGB_PROGRAM" ] || pgb_stop "$PGB_PROGRAM" "no such program on $(hostname)" \
  "build it with \`sh jobs/local.sh\` or cmake, or set PGB_PROGRAM in $pgb_profile"

if [ -z "${PGB_LAUNCH-}" ]; then
  PGB_LAUNCH='mpirun --bind-to core'
  if [ -n "${SLURM_JOB_ID-}" ] && command -v srun >/dev/null; then
    PGB_LAUNCH='srun --mpi=pmix --cpu-bind=cores --kill-on-bad-exit=1'
  fi
fi

: "${PGB_RESULTS:=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-$PWD}}}/results}"
mkdir -p "$PGB_RESULTS" || exit
echo "pgbench $PGB_PROGRAM on $(hostname), profile $pgb_profile, launcher $PGB_LAUNCH"
