/* SPDX-License-Identifier: MIT */
#include "study/scaling.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PGB_DESCRIBE(name, file, unit, text) {file, unit, text},
const pgb_description pgb_scaling_number_table[PGB_SCALING_NUMBER_COUNT] = {
    PGB_SCALING_NUMBERS(PGB_DESCRIBE)};
#undef PGB_DESCRIBE
#define PGB_DESCRIBE(name, file, text) {file, NULL, text},
const pgb_description pgb_scaling_text_table[PGB_SCALING_TEXT_COUNT] = {PGB_SCALING_TEXTS(PGB_DESCRIBE)};
#undef PGB_DESCRIBE

/* ---- One row ---- */

/* Index of the run of median wall time, the lower one of two. */
static size_t median_run(const pgb_run_result *runs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    size_t below = 0;
    for (size_t j = 0; j < n; j++)
      below += runs[j].elapsed < runs[i].elapsed || (j < i && runs[j].elapsed == runs[i].elapsed);
    if (below == (n - 1) / 2)
      return i;
  }
  return 0;
}

static void measured_phases(const pgb_run_result *run, int ranks, pgb_scaling_row *row) {
  double all = 0;
  double busiest = 0;
  for (int p = 0; p < PGB_PHASE_COUNT; p++) {
    double *s = row->phase[p];
    s[PGB_SCALING_LEAST] = INFINITY;
    s[PGB_SCALING_MEAN] = s[PGB_SCALING_MOST] = 0;
    for (int r = 0; r < ranks; r++) {
      const double x = run->seconds[(size_t)r * PGB_PHASE_COUNT + (size_t)p];
      s[PGB_SCALING_LEAST] = fmin(s[PGB_SCALING_LEAST], x);
      s[PGB_SCALING_MOST] = fmax(s[PGB_SCALING_MOST], x);
      s[PGB_SCALING_MEAN] += x / ranks;
    }
    all += s[PGB_SCALING_MEAN];
  }
  for (int r = 0; r < ranks; r++) {
    const double *s = run->seconds + (size_t)r * PGB_PHASE_COUNT;
    busiest = fmax(busiest, s[PGB_PHASE_ROLLOUT] + s[PGB_PHASE_GRADIENT]);
  }
  const double work =
      row->phase[PGB_PHASE_ROLLOUT][PGB_SCALING_MEAN] + row->phase[PGB_PHASE_GRADIENT][PGB_SCALING_MEAN];
  const double reduce = row->phase[PGB_PHASE_REDUCE][PGB_SCALING_MEAN];
  row->number[PGB_SCALING_IMBALANCE] = work > 0 ? busiest / work : 1;
  row->number[PGB_SCALING_REDUCE] = reduce;
  row->number[PGB_SCALING_REDUCE_SHARE] = all > 0 ? reduce / all : 0;
}

void pgb_scaling_measured(const pgb_run_result *runs, size_t repeats, int ranks, int nodes,
                          uint64_t replicates, pgb_scaling_row *row) {
  assert(repeats > 0 && ranks > 0);
  const pgb_run_result *run = &runs[median_run(runs, repeats)];
  double *x = row->number;
  x[PGB_SCALING_RANKS] = ranks;
  x[PGB_SCALING_NODES] = nodes;
  x[PGB_SCALING_CORES] = (double)nodes * pgb_node_cores();
  x[PGB_SCALING_REPLICATES] = (double)replicates;
  x[PGB_SCALING_REPEATS] = (double)repeats;
  x[PGB_SCALING_STEPS] = run->steps;
  x[PGB_SCALING_WALL] = x[PGB_SCALING_WALL_LOW] = x[PGB_SCALING_WALL_HIGH] = run->elapsed;
  x[PGB_SCALING_RATE] = run->steps / run->elapsed;
  x[PGB_SCALING_MEMORY] = 0;
  x[PGB_SCALING_MEMORY_LOW] = INFINITY;
  x[PGB_SCALING_CORE_SHARE] = 0;
  x[PGB_SCALING_VALID] = 1;
  for (size_t i = 0; i < repeats; i++) {
    x[PGB_SCALING_WALL_LOW] = fmin(x[PGB_SCALING_WALL_LOW], runs[i].elapsed);
    x[PGB_SCALING_WALL_HIGH] = fmax(x[PGB_SCALING_WALL_HIGH], runs[i].elapsed);
    if (!runs[i].verdict.valid)
      x[PGB_SCALING_VALID] = 0;
  }
  for (int r = 0; r < ranks; r++) {
    x[PGB_SCALING_MEMORY] = fmax(x[PGB_SCALING_MEMORY], run->memory[r][1]);
    x[PGB_SCALING_MEMORY_LOW] = fmin(x[PGB_SCALING_MEMORY_LOW], run->memory[r][1]);
    x[PGB_SCALING_CORE_SHARE] += run->processor[r] / (ranks * run->elapsed);
  }
  measured_phases(run, ranks, row);
}

