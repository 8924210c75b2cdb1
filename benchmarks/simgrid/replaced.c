/* SPDX-License-Identifier: MIT */
/* In the place of src/study/measure.c, plan.c, pilot.c and of the oracle: the same interfaces, but time
 * passes where these compute. */
#include "sim.h"

#include "core/clock.h"
#include "stats/stats.h"
#include "study/measure.h"
#include "study/pilot.h"
#include "study/predict.h"

#include <mpi.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- clock.c ---- */

double pgb_clock(void) {
  return MPI_Wtime();
}

double pgb_cpu_clock(void) {
  return MPI_Wtime();
}

/* ---- measure.c ---- */

struct pgb_measure {
  const pgb_study *study;
  size_t n_pairs, d;
  double *g;
};

pgb_status pgb_measure_create(const pgb_cell *cell, const pgb_plan *plan, const pgb_study *study, pgb_isa isa,
                              pgb_measure **out) {
  void *room = NULL;
  (void)isa;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_measure), &room));
  pgb_measure *m = room;
  *m = (pgb_measure){.study = study, .n_pairs = plan->n_pairs, .d = cell->actor.shape.n_theta};
  const pgb_status s = pgb_alloc(m->d, sizeof(double), (void *)&m->g);
  if (s.code != PGB_OK)
    free(m);
  else
    *out = m;
  return s;
}

void pgb_measure_destroy(pgb_measure *m) {
  if (m != NULL)
    free(m->g);
  free(m);
}

void pgb_measure_watch(pgb_measure *m, int (*stop)(void *self), void *self) {
  (void)m;
  (void)stop;
  (void)self;
}

size_t pgb_measure_stride(const pgb_study *study, const pgb_cell *cell) {
  return study->n_estimators * study->n_baselines * pgb_block_size(cell->actor.shape.n_theta) +
         PGB_SLOT_COUNT;
}

double pgb_measure_bytes(const pgb_study *study, const pgb_cell *cell) {
  (void)study;
  (void)cell;
  return 0; /* in the measured peak already, see main.c */
}

/* Some bits of where a block is (splitmix64's mixing function). */
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/* About normal: the sum of twelve uniform numbers. */
static double normal(uint64_t key) {
  double sum = -6;
  for (uint64_t i = 0; i < 12; i++)
    sum += (double)(mix(key + i) >> 11) * 0x1p-53;
  return sum;
}

/* Steps of so many episodes: their lengths differ from block to block, and that is what ranks wait for. */
static double steps_of(double episodes, uint64_t key) {
  return sim.steps / sim.episodes * (episodes + sim.spread * sqrt(episodes) * normal(key));
}

/* Replicates [first, end) into slots. */
static void measure(pgb_measure *m, size_t cell, size_t batch, uint64_t size, uint64_t first, uint64_t end,
                    double *slots, pgb_phase_times *times) {
  enum { SAMPLES = 2 }; /* which stand for all: enough that no figure is NaN */
  const double episodes = (double)((end - first) * size);
  const double steps = steps_of(episodes, mix(first << 20 | cell << 4 | batch));
  const size_t block = pgb_block_size(m->d);
  double *figures = slots + m->n_pairs * block;
  for (size_t k = 0; k < m->n_pairs; k++)
    for (uint64_t i = 0; i < SAMPLES; i++) {
      for (size_t j = 0; j < m->d; j++)
        m->g[j] = (double)(mix(first + (i << 40) + j) >> 11) * 0x1p-53;
      pgb_block_add(PGB_ISA_NONE)(slots + k * block, m->d, m->g);
    }
  figures[PGB_SLOT_EPISODES] += episodes;
  figures[PGB_SLOT_RETURN_MEAN] = 1;
  figures[PGB_SLOT_STEPS] += steps;
  times->rollout += steps / sim.steps * sim.roll_seconds;
  times->gradient += steps / sim.steps * sim.grad_seconds;
  sim_pass(steps / sim.steps * (sim.roll_seconds + sim.grad_seconds));
}

void pgb_measure_pieces(pgb_measure *m, size_t cell, size_t batch, uint64_t first, uint64_t end,
                        pgb_piece_fn *next, void *self, pgb_phase_times *times) {
  for (pgb_piece piece; first < end; first = piece.end) {
    next(self, first, &piece);
    measure(m, cell, batch, m->study->batches[batch], first, piece.end, piece.slots, times);
  }
}

void pgb_measure_span(pgb_measure *m, size_t cell, size_t batch, uint64_t size, uint64_t first, uint64_t end,
                      double *slots, pgb_phase_times *times) {
  measure(m, cell, batch, size, first, end, slots, times);
}

/* As in measure.c, but for the variance of the returns. */
void pgb_measure_merge(const pgb_study *study, const pgb_cell *cell, double *slots, const double *next) {
  const size_t d = cell->actor.shape.n_theta;
  const size_t pairs = study->n_estimators * study->n_baselines;
  for (size_t k = 0; k < pairs; k++)
    pgb_block_merge(slots + k * pgb_block_size(d), d, next + k * pgb_block_size(d));
  double *a = slots + pairs * pgb_block_size(d);
  const double *b = next + pairs * pgb_block_size(d);
  a[PGB_SLOT_STEPS] += b[PGB_SLOT_STEPS];
  a[PGB_SLOT_EPISODES] += b[PGB_SLOT_EPISODES];
  a[PGB_SLOT_RETURN_MEAN] = 1;
  sim_pass((double)pgb_measure_stride(study, cell) * sim.thin * sim.word_seconds);
}

