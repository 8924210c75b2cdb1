/* SPDX-License-Identifier: MIT */
/* What ranks do together, and the result file. Run under the launcher for more than one rank; every rank does
 * the same number of iterations, the time is rank 0's between a barrier and the end. */
#include "bodies.h"
#include "case.h"
#include "core/clock.h"
#include "io/store.h"
#include "study/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct reduction {
  const bench_limits *limits;
  size_t n; /* doubles */
} reduction;

/* Every word belongs to one rank, the others hold zero: as the blocks of a study do. */
static void own(pgb_comm *comm, double *slots, size_t n) {
  const size_t size = (size_t)pgb_comm_size(comm), rank = (size_t)pgb_comm_rank(comm);
  for (size_t k = 0; k < n; k++)
    slots[k] = k % size == rank ? (double)k + 1 : 0;
}

static void combine_body(bench_state *state, void *argument) {
  const reduction *r = argument;
  pgb_comm *comm = r->limits->comm;
  void *room = NULL;
  double bytes = 0;
  size_t wrong = 0;
  bench_require(pgb_alloc(r->n, sizeof(double), &room));
  double *slots = room;
  while (bench_next(state)) {
    own(comm, slots, r->n);
    bench_require(pgb_comm_barrier(comm));
    const double start = pgb_clock();
    bench_require(pgb_comm_combine(comm, slots, r->n));
    bench_use(slots);
    bench_time(state, pgb_clock() - start);
    bytes += (double)(r->n * sizeof *slots);
    for (size_t k = 0; k < r->n; k += 97)
      wrong += slots[k] != (double)k + 1;
  }
  bench_bytes(state, bytes);
  if (wrong != 0)
    bench_fail(state, "words are missing after pgb_comm_combine; test_comm must say why");
  free(room);
}

/* The limit: one copy of the message. */
static void copy_body(bench_state *state, void *argument) {
  const reduction *r = argument;
  void *from = NULL;
  void *to = NULL;
  double bytes = 0;
  bench_require(pgb_alloc(r->n, sizeof(double), &from));
  bench_require(pgb_alloc(r->n, sizeof(double), &to));
  while (bench_next(state)) {
    own(r->limits->comm, from, r->n);
    const double start = pgb_clock();
    memcpy(to, from, r->n * sizeof(double));
    bench_use(to);
    bench_time(state, pgb_clock() - start);
    bytes += (double)(r->n * sizeof(double));
  }
  bench_bytes(state, bytes);
  free(from);
  free(to);
}

enum { PATH = 256 };

/* A file of this rank, in TMPDIR or /tmp. */
static void file_name(const bench_limits *limits, char path[PATH]) {
  const char *folder = getenv("TMPDIR");
  (void)snprintf(path, PATH, "%s/pgbench-micro-%ld-%d.h5", folder != NULL ? folder : "/tmp", (long)getpid(),
                 pgb_comm_rank(limits->comm));
}

static void store_study(const pgb_study *study, const char *path) {
  pgb_store *store = NULL;
  pgb_arena *arena = NULL;
  bench_require(pgb_arena_create(&arena));
  bench_require(pgb_store_create(path, true, &store));
  for (size_t c = 0; c < study->n_cells; c++) {
    pgb_cell_result result;
    bench_require(pgb_result_create(study, &study->cells[c], arena, &result));
    result.oracle = "none";
    bench_require(pgb_output_cell(store, study, c, &result, NULL));
  }
  bench_require(pgb_store_close(store));
  pgb_arena_destroy(arena);
}

static double file_size(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 ? (double)s.st_size : 0;
}

/* The result file of the default study, without its figures' values. */
static void file_body(bench_state *state, void *argument) {
  const bench_limits *limits = argument;
  const pgb_request request = {.isa = limits->best};
  pgb_study *study = NULL;
  char path[PATH];
  double bytes = 0;
  bench_require(pgb_study_resolve(&request, &study));
  file_name(limits, path);
  while (bench_next(state)) {
    const double start = pgb_clock();
    store_study(study, path);
    bench_time(state, pgb_clock() - start);
    bytes += file_size(path);
  }
  bench_bytes(state, bytes);
  if (bytes == 0)
    bench_fail(state, "no file was written; set TMPDIR to a folder that can be written");
  (void)unlink(path);
  pgb_study_destroy(study);
}

/* The limit: as many bytes in one piece, flushed to disk and renamed. */
static void raw_body(bench_state *state, void *argument) {
  const bench_limits *limits = argument;
  const pgb_request request = {.isa = limits->best};
  pgb_study *study = NULL;
  char path[PATH];
  char other[PATH + 4];
  void *room = NULL;
  double bytes = 0;
  bench_require(pgb_study_resolve(&request, &study));
  file_name(limits, path);
  (void)snprintf(other, sizeof other, "%s.tmp", path);
  store_study(study, path);
  const size_t size = (size_t)file_size(path);
  bench_require(pgb_alloc(size, 1, &room));
  while (bench_next(state)) {
    const double start = pgb_clock();
    FILE *f = fopen(other, "wb");
    if (f == NULL) {
      bench_fail(state, "no file can be written; set TMPDIR to a folder that can be written");
      break;
    }
    const bool whole = fwrite(room, 1, size, f) == size && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (fclose(f) != 0 || rename(other, path) != 0 || !whole)
      bench_fail(state, "the file could not be written whole; set TMPDIR to a folder with room");
    bench_time(state, pgb_clock() - start);
    bytes += (double)size;
  }
  bench_bytes(state, bytes);
  (void)unlink(path);
  free(room);
  pgb_study_destroy(study);
}

void ranks_add(const bench_limits *limits) {
  static const struct {
    size_t n;
    long iterations;
  } sizes[] = {{128, 200}, {2048, 200}, {32768, 50}, {524288, 10}};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  static reduction tasks[SIZES];
  for (size_t i = 0; i < SIZES; i++) {
    char name[96];
    tasks[i] = (reduction){.limits = limits, .n = sizes[i].n};
    (void)snprintf(name, sizeof name, "reduce/%zu_bytes/ranks_%d", sizes[i].n * sizeof(double),
                   pgb_comm_size(limits->comm));
    bench_add_fixed(name, combine_body, &tasks[i], sizes[i].iterations);
    (void)snprintf(name, sizeof name, "reduce/%zu_bytes/one_copy", sizes[i].n * sizeof(double));
    bench_add_fixed(name, copy_body, &tasks[i], sizes[i].iterations);
  }
  bench_add_fixed("file/default_study/hdf5", file_body, (void *)(uintptr_t)limits, 5);
  bench_add_fixed("file/default_study/plain_bytes", raw_body, (void *)(uintptr_t)limits, 5);
}
