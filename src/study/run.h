/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_RUN_H
#define PGB_STUDY_RUN_H

#include "comm/comm.h"
#include "study/predict.h"
#include "study/result.h"
#include "study/share.h"

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

/* How far a run has come: all blocks before this one are measured, in the order cell, batch size, block. */
typedef struct pgb_point {
  size_t cell, batch, block;
} pgb_point;

/* Whether something of the cell is measured. */
static inline bool pgb_point_begun(const pgb_point *at) {
  return at->batch > 0 || at->block > 0;
}

/* Where to put what a snapshot held of the cell under way. */
typedef struct pgb_restored {
  double *pilot; /* [n_pilot] */
  size_t n_pilot;
  double *slots;
  double *const *gradients;
} pgb_restored;

/* All that a later launch needs to go on: whatever came before `at`. Rank 0. */
typedef struct pgb_snapshot {
  pgb_point at;
  const pgb_cell_result *cells; /* [n_cells]; those before at.cell are complete, at.cell has its batch sizes
                                 * before at.batch, the others are NaN                                     */
  const double *pilot;          /* [n_pilot] pgb_pilot_sums of at.cell                                     */
  size_t n_pilot;
  const double *slots; /* [n_slots] of the blocks before at.block                                 */
  size_t n_slots;
  double *const *gradients; /* as pgb_observer.cell has them, of at.cell                                   */
  uint64_t replicates;      /* of at.batch that are measured                                               */
} pgb_snapshot;

/* Watches a run; every member may be NULL. All but stop are called on rank 0 alone. */
typedef struct pgb_observer {
  void *self;
  /* Fraction of the study's work done, environment steps of this launch on this rank. After every block. */
  void (*progress)(void *self, double fraction, double steps);
  /* A cell is complete. gradients: [N] pieces [block][pair][replicate of the block][P], with save_gradients,
   * else NULL. */
  pgb_status (*cell)(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients);
  /* The number of the signal (above 1) that asks this rank to stop, or 0. On every rank, after every round.
   */
  int (*stop)(void *self);
  /* A checkpoint is due: whatever it fails with ends the run. */
  pgb_status (*checkpoint)(void *self, const pgb_snapshot *snapshot);
  /* Gives back what a snapshot held, where options.start is not the beginning: first for every cell before
   * start.cell (`to` NULL; `cell` is not called for it again), then for start.cell, whose result, slots and
   * gradients stay as they are unless something of it is measured. */
  pgb_status (*restore)(void *self, size_t cell, pgb_cell_result *result, const pgb_restored *to);
} pgb_observer;

typedef struct pgb_run_options {
  pgb_isa isa;
  bool save_gradients;
  bool unpredicted; /* leave the sampling behind a prediction out; it is NaN then */
  pgb_share share;  /* the cells to measure; the results of the others stay NaN, nothing is called for them */
  pgb_point start;  /* the same on all ranks; all 0: the beginning                                 */
  bool resumed;     /* restore is to be asked                                                      */
  double interval;  /* seconds between checkpoints, the same on all ranks; 0: none */
  double deadline;  /* pgb_clock of this rank at which the run should have ended; 0: never */
} pgb_run_options;

typedef struct pgb_run_result {
  pgb_cell_result *cells;  /* [n_cells], rank 0; they live in the arena               */
  pgb_verdict verdict;     /* rank 0                                                  */
  double *seconds;         /* [ranks][phases], rank 0                                 */
  double elapsed;          /* wall time of this launch's measurement, this rank       */
  double steps;            /* environment steps of all ranks in this launch, rank 0   */
  pgb_cell_timing *timing; /* [n_cells], rank 0                                       */
  double (*memory)[2];     /* [ranks] bytes held before the run and at the peak, rank 0 */
  double *processor;       /* [ranks] seconds that the rank had a core, rank 0           */
  double estimated_bytes;  /* of one rank at the most, with what it held before the run  */
} pgb_run_result;

/* Collective. Measures every cell: deals blocks of replicates to ranks, combines them, judges. On failure all
 * ranks return the same status. The study must be the same on all ranks. Between rounds of blocks (a fraction
 * of a second, or one block) rank 0 is given a checkpoint to keep where options.interval has passed; a signal
 * to any rank or the deadline does the same and then ends the run with PGB_STOPPED on all ranks, in the midst
 * of planning a cell, too. The deadline counts once this launch has got further than the one before. */
pgb_status pgb_run(const pgb_study *study, const pgb_run_options *options, pgb_comm *comm,
                   const pgb_observer *observer, pgb_arena *arena, pgb_run_result *out) PGB_MUST_CHECK;

/* The part of a share's episodes that lies before a point, 0 .. 1. */
double pgb_run_done(const pgb_study *study, const pgb_share *share, const pgb_point *at);

/* Bytes at the most: of rank 0, which holds all blocks, of any other of so many ranks, and of the file; and
 * environment steps if every episode ran to its horizon. */
typedef struct pgb_estimate {
  double bytes_per_rank, bytes_of_others, file_bytes, episodes, max_steps, blocks;
} pgb_estimate;
pgb_estimate pgb_run_estimate(const pgb_study *study, const pgb_run_options *options, int ranks);

#endif
