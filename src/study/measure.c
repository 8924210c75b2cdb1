/* SPDX-License-Identifier: MIT */
#include "study/measure.h"

#include "core/clock.h"
#include "stats/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pgb_measure {
  const pgb_study *study;
  const pgb_cell *cell;
  const pgb_plan *plan;
  pgb_rollout_run_fn *run;
  pgb_value_eval_fn *value_eval;
  pgb_episode_sum_fn *add;
  pgb_block_add_fn *add_sample;
  pgb_runner *runner;
  pgb_rollout *rollout;
  size_t max_episodes;  /* taken from one rollout                                */
  size_t group;         /* episodes that `out` holds, so that it stays small     */
  float **weight;       /* [n_rows] rows of [capacity][L], NULL: 1 at every step  */
  float *weights;       /* what they point into                                  */
  double *value;        /* [capacity][L]                                         */
  size_t n_raw;         /* sums that an episode's part of `out` has of each row */
  float *scratch, *out; /* pgb_policy_scratch, [group][n_rows][n_raw] */
  double *factor;       /* [n_products][max_episodes] what each product multiplies its row by   */
  double *sum;          /* over the batch: [n_summed][n_raw], then [n_products][pgb_sum_room(n_raw)] */
  double *all;          /* [n_summed + n_products][n_theta] what these tell                          */
  double *step_sum, *step_count; /* [horizon] of time-mean                        */
  double *g;                     /* [n_theta]                                             */
  double first, off, off2; /* the batch's first return; sums of the others' distances to it, and of squares */
  uint64_t filled;         /* episodes of the batch so far                                        */
  int (*stop)(void *self); /* of pgb_measure_watch, or NULL                 */
  void *self;
};

enum { OUT_BYTES = 1 << 20, GROUP_BYTES = 1 << 18, GROUP_LEAST = 8, ROUNDS_KEPT = 8 };

/* What a policy keeps of a rollout, at the most: much more than fits the cache where whole batches are needed
 * at once, lest batches be run twice. */
static size_t kept_bytes(bool whole_batches) {
  return whole_batches ? (size_t)PGB_KEPT_BYTES << 4 : PGB_KEPT_BYTES;
}

/* Episodes that a rollout may hold, and how many of them are contracted at a time: all, unless the policy can
 * do a few while their sums are in cache. It keeps much of every step then, so a rollout is short: some
 * rounds of the lanes, which end with fewer and fewer of them busy. */
static void set_group(pgb_measure *m) {
  const pgb_policy_shape *shape = &m->cell->actor.shape;
  const size_t bytes = m->plan->n_rows * m->n_raw * sizeof(float);
  const size_t most = m->rollout->max_episodes;
  const size_t wish = shape->by_episode ? GROUP_BYTES / bytes : OUT_BYTES / bytes;
  const size_t least = shape->by_episode ? GROUP_LEAST : PGB_LANES;
  m->group = wish < least ? least : wish;
  m->group = m->group < most ? m->group : most;
  m->max_episodes = m->group;
  if (shape->by_episode)
    m->max_episodes = most < ROUNDS_KEPT * PGB_LANES ? most : ROUNDS_KEPT * PGB_LANES;
}

/* Where a sum over the batch is, of a row or of a product behind them. */
static double *sum_at(const pgb_measure *m, size_t i) {
  const size_t n = m->plan->n_summed;
  return i < n ? m->sum + i * m->n_raw
               : m->sum + pgb_sum_room(n * m->n_raw) + (i - n) * pgb_sum_room(m->n_raw);
}

static size_t sum_size(const pgb_measure *m) {
  return pgb_sum_room(m->plan->n_summed * m->n_raw) + m->plan->n_products * pgb_sum_room(m->n_raw);
}

/* Whether a row of weights is the same for every rollout. */
static bool is_flat(const pgb_measure *m, size_t row) {
  const pgb_row *p = &m->plan->rows[row];
  return p->kind == PGB_ROW_ONES && m->study->estimators[p->estimator].class_->flat;
}

