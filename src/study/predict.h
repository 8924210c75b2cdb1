/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_PREDICT_H
#define PGB_STUDY_PREDICT_H

#include "comm/comm.h"
#include "study/cost.h"
#include "study/measure.h"
#include "study/share.h"

/* How long a study will take on this launch, from short samples of its own work: for each cell and batch size
 * a few blocks of episodes are run and thrown away, each rank on its own, timed by the processor time they
 * take. What is assumed: every rank has a core to itself (or its share of one, where a node has more ranks
 * than cores), at the speed it has now; writing the file is not counted. */

/* One cell: predicted before, measured after. */
typedef struct pgb_cell_timing {
  pgb_cell_cost cost;
  pgb_pair_cost *pairs;                      /* [estimators][baselines], the caller's memory */
  double step_flops, step_bytes, step_words; /* per environment step, over all batch sizes                */
  double predicted_steps;   /* environment steps of all ranks                                           */
  double predicted_seconds; /* wall time of the cell                                                    */
  double other_seconds;     /* the part of it without episodes: oracle, fits, figures, sums over ranks */
  double seconds;           /* measured wall time, without the sampling; NaN where nothing was run        */
} pgb_cell_timing;

/* One for every cell, in the arena, NaN until it is sampled. */
pgb_status pgb_timing_create(const pgb_study *study, pgb_arena *arena, pgb_cell_timing **out) PGB_MUST_CHECK;

/* Of the cells that were sampled, on rank 0; NaN steps per second where none was. */
typedef struct pgb_predicted {
  double seconds, other_seconds, steps, steps_per_second;
} pgb_predicted;
pgb_predicted pgb_predicted_total(const pgb_cell_timing *cells, size_t n);

/* What a sample works with; memory is the caller's and holds nothing of worth. */
typedef struct pgb_sample {
  const pgb_study *study;
  size_t cell;
  const pgb_plan *plan;
  pgb_measure *measure;
  double *slots;   /* [pgb_measure_stride]                                       */
  double *scratch; /* [pgb_sample_scratch]                                                  */
  double *sums;    /* [3 * n_theta]                                                         */
  double least;    /* processor time of one sampled piece, s; a few of them for each batch size */
  double known;    /* seconds that opening the cell took: they are spent again or were spent     */
  pgb_status (*pause)(
      void *self); /* collective, asked after every piece: what it fails with ends it; or NULL */
  void *self;
} pgb_sample;

/* Doubles. */
size_t pgb_sample_scratch(const pgb_study *study, size_t cell);

/* Collective. Predicts one cell; `out` on every rank, averaged over them. */
pgb_status pgb_predict_cell(const pgb_sample *sample, pgb_comm *comm, pgb_cell_timing *out) PGB_MUST_CHECK;

/* Collective. All cells of a share of a study that is not run: opens each as the run would, samples, lets go.
 * out [n_cells], of pgb_timing_create. */
pgb_status pgb_predict(const pgb_study *study, const pgb_share *share, pgb_isa isa, pgb_comm *comm,
                       pgb_cell_timing *out) PGB_MUST_CHECK;

/* Processors of this node that are switched on; at least 1. */
int pgb_node_cores(void);

#endif
