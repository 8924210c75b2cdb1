/* SPDX-License-Identifier: MIT */
#include "study/run.h"

#include "core/clock.h"
#include "stats/stats.h"
#include "study/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const pgb_phase_names[PGB_PHASE_COUNT] = {"rollout", "gradient", "reduce", "io", "wait"};

typedef struct runner {
  const pgb_study *study;
  const pgb_run_options *options;
  pgb_comm *comm;
  const pgb_observer *observer;
  double seconds[PGB_PHASE_COUNT];
  double done, work, steps; /* episodes of this rank done and to do; steps */
} runner;

static bool is_root(const runner *r) {
  return pgb_comm_rank(r->comm) == 0;
}

/* Block b of the phase belongs to rank (b + shift) mod size, shifted from phase to phase so that ranks share
 * evenly. */
static bool mine(const runner *r, size_t b, size_t shift) {
  return (b + shift) % (size_t)pgb_comm_size(r->comm) == (size_t)pgb_comm_rank(r->comm);
}

/* Waits for all, so that the time of the sum itself is told apart, then sums. */
static pgb_status combine(runner *r, double *slots, size_t n) {
  const double start = pgb_clock();
  PGB_TRY(pgb_comm_barrier(r->comm));
  const double all_here = pgb_clock();
  r->seconds[PGB_PHASE_WAIT] += all_here - start;
  pgb_status s = pgb_comm_combine(r->comm, slots, n);
  r->seconds[PGB_PHASE_REDUCE] += pgb_clock() - all_here;
  return s;
}

static void measure_blocks(runner *r, size_t cell, size_t batch, pgb_measure *measure, double *slots,
                           size_t stride, double *gradients) {
  const size_t n_blocks = pgb_block_count(r->study->replicates, stride);
  const size_t d = r->study->cells[cell].actor.shape.n_theta;
  const size_t n_pairs = r->study->n_estimators * r->study->n_baselines;
  pgb_phase_times times = {0, 0};
  for (size_t b = 0; b < n_blocks; b++) {
    if (!mine(r, b, cell + batch))
      continue;
    uint64_t first = 0;
    uint64_t end = 0;
    pgb_block_range(r->study->replicates, stride, b, &first, &end);
    double *out = gradients == NULL ? NULL : gradients + first * n_pairs * d;
    pgb_measure_block(measure, cell, batch, first, end, slots + b * stride, out, &times);
    r->done += (double)((end - first) * r->study->batches[batch]);
    r->steps += slots[(b + 1) * stride - PGB_SLOT_COUNT + PGB_SLOT_STEPS];
    if (r->observer->progress != NULL)
      r->observer->progress(r->observer->self, r->work > 0 ? r->done / r->work : 1, r->steps);
  }
  r->seconds[PGB_PHASE_ROLLOUT] += times.rollout;
  r->seconds[PGB_PHASE_GRADIENT] += times.gradient;
}

typedef struct cell_room {
  pgb_plan plan;
  pgb_measure *measure;
  double *slots;      /* [blocks][stride] */
  double *scratch;    /* of pgb_result_measured */
  double **gradients; /* [N], or NULL */
} cell_room;

/* Everything of one cell and batch size. */
static pgb_status run_batch(runner *r, size_t cell, size_t batch, const cell_room *room,
                            pgb_cell_result *result) {
  const size_t stride = pgb_measure_stride(r->study, &r->study->cells[cell]);
  const size_t n_blocks = pgb_block_count(r->study->replicates, stride);
  double *gradients = room->gradients == NULL ? NULL : room->gradients[batch];
  memset(room->slots, 0, n_blocks * stride * sizeof *room->slots);
  measure_blocks(r, cell, batch, room->measure, room->slots, stride, gradients);
  PGB_TRY(combine(r, room->slots, n_blocks * stride));
  if (gradients != NULL)
    PGB_TRY(combine(r, gradients, r->study->replicates * room->plan.n_pairs * room->plan.problem.n_theta));
  if (is_root(r))
    pgb_result_measured(r->study, cell, batch, &room->plan, room->slots, n_blocks, room->scratch, result);
  return pgb_ok();
}