/* Whether it is not even written. */
static bool is_null(const pgb_measure *m, size_t row) {
  return m->cell->actor.shape.by_episode && is_flat(m, row);
}

static size_t written_rows(const pgb_measure *m) {
  size_t n = 0;
  for (size_t row = 0; row < m->plan->n_rows; row++)
    n += !is_null(m, row);
  return n;
}

static pgb_status allocate(pgb_measure *m) {
  const pgb_actor *actor = &m->cell->actor;
  const size_t capacity = pgb_rollout_capacity(&actor->space);
  const size_t n_theta = actor->shape.n_theta;
  const size_t n_rows = m->plan->n_rows;
  const size_t lanes = capacity * PGB_LANES;
  PGB_TRY(pgb_runner_create(actor, &m->runner));
  PGB_TRY(pgb_rollout_create(actor, capacity, &m->rollout));
  if (m->plan->has_step_row)
    PGB_TRY(pgb_rollout_keep(m->rollout, kept_bytes(true)));
  m->n_raw = pgb_policy_sums(&actor->shape);
  set_group(m);
  PGB_TRY(pgb_alloc(n_rows, sizeof(float *), (void *)&m->weight));
  PGB_TRY(pgb_alloc(written_rows(m) * lanes, sizeof(float), (void *)&m->weights));
  PGB_TRY(pgb_alloc(lanes, sizeof(double), (void *)&m->value));
  PGB_TRY(pgb_alloc(pgb_policy_scratch(&actor->shape, n_rows), sizeof(float), (void *)&m->scratch));
  PGB_TRY(pgb_alloc(m->group * n_rows * m->n_raw + PGB_SUM_COLUMNS, sizeof(float), (void *)&m->out));
  PGB_TRY(pgb_alloc(m->plan->n_products * m->max_episodes, sizeof(double), (void *)&m->factor));
  PGB_TRY(pgb_alloc(sum_size(m), sizeof(double), (void *)&m->sum));
  PGB_TRY(pgb_alloc((m->plan->n_summed + m->plan->n_products) * n_theta, sizeof(double), (void *)&m->all));
  PGB_TRY(pgb_alloc(2 * actor->space.horizon, sizeof(double), (void *)&m->step_sum));
  PGB_TRY(pgb_alloc(n_theta, sizeof(double), (void *)&m->g));
  m->step_count = m->step_sum + actor->space.horizon;
  float *next = m->weights;
  for (size_t row = 0; row < n_rows; row++) {
    if (is_null(m, row))
      continue;
    m->weight[row] = next;
    next += lanes;
    for (size_t at = 0; at < lanes && is_flat(m, row); at++)
      m->weight[row][at] = 1.0f;
  }
  return pgb_ok();
}

pgb_status pgb_measure_create(const pgb_cell *cell, const pgb_plan *plan, const pgb_study *study, pgb_isa isa,
                              pgb_measure **out) {
  void *piece = NULL;
  *out = NULL;
  assert(plan->n_rows > 0);
  PGB_TRY(pgb_alloc(1, sizeof(pgb_measure), &piece));
  pgb_measure *m = piece;
  m->study = study;
  m->cell = cell;
  m->plan = plan;
  m->run = pgb_rollout_run(isa);
  m->value_eval = pgb_value_eval(isa);
  m->add = pgb_episode_sum(isa);
  m->add_sample = pgb_block_add(isa);
  pgb_status s = allocate(m);
  if (s.code != PGB_OK)
    pgb_measure_destroy(m);
  else
    *out = m;
  return s;
}

void pgb_measure_watch(pgb_measure *m, int (*stop)(void *self), void *self) {
  m->stop = stop;
  m->self = self;
}

static bool given_up(const pgb_measure *m) {
  return m->stop != NULL && m->stop(m->self) != 0;
}

