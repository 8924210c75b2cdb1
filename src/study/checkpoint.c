/* SPDX-License-Identifier: MIT */
#include "study/checkpoint.h"

#include "io/provenance.h"
#include "stats/stats.h"
#include "study/measure.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 17 }; /* numbers that travel between store and part at a time */

/* The numbers of the head; a build that lays out results differently does not agree in the last ones. */
enum {
  HEAD_FORCE,
  HEAD_GRADIENTS,
  HEAD_LAUNCHES,
  HEAD_CELL,
  HEAD_BATCH,
  HEAD_BLOCK,
  HEAD_SHARE,
  HEAD_SHARES,
  HEAD_FIGURES,
  HEAD_VECTORS,
  HEAD_ROLLS,
  HEAD_SUMMARY,
  HEAD_COUNT
};

/* ---- A result's arrays, one list for both directions ---- */

typedef struct piece {
  void *at;
  size_t bytes;
} piece;

enum { PIECES = PGB_FIGURE_COUNT + PGB_VECTOR_COUNT + PGB_ROLL_COUNT + 3 };

static void list_pieces(const pgb_study *study, size_t cell, const pgb_cell_result *result, piece *out) {
  const size_t pairs = study->n_estimators * study->n_baselines;
  const size_t figures = pairs * study->n_batches;
  const size_t d = study->cells[cell].actor.shape.n_theta;
  for (int i = 0; i < PGB_FIGURE_COUNT; i++)
    *out++ = (piece){result->figure[i], figures * sizeof(double)};
  for (int i = 0; i < PGB_VECTOR_COUNT; i++)
    *out++ = (piece){result->vector[i], figures * d * sizeof(double)};
  for (int i = 0; i < PGB_ROLL_COUNT; i++)
    *out++ = (piece){result->roll[i], study->n_batches * sizeof(double)};
  *out++ = (piece){result->exact_gradient, d * sizeof(double)};
  *out++ = (piece){result->biased, pairs * sizeof(double)};
  *out = (piece){result->summary, figures * sizeof *result->summary};
}

static uint64_t gradient_count(const pgb_study *study, size_t cell, uint64_t replicates) {
  return (uint64_t)(study->n_estimators * study->n_baselines * study->cells[cell].actor.shape.n_theta) *
         replicates;
}

/* ---- Writing ---- */

static void put_head(pgb_part_writer *part, const pgb_checkpoint_head *head) {
  const char *const texts[] = {head->version, head->git_commit, head->study,  head->config,
                               head->plugins, head->simd,       head->started};
  const uint64_t numbers[HEAD_COUNT] = {head->force,      head->save_gradients, head->launches,
                                        head->at.cell,    head->at.batch,       head->at.block,
                                        head->share.k,    head->share.n,        PGB_FIGURE_COUNT,
                                        PGB_VECTOR_COUNT, PGB_ROLL_COUNT,       sizeof(pgb_summary)};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    pgb_part_put_text(part, texts[i]);
  pgb_part_put(part, numbers, sizeof numbers);
}

static void put_result(pgb_part_writer *part, const pgb_study *study, size_t cell,
                       const pgb_cell_result *result) {
  piece pieces[PIECES];
  list_pieces(study, cell, result, pieces);
  for (size_t i = 0; i < PIECES; i++)
    pgb_part_put(part, pieces[i].at, pieces[i].bytes);
  pgb_part_put(part, &result->exact_return, sizeof result->exact_return);
  pgb_part_put_text(part, result->oracle);
  for (size_t k = 0; k < study->n_estimators * study->n_baselines; k++)
    pgb_part_put_text(part, result->reason[k] == NULL ? "" : result->reason[k]);
}

static pgb_status put_gradients(pgb_part_writer *part, const pgb_study *study, size_t cell,
                                pgb_store *store) {
  const uint64_t n = gradient_count(study, cell, study->replicates) * study->n_batches;
  void *buffer = NULL;
  PGB_TRY(pgb_alloc(CHUNK, sizeof(double), &buffer));
  pgb_status s = pgb_ok();
  for (uint64_t at = 0; at < n && s.code == PGB_OK; at += CHUNK) {
    const size_t k = n - at < CHUNK ? (size_t)(n - at) : CHUNK;
    s = pgb_store_block_back(store, study->cells[cell].group, "gradient", at, k, buffer);
    if (s.code == PGB_OK)
      pgb_part_put(part, buffer, k * sizeof(double));
  }
  free(buffer);
  return s;
}