/* ---- The table ---- */

static bool comparable(const pgb_scaling_row *a, const pgb_scaling_row *b) {
  return strcmp(a->text[PGB_SCALING_MODE], b->text[PGB_SCALING_MODE]) == 0 &&
         strcmp(a->text[PGB_SCALING_SIMD], b->text[PGB_SCALING_SIMD]) == 0 &&
         strcmp(a->text[PGB_SCALING_COMMIT], b->text[PGB_SCALING_COMMIT]) == 0;
}

/* The median wall time of the rows comparable to row i with so many ranks; O(n^2) of a short table. */
static double median_wall(const pgb_scaling_row *rows, size_t n, size_t i, double ranks) {
  double low = NAN;
  double high = NAN;
  size_t count = 0;
  for (size_t j = 0; j < n; j++)
    count += comparable(&rows[i], &rows[j]) && rows[j].number[PGB_SCALING_RANKS] == ranks;
  for (size_t j = 0; j < n; j++) {
    if (!comparable(&rows[i], &rows[j]) || rows[j].number[PGB_SCALING_RANKS] != ranks)
      continue;
    const double wall = rows[j].number[PGB_SCALING_WALL];
    size_t below = 0;
    for (size_t k = 0; k < n; k++) {
      const double other = rows[k].number[PGB_SCALING_WALL];
      below += comparable(&rows[i], &rows[k]) && rows[k].number[PGB_SCALING_RANKS] == ranks &&
               (other < wall || (other == wall && k < j));
    }
    low = below == (count - 1) / 2 ? wall : low;
    high = below == count / 2 ? wall : high;
  }
  return (low + high) / 2;
}

void pgb_scaling_derive(pgb_scaling_row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double *x = rows[i].number;
    double fewest = x[PGB_SCALING_RANKS];
    for (size_t j = 0; j < n; j++)
      if (comparable(&rows[i], &rows[j]))
        fewest = fmin(fewest, rows[j].number[PGB_SCALING_RANKS]);
    const double gain = median_wall(rows, n, i, fewest) / x[PGB_SCALING_WALL];
    const bool weak = strcmp(rows[i].text[PGB_SCALING_MODE], "weak") == 0;
    x[PGB_SCALING_SPEEDUP] = gain * (weak ? x[PGB_SCALING_RANKS] : fewest);
    x[PGB_SCALING_EFFICIENCY] = x[PGB_SCALING_SPEEDUP] / x[PGB_SCALING_RANKS];
  }
}

/* ---- The file ---- */

static const char group[] = "/scaling";
static const char *const statistics[PGB_SCALING_STATISTICS] = {"min", "mean", "max"};

static pgb_status check_file(const char *path, const pgb_scaling *workload, pgb_arena *arena) {
  const char *schema = NULL;
  const char *kind = NULL;
  const char *config = NULL;
  PGB_TRY(pgb_store_read_text(path, "/", "schema", arena, &schema));
  PGB_TRY(pgb_store_read_text(path, "/", "kind", arena, &kind));
  PGB_TRY(pgb_store_read_text(path, "/", "config", arena, &config));
  if (strcmp(schema, "pgbench/1") != 0)
    return pgb_fail(PGB_USAGE,
                    "%s: has schema '%.32s', and rows are added to pgbench/1 alone; name another "
                    "file with --output",
                    path, schema);
  if (strcmp(kind, "scaling") != 0)
    return pgb_fail(
        PGB_USAGE,
        "%s: is a result file of kind '%.32s' and no scaling table; name another file with --output", path,
        kind);
  if (strcmp(config, workload->config) != 0)
    return pgb_fail(
        PGB_USAGE,
        "%s: holds launches of another workload (its attribute `config`); give the same study and "
        "options, or name another file with --output",
        path);
  return pgb_ok();
}

static pgb_status damaged(const char *path, const char *column) {
  return pgb_fail(
      PGB_USAGE,
      "%s: column %s has another length than the table; the file was changed by hand: restore it, "
      "or name another with --output",
      path, column);
}