void pgb_measure_destroy(pgb_measure *m) {
  if (m == NULL)
    return;
  pgb_runner_destroy(m->runner);
  pgb_rollout_destroy(m->rollout);
  void *const pieces[] = {m->weight, m->weights, m->value,    m->scratch, m->out, m->sum,
                          m->all,    m->factor,  m->step_sum, m->g,       m};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    free(pieces[i]);
}

size_t pgb_measure_stride(const pgb_study *study, const pgb_cell *cell) {
  return study->n_estimators * study->n_baselines * pgb_block_size(cell->actor.shape.n_theta) +
         PGB_SLOT_COUNT;
}

double pgb_measure_bytes(const pgb_study *study, const pgb_cell *cell) {
  const pgb_actor *a = &cell->actor;
  const double d = (double)a->shape.n_theta, raw = (double)pgb_policy_sums(&a->shape);
  bool whole_batches = false;
  double per_estimator = 1; /* rows: without baseline, and with each that is no constant */
  for (size_t b = 0; b < study->n_baselines; b++)
    if (study->baselines[b]->kind == PGB_BASELINE_VALUE || study->baselines[b]->kind == PGB_BASELINE_STEP)
      per_estimator++;
  for (size_t b = 0; b < study->n_baselines; b++)
    whole_batches = whole_batches || study->baselines[b]->kind == PGB_BASELINE_STEP;
  const double rows = per_estimator * (double)study->n_estimators + 2; /* and two of ones */
  const double sums = rows + 2 * per_estimator;
  const size_t capacity = pgb_rollout_capacity(&a->space);
  const double steps = (double)(capacity * PGB_LANES);
  const double step_bytes = 4 * (double)(a->space.n_obs + a->space.n_act + a->shape.n_delta) + 30;
  const double kept =
      (double)pgb_rollout_kept_room(a->shape.n_kept, a->space.horizon, capacity, kept_bytes(whole_batches)) *
      4 * (double)a->shape.n_kept;
  return kept + steps * (step_bytes + 4 * rows) + fmax(OUT_BYTES, PGB_LANES * rows * raw * 4) +
         4 * ((double)a->shape.scratch + rows * (double)a->shape.scratch_row) + (d + raw) * sums * 8;
}

/* Weights of the rows and factors of the products of this kind and value; V, or the time-mean, is in
 * m->value.
 */
static void weigh(pgb_measure *m, pgb_row_kind kind, const pgb_value *value) {
  const pgb_rollout *r = m->rollout;
  const double *v = kind == PGB_ROW_PLAIN ? NULL : m->value;
  for (size_t row = 0; row < m->plan->n_rows; row++) {
    const pgb_row *p = &m->plan->rows[row];
    const pgb_study_estimator *e = &m->study->estimators[p->estimator];
    if (p->kind != kind || p->value != value)
      continue;
    if (is_flat(m, row))
      continue; /* all ones since it was allocated, or NULL */
    if (kind == PGB_ROW_ONES)
      e->class_->ones(m->cell->actor.gamma, r, m->weight[row]);
    else
      e->class_->weights(e->params, m->cell->actor.gamma, r, v, m->weight[row]);
  }
  for (size_t k = 0; k < m->plan->n_products; k++) {
    const pgb_product *p = &m->plan->products[k];
    double *factor = m->factor + k * m->max_episodes;
    if (p->factor != kind || p->value != value)
      continue;
    for (size_t e = 0; e < r->n_episodes; e++)
      factor[e] = r->ret[e] - (v != NULL ? v[r->origin[e]] : 0.0);
  }
}

/* The i-th value of rows and products, or NULL. */
static const pgb_value *value_of(const pgb_plan *plan, size_t i) {
  return i < plan->n_rows ? plan->rows[i].value : plan->products[i - plan->n_rows].value;
}

/* Weights of every row. */
static void weigh_all(pgb_measure *m) {
  const pgb_plan *plan = m->plan;
  weigh(m, PGB_ROW_STEP, NULL); /* first: the time-mean is in m->value already */
  weigh(m, PGB_ROW_ONES, NULL);
  weigh(m, PGB_ROW_PLAIN, NULL);
  for (size_t i = 0; i < plan->n_rows + plan->n_products; i++) {
    const pgb_value *value = value_of(plan, i);
    size_t before = 0;
    while (value != NULL && before < i && value_of(plan, before) != value)
      before++;
    if (value == NULL || before < i)
      continue;
    m->value_eval(value, m->rollout, m->value);
    weigh(m, PGB_ROW_VALUE, value);
  }
}

