# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The one list of what pgbench needs, and the step that installs what is missing. Sourced by jobs/local.sh and
# tests/run.sh; defines names only:
#   pgb_setup run|test   everything for building, running and reporting; `test` adds what the tests use
#   pgb_build DIR [cmake options]   configures and builds the tree at $root
#   PGB_PYTHON           the Python that the packages are for (one earlier on PATH may lack them)
#   pgb_jobs             processors that this process may use
# Needs no network and does nothing when the packages are there.

PGB_PYTHON=/usr/bin/python3

PGB_RUN_PACKAGES="build-essential cmake pkg-config libopenmpi-dev openmpi-bin libhdf5-dev zlib1g-dev libyaml-dev libjansson-dev
libbenchmark-dev python3 python3-numpy python3-h5py python3-xarray python3-h5netcdf python3-matplotlib python3-jinja2"
# A Slurm of the tests' own. On a machine with systemd apt starts these services, without a configuration to work with;
# for the tests alone, hence not among what running needs.
PGB_SLURM_PACKAGES="slurm-wlm munge"
PGB_TEST_PACKAGES="python3-pytest ccache clang clang-format clang-tidy cppcheck shellcheck hdf5-tools bash
man-db groff-base mandoc chromium $PGB_SLURM_PACKAGES"

pgb_say() {
  printf '%s\n' "$*" >&2
}

# Those of the named packages that are not installed.
pgb_missing() {
  for pgb_package in "$@"; do
    case $(dpkg-query -W -f='${db:Status-Status}' "$pgb_package" 2>/dev/null) in
    installed) ;;
    *) printf ' %s' "$pgb_package" ;;
    esac
  done
}

# apt-get as root, or through sudo that asks no password; fails where neither is there.
pgb_apt() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
  fi
}

pgb_may_install() {
  [ "$(id -u)" -eq 0 ] || { command -v sudo && sudo -n true; } >/dev/null 2>&1
}

pgb_setup() {
  # The lists are words: splitting is meant.
  # shellcheck disable=SC2086
  case $1 in
  run) set -- $PGB_RUN_PACKAGES ;;
  *)
    set -- $PGB_RUN_PACKAGES $PGB_TEST_PACKAGES
    # Debian would remove the one module system for the other.
    [ -z "$(pgb_missing lmod)" ] || set -- "$@" environment-modules
    ;;
  esac
  if ! command -v dpkg-query >/dev/null 2>&1; then
    pgb_say "set-up: this is not Debian or Ubuntu, nothing is installed; what is needed is called there: $*"
    return 0
  fi
  pgb_wanted=$(pgb_missing "$@")
  [ -n "$pgb_wanted" ] || return 0
  if ! pgb_may_install; then
    pgb_say "set-up: packages are missing and this user may not install them; have someone run:"
    pgb_say "  apt-get install -y --no-install-recommends$pgb_wanted"
    return 1
  fi
  pgb_say "set-up: installing$pgb_wanted"
  # shellcheck disable=SC2086
  if ! { pgb_apt update -qq && pgb_apt install -y -qq --no-install-recommends $pgb_wanted; } >&2; then
    pgb_say "set-up: apt-get failed (its message is above); mend that, or run:"
    pgb_say "  apt-get update && apt-get install -y --no-install-recommends$pgb_wanted"
    return 1
  fi
}

pgb_jobs() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
}

# pgb_build DIR TARGET [cmake options]: $root is the tree.
pgb_build() {
  pgb_dir=$1 pgb_target=$2
  shift 2
  if [ -e "$pgb_dir" ] && [ ! -w "$pgb_dir" ]; then
    pgb_say "build: $pgb_dir belongs to another user; remove it or use a clone of your own"
    return 1
  fi
  cmake -S "${root:?}" -B "$pgb_dir" -DPython3_EXECUTABLE="$PGB_PYTHON" "$@" &&
    cmake --build "$pgb_dir" --target "$pgb_target" -j "$(pgb_jobs)"
}

# Open MPI refuses root unless told twice, and more ranks than cores unless told once.
pgb_mpi_environment() {
  if [ "$(id -u)" -eq 0 ]; then
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
  fi
  OMPI_MCA_rmaps_base_oversubscribe=1
  # A machine that cannot resolve its own name would wait ten seconds for it at every start.
  RES_OPTIONS="${RES_OPTIONS:-timeout:1 attempts:1}"
  export OMPI_MCA_rmaps_base_oversubscribe RES_OPTIONS
}