static pgb_status read_columns(const char *path, pgb_arena *arena, pgb_scaling *out) {
  char name[64];
  for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++) {
    double *x = NULL;
    size_t n = 0;
    (void)snprintf(name, sizeof name, "%s/%s", group, pgb_scaling_number_table[i].name);
    PGB_TRY(pgb_store_read_numbers(path, name, arena, &x, &n));
    if (n != out->n)
      return damaged(path, pgb_scaling_number_table[i].name);
    for (size_t k = 0; k < n; k++)
      out->rows[k].number[i] = x[k];
  }
  for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++) {
    const char **x = NULL;
    size_t n = 0;
    (void)snprintf(name, sizeof name, "%s/%s", group, pgb_scaling_text_table[i].name);
    PGB_TRY(pgb_store_read_texts(path, name, arena, &x, &n));
    if (n != out->n)
      return damaged(path, pgb_scaling_text_table[i].name);
    for (size_t k = 0; k < n; k++)
      out->rows[k].text[i] = x[k];
  }
  double *x = NULL;
  size_t n = 0;
  (void)snprintf(name, sizeof name, "%s/phase_seconds", group);
  PGB_TRY(pgb_store_read_numbers(path, name, arena, &x, &n));
  const size_t each = (size_t)PGB_PHASE_COUNT * PGB_SCALING_STATISTICS;
  if (n != out->n * each)
    return damaged(path, "phase_seconds");
  for (size_t k = 0; k < out->n; k++)
    memcpy(out->rows[k].phase, x + k * each, each * sizeof *x);
  return pgb_ok();
}

pgb_status pgb_scaling_read(const char *path, const pgb_scaling *workload, size_t more, pgb_arena *arena,
                            pgb_scaling *out) {
  char name[64];
  double *launch = NULL;
  void *rows = NULL;
  *out = (pgb_scaling){.config = workload->config, .study = workload->study};
  const bool there = access(path, F_OK) == 0;
  if (there) {
    PGB_TRY(check_file(path, workload, arena));
    (void)snprintf(name, sizeof name, "%s/launch", group);
    PGB_TRY(pgb_store_read_numbers(path, name, arena, &launch, &out->n));
  }
  PGB_TRY(pgb_arena_alloc(arena, out->n + more, sizeof(pgb_scaling_row), &rows));
  out->rows = rows;
  return there ? read_columns(path, arena, out) : pgb_ok();
}

static pgb_status store_columns(pgb_store *store, const pgb_scaling *t, void *room) {
  double *x = room;
  const char **text = room;
  for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++) {
    for (size_t k = 0; k < t->n; k++)
      text[k] = t->rows[k].text[i];
    PGB_TRY(pgb_store_texts(store, group, pgb_scaling_text_table[i].name, "launch", text,
                            pgb_scaling_text_table[i].long_name));
  }
  for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++) {
    for (size_t k = 0; k < t->n; k++)
      x[k] = t->rows[k].number[i];
    PGB_TRY(pgb_store_array(store, group, pgb_scaling_number_table[i].name, "launch", x,
                            pgb_scaling_number_table[i].unit, pgb_scaling_number_table[i].long_name));
  }
  const size_t each = (size_t)PGB_PHASE_COUNT * PGB_SCALING_STATISTICS;
  for (size_t k = 0; k < t->n; k++)
    memcpy(x + k * each, t->rows[k].phase, each * sizeof *x);
  return pgb_store_array(store, group, "phase_seconds", "launch,phase,statistic", x, "s",
                         "time of a rank in each phase of the median run, over the ranks");
}

pgb_status pgb_scaling_store(pgb_store *store, const pgb_scaling *t) {
  void *room = NULL;
  PGB_TRY(pgb_alloc(t->n * PGB_PHASE_COUNT * PGB_SCALING_STATISTICS, sizeof(double), &room));
  for (size_t k = 0; k < t->n; k++)
    ((int64_t *)room)[k] = (int64_t)k;
  pgb_status s = pgb_store_axis_integer(store, group, "launch", t->n, room, "1",
                                        "launch and mode, in the order in which they were added");
  if (s.code == PGB_OK)
    s = pgb_store_axis_text(store, group, "phase", PGB_PHASE_COUNT, pgb_phase_names, "phase of the run");
  if (s.code == PGB_OK)
    s = pgb_store_axis_text(store, group, "statistic", PGB_SCALING_STATISTICS, statistics, "over the ranks");
  if (s.code == PGB_OK)
    s = store_columns(store, t, room);
  free(room);
  return s;
}