/* Sums of weighted scores of the next of the rollout's episodes, into m->out. */
static void contract(pgb_measure *m, size_t first, size_t n) {
  const pgb_actor *actor = &m->cell->actor;
  const size_t left = actor->shape.by_episode ? n - first : m->rollout->n_episodes;
  (actor->shape.n_raw > 0 ? actor->policy->contract_raw : actor->policy->contract)(
      actor->policy_params, actor->theta, m->rollout, first, left < m->group ? left : m->group,
      m->plan->n_rows, (const float *const *)m->weight, m->scratch, m->out);
}

/* Returns of the complete batch into the block's figures; its sum of squares about the mean. */
static double finish_returns(const pgb_measure *m, double *figures) {
  const double n = (double)m->filled;
  const double sum = m->off2 - m->off * m->off / n;
  const double square = sum < 0 ? 0 : sum; /* of returns that overflowed it stays NaN */
  const double before = figures[PGB_SLOT_EPISODES];
  const double far = m->first + m->off / n - figures[PGB_SLOT_RETURN_MEAN];
  figures[PGB_SLOT_EPISODES] = before + n;
  figures[PGB_SLOT_RETURN_MEAN] += far * n / (before + n);
  figures[PGB_SLOT_RETURN_M2] += square + far * far * before * n / (before + n);
  return square;
}

/* The batch's sums for all parameters. */
static void expand(pgb_measure *m) {
  const pgb_actor *a = &m->cell->actor;
  const size_t d = a->shape.n_theta;
  for (size_t i = 0; i < m->plan->n_summed + m->plan->n_products; i++)
    if (a->shape.n_raw > 0)
      a->policy->expand(a->policy_params, sum_at(m, i), m->all + i * d);
    else
      memcpy(m->all + i * d, sum_at(m, i), d * sizeof *m->all);
}

/* Batch estimates of every pair from the batch's sums, into the pairs' blocks. */
static void finish_batch(pgb_measure *m, double square, uint64_t replicate, const pgb_piece *piece) {
  const uint64_t batch = m->filled;
  const double share = 1 / (double)batch;
  const size_t d = m->cell->actor.shape.n_theta;
  const size_t block = pgb_block_size(d);
  expand(m);
  for (size_t k = 0; k < m->plan->n_pairs; k++) {
    const pgb_plan_pair *pair = &m->plan->pairs[k];
    const pgb_baseline_class *baseline = m->study->baselines[k % m->study->n_baselines];
    if (!pair->defined || batch < baseline->min_batch)
      continue;
    const pgb_batch_sums sums = {.n = (size_t)batch,
                                 .n_theta = d,
                                 .a = m->all + pair->a * d,
                                 .s = m->all + pair->s * d,
                                 .rs = m->all + pair->rs * d,
                                 .r = (double)batch * m->first + m->off,
                                 .rr = square,
                                 .constant = pair->constant};
    if (baseline->combine != NULL)
      baseline->combine(&sums, m->g);
    else
      for (size_t i = 0; i < d; i++)
        m->g[i] = sums.a[i] * share;
    m->add_sample(piece->slots + k * block, d, m->g);
    if (piece->gradients != NULL)
      memcpy(piece->gradients + (k * piece->row + replicate - piece->origin) * d, m->g, d * sizeof *m->g);
  }
}

