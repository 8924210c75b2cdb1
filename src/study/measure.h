/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_MEASURE_H
#define PGB_STUDY_MEASURE_H

#include "study/plan.h"

/* The unit of work: one block of replicates of one cell and batch size, a pure function of (study, cell,
 * batch, block). A measure is one rank's working memory for a cell; its size does not depend on the number of
 * replicates. */
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

/* Measures replicates [first, end) of batch size study->batches[batch] into slots [stride], zero at entry.
 * Where `gradients` is not NULL it receives every batch estimate, [pair][replicate - first][n_theta]. */
void pgb_measure_block(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                       double *slots, double *gradients, pgb_phase_times *times);

/* The same with batches of `size` episodes, to see what a batch takes by smaller ones. */
void pgb_measure_span(pgb_measure *measure, size_t cell, size_t batch, uint64_t size, uint64_t first,
                      uint64_t end, double *slots, double *gradients, pgb_phase_times *times);

#endif
