/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_MEASURE_H
#define PGB_STUDY_MEASURE_H

#include "study/plan.h"

/* The unit of work: a piece of a block of replicates of one cell and batch size (stats/stats.h), a pure
 * function of (study, cell, batch, piece). A measure is one rank's working memory for a cell; its size does
 * not depend on the number of replicates. */
typedef struct pgb_measure pgb_measure;

/* Of the rollouts of a block, behind the blocks of its pairs. */
enum { PGB_SLOT_EPISODES, PGB_SLOT_RETURN_MEAN, PGB_SLOT_RETURN_M2, PGB_SLOT_STEPS, PGB_SLOT_COUNT };

typedef struct pgb_phase_times {
  double rollout, gradient; /* seconds */
} pgb_phase_times;

pgb_status pgb_measure_create(const pgb_cell *cell, const pgb_plan *plan, const pgb_study *study, pgb_isa isa,
                              pgb_measure **out) PGB_MUST_CHECK;
void pgb_measure_destroy(pgb_measure *measure); /* accepts NULL */

/* From now on `stop` is asked before every rollout, and the block is given up where it does not return 0:
 * what is in its slots then is of no use. */
void pgb_measure_watch(pgb_measure *measure, int (*stop)(void *self), void *self);

/* Doubles that one block returns: for every pair a stats block (stats/stats.h), then PGB_SLOT_COUNT. */
size_t pgb_measure_stride(const pgb_study *study, const pgb_cell *cell);

/* Bytes of working memory, at the most: no value shared between estimators. */
double pgb_measure_bytes(const pgb_study *study, const pgb_cell *cell);

/* Where replicates go, up to `end`. */
typedef struct pgb_piece {
  uint64_t end;
  double *slots;     /* [stride], zero at first                                                        */
  double *gradients; /* or NULL: receives the batch estimates, replicate r of pair k at
                      * gradients + (k * row + r - origin) * n_theta                                      */
  uint64_t origin, row;
} pgb_piece;

/* Measures replicates [first, end) of batch size study->batches[batch] in one go, piece by piece: next is
 * asked where they go at `first` and wherever a piece ends, but not at `end`. */
typedef void pgb_piece_fn(void *self, uint64_t replicate, pgb_piece *out);
void pgb_measure_pieces(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                        pgb_piece_fn *next, void *self, pgb_phase_times *times);

/* Adds the slots of a later piece to those of the ones before it. */
void pgb_measure_merge(const pgb_study *study, const pgb_cell *cell, double *slots, const double *next);

/* The same replicates as one piece. */
void pgb_measure_block(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                       double *slots, double *gradients, pgb_phase_times *times);

/* The same with batches of `size` episodes, to see what a batch takes by smaller ones. */
void pgb_measure_span(pgb_measure *measure, size_t cell, size_t batch, uint64_t size, uint64_t first,
                      uint64_t end, double *slots, pgb_phase_times *times);

#endif