/* Episodes [from, to) of the rollout into the sums of their batch. */
static void add_episodes(pgb_measure *m, size_t from, size_t to, double *figures) {
  const size_t d = m->n_raw;
  const size_t size = m->plan->n_rows * d;
  const float *out = m->out + from % m->group * size;
  const double *ret = m->rollout->ret;
  const bool fused = m->cell->actor.shape.fused;
  if (m->filled == 0)
    m->first = ret[from];
  int64_t steps = 0;
  for (size_t e = from; e < to; e++) {
    const double off = ret[e] - m->first;
    m->off += off;
    m->off2 += off * off;
    steps += m->rollout->length[e];
  }
  m->filled += to - from;
  figures[PGB_SLOT_STEPS] += (double)steps;
  m->add(out, size, m->plan->n_summed * d, NULL, fused, to - from, m->sum);
  for (size_t k = 0; k < m->plan->n_products; k++)
    m->add(out + m->plan->products[k].row * d, size, d, m->factor + k * m->max_episodes + from, fused,
           to - from, sum_at(m, m->plan->n_summed + k));
}

static void clear_batch(pgb_measure *m) {
  memset(m->sum, 0, sum_size(m) * sizeof *m->sum);
  m->off = 0;
  m->off2 = 0;
  m->filled = 0;
}

typedef struct job {
  pgb_address address;
  uint64_t batch, end; /* batch size, replicates */
  pgb_piece_fn *next;
  void *self;
  pgb_piece piece;
  size_t figures; /* where they are in the piece's slots */
} job;

/* Contracts the rollout and adds its first n episodes; `from` is the episode number of the first. */
static void take(pgb_measure *m, job *j, uint64_t from, size_t n) {
  const uint64_t batch = j->batch;
  assert(batch > 0);
  weigh_all(m);
  uint64_t replicate = from / batch;
  for (size_t e = 0, to = 0; e < n; e = to) {
    const uint64_t wanted = batch - m->filled;
    if (e % m->group == 0)
      contract(m, e, n);
    to = wanted < n - e ? e + (size_t)wanted : n;
    to = to < e - e % m->group + m->group ? to : e - e % m->group + m->group;
    double *figures = j->piece.slots + j->figures;
    add_episodes(m, e, to, figures);
    if (m->filled < batch)
      continue;
    finish_batch(m, finish_returns(m, figures), replicate, &j->piece);
    clear_batch(m);
    replicate++;
    if (replicate == j->piece.end && replicate < j->end)
      j->next(j->self, replicate, &j->piece);
  }
}

static size_t roll(pgb_measure *m, const job *j, uint64_t from, uint64_t end, pgb_phase_times *times) {
  const double start = pgb_clock();
  const uint64_t count = end - from < m->max_episodes ? end - from : m->max_episodes;
  m->run(&m->cell->actor, m->runner, j->address, j->batch, from, count, m->rollout);
  times->rollout += pgb_clock() - start;
  return m->rollout->n_episodes;
}

static void clear_steps(pgb_measure *m) {
  memset(m->step_sum, 0, 2 * m->cell->actor.space.horizon * sizeof *m->step_sum);
}

/* Time-means of the n whole batches in the rollout. */
static void step_values(pgb_measure *m, uint64_t batch, size_t n) {
  for (size_t from = 0; from < n; from += (size_t)batch) {
    clear_steps(m);
    pgb_time_mean_add(m->rollout, from, from + (size_t)batch, m->step_sum, m->step_count);
    pgb_time_mean_close((size_t)batch, m->step_count);
    pgb_time_mean_eval(m->rollout, from, from + (size_t)batch, m->step_sum, m->step_count, m->value);
  }
}

/* A batch larger than a rollout whose weights need all its episodes first: run twice, for rollouts are pure
 * functions. */
static void take_large(pgb_measure *m, job *j, uint64_t from, pgb_phase_times *times) {
  const uint64_t end = from + j->batch;
  clear_steps(m);
  for (uint64_t at = from; at < end && !given_up(m);) {
    const size_t n = roll(m, j, at, end, times);
    pgb_time_mean_add(m->rollout, 0, n, m->step_sum, m->step_count);
    at += n;
  }
  if (given_up(m))
    return;
  pgb_time_mean_close((size_t)j->batch, m->step_count);
  for (uint64_t at = from; at < end && !given_up(m);) {
    const size_t n = roll(m, j, at, end, times);
    pgb_time_mean_eval(m->rollout, 0, n, m->step_sum, m->step_count, m->value);
    take(m, j, at, n);
    at += n;
  }
}