/* Exact figures, dealt to the ranks pair by pair. */
static pgb_status exact_cell(runner *r, size_t cell, const pgb_plan *plan, pgb_arena *arena,
                             pgb_cell_result *result) {
  const size_t d = plan->problem.n_theta;
  const size_t n = plan->n_pairs * r->study->n_batches;
  void *exact = NULL;
  PGB_TRY(pgb_comm_agree(r->comm, pgb_arena_alloc(arena, n * 2 * d, sizeof(double), &exact)));
  for (size_t at = 0; at < n; at++)
    if (mine(r, at / r->study->n_batches, 0))
      pgb_exact_pair(r->study, plan, at / r->study->n_batches, at % r->study->n_batches,
                     result->exact_gradient, (double *)exact + at * 2 * d);
  PGB_TRY(pgb_comm_agree(r->comm, pgb_arena_sufficed(arena)));
  PGB_TRY(combine(r, exact, n * 2 * d));
  if (is_root(r))
    pgb_result_exact(r->study, cell, exact, result);
  return pgb_ok();
}

static pgb_status open_cell(runner *r, size_t cell, pgb_arena *arena, cell_room *room,
                            pgb_cell_result *result) {
  const pgb_study *study = r->study;
  const pgb_cell *c = &study->cells[cell];
  void *slots = NULL;
  void *scratch = NULL;
  void *table = NULL;
  PGB_TRY(pgb_plan_create(study, cell, r->options->isa, arena, &room->plan));
  PGB_TRY(pgb_measure_create(c, &room->plan, study, r->options->isa, &room->measure));
  const size_t stride = pgb_measure_stride(study, c);
  const size_t n_blocks = pgb_block_count(study->replicates, stride);
  PGB_TRY(pgb_arena_alloc(arena, n_blocks * stride, sizeof(double), &slots));
  PGB_TRY(pgb_arena_alloc(arena, 2 * n_blocks * pgb_block_size(c->actor.shape.n_theta), sizeof(double),
                          &scratch));
  room->slots = slots;
  room->scratch = scratch;
  result->oracle = pgb_oracle_name(room->plan.oracle);
  (void)pgb_oracle_gradient(room->plan.oracle, &result->exact_return, result->exact_gradient);
  if (!r->options->save_gradients)
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, study->n_batches, sizeof(double *), &table));
  room->gradients = table;
  for (size_t n = 0; n < study->n_batches; n++) {
    void *piece = NULL;
    PGB_TRY(pgb_arena_alloc(arena, study->replicates * room->plan.n_pairs * room->plan.problem.n_theta,
                            sizeof(double), &piece));
    room->gradients[n] = piece;
  }
  return pgb_ok();
}

/* Every rank planned for itself: a rank whose oracle ran out of memory must not measure something else. */
static pgb_status agree_plan(runner *r, const pgb_plan *plan) {
  const uint64_t mine = pgb_plan_hash(plan);
  uint64_t first = mine;
  PGB_TRY(pgb_comm_broadcast(r->comm, &first, sizeof first));
  return pgb_comm_agree(r->comm, first == mine
                                     ? pgb_ok()
                                     : pgb_fail(PGB_RUNTIME,
                                                "memory: a rank could not compute what the first one could; "
                                                "run fewer ranks on a node"));
}

static pgb_status run_cell(runner *r, size_t cell, pgb_cell_result *result) {
  pgb_arena *arena = NULL;
  cell_room room = {.measure = NULL};
  pgb_status s = pgb_arena_create(&arena);
  if (s.code == PGB_OK)
    s = open_cell(r, cell, arena, &room, result);
  s = pgb_comm_agree(r->comm, s);
  if (s.code == PGB_OK)
    s = agree_plan(r, &room.plan);
  if (s.code == PGB_OK)
    s = exact_cell(r, cell, &room.plan, arena, result);
  for (size_t n = 0; n < r->study->n_batches && s.code == PGB_OK; n++)
    s = run_batch(r, cell, n, &room, result);

  if (s.code == PGB_OK) {
    const double start = pgb_clock();
    pgb_status stored = pgb_ok();
    if (is_root(r) && r->observer->cell != NULL)
      stored = r->observer->cell(r->observer->self, cell, result, room.gradients);
    r->seconds[PGB_PHASE_IO] += pgb_clock() - start;
    s = pgb_comm_agree(r->comm, stored);
  }
  pgb_measure_destroy(room.measure);
  pgb_arena_destroy(arena);
  return s;
}

