/* SPDX-License-Identifier: MIT */
/* The scaling table: a row from known phases, speed-up and efficiency by hand, and a file that gives back
 * what was stored, or is refused with its reason. */
#include "study/scaling.h"

#include "check.h"

#include <stdlib.h>
#include <unistd.h>

enum { RANKS = 2 };

/* Three runs of two ranks; the second is the median one. */
static void test_row(checks *c) {
  double seconds[3][RANKS * PGB_PHASE_COUNT] = {
      {9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
      {1, 2, 0.25, 0.5, 0, 2, 3, 0.75, 0, 1},
      {9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
  };
  double memory[RANKS][2] = {{5, 70}, {5, 60}};
  double processor[RANKS] = {6, 3};
  pgb_run_result runs[3] = {{.elapsed = 9}, {.elapsed = 6}, {.elapsed = 3}};
  for (int i = 0; i < 3; i++) {
    runs[i].seconds = seconds[i];
    runs[i].memory = memory;
    runs[i].processor = processor;
    runs[i].steps = 1200;
    runs[i].verdict.valid = true;
  }
  pgb_scaling_row row = {.added = true};
  pgb_scaling_measured(runs, 3, RANKS, 1, 77, &row);
  const double *x = row.number;
  CHECK(c, x[PGB_SCALING_RANKS] == 2 && x[PGB_SCALING_REPEATS] == 3 && x[PGB_SCALING_REPLICATES] == 77);
  CHECK(c, x[PGB_SCALING_CORES] == pgb_node_cores() && x[PGB_SCALING_NODES] == 1);
  CHECK(c, x[PGB_SCALING_WALL] == 6 && x[PGB_SCALING_WALL_LOW] == 3 && x[PGB_SCALING_WALL_HIGH] == 9);
  CHECK(c, x[PGB_SCALING_RATE] == 200 && x[PGB_SCALING_STEPS] == 1200);
  CHECK_NEAR(c, x[PGB_SCALING_IMBALANCE], 5.0 / 4, 1e-15, 0); /* 3 and 5 s of work */
  CHECK_NEAR(c, x[PGB_SCALING_REDUCE], 0.5, 1e-15, 0);
  CHECK_NEAR(c, x[PGB_SCALING_REDUCE_SHARE], 0.5 / 5.25, 1e-15, 0);
  CHECK_NEAR(c, x[PGB_SCALING_CORE_SHARE], 0.75, 1e-15, 0);
  CHECK(c, x[PGB_SCALING_MEMORY] == 70 && x[PGB_SCALING_MEMORY_LOW] == 60 && x[PGB_SCALING_VALID] == 1);
  CHECK(c, row.phase[PGB_PHASE_WAIT][PGB_SCALING_LEAST] == 0 &&
               row.phase[PGB_PHASE_WAIT][PGB_SCALING_MEAN] == 0.5 &&
               row.phase[PGB_PHASE_WAIT][PGB_SCALING_MOST] == 1);
  runs[2].verdict.valid = false;
  pgb_scaling_measured(runs, 2, RANKS, 1, 77, &row);
  CHECK(c, row.number[PGB_SCALING_WALL] == 6 && row.number[PGB_SCALING_VALID] == 1); /* the lower of two */
  pgb_scaling_measured(runs, 3, RANKS, 1, 77, &row);
  CHECK(c, row.number[PGB_SCALING_VALID] == 0);
}

static pgb_scaling_row made(const char *mode, const char *simd, double ranks, double wall) {
  pgb_scaling_row row = {.added = false};
  for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++)
    row.text[i] = "";
  for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++)
    row.number[i] = 100 * i + ranks;
  for (int p = 0; p < PGB_PHASE_COUNT; p++)
    for (int s = 0; s < PGB_SCALING_STATISTICS; s++)
      row.phase[p][s] = 10 * p + s + wall;
  row.text[PGB_SCALING_MODE] = mode;
  row.text[PGB_SCALING_SIMD] = simd;
  row.text[PGB_SCALING_NOTE] = "caf\xc3\xa9, \"quoted\"";
  row.number[PGB_SCALING_RANKS] = ranks;
  row.number[PGB_SCALING_WALL] = wall;
  return row;
}

