/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_SCALING_H
#define PGB_STUDY_SCALING_H

#include "core/mem.h"
#include "io/store.h"
#include "study/run.h"

/* How the same work (strong) or the same work per rank (weak) scales: a table with one row for each launch
 * and mode, kept in one HDF5 file (schema pgbench/1, kind "scaling") to which every launch appends. The lists
 * below describe every column: name in the file, unit, long name. */

#define PGB_SCALING_NUMBERS(X)                                                                               \
  X(RANKS, "ranks", "1", "MPI ranks")                                                                        \
  X(NODES, "nodes", "1", "nodes that the ranks run on")                                                      \
  X(CORES, "cores", "1", "processors of these nodes; with fewer than ranks, ranks take turns")               \
  X(REPLICATES, "replicates", "1", "independent batches of each cell and batch size")                        \
  X(REPEATS, "repeats", "1", "runs of which the median one counts")                                          \
  X(STEPS, "steps", "step", "environment steps of one run")                                                  \
  X(WALL, "wall_seconds", "s", "wall time of a run, median over the repeats")                                \
  X(WALL_LOW, "wall_seconds_low", "s", "fastest repeat")                                                     \
  X(WALL_HIGH, "wall_seconds_high", "s", "slowest repeat")                                                   \
  X(RATE, "steps_per_second", "step/s", "environment steps of all ranks per second of wall time")            \
  X(SPEEDUP, "speedup", "1",                                                                                 \
    "rate over that of one rank, from the launches with the fewest ranks (p0): strong p0 T0/T, weak p T0/T") \
  X(EFFICIENCY, "efficiency", "1", "speedup per rank: strong p0 T0/(p T), weak T0/T")                        \
  X(IMBALANCE, "imbalance", "1", "work of the busiest rank over the mean: rollout and gradient")             \
  X(REDUCE, "allreduce_seconds", "s", "time in the sums over ranks, mean over ranks")                        \
  X(REDUCE_SHARE, "allreduce_share", "1", "share of all phases' time that it is")                            \
  X(CORE_SHARE, "core_share", "1", "share of the wall time that ranks had a core, mean over ranks")          \
  X(MEMORY, "peak_memory", "B", "resident memory at its peak, largest of the ranks")                         \
  X(MEMORY_LOW, "peak_memory_low", "B", "resident memory at its peak, smallest of the ranks")                \
  X(VALID, "valid", "1", "1 where every judged figure of the run agrees with theory")

#define PGB_SCALING_TEXTS(X)                                                                                 \
  X(MODE, "mode", "strong: the same study whatever the ranks; weak: replicates times ranks")                 \
  X(STARTED, "started", "start of the launch, ISO 8601 UTC")                                                 \
  X(HOSTS, "hosts", "nodes by name")                                                                         \
  X(COMMIT, "git_commit", "source of the program")                                                           \
  X(SIMD, "simd", "instruction set of the kernels")                                                          \
  X(CPU, "cpu", "processor of rank 0")                                                                       \
  X(COMPILER, "compiler", "compiler of the program")                                                         \
  X(MPI, "mpi_library", "MPI library")                                                                       \
  X(JOB, "slurm_job_id", "job of the scheduler, empty without one")                                          \
  X(COMMAND, "command_line", "command of the launch")                                                        \
  X(NOTE, "note", "what to know before the row is believed; empty where there is nothing")

#define PGB_ENUM(name, ...) PGB_SCALING_##name,
typedef enum pgb_scaling_number { PGB_SCALING_NUMBERS(PGB_ENUM) PGB_SCALING_NUMBER_COUNT } pgb_scaling_number;
typedef enum pgb_scaling_text { PGB_SCALING_TEXTS(PGB_ENUM) PGB_SCALING_TEXT_COUNT } pgb_scaling_text;
#undef PGB_ENUM

extern const pgb_description pgb_scaling_number_table[PGB_SCALING_NUMBER_COUNT];
extern const pgb_description pgb_scaling_text_table[PGB_SCALING_TEXT_COUNT]; /* unit NULL */

enum { PGB_SCALING_LEAST, PGB_SCALING_MEAN, PGB_SCALING_MOST, PGB_SCALING_STATISTICS };

typedef struct pgb_scaling_row {
  const char *text[PGB_SCALING_TEXT_COUNT];
  double number[PGB_SCALING_NUMBER_COUNT];
  double phase[PGB_PHASE_COUNT][PGB_SCALING_STATISTICS]; /* seconds over ranks, of the median run */
  bool added;                                            /* by this launch; not in the file       */
} pgb_scaling_row;

typedef struct pgb_scaling {
  const char *config, *study; /* the workload: resolved study as YAML, and its name */
  pgb_scaling_row *rows;
  size_t n;
} pgb_scaling;

/* Figures of one mode from its repeats: fills number (but SPEEDUP, EFFICIENCY) and phase. replicates: of each
 * run. */
void pgb_scaling_measured(const pgb_run_result *runs, size_t repeats, int ranks, int nodes,
                          uint64_t replicates, pgb_scaling_row *row);

/* Speed-up and efficiency of every row against the launches of its mode with the fewest ranks, by the same
 * program (commit) with the same instruction set; the median of their wall times where there are several. */
void pgb_scaling_derive(pgb_scaling_row *rows, size_t n);

/* The rows of a file, with room for `more` behind them; none where the file does not exist. PGB_USAGE for a
 * file of another kind, schema or workload. Texts live in the arena. */
pgb_status pgb_scaling_read(const char *path, const pgb_scaling *workload, size_t more, pgb_arena *arena,
                            pgb_scaling *out) PGB_MUST_CHECK;

/* Axes launch, phase, statistic and all columns; the file's root attributes are the caller's. */
pgb_status pgb_scaling_store(pgb_store *store, const pgb_scaling *table) PGB_MUST_CHECK;

#endif
