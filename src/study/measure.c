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
  pgb_runner *runner;
  pgb_rollout *rollout;
  size_t max_episodes;  /* taken from one rollout, so that `out` stays small      */
  float **weight;       /* [n_rows] rows of [capacity][L]                         */
  float *weights;       /* what they point into                                  */
  double *value;        /* [capacity][L]                                         */
  float *scratch, *out; /* contraction: [(n_rows*n_theta + 2)][L], [max_episodes][n_rows][n_theta] */
  double *sum, *scaled; /* [n_rows][n_theta] sums over the batch, of rows and of R times rows of ones */
  double *step_sum, *step_count; /* [horizon] of time-mean                        */
  double *g;                     /* [n_theta]                                             */
  double ret_mean, ret_m2;       /* returns of the batch so far                   */
  uint64_t filled;               /* episodes of the batch so far                  */
};

enum { OUT_BYTES = 4 << 20 };

static pgb_status allocate(pgb_measure *m) {
  const pgb_actor *actor = &m->cell->actor;
  const size_t capacity = pgb_rollout_capacity(&actor->space);
  const size_t n_theta = actor->shape.n_theta;
  const size_t n_rows = m->plan->n_rows;
  const size_t lanes = capacity * PGB_LANES;
  PGB_TRY(pgb_runner_create(actor, &m->runner));
  PGB_TRY(pgb_rollout_create(actor, capacity, &m->rollout));
  m->max_episodes = OUT_BYTES / (n_rows * n_theta * sizeof(float));
  if (m->max_episodes < PGB_LANES)
    m->max_episodes = PGB_LANES;
  if (m->max_episodes > m->rollout->max_episodes)
    m->max_episodes = m->rollout->max_episodes;
  PGB_TRY(pgb_alloc(n_rows, sizeof(float *), (void *)&m->weight));
  PGB_TRY(pgb_alloc(n_rows * lanes, sizeof(float), (void *)&m->weights));
  PGB_TRY(pgb_alloc(lanes, sizeof(double), (void *)&m->value));
  PGB_TRY(pgb_alloc((n_rows * n_theta + 2) * PGB_LANES, sizeof(float), (void *)&m->scratch));
  PGB_TRY(pgb_alloc(m->max_episodes * n_rows * n_theta, sizeof(float), (void *)&m->out));
  PGB_TRY(pgb_alloc(n_rows * n_theta, sizeof(double), (void *)&m->sum));
  PGB_TRY(pgb_alloc(n_rows * n_theta, sizeof(double), (void *)&m->scaled));
  PGB_TRY(pgb_alloc(2 * actor->space.horizon, sizeof(double), (void *)&m->step_sum));
  PGB_TRY(pgb_alloc(n_theta, sizeof(double), (void *)&m->g));
  m->step_count = m->step_sum + actor->space.horizon;
  for (size_t row = 0; row < n_rows; row++)
    m->weight[row] = m->weights + row * lanes;
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
  pgb_status s = allocate(m);
  if (s.code != PGB_OK)
    pgb_measure_destroy(m);
  else
    *out = m;
  return s;
}

void pgb_measure_destroy(pgb_measure *m) {
  if (m == NULL)
    return;
  pgb_runner_destroy(m->runner);
  pgb_rollout_destroy(m->rollout);
  void *const pieces[] = {m->weight, m->weights, m->value,    m->scratch, m->out,
                          m->sum,    m->scaled,  m->step_sum, m->g,       m};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    free(pieces[i]);
}

size_t pgb_measure_stride(const pgb_study *study, const pgb_cell *cell) {
  return study->n_estimators * study->n_baselines * pgb_block_size(cell->actor.shape.n_theta) +
         PGB_SLOT_COUNT;
}

double pgb_measure_bytes(const pgb_study *study, const pgb_cell *cell) {
  const pgb_actor *a = &cell->actor;
  const double rows = (double)(2 * study->n_estimators * study->n_baselines);
  const double steps = (double)(pgb_rollout_capacity(&a->space) * PGB_LANES);
  const double step_bytes = 4 * (double)(a->space.n_obs + a->space.n_act + a->shape.n_delta) + 29;
  return steps * (step_bytes + 4 * rows) + OUT_BYTES + rows * (double)a->shape.n_theta * (4 * PGB_LANES + 16);
}

/* Weights of every row, then the sums of weighted scores of every episode, into m->out. */
static void contract(pgb_measure *m) {
  const pgb_actor *actor = &m->cell->actor;
  const pgb_rollout *r = m->rollout;
  const pgb_value *evaluated = NULL;
  /* Step rows come first: their value is in m->value already. */
  for (int pass = 0; pass < 2; pass++)
    for (size_t row = 0; row < m->plan->n_rows; row++) {
      const pgb_row *p = &m->plan->rows[row];
      const pgb_study_estimator *e = &m->study->estimators[p->estimator];
      if ((p->kind == PGB_ROW_STEP) != (pass == 0))
        continue;
      if (p->kind == PGB_ROW_ONES) {
        e->class_->ones(actor->gamma, r, m->weight[row]);
        continue;
      }
      if (p->kind == PGB_ROW_VALUE && evaluated != p->value) {
        pgb_value_eval(p->value, r, m->value);
        evaluated = p->value;
      }
      e->class_->weights(e->params, actor->gamma, r, p->kind == PGB_ROW_PLAIN ? NULL : m->value,
                         m->weight[row]);
    }
  actor->policy->contract(actor->policy_params, r, m->plan->n_rows, (const float *const *)m->weight,
                          m->scratch, m->out);
}