static void test_derived(checks *c) {
  const struct {
    const char *mode, *simd;
    double ranks, wall, speedup, efficiency;
  } rows[] = {
      {"strong", "avx2", 4, 3, 4 * 10.0 / 12, 10.0 / 12}, /* against the median 10 of 8, 10 and 12 */
      {"strong", "avx2", 1, 8, 10.0 / 8, 10.0 / 8},
      {"strong", "avx2", 1, 12, 10.0 / 12, 10.0 / 12},
      {"strong", "avx2", 1, 10, 1, 1},
      {"strong", "sse2", 2, 9, 2, 1}, /* of another program: its own base, two ranks */
      {"strong", "sse2", 6, 6, 3, 0.5},
      {"weak", "avx2", 2, 5, 4, 2}, /* the median of 5 and 15 is 10 */
      {"weak", "avx2", 2, 15, 2.0 * 10 / 15, 10.0 / 15},
      {"weak", "avx2", 8, 20, 4, 0.5},
  };
  enum { N = sizeof rows / sizeof *rows };
  pgb_scaling_row table[N];
  for (size_t i = 0; i < N; i++)
    table[i] = made(rows[i].mode, rows[i].simd, rows[i].ranks, rows[i].wall);
  pgb_scaling_derive(table, N);
  for (size_t i = 0; i < N; i++) {
    CHECK_NEAR(c, table[i].number[PGB_SCALING_SPEEDUP], rows[i].speedup, 1e-15, 0);
    CHECK_NEAR(c, table[i].number[PGB_SCALING_EFFICIENCY], rows[i].efficiency, 1e-15, 0);
  }
}

static void write_file(checks *c, const char *path, const pgb_scaling *table, const char *kind,
                       const char *schema) {
  pgb_store *store = NULL;
  CHECK_OK(c, pgb_store_create(path, true, &store));
  if (store == NULL)
    return;
  CHECK_OK(c, pgb_scaling_store(store, table));
  CHECK_OK(c, pgb_store_text(store, "/", "kind", kind));
  CHECK_OK(c, pgb_store_text(store, "/", "schema", schema));
  CHECK_OK(c, pgb_store_text(store, "/", "config", table->config));
  CHECK_OK(c, pgb_store_close(store));
}

static void test_file(checks *c) {
  char folder[] = "/tmp/pgb-scaling-XXXXXX";
  char path[64];
  pgb_arena *arena = NULL;
  pgb_scaling_row rows[3] = {made("strong", "avx2", 1, 8), made("weak", "avx2", 2, 9),
                             made("weak", "", 3, 7)};
  const pgb_scaling table = {.config = "seed: 1\n", .study = "scaling", .rows = rows, .n = 3};
  pgb_scaling back = {.n = 9};
  CHECK(c, mkdtemp(folder) != NULL);
  (void)snprintf(path, sizeof path, "%s/t.h5", folder);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_scaling_read(path, &table, 2, arena, &back));
  CHECK(c, back.n == 0 && back.rows != NULL);
  write_file(c, path, &table, "scaling", "pgbench/1");
  CHECK_OK(c, pgb_scaling_read(path, &table, 1, arena, &back));
  CHECK(c, back.n == 3);
  for (size_t i = 0; i < back.n && i < 3; i++) {
    for (int k = 0; k < PGB_SCALING_NUMBER_COUNT; k++)
      CHECK(c, back.rows[i].number[k] == rows[i].number[k]);
    for (int k = 0; k < PGB_PHASE_COUNT * PGB_SCALING_STATISTICS; k++)
      CHECK(c, back.rows[i].phase[k / 3][k % 3] == rows[i].phase[k / 3][k % 3]);
    for (int k = 0; k < PGB_SCALING_TEXT_COUNT; k++)
      CHECK(c, strcmp(back.rows[i].text[k], rows[i].text[k]) == 0);
  }
  const pgb_scaling other = {.config = "seed: 2\n", .study = "scaling"};
  CHECK_REFUSED(c, pgb_scaling_read(path, &other, 1, arena, &back), PGB_USAGE, "another workload");
  write_file(c, path, &table, "variance", "pgbench/1");
  CHECK_REFUSED(c, pgb_scaling_read(path, &table, 1, arena, &back), PGB_USAGE, "kind 'variance'");
  write_file(c, path, &table, "scaling", "pgbench/2");
  CHECK_REFUSED(c, pgb_scaling_read(path, &table, 1, arena, &back), PGB_USAGE, "schema 'pgbench/2'");
  FILE *junk = fopen(path, "w");
  CHECK(c, junk != NULL && fputs("no HDF5", junk) >= 0 && fclose(junk) == 0);
  CHECK_REFUSED(c, pgb_scaling_read(path, &table, 1, arena, &back), PGB_USAGE, "cannot be read");
  CHECK(c, unlink(path) == 0 && rmdir(folder) == 0);
  pgb_arena_destroy(arena);
}

int main(void) {
  checks c = {0, 0};
  test_row(&c);
  test_derived(&c);
  test_file(&c);
  return check_end(&c, "scaling");
}
