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

/* /timing: what is no function of the study. seconds [rank, phase], memory [rank, moment], and for every cell
 * what was predicted beside what was measured. */
pgb_status pgb_output_timing(pgb_store *store, const pgb_study *study, const pgb_run_result *result,
                             int ranks) PGB_MUST_CHECK;

#endif