/* Replicates [first, j->end). */
static void measure(pgb_measure *m, job *j, uint64_t first, pgb_phase_times *times) {
  const double start = pgb_clock();
  const double rollout_before = times->rollout;
  const uint64_t size = j->batch, end = j->end * size;
  clear_batch(m);
  j->next(j->self, first, &j->piece);
  for (uint64_t at = first * size; at < end && !given_up(m);) {
    size_t n = roll(m, j, at, end, times);
    if (m->plan->has_step_row) {
      if (n < size && at + n < end) {
        take_large(m, j, at, times);
        at += size;
        continue;
      }
      n = (size_t)(n / size * size);
      step_values(m, size, n);
    }
    take(m, j, at, n);
    at += n;
  }
  times->gradient += pgb_clock() - start - (times->rollout - rollout_before);
}

static job make_job(const pgb_measure *m, size_t cell, size_t batch, uint64_t size, uint64_t end,
                    pgb_piece_fn *next, void *self) {
  return (job){.address = {.seed = m->study->seed, .stream = pgb_stream(cell, batch)},
               .batch = size,
               .end = end,
               .next = next,
               .self = self,
               .figures = m->plan->n_pairs * pgb_block_size(m->cell->actor.shape.n_theta)};
}

void pgb_measure_pieces(pgb_measure *m, size_t cell, size_t batch, uint64_t first, uint64_t end,
                        pgb_piece_fn *next, void *self, pgb_phase_times *times) {
  job j = make_job(m, cell, batch, m->study->batches[batch], end, next, self);
  measure(m, &j, first, times);
}

/* Of one piece. */
static void whole(void *self, uint64_t replicate, pgb_piece *out) {
  (void)replicate;
  *out = *(const pgb_piece *)self;
}

void pgb_measure_block(pgb_measure *m, size_t cell, size_t batch, uint64_t first, uint64_t end, double *slots,
                       double *gradients, pgb_phase_times *times) {
  pgb_piece all = {.end = end, .slots = slots, .gradients = gradients, .origin = first, .row = end - first};
  pgb_measure_pieces(m, cell, batch, first, end, whole, &all, times);
}

void pgb_measure_span(pgb_measure *m, size_t cell, size_t batch, uint64_t size, uint64_t first, uint64_t end,
                      double *slots, pgb_phase_times *times) {
  pgb_piece all = {.end = end, .slots = slots};
  job j = make_job(m, cell, batch, size, end, whole, &all);
  measure(m, &j, first, times);
}

void pgb_measure_merge(const pgb_study *study, const pgb_cell *cell, double *slots, const double *next) {
  const size_t d = cell->actor.shape.n_theta;
  const size_t pairs = study->n_estimators * study->n_baselines;
  for (size_t k = 0; k < pairs; k++)
    pgb_block_merge(slots + k * pgb_block_size(d), d, next + k * pgb_block_size(d));
  double *a = slots + pairs * pgb_block_size(d);
  const double *b = next + pairs * pgb_block_size(d);
  const double before = a[PGB_SLOT_EPISODES], more = b[PGB_SLOT_EPISODES];
  if (before == 0)
    memcpy(a, b, PGB_SLOT_COUNT * sizeof *a);
  if (before == 0 || more == 0)
    return;
  const double far = b[PGB_SLOT_RETURN_MEAN] - a[PGB_SLOT_RETURN_MEAN], share = more / (before + more);
  a[PGB_SLOT_STEPS] += b[PGB_SLOT_STEPS];
  a[PGB_SLOT_EPISODES] = before + more;
  a[PGB_SLOT_RETURN_MEAN] += far * share;
  a[PGB_SLOT_RETURN_M2] += b[PGB_SLOT_RETURN_M2] + far * far * before * share;
}
