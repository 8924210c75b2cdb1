/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_IO_PROVENANCE_H
#define PGB_IO_PROVENANCE_H

#include "core/mem.h"
#include "core/status.h"
#include "io/store.h"

#include <stdint.h>
#include <time.h>

/* Where a result comes from: the build, the machine, the call. Texts live in the arena they were gathered
 * into, or for ever; "unknown" where a fact is not to be had, "" where there is none (no Slurm job). */
typedef struct pgb_provenance {
  const char *version, *git_commit;      /* "0.1.0"; 40 hex digits, "-dirty-" and a checksum of the sources
                                          * behind them where files had changed; "unknown-" and that without git */
  const char *compiler, *compiler_flags; /* "GNU 12.2.0"; "-O3 -DNDEBUG" */
  const char *cpu; /* model name of /proc/cpuinfo, else the machine type of uname           */
  const char *host;
  const char *slurm_job_id; /* SLURM_JOB_ID; in an array "1237 (array task 1234_3)"; of PBS or LSF
                             * "PBS_JOBID=1237.head", "LSB_JOBID=1237"                               */
  const char *command_line; /* of this rank, quoted for sh; the launcher before it is not known      */
  const char *started;      /* when gathered, ISO 8601 UTC                                           */
} pgb_provenance;

/* What the run itself knows. hosts, simd, mpi_library as src/comm and core/simd.h name them. */
typedef struct pgb_run_facts {
  const char *kind;    /* "variance" */
  const char *verdict; /* "VALID", ... */
  const char *config;  /* the resolved study as YAML */
  uint64_t seed;
  int ranks, nodes;
  const char *hosts, *simd, *mpi_library;
  const char *finished; /* pgb_time_text */
} pgb_run_facts;

/* Once per run, early: `started` is its time. Only a lack of memory can fail. */
pgb_status pgb_provenance_gather(int argc, char *const *argv, pgb_arena *arena,
                                 pgb_provenance *out) PGB_MUST_CHECK;

/* The facts of the build alone, for --version; no memory, cannot fail. The other fields are "". */
pgb_provenance pgb_provenance_build(void);

/* The root attributes that all result files share: schema kind verdict version git_commit command_line config
 * seed ranks nodes hosts cpu simd compiler compiler_flags mpi_library hdf5_library started finished
 * slurm_job_id. */
pgb_status pgb_provenance_store(pgb_store *store, const pgb_provenance *from,
                                const pgb_run_facts *run) PGB_MUST_CHECK;

/* "2026-11-22T17:12:22Z"; "" for a time that has no such form (years outside 0..9999). */
enum { PGB_TIME_TEXT = 21 };
void pgb_time_text(time_t t, char out[PGB_TIME_TEXT]);
void pgb_time_now(char out[PGB_TIME_TEXT]);

/* Words as one line that sh reads back as these words. */
pgb_status pgb_quote_words(int n, char *const *words, pgb_arena *arena, char **out) PGB_MUST_CHECK;

/* The processor named in a file like /proc/cpuinfo, else the machine type. */
pgb_status pgb_cpu_name(const char *cpuinfo, pgb_arena *arena, const char **out) PGB_MUST_CHECK;

#endif