static pgb_status put_all(pgb_part_writer *part, const pgb_checkpoint_head *head, const pgb_study *study,
                          const pgb_snapshot *snapshot, pgb_store *store) {
  const pgb_point *at = &snapshot->at;
  put_head(part, head);
  for (size_t c = 0; c < at->cell; c++) {
    if (!pgb_share_has(&head->share, c))
      continue;
    put_result(part, study, c, &snapshot->cells[c]);
    if (head->save_gradients)
      PGB_TRY(put_gradients(part, study, c, store));
  }
  const uint64_t n_pilot = snapshot->n_pilot;
  pgb_part_put(part, &n_pilot, sizeof n_pilot);
  pgb_part_put(part, snapshot->pilot, snapshot->n_pilot * sizeof(double));
  if (!pgb_point_begun(at))
    return pgb_ok();
  put_result(part, study, at->cell, &snapshot->cells[at->cell]);
  pgb_part_put(part, snapshot->slots, snapshot->n_slots * sizeof(double));
  for (size_t n = 0; head->save_gradients && n <= at->batch; n++) {
    const uint64_t replicates = n < at->batch ? study->replicates : snapshot->replicates;
    pgb_part_put(part, snapshot->gradients[n], gradient_count(study, at->cell, replicates) * sizeof(double));
  }
  return pgb_ok();
}

pgb_status pgb_checkpoint_write(const char *name, const pgb_checkpoint_head *head, const pgb_study *study,
                                const pgb_snapshot *snapshot, pgb_store *store) {
  pgb_part_writer *part = NULL;
  pgb_checkpoint_head now = *head;
  now.at = snapshot->at;
  PGB_TRY(pgb_part_create(name, &part));
  const pgb_status s = put_all(part, &now, study, snapshot, store);
  if (s.code == PGB_OK)
    return pgb_part_close(part);
  pgb_part_discard(part);
  return s;
}

/* ---- Reading ---- */

static pgb_status other_build(const char *name, const pgb_checkpoint_head *head) {
  return pgb_fail(
      PGB_USAGE,
      "%s: was written by pgbench %s (commit %.60s), and this is another build (%.60s), whose results may "
      "differ in the last bit; check out and build that commit to finish the run, or start anew with --force",
      name, head->version, head->git_commit, pgb_provenance_build().git_commit);
}

static pgb_status get_head(const char *name, pgb_part_reader *part, pgb_arena *arena,
                           pgb_checkpoint_head *out) {
  const pgb_provenance build = pgb_provenance_build();
  const char **const texts[] = {&out->version, &out->git_commit, &out->study,  &out->config,
                                &out->plugins, &out->simd,       &out->started};
  uint64_t numbers[HEAD_COUNT];
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    PGB_TRY(pgb_part_get_text(part, arena, texts[i]));
  if (strcmp(out->version, build.version) != 0 || strcmp(out->git_commit, build.git_commit) != 0)
    return other_build(name, out);
  PGB_TRY(pgb_part_get(part, numbers, sizeof numbers));
  if (numbers[HEAD_FIGURES] != PGB_FIGURE_COUNT || numbers[HEAD_VECTORS] != PGB_VECTOR_COUNT ||
      numbers[HEAD_ROLLS] != PGB_ROLL_COUNT || numbers[HEAD_SUMMARY] != sizeof(pgb_summary))
    return other_build(name, out);
  out->force = numbers[HEAD_FORCE] != 0;
  out->save_gradients = numbers[HEAD_GRADIENTS] != 0;
  out->launches = numbers[HEAD_LAUNCHES];
  out->share = (pgb_share){.k = (size_t)numbers[HEAD_SHARE], .n = (size_t)numbers[HEAD_SHARES]};
  out->at = (pgb_point){.cell = (size_t)numbers[HEAD_CELL],
                        .batch = (size_t)numbers[HEAD_BATCH],
                        .block = (size_t)numbers[HEAD_BLOCK]};
  return pgb_ok();
}

