/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_MERGE_H
#define PGB_STUDY_MERGE_H

#include "io/reader.h"
#include "io/store.h"
#include "study/run.h"

/* Joins the result files of shares of one study (pgb_share) into the one that a run of the whole study would
 * have written: every dataset and attribute bit for bit, but /timing and what tells of the launches, which
 * are combined:
 *   ranks, launches      sums; /timing has the ranks of all parts one after the other
 *   hosts                all, each once, sorted; nodes: their number, or the most of one part
 *   cpu compiler compiler_flags mpi_library simd slurm_job_id   each once, joined by "; "
 *   command_line         one line for each part
 *   started, finished    the first, the last
 * Parts are taken in the order of their cells, whatever order they are named in. The verdict is that of all
 * cells. Not collective. */
typedef struct pgb_merge_request {
  const char *output;
  bool force;
  const char *const *parts; /* [n_parts] result files, complete */
  size_t n_parts;
  const pgb_env_extra *extra; /* [n_extra] environments of plugins, as in pgb_request */
  size_t n_extra;
  const char *plugins; /* pgb_plugins_text of them */
} pgb_merge_request;

typedef struct pgb_merged {
  const pgb_study *study; /* [n_cells] cells below */
  const pgb_cell_result *cells;
  pgb_verdict verdict;
} pgb_merged;

/* PGB_USAGE with the reason for parts that do not belong together: of other studies, builds of the program or
 * families of instruction sets (with and without fused multiply-add), cells that none or two of them hold,
 * files that are unfinished, damaged or foreign, an output that exists without force or is one of the parts.
 * The output is complete or absent. Everything in the arena but *study, which the caller destroys, on failure
 * too where it is not NULL. */
pgb_status pgb_merge(const pgb_merge_request *request, pgb_arena *arena, pgb_study **study,
                     pgb_merged *out) PGB_MUST_CHECK;

/* merge_cell.c. What one cell's group says, as far as a file and its verdict need it: of each summary the
 * number of replicates alone. */
pgb_status pgb_merge_read_cell(pgb_reader *reader, const char *path, const pgb_study *study, size_t cell,
                               pgb_arena *arena, pgb_cell_result *out) PGB_MUST_CHECK;
/* Whether a cell of the file has its batch gradients. */
bool pgb_merge_has_gradients(const pgb_reader *reader, const pgb_study *study, size_t cell);
/* Copies them to a store that has room for them (pgb_output_gradients); NULL: reads them only. */
pgb_status pgb_merge_gradients(pgb_reader *reader, const pgb_study *study, size_t cell,
                               pgb_store *store) PGB_MUST_CHECK;

#endif