/* Batch estimates of every pair from the batch's sums, into the pairs' blocks. */
static void finish_batch(pgb_measure *m, uint64_t batch, double *slots, double *gradients, uint64_t stride) {
  const size_t d = m->cell->actor.shape.n_theta;
  const size_t block = pgb_block_size(d);
  for (size_t k = 0; k < m->plan->n_pairs; k++) {
    const pgb_plan_pair *pair = &m->plan->pairs[k];
    const pgb_baseline_class *baseline = m->study->baselines[k % m->study->n_baselines];
    if (!pair->defined || batch < baseline->min_batch)
      continue;
    const pgb_batch_sums sums = {.n = (size_t)batch,
                                 .n_theta = d,
                                 .a = m->sum + pair->row * d,
                                 .s = m->sum + pair->ones * d,
                                 .rs = m->scaled + pair->ones * d,
                                 .r = m->ret_mean * (double)batch,
                                 .rr = m->ret_m2,
                                 .constant = pair->constant};
    if (baseline->combine != NULL)
      baseline->combine(&sums, m->g);
    else
      for (size_t i = 0; i < d; i++)
        m->g[i] = sums.a[i] / (double)batch;
    pgb_block_add(slots + k * block, d, m->g);
    if (gradients != NULL)
      memcpy(gradients + k * stride * d, m->g, d * sizeof *m->g);
  }
}

/* One episode into the sums of its batch and into the block's figures of the rollouts. */
static void add_episode(pgb_measure *m, size_t e, double *figures) {
  const size_t d = m->cell->actor.shape.n_theta;
  const size_t size = m->plan->n_rows * d;
  const float *row = m->out + e * size;
  const double ret = m->rollout->ret[e];
  m->filled++;
  const double off = ret - m->ret_mean;
  m->ret_mean += off / (double)m->filled;
  m->ret_m2 += off * (ret - m->ret_mean);
  double *restrict sum = m->sum;
  for (size_t i = 0; i < size; i++)
    sum[i] += (double)row[i];
  for (size_t w = 0; w < m->plan->n_rows; w++)
    if (m->plan->rows[w].kind == PGB_ROW_ONES)
      for (size_t i = w * d; i < (w + 1) * d; i++)
        m->scaled[i] += ret * (double)row[i];
  figures[PGB_SLOT_EPISODES] += 1;
  const double far = ret - figures[PGB_SLOT_RETURN_MEAN];
  figures[PGB_SLOT_RETURN_MEAN] += far / figures[PGB_SLOT_EPISODES];
  figures[PGB_SLOT_RETURN_M2] += far * (ret - figures[PGB_SLOT_RETURN_MEAN]);
  figures[PGB_SLOT_STEPS] += (double)m->rollout->length[e];
}

static void clear_batch(pgb_measure *m) {
  const size_t size = m->plan->n_rows * m->cell->actor.shape.n_theta;
  memset(m->sum, 0, size * sizeof *m->sum);
  memset(m->scaled, 0, size * sizeof *m->scaled);
  m->ret_mean = 0;
  m->ret_m2 = 0;
  m->filled = 0;
}

typedef struct job {
  pgb_address address;
  uint64_t batch, first, end; /* batch size, replicates */
  double *slots, *figures, *gradients;
} job;

/* Contracts the rollout and adds its first n episodes; `from` is the episode number of the first. */
static void take(pgb_measure *m, const job *j, uint64_t from, size_t n) {
  assert(j->batch > 0);
  contract(m);
  const size_t d = m->cell->actor.shape.n_theta;
  for (size_t e = 0; e < n; e++) {
    add_episode(m, e, j->figures);
    if (m->filled < j->batch)
      continue;
    const uint64_t replicate = (from + e) / j->batch;
    finish_batch(m, j->batch, j->slots,
                 j->gradients == NULL ? NULL : j->gradients + (replicate - j->first) * d, j->end - j->first);
    clear_batch(m);
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
    pgb_time_mean_eval(m->rollout, from, from + (size_t)batch, m->step_sum, m->step_count, m->value);
  }
}

/* A batch larger than a rollout whose weights need all its episodes first: run twice, for rollouts are pure
 * functions. */
static void take_large(pgb_measure *m, const job *j, uint64_t from, pgb_phase_times *times) {
  const uint64_t end = from + j->batch;
  clear_steps(m);
  for (uint64_t at = from; at < end;) {
    const size_t n = roll(m, j, at, end, times);
    pgb_time_mean_add(m->rollout, 0, n, m->step_sum, m->step_count);
    at += n;
  }
  for (uint64_t at = from; at < end;) {
    const size_t n = roll(m, j, at, end, times);
    pgb_time_mean_eval(m->rollout, 0, n, m->step_sum, m->step_count, m->value);
    take(m, j, at, n);
    at += n;
  }
}

void pgb_measure_block(pgb_measure *m, size_t cell, size_t batch, uint64_t first, uint64_t end, double *slots,
                       double *gradients, pgb_phase_times *times) {
  const uint64_t size = m->study->batches[batch];
  const job j = {.address = {.seed = m->study->seed, .stream = pgb_stream(cell, batch)},
                 .batch = size,
                 .first = first,
                 .end = end,
                 .slots = slots,
                 .figures = slots + m->plan->n_pairs * pgb_block_size(m->cell->actor.shape.n_theta),
                 .gradients = gradients};
  const double start = pgb_clock();
  const double rollout_before = times->rollout;
  clear_batch(m);
  for (uint64_t at = first * size; at < end * size;) {
    size_t n = roll(m, &j, at, end * size, times);
    if (m->plan->has_step_row) {
      if (n < size && at + n < end * size) {
        take_large(m, &j, at, times);
        at += size;
        continue;
      }
      n = (size_t)(n / size * size);
      step_values(m, size, n);
    }
    take(m, &j, at, n);
    at += n;
  }
  times->gradient += pgb_clock() - start - (times->rollout - rollout_before);
}