static double own_work(const runner *r) {
  double work = 0;
  for (size_t c = 0; c < r->study->n_cells; c++) {
    const size_t stride = pgb_measure_stride(r->study, &r->study->cells[c]);
    const size_t n_blocks = pgb_block_count(r->study->replicates, stride);
    for (size_t n = 0; n < r->study->n_batches; n++)
      for (size_t b = 0; b < n_blocks; b++) {
        uint64_t first = 0;
        uint64_t end = 0;
        pgb_block_range(r->study->replicates, stride, b, &first, &end);
        if (mine(r, b, c + n))
          work += (double)((end - first) * r->study->batches[n]);
      }
  }
  return work;
}

static pgb_status create_results(const runner *r, pgb_arena *arena, pgb_run_result *out) {
  void *cells = NULL;
  void *seconds = NULL;
  PGB_TRY(pgb_arena_alloc(arena, r->study->n_cells, sizeof(pgb_cell_result), &cells));
  PGB_TRY(pgb_arena_alloc(arena, (size_t)pgb_comm_size(r->comm) * PGB_PHASE_COUNT, sizeof(double), &seconds));
  out->cells = cells;
  out->seconds = seconds;
  for (size_t c = 0; c < r->study->n_cells; c++)
    PGB_TRY(pgb_result_create(r->study, &r->study->cells[c], arena, &out->cells[c]));
  return pgb_ok();
}

pgb_status pgb_run(const pgb_study *study, const pgb_run_options *options, pgb_comm *comm,
                   const pgb_observer *observer, pgb_arena *arena, pgb_run_result *out) {
  runner r = {.study = study, .options = options, .comm = comm, .observer = observer};
  const double start = pgb_clock();
  r.work = own_work(&r);
  PGB_TRY(pgb_comm_agree(comm, create_results(&r, arena, out)));
  for (size_t c = 0; c < study->n_cells; c++)
    PGB_TRY(run_cell(&r, c, &out->cells[c]));
  if (is_root(&r)) {
    out->verdict = pgb_judge(study, out->cells);
    for (size_t c = 0; c < study->n_cells; c++)
      for (size_t n = 0; n < study->n_batches; n++)
        out->steps += out->cells[c].roll[PGB_STEPS][n];
  }
  out->elapsed = pgb_clock() - start;
  return pgb_comm_gather(comm, r.seconds, PGB_PHASE_COUNT, out->seconds);
}

pgb_estimate pgb_run_estimate(const pgb_study *study, const pgb_run_options *options) {
  pgb_estimate e = {0, 0, 0, 0, 0};
  const double pairs = (double)(study->n_estimators * study->n_baselines);
  double batches = 0;
  double largest = 0;
  for (size_t n = 0; n < study->n_batches; n++)
    batches += (double)study->batches[n];
  for (size_t c = 0; c < study->n_cells; c++) {
    const pgb_cell *cell = &study->cells[c];
    const double d = (double)cell->actor.shape.n_theta;
    const size_t stride = pgb_measure_stride(study, cell);
    const double blocks = (double)pgb_block_count(study->replicates, stride);
    const double slots = 8 * blocks * (double)stride;
    const double figures = 8 * pairs * (double)study->n_batches * (PGB_FIGURE_COUNT + PGB_VECTOR_COUNT * d);
    const double saved =
        options->save_gradients ? 8 * pairs * (double)(study->n_batches * study->replicates) * d : 0;
    /* Slots, twice one pair's blocks, exact figures, and the working memory of rollouts and contraction. */
    const double bytes = slots + 2 * slots / pairs + 16 * pairs * (double)study->n_batches * d + saved +
                         pgb_measure_bytes(study, cell);
    largest = fmax(largest, bytes);
    e.bytes_per_rank += figures; /* results stay until the end */
    e.file_bytes += figures + saved;
    e.episodes += (double)study->replicates * batches;
    e.max_steps += (double)study->replicates * batches * (double)cell->actor.space.horizon;
    e.blocks += blocks * (double)study->n_batches;
  }
  e.bytes_per_rank += largest;
  return e;
}
