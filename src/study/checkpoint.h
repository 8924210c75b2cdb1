/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_CHECKPOINT_H
#define PGB_STUDY_CHECKPOINT_H

#include "io/part.h"
#include "io/store.h"
#include "study/run.h"

/* What a checkpoint (io/part.h) holds of a run: a head, the results of complete cells bit for bit, the result
 * of the cell under way, and of its batch size under way the slots of the first blocks; with save_gradients
 * the batch gradients too; and how far the cell's pilot sample is. Oracles are computed again. Rank 0. */

typedef struct pgb_checkpoint_head {
  const char *version, *git_commit; /* of the program that wrote it                             */
  const char *study, *config;       /* name, resolved study                                     */
  const char *plugins;              /* pgb_plugins_text: files with checksums, or ""            */
  const char *simd;                 /* kernels that every launch must use                       */
  const char *started;              /* of the first launch                                      */
  bool force;                       /* the run may replace a result that was there before       */
  bool save_gradients;
  pgb_share share;
  uint64_t launches; /* that measured something, this one too */
  pgb_point at;
} pgb_checkpoint_head;

/* store: the result in the making, with the gradients of complete cells. */
pgb_status pgb_checkpoint_write(const char *name, const pgb_checkpoint_head *head, const pgb_study *study,
                                const pgb_snapshot *snapshot, pgb_store *store) PGB_MUST_CHECK;

/* Reads the head. PGB_USAGE for what pgb_part_open refuses, and for one that another build of the program
 * wrote, whose last bit may differ. Texts in the arena; *part is the caller's to end. */
pgb_status pgb_checkpoint_open(const char *name, pgb_arena *arena, pgb_part_reader **part,
                               pgb_checkpoint_head *out) PGB_MUST_CHECK;

/* Whether the head's position exists in the study that its config resolves to. */
pgb_status pgb_checkpoint_fits(const char *name, const pgb_checkpoint_head *head,
                               const pgb_study *study) PGB_MUST_CHECK;

/* The rest, in this order. For every complete cell: its result, texts in the arena; then, with
 * save_gradients, its gradients into the store, where pgb_output_gradients has made room. Then what there is
 * of the cell under way, as pgb_observer.restore is to give it back. */
pgb_status pgb_checkpoint_result(pgb_part_reader *part, const pgb_study *study, size_t cell, pgb_arena *arena,
                                 pgb_cell_result *result) PGB_MUST_CHECK;
pgb_status pgb_checkpoint_gradients(pgb_part_reader *part, const pgb_study *study, size_t cell,
                                    pgb_store *store) PGB_MUST_CHECK;
pgb_status pgb_checkpoint_begun(pgb_part_reader *part, const pgb_checkpoint_head *head,
                                const pgb_study *study, pgb_arena *arena, pgb_cell_result *result,
                                const pgb_restored *to) PGB_MUST_CHECK;

#endif
