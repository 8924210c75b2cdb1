/* SPDX-License-Identifier: MIT */
#include "study/predict.h"

#include "core/clock.h"
#include "study/result.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PIECES of a batch size are timed, of which the median counts; COMBINED words are summed over the ranks to
 * see what a word takes; FEW blocks are summarised to see what one takes. */
enum { PIECES = 3, COMBINED = 1 << 16, FEW = 32 };

int pgb_node_cores(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > 1 << 20 ? 1 << 20 : (int)n;
}

/* How many ranks share a core. */
static double ranks_per_core(const pgb_comm *comm) {
  const double ranks = ceil((double)pgb_comm_size(comm) / pgb_comm_nodes(comm));
  return fmax(1, ranks / pgb_node_cores());
}

typedef struct piece {
  double seconds, episodes, steps;
} piece;

/* Doubles that a block of replicates returns. */
static size_t stride_of(const pgb_sample *s) {
  return pgb_measure_stride(s->study, &s->study->cells[s->cell]);
}

static piece run_piece(const pgb_sample *s, size_t batch, uint64_t size, uint64_t first, uint64_t n) {
  const size_t stride = stride_of(s);
  pgb_phase_times times = {0, 0};
  memset(s->slots, 0, stride * sizeof *s->slots);
  const double start = pgb_cpu_clock();
  pgb_measure_span(s->measure, s->cell, batch, size, first, first + n, s->slots, &times);
  return (piece){.seconds = pgb_cpu_clock() - start,
                 .episodes = (double)(size * n),
                 .steps = s->slots[stride - PGB_SLOT_COUNT + PGB_SLOT_STEPS]};
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Seconds and steps per episode of one batch size. The pieces grow until one takes long enough to be timed,
 * or is a whole block: a large batch is known by smaller ones. Ranks take different episodes. */
static pgb_status sample_batch(const pgb_sample *s, size_t batch, int rank, piece *out) {
  uint64_t from = 0;
  uint64_t block = 0;
  pgb_block_range(s->study->replicates, stride_of(s), 0, &from, &block);
  const uint64_t whole = s->study->batches[batch];
  uint64_t size = 0;
  uint64_t n = 0;
  piece p = {0, 0, 0};
  for (uint64_t episodes = PGB_LANES;; episodes *= 2) {
    size = episodes < whole ? episodes : whole;
    n = episodes / size < block ? episodes / size : block;
    p = run_piece(s, batch, size, 0, n);
    if (p.seconds >= s->least || (size == whole && n == block))
      break;
  }
  double rate[PIECES] = {p.seconds / p.episodes};
  const uint64_t room = s->study->replicates - n + 1;
  piece sum = p;
  for (int i = 1; i < PIECES; i++) {
    if (s->pause != NULL)
      PGB_TRY(s->pause(s->self));
    p = run_piece(s, batch, size, (uint64_t)(rank * PIECES + i) * n % room, n);
    rate[i] = p.seconds / p.episodes;
    sum.steps += p.steps;
    sum.episodes += p.episodes;
  }
  qsort(rate, PIECES, sizeof *rate, by_value);
  *out = (piece){.seconds = rate[PIECES / 2], .episodes = 1, .steps = sum.steps / sum.episodes};
  return s->pause != NULL ? s->pause(s->self) : pgb_ok();
}

/* Blocks that stand for all. */
static size_t few_blocks(const pgb_study *study, size_t cell) {
  const size_t n = pgb_block_count(study->replicates, pgb_measure_stride(study, &study->cells[cell]));
  return n < FEW ? n : FEW;
}

size_t pgb_sample_scratch(const pgb_study *study, size_t cell) {
  const size_t n = 2 * few_blocks(study, cell) * pgb_block_size(study->cells[cell].actor.shape.n_theta);
  return n > COMBINED ? n : COMBINED;
}

/* Rank 0's figures of one batch size, from those of some blocks of one pair: each stands in for the one that
 * was sampled last. */
static double sample_figures(const pgb_sample *s) {
  const size_t d = s->study->cells[s->cell].actor.shape.n_theta;
  const size_t size = pgb_block_size(d);
  const double n_blocks = (double)pgb_block_count(s->study->replicates, stride_of(s));
  const size_t few = few_blocks(s->study, s->cell);
  size_t defined = 0;
  size_t shown = s->plan->n_pairs;
  for (size_t k = 0; k < s->plan->n_pairs; k++)
    if (s->plan->pairs[k].defined) {
      shown = shown < k ? shown : k;
      defined++;
    }
  if (defined == 0)
    return 0;
  double *own = s->scratch;
  double *none = own + few * size;
  double ratio[3];
  pgb_summary summary;
  for (size_t b = 0; b < few; b++) {
    memcpy(own + b * size, s->slots + shown * size, size * sizeof *own);
    memcpy(none + b * size, s->slots + shown * size, size * sizeof *none);
  }
  const double start = pgb_cpu_clock();
  const pgb_blocks a = {own, few, size, d};
  const pgb_blocks b = {none, few, size, d};
  pgb_summarise(a, s->sums, s->sums + d, &summary);
  pgb_ratio(a, b, &ratio[0], &ratio[1], &ratio[2]);
  return (pgb_cpu_clock() - start) * (double)defined * n_blocks / (double)few;
}

/* What it takes to join one batch size's blocks over the ranks. */
static pgb_status sample_combine(const pgb_sample *s, pgb_comm *comm, double *seconds) {
  const pgb_cell *cell = &s->study->cells[s->cell];
  const size_t n_blocks = pgb_block_count(s->study->replicates, stride_of(s));
  const size_t room = n_blocks * pgb_measure_stride(s->study, cell);
  const size_t n = room < COMBINED ? room : COMBINED;
  memset(s->scratch, 0, n * sizeof *s->scratch);
  double taken = 0;
  pgb_status failed = pgb_ok();
  for (int i = 0; i < 2; i++) { /* the first one warms up */
    const pgb_status met = pgb_comm_barrier(comm);
    const double start = pgb_cpu_clock();
    const pgb_status joined = pgb_comm_combine(comm, s->scratch, n);
    taken = pgb_cpu_clock() - start;
    failed = failed.code != PGB_OK ? failed : met.code != PGB_OK ? met : joined;
  }
  PGB_TRY(pgb_comm_agree(comm, failed));
  const double words = (double)n_blocks * (double)pgb_measure_stride(s->study, cell);
  *seconds = taken * ranks_per_core(comm) * words / (double)n;
  return pgb_ok();
}

/* Sums over ranks, divided by their number; on rank 0. */
static pgb_status average(pgb_comm *comm, double *values, size_t n) {
  const size_t ranks = (size_t)pgb_comm_size(comm);
  void *all = NULL;
  pgb_status s = pgb_comm_agree(comm, pgb_alloc(ranks * n, sizeof(double), &all));
  if (s.code == PGB_OK)
    s = pgb_comm_agree(comm, pgb_comm_gather(comm, values, n, all));
  for (size_t i = 0; i < n && s.code == PGB_OK && pgb_comm_rank(comm) == 0; i++) {
    double sum = 0;
    for (size_t r = 0; r < ranks; r++)
      sum += ((const double *)all)[r * n + i];
    values[i] = sum / (double)ranks;
  }
  free(all);
  return s;
}

pgb_status pgb_predict_cell(const pgb_sample *s, pgb_comm *comm, pgb_cell_timing *out) {
  assert(s->least > 0);
  const double ranks = pgb_comm_size(comm);
  const double blocks = (double)pgb_block_count(s->study->replicates, stride_of(s));
  const double pieces = blocks * (double)pgb_piece_count(s->study->replicates, stride_of(s));
  const double busiest = ceil(pieces / ranks) / pieces; /* share of the rank with the most of them */
  const double crowd = ranks_per_core(comm);
  const size_t n_batches = s->study->n_batches;
  double other[2] = {s->known * crowd, 0};
  *out = (pgb_cell_timing){
      .cost = pgb_cost_cell(s->study, s->cell, s->plan), .pairs = out->pairs, .seconds = NAN};
  for (size_t k = 0; k < s->plan->n_pairs; k++)
    out->pairs[k] = pgb_cost_pair(s->study, s->cell, s->plan, k);
  for (size_t n = 0; n < n_batches; n++) {
    piece p;
    PGB_TRY(sample_batch(s, n, pgb_comm_rank(comm), &p));
    double mine[2] = {p.seconds, p.steps};
    PGB_TRY(average(comm, mine, 2));
    const double episodes = (double)s->study->batches[n] * (double)s->study->replicates;
    const double steps = episodes * mine[1];
    const pgb_cost c = pgb_cost_per_step(&out->cost, (double)s->study->batches[n], mine[1]);
    out->predicted_seconds += mine[0] * episodes * busiest * crowd;
    out->predicted_steps += steps;
    out->step_flops += steps * c.flops;
    out->step_bytes += steps * c.bytes;
    out->step_words += steps * c.words;
  }
  out->step_flops /= out->predicted_steps;
  out->step_bytes /= out->predicted_steps;
  out->step_words /= out->predicted_steps;
  double once = 0;
  const double figures = sample_figures(s);
  PGB_TRY(sample_combine(s, comm, &once));
  other[1] = (figures + once) * (double)n_batches;
  PGB_TRY(average(comm, other, 2));
  out->other_seconds = other[0] + other[1];
  out->predicted_seconds += out->other_seconds;
  return pgb_ok();
}

pgb_status pgb_timing_create(const pgb_study *study, pgb_arena *arena, pgb_cell_timing **out) {
  void *timing = NULL;
  PGB_TRY(pgb_arena_alloc(arena, study->n_cells, sizeof(pgb_cell_timing), &timing));
  *out = timing;
  for (size_t c = 0; c < study->n_cells; c++) {
    void *pairs = NULL;
    PGB_TRY(pgb_arena_alloc(arena, study->n_estimators * study->n_baselines, sizeof(pgb_pair_cost), &pairs));
    (*out)[c] = (pgb_cell_timing){.pairs = pairs,
                                  .step_flops = NAN,
                                  .step_bytes = NAN,
                                  .step_words = NAN,
                                  .predicted_steps = NAN,
                                  .predicted_seconds = NAN,
                                  .other_seconds = NAN,
                                  .seconds = NAN};
  }
  return pgb_ok();
}

pgb_predicted pgb_predicted_total(const pgb_cell_timing *cells, size_t n) {
  pgb_predicted p = {0, 0, 0, 0};
  for (size_t c = 0; c < n; c++) {
    if (isnan(cells[c].predicted_seconds)) /* not sampled by this launch */
      continue;
    p.seconds += cells[c].predicted_seconds;
    p.other_seconds += cells[c].other_seconds;
    p.steps += cells[c].predicted_steps;
  }
  p.steps_per_second = p.seconds > 0 ? p.steps / p.seconds : (double)NAN;
  return p;
}

/* ---- A study that is not run ---- */

enum { EXACT_MILLISECONDS = 500 };
static const double dry_piece = 4e-3;

typedef struct room {
  pgb_arena *arena;
  pgb_plan plan;
  pgb_measure *measure;
  void *slots, *scratch, *sums;
} room;

static pgb_status open_room(const pgb_study *study, size_t cell, pgb_isa isa, pgb_comm *comm, room *r) {
  const pgb_cell *c = &study->cells[cell];
  const size_t d = c->actor.shape.n_theta;
  PGB_TRY(pgb_comm_agree(comm, pgb_arena_create(&r->arena)));
  PGB_TRY(pgb_plan_create(study, cell, isa, comm, r->arena, &r->plan));
  PGB_TRY(pgb_measure_create(c, &r->plan, study, isa, &r->measure));
  PGB_TRY(pgb_arena_alloc(r->arena, pgb_measure_stride(study, c), sizeof(double), &r->slots));
  PGB_TRY(pgb_arena_alloc(r->arena, pgb_sample_scratch(study, cell), sizeof(double), &r->scratch));
  return pgb_arena_alloc(r->arena, 3 * d, sizeof(double), &r->sums);
}

/* Exact figures of all pairs: as many as a short while allows, the others like them. Neighbours are of one
 * estimator and cost alike, so the sample steps through all of them by the golden section. */
static double sample_exact(const pgb_study *study, const room *r) {
  const size_t n = r->plan.n_pairs * study->n_batches;
  const double golden = 0.6180339887498949;
  double *gradient = r->sums;
  double value = 0;
  size_t done = 0;
  const double start = pgb_cpu_clock();
  (void)pgb_oracle_gradient(r->plan.oracle, &value, gradient);
  for (; done < n && pgb_cpu_clock() - start < 1e-3 * EXACT_MILLISECONDS; done++) {
    const double turn = (double)done * golden;
    const size_t at = (size_t)((turn - floor(turn)) * (double)n);
    pgb_exact_pair(study, &r->plan, at / study->n_batches, at % study->n_batches, gradient,
                   gradient + r->plan.problem.n_theta);
  }
  return (pgb_cpu_clock() - start) * (double)n / (double)done;
}

static pgb_status predict_one(const pgb_study *study, size_t cell, pgb_isa isa, pgb_comm *comm,
                              pgb_cell_timing *out) {
  room r = {.arena = NULL};
  const double start = pgb_cpu_clock();
  pgb_status s = pgb_comm_agree(comm, open_room(study, cell, isa, comm, &r));
  if (s.code == PGB_OK) {
    const double opened = pgb_cpu_clock() - start;
    const pgb_sample sample = {.study = study,
                               .cell = cell,
                               .plan = &r.plan,
                               .measure = r.measure,
                               .slots = r.slots,
                               .scratch = r.scratch,
                               .sums = r.sums,
                               .least = dry_piece,
                               .known = opened + sample_exact(study, &r) / pgb_comm_size(comm)};
    s = pgb_predict_cell(&sample, comm, out);
  }
  pgb_measure_destroy(r.measure);
  pgb_arena_destroy(r.arena);
  return s;
}

pgb_status pgb_predict(const pgb_study *study, const pgb_share *share, pgb_isa isa, pgb_comm *comm,
                       pgb_cell_timing *out) {
  for (size_t c = 0; c < study->n_cells; c++)
    if (pgb_share_has(share, c))
      PGB_TRY(predict_one(study, c, isa, comm, &out[c]));
  return pgb_ok();
}