pgb_status pgb_checkpoint_open(const char *name, pgb_arena *arena, pgb_part_reader **part,
                               pgb_checkpoint_head *out) {
  PGB_TRY(pgb_part_open(name, part));
  const pgb_status s = get_head(name, *part, arena, out);
  if (s.code != PGB_OK) {
    pgb_part_end(*part);
    *part = NULL;
  }
  return s;
}

pgb_status pgb_checkpoint_fits(const char *name, const pgb_checkpoint_head *head, const pgb_study *study) {
  const pgb_share *share = &head->share;
  const bool shared = share->n == 0 || (share->k >= 1 && share->k <= share->n);
  if (shared && head->at.cell < study->n_cells && pgb_share_has(share, head->at.cell) &&
      head->at.batch < study->n_batches &&
      head->at.block <=
          pgb_block_count(study->replicates, pgb_measure_stride(study, &study->cells[head->at.cell])) &&
      strcmp(head->config, study->config) == 0)
    return pgb_ok();
  return pgb_fail(PGB_USAGE, "%s: its study does not resolve to what it was; report this as a bug", name);
}

pgb_status pgb_checkpoint_result(pgb_part_reader *part, const pgb_study *study, size_t cell, pgb_arena *arena,
                                 pgb_cell_result *result) {
  piece pieces[PIECES];
  list_pieces(study, cell, result, pieces);
  for (size_t i = 0; i < PIECES; i++)
    PGB_TRY(pgb_part_get(part, pieces[i].at, pieces[i].bytes));
  PGB_TRY(pgb_part_get(part, &result->exact_return, sizeof result->exact_return));
  PGB_TRY(pgb_part_get_text(part, arena, &result->oracle));
  for (size_t k = 0; k < study->n_estimators * study->n_baselines; k++)
    PGB_TRY(pgb_part_get_text(part, arena, &result->reason[k]));
  return pgb_ok();
}

pgb_status pgb_checkpoint_gradients(pgb_part_reader *part, const pgb_study *study, size_t cell,
                                    pgb_store *store) {
  const uint64_t n = gradient_count(study, cell, study->replicates) * study->n_batches;
  void *buffer = NULL;
  PGB_TRY(pgb_alloc(CHUNK, sizeof(double), &buffer));
  pgb_status s = pgb_ok();
  for (uint64_t at = 0; at < n && s.code == PGB_OK; at += CHUNK) {
    const size_t k = n - at < CHUNK ? (size_t)(n - at) : CHUNK;
    s = pgb_part_get(part, buffer, k * sizeof(double));
    if (s.code == PGB_OK)
      s = pgb_store_block(store, study->cells[cell].group, "gradient", at, k, buffer);
  }
  free(buffer);
  return s;
}

pgb_status pgb_checkpoint_begun(pgb_part_reader *part, const pgb_checkpoint_head *head,
                                const pgb_study *study, pgb_arena *arena, pgb_cell_result *result,
                                const pgb_restored *to) {
  const pgb_point *at = &head->at;
  const size_t stride = pgb_measure_stride(study, &study->cells[at->cell]);
  uint64_t n_pilot = 0;
  uint64_t first = 0;
  uint64_t end = 0;
  PGB_TRY(pgb_part_get(part, &n_pilot, sizeof n_pilot));
  if (n_pilot != to->n_pilot)
    return pgb_part_misfit(part);
  PGB_TRY(pgb_part_get(part, to->pilot, to->n_pilot * sizeof *to->pilot));
  if (!pgb_point_begun(at))
    return pgb_ok();
  PGB_TRY(pgb_checkpoint_result(part, study, at->cell, arena, result));
  if (at->block > 0)
    pgb_block_range(study->replicates, stride, at->block - 1, &first, &end);
  PGB_TRY(pgb_part_get(part, to->slots, at->block * stride * sizeof *to->slots));
  for (size_t n = 0; head->save_gradients && n <= at->batch; n++) {
    const uint64_t replicates = n < at->batch ? study->replicates : end;
    PGB_TRY(
        pgb_part_get(part, to->gradients[n], gradient_count(study, at->cell, replicates) * sizeof(double)));
  }
  return pgb_ok();
}
