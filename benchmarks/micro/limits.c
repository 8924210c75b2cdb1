/* SPDX-License-Identifier: MIT */
/* Lane functions (random words, vmath) beside their scalar twins, and the machine's own limits: multiply-add
 * in registers, reading, writing and the triad in each level of memory. */
#include "bodies.h"
#include "case.h"
#include "core/dispatch.h"
#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

PGB_DECLARE_KERNEL(const lane_work, lane_works, []);
PGB_DECLARE_KERNEL(const lane_work, lane_twins, []);
PGB_DECLARE_KERNEL(const stream_work, stream_works, []);

static const lane_work *const works[PGB_ISA_COUNT] = PGB_DISPATCH(lane_works);
static const stream_work *const streams[PGB_ISA_COUNT] = PGB_DISPATCH(stream_works);

/* Total sizes: within the first and second level of any recent machine, beyond its second, beyond the last
 * (three arrays of 256 MiB). */
static const struct {
  const char *name;
  size_t bytes;
} levels[] = {{"L1", 24 << 10}, {"L2", 384 << 10}, {"L3", 12 << 20}, {"memory", (size_t)768 << 20}};
enum { L1, L2, L3, MEMORY, LEVELS, STREAMS = 3, MAX = 16 };

static double processor_seconds(void) {
  struct timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

/* Floats in (1/64, 1], all different in their bits: as good as random words, and arguments that no library
 * has a short way for. */
static void *room_of(size_t bytes) {
  void *room = NULL;
  bench_require(pgb_alloc(bytes, 1, &room));
  float *x = room;
  uint32_t w = 1;
  for (size_t i = 0; i < bytes / sizeof *x; i++) {
    w = w * 1664525u + 1013904223u; /* Numerical Recipes */
    x[i] = (float)((w >> 8) + (1u << 18)) * 0x1p-25f;
  }
  return room;
}

static void lane_body(bench_state *state, void *argument) {
  const lane_work *work = argument;
  void *room = room_of(LANE_ROOM);
  double units = 0;
  while (bench_next(state)) {
    work->run(room);
    bench_use(room);
    units += work->units;
  }
  bench_rate(state, work->unit, units);
  free(room);
}

typedef struct stream_task {
  const stream_work *work;
  size_t bytes;
} stream_task;

static void stream_body(bench_state *state, void *argument) {
  const stream_task *t = argument;
  void *room = room_of(t->bytes);
  double bytes = 0;
  while (bench_next(state)) {
    t->work->run(room, t->bytes);
    bench_use(room);
    bytes += (double)t->bytes;
  }
  bench_bytes(state, bytes);
  free(room);
}

static void run_once(const lane_work *work, stream_run *stream, void *room, size_t bytes) {
  if (work != NULL)
    work->run(room);
  else
    stream(room, bytes);
  bench_use(room);
}

/* Best of many short tries: a limit is what an undisturbed core can do. */
static double best_rate(const lane_work *work, stream_run *stream, size_t bytes) {
  enum { TRIES = 100, RUNS = 64 };
  void *room = room_of(bytes > LANE_ROOM ? bytes : LANE_ROOM);
  double best = 0;
  for (int try = 0; try < TRIES; try++) {
    const double start = processor_seconds();
    for (int k = 0; k < RUNS; k++)
      run_once(work, stream, room, bytes);
    const double rate = RUNS * (work != NULL ? work->units : (double)bytes) / (processor_seconds() - start);
    best = rate > best ? rate : best;
  }
  free(room);
  return best;
}

void limits_measure(bench_limits *limits) {
  char text[64];
  limits->fma = best_rate(&works[limits->best][0], NULL, 0);
  limits->l1 = best_rate(NULL, streams[limits->best][0].run, levels[L1].bytes);
  limits->l2 = best_rate(NULL, streams[limits->best][0].run, levels[L2].bytes);
  (void)snprintf(text, sizeof text, "%.1f GFLOP/s", limits->fma * 1e-9);
  bench_context("limit_fma", text);
  (void)snprintf(text, sizeof text, "%.1f GB/s", limits->l1 * 1e-9);
  bench_context("limit_L1_read", text);
  (void)snprintf(text, sizeof text, "%.1f GB/s", limits->l2 * 1e-9);
  bench_context("limit_L2_read", text);
}

static void add_lane(const lane_work *work, const char *how) {
  char name[96];
  (void)snprintf(name, sizeof name, "lanes/%s/%s", work->name, how);
  bench_add(name, lane_body, (void *)(uintptr_t)work);
}

void lanes_add(const bench_limits *limits) {
  static stream_task tasks[LEVELS][STREAMS];
  for (size_t i = 0; i < MAX && lane_twins_none[i].name != NULL; i++)
    add_lane(&lane_twins_none[i], "scalar_twin");
  for (int isa = 0; isa <= (int)limits->best; isa++)
    for (size_t i = 0; i < MAX && pgb_isa_supported((pgb_isa)isa) && works[isa][i].name != NULL; i++)
      add_lane(&works[isa][i], pgb_isa_name((pgb_isa)isa));
  for (size_t level = 0; level < LEVELS; level++)
    for (size_t i = 0; i < STREAMS; i++) {
      char name[96];
      tasks[level][i] = (stream_task){.work = &streams[limits->best][i], .bytes = levels[level].bytes};
      (void)snprintf(name, sizeof name, "limit/%s_%s/%s", levels[level].name, streams[limits->best][i].name,
                     pgb_isa_name(limits->best));
      bench_add(name, stream_body, &tasks[level][i]);
    }
}
