/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_OUTPUT_H
#define PGB_STUDY_OUTPUT_H

#include "io/provenance.h"
#include "io/store.h"
#include "study/run.h"

/* The result file of a study, schema pgbench/1, written by rank 0 as cells complete. */

/* One cell's group: axes, figures, and the batch gradients where `gradients` ([N] pieces of
 * pgb_observer.cell) is given. */
pgb_status pgb_output_cell(pgb_store *store, const pgb_study *study, size_t cell,
                           const pgb_cell_result *result, double *const *gradients) PGB_MUST_CHECK;

/* The axes and the empty dataset of the batch gradients, [E][B][N][R][P], of a cell that is there. */
pgb_status pgb_output_gradients(pgb_store *store, const pgb_study *study, size_t cell) PGB_MUST_CHECK;

/* /timing/seconds [rank, phase]. */
pgb_status pgb_output_timing(pgb_store *store, const double *seconds, int ranks) PGB_MUST_CHECK;

#endif
