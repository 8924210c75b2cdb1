/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_RUN_H
#define PGB_STUDY_RUN_H

#include "comm/comm.h"
#include "study/result.h"

/* Phases of a rank's time, as in /timing/seconds. */
typedef enum pgb_phase {
  PGB_PHASE_ROLLOUT,
  PGB_PHASE_GRADIENT,
  PGB_PHASE_REDUCE,
  PGB_PHASE_IO,
  PGB_PHASE_WAIT,
  PGB_PHASE_COUNT
} pgb_phase;
extern const char *const pgb_phase_names[PGB_PHASE_COUNT];

/* Watches a run from rank 0; every member may be NULL. */
typedef struct pgb_observer {
  void *self;
  /* Fraction of this rank's work done, environment steps so far on this rank. Called after every block. */
  void (*progress)(void *self, double fraction, double steps);
  /* A cell is complete. gradients: [pair][N] pieces of [replicate][P], with save_gradients, else NULL. */
  pgb_status (*cell)(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients);
} pgb_observer;

typedef struct pgb_run_options {
  pgb_isa isa;
  bool save_gradients;
} pgb_run_options;

typedef struct pgb_run_result {
  pgb_cell_result *cells; /* [n_cells], rank 0; they live in the arena               */
  pgb_verdict verdict;    /* rank 0                                                  */
  double *seconds;        /* [ranks][phases], rank 0                                 */
  double elapsed;         /* wall time of the whole measurement, this rank           */
  double steps;           /* environment steps of all ranks                          */
} pgb_run_result;

/* Collective. Measures every cell: deals blocks of replicates to ranks, combines them, judges. On failure all
 * ranks return the same status. The study must be the same on all ranks. */
pgb_status pgb_run(const pgb_study *study, const pgb_run_options *options, pgb_comm *comm,
                   const pgb_observer *observer, pgb_arena *arena, pgb_run_result *out) PGB_MUST_CHECK;

/* Bytes that one rank needs at the most, and environment steps per replicate block if every episode ran to
 * its horizon. */
typedef struct pgb_estimate {
  double bytes_per_rank, file_bytes, episodes, max_steps, blocks;
} pgb_estimate;
pgb_estimate pgb_run_estimate(const pgb_study *study, const pgb_run_options *options);

#endif