/* ---- pilot.c: the sample in chunks, one for each rank, whose sums all ranks get ---- */

enum {
  CHUNK = 2 * PGB_LANES,
  WAVE_WORDS = 1 << 16,
  LINEAR = 110
}; /* as in pilot.c; words of the linear fit, about */

struct pgb_pilot {
  double *sums, *all;
  size_t n, most;
  double episodes, each;
};

pgb_status pgb_pilot_open(const pgb_study *study, size_t cell, pgb_oracle *oracle, pgb_isa isa,
                          pgb_arena *arena, pgb_pilot **out) {
  const size_t n =
      1 + (size_t)(sim.roll_fits * LINEAR + sim.full_fits * 2 * floor(sim.parameters / sim.thin));
  void *room = NULL;
  void *sums = NULL;
  (void)cell;
  (void)oracle;
  (void)isa;
  *out = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 2 * n + WAVE_WORDS, sizeof(double), &sums));
  PGB_TRY(pgb_alloc(1, sizeof(pgb_pilot), &room));
  *out = room;
  **out = (pgb_pilot){.sums = sums,
                      .all = (double *)sums + n,
                      .n = n,
                      .most = n < WAVE_WORDS ? WAVE_WORDS / n : 1,
                      .episodes = (double)study->pilot,
                      .each = (sim.roll_seconds + (sim.full_fits > 0 ? sim.grad_seconds : 0)) / sim.episodes};
  return pgb_ok();
}

void pgb_pilot_close(pgb_pilot *pilot) {
  free(pilot);
}

double *pgb_pilot_sums(const pgb_pilot *p, size_t *n) {
  *n = p->n;
  return p->sums;
}

pgb_status pgb_pilot_run(pgb_pilot *p, pgb_comm *comm, const pgb_pilot_watch *watch) {
  const size_t ranks = (size_t)pgb_comm_size(comm);
  const size_t rank = (size_t)pgb_comm_rank(comm);
  for (double done = 0; done < p->episodes; done += (double)(ranks * CHUNK)) {
    const double left = fmin(CHUNK, p->episodes - done - (double)(rank * CHUNK));
    const double chunks = fmin((double)ranks, ceil((p->episodes - done) / CHUNK));
    if (left > 0)
      sim_pass(left * p->each);
    PGB_TRY(watch->pause(watch->self));
    for (size_t from = 0; ranks > 1 && from < (size_t)chunks; from += p->most) {
      const size_t n = (size_t)chunks - from < p->most ? (size_t)chunks - from : p->most;
      memset(p->all, 0, n * p->n * sizeof *p->all);
      PGB_TRY(pgb_comm_agree(comm, pgb_comm_combine(comm, p->all, n * p->n)));
    }
  }
  p->sums[0] = p->episodes;
  return pgb_ok();
}

/* ---- plan.c ---- */

pgb_status pgb_plan_begin(const pgb_study *study, size_t cell, pgb_isa isa, pgb_arena *arena, pgb_plan *out,
                          pgb_pilot **pilot) {
  *out = (pgb_plan){.n_pairs = study->n_estimators * study->n_baselines,
                    .problem = {.n_theta = study->cells[cell].actor.shape.n_theta}};
  return pgb_pilot_open(study, cell, NULL, isa, arena, pilot);
}

pgb_status pgb_plan_end(const pgb_study *study, size_t cell, const pgb_pilot *pilot, pgb_arena *arena,
                        pgb_plan *out) {
  void *room = NULL;
  (void)study;
  (void)cell;
  (void)pilot;
  PGB_TRY(pgb_arena_alloc(arena, out->n_pairs, sizeof(pgb_plan_pair), &room));
  pgb_plan_pair *pairs = room;
  for (size_t k = 0; k < out->n_pairs; k++)
    pairs[k] = (pgb_plan_pair){.defined = true, .reason = ""};
  out->pairs = pairs;
  return pgb_ok();
}

pgb_status pgb_plan_create(const pgb_study *study, size_t cell, pgb_isa isa, pgb_comm *comm, pgb_arena *arena,
                           pgb_plan *out) {
  (void)comm;
  (void)study;
  (void)cell;
  (void)isa;
  (void)arena;
  (void)out;
  return pgb_fail(PGB_RUNTIME, "simgrid: a study that is not run is not simulated; run it");
}

uint64_t pgb_plan_hash(const pgb_plan *plan) {
  return plan->n_pairs;
}

/* ---- The oracle: CartPole has none ---- */

const char *pgb_oracle_name(const pgb_oracle *oracle) {
  (void)oracle;
  return "none";
}

bool pgb_oracle_gradient(const pgb_oracle *oracle, double *j, double *gradient) {
  (void)oracle;
  (void)j;
  (void)gradient;
  return false;
}

bool pgb_oracle_moments(const pgb_oracle *oracle, const pgb_pair *pair, size_t batch, double *mean,
                        double *variance) {
  (void)oracle;
  (void)pair;
  (void)batch;
  (void)mean;
  (void)variance;
  return false;
}
