/* SPDX-License-Identifier: MIT */
#include "study/merge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 17, PATH = 512 }; /* numbers that travel at a time; bytes of a dataset's path */

typedef struct source {
  pgb_reader *reader;
  const char *group;
  uint64_t length[4]; /* estimator, baseline, batch, parameter */
} source;

static source source_of(pgb_reader *reader, const pgb_study *study, size_t cell) {
  return (source){.reader = reader,
                  .group = study->cells[cell].group,
                  .length = {study->n_estimators, study->n_baselines, study->n_batches,
                             study->cells[cell].actor.shape.n_theta}};
}

static void name_path(const source *from, const char *name, char path[PATH]) {
  (void)snprintf(path, PATH, "%s/%s", from->group, name);
}

static pgb_status numbers(const source *from, const char *name, int rank, const uint64_t *length,
                          double *out) {
  char path[PATH];
  name_path(from, name, path);
  return pgb_reader_numbers(from->reader, path, rank, length, out);
}

/* Theta is resolved from the study; a file whose own differs is not what it says. */
static pgb_status check_theta(const source *from, const char *file, const pgb_cell *cell) {
  const size_t d = cell->actor.shape.n_theta;
  void *theta = NULL;
  PGB_TRY(pgb_alloc(d, sizeof(double), &theta));
  pgb_status s = numbers(from, "theta", 1, &from->length[3], theta);
  if (s.code == PGB_OK && memcmp(theta, cell->theta, d * sizeof(double)) != 0)
    s = pgb_fail(
        PGB_USAGE,
        "%s: theta of %s is not that of its study; the file was changed or damaged: take another copy", file,
        cell->group + 1);
  free(theta);
  return s;
}

static pgb_status attributes(const source *from, pgb_arena *arena, pgb_cell_result *out) {
  char path[PATH];
  name_path(from, "reason", path);
  PGB_TRY(pgb_reader_text(from->reader, from->group, "oracle", false, arena, &out->oracle));
  PGB_TRY(pgb_reader_real(from->reader, from->group, "exact_return", &out->exact_return));
  return pgb_reader_texts(from->reader, path, 2, from->length, arena, out->reason);
}

pgb_status pgb_merge_read_cell(pgb_reader *reader, const char *path, const pgb_study *study, size_t cell,
                               pgb_arena *arena, pgb_cell_result *out) {
  const source from = source_of(reader, study, cell);
  const size_t pairs = study->n_estimators * study->n_baselines;
  PGB_TRY(pgb_result_create(study, &study->cells[cell], arena, out));
  PGB_TRY(check_theta(&from, path, &study->cells[cell]));
  PGB_TRY(attributes(&from, arena, out));
  PGB_TRY(numbers(&from, "exact_gradient", 1, &from.length[3], out->exact_gradient));
  PGB_TRY(numbers(&from, "biased", 2, from.length, out->biased));
  for (int i = 0; i < PGB_FIGURE_COUNT; i++)
    PGB_TRY(numbers(&from, pgb_figure_table[i].name, 3, from.length, out->figure[i]));
  for (int i = 0; i < PGB_VECTOR_COUNT; i++)
    PGB_TRY(numbers(&from, pgb_vector_table[i].name, 4, from.length, out->vector[i]));
  for (int i = 0; i < PGB_ROLL_COUNT; i++)
    PGB_TRY(numbers(&from, pgb_roll_table[i].name, 1, &from.length[2], out->roll[i]));
  for (size_t at = 0; at < pairs * study->n_batches; at++) {
    const size_t pair = at / study->n_batches;
    const bool measured =
        !isnan(out->biased[pair]) &&
        study->batches[at % study->n_batches] >= study->baselines[pair % study->n_baselines]->min_batch;
    out->summary[at].n = measured ? (double)study->replicates : 0;
  }
  return pgb_ok();
}

bool pgb_merge_has_gradients(const pgb_reader *reader, const pgb_study *study, size_t cell) {
  char path[PATH];
  (void)snprintf(path, sizeof path, "%s/gradient", study->cells[cell].group);
  return pgb_reader_has(reader, path);
}

pgb_status pgb_merge_gradients(pgb_reader *reader, const pgb_study *study, size_t cell, pgb_store *store) {
  const source from = source_of(reader, study, cell);
  const uint64_t d = from.length[3];
  const uint64_t most = d < CHUNK ? CHUNK / d : 1; /* replicates at a time */
  const uint64_t wanted[5] = {from.length[0], from.length[1], from.length[2], study->replicates, d};
  char path[PATH];
  void *values = NULL;
  name_path(&from, "gradient", path);
  PGB_TRY(pgb_reader_shape(reader, path, 5, wanted));
  PGB_TRY(pgb_alloc((size_t)(most * d), sizeof(double), &values));
  pgb_status s = pgb_ok();
  for (uint64_t at = 0; at < wanted[0] * wanted[1] * wanted[2]; at++)
    for (uint64_t r = 0; r < study->replicates && s.code == PGB_OK; r += most) {
      const uint64_t n = study->replicates - r < most ? study->replicates - r : most;
      const uint64_t start[5] = {at / wanted[2] / wanted[1], at / wanted[2] % wanted[1], at % wanted[2], r,
                                 0};
      const uint64_t count[5] = {1, 1, 1, n, d};
      s = pgb_reader_box(reader, path, 5, start, count, values);
      if (s.code == PGB_OK && store != NULL)
        s = pgb_store_block(store, from.group, "gradient", (at * study->replicates + r) * d, n * d, values);
    }
  free(values);
  return s;
}
