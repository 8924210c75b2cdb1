/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_OUTPUT_H
#define PGB_STUDY_OUTPUT_H

#include "io/provenance.h"
#include "io/reader.h"
#include "io/store.h"
#include "study/run.h"

/* The result file of a study, schema pgbench/1, written by rank 0 as cells complete. */

/* One cell's group: axes, figures, and the batch gradients where `gradients` ([N] pieces of
 * pgb_observer.cell) is given. */
pgb_status pgb_output_cell(pgb_store *store, const pgb_study *study, size_t cell,
                           const pgb_cell_result *result, double *const *gradients) PGB_MUST_CHECK;

/* The axes and the empty dataset of the batch gradients, [E][B][N][R][P], of a cell that is there. */
pgb_status pgb_output_gradients(pgb_store *store, const pgb_study *study, size_t cell) PGB_MUST_CHECK;

/* Attribute `share`, "2/4", of the file of a share of the cells; a whole study has none. */
pgb_status pgb_output_share(pgb_store *store, const pgb_share *share) PGB_MUST_CHECK;

/* /timing: what is no function of the study. seconds [rank, phase], memory [rank, moment], and for every cell
 * what was predicted beside what was measured. */
pgb_status pgb_output_timing(pgb_store *store, const pgb_study *study, const pgb_run_result *result,
                             int ranks) PGB_MUST_CHECK;
/* Reads that of the file of a share back: of the cells it has, and into places [first, first + ranks) of what
 * is told of each rank. Adds its times to elapsed; estimated_bytes becomes the most. */
pgb_status pgb_output_timing_back(pgb_reader *reader, const pgb_study *study, const pgb_share *share,
                                  uint64_t first, uint64_t ranks, pgb_run_result *out) PGB_MUST_CHECK;

#endif
