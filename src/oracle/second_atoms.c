/* SPDX-License-Identifier: MIT */
#include "estimator/gae.h"
#include "oracle/batch.h"
#include "oracle/second_kind.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 8, MAX_BATCH = 8, MAX_D = 64, MOST_BATCHES = 400000 };

static pgb_status doubles(pgb_arena *arena, size_t n, double **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &memory));
  *out = memory;
  return pgb_ok();
}

pgb_status pgb_atoms_create(size_t n, size_t steps, size_t d, pgb_arena *arena, pgb_atoms *out) {
  assert(n > 0 && steps > 0 && steps <= MAX_STEPS && d > 0 && d <= MAX_D);
  *out = (pgb_atoms){.n = n, .steps = steps, .d = d};
  PGB_TRY(doubles(arena, n, &out->p));
  PGB_TRY(doubles(arena, n * steps, &out->reward));
  PGB_TRY(doubles(arena, n * steps, &out->obs));
  return doubles(arena, n * steps * d, &out->psi);
}

/* G_t of one point. */
static void to_go(const pgb_atoms *e, size_t i, double *g) {
  for (size_t t = e->steps; t-- > 0;)
    g[t] = e->reward[i * e->steps + t] + (t + 1 < e->steps ? e->gamma * g[t + 1] : 0);
}

double pgb_atoms_return(const pgb_atoms *e) {
  double sum = 0, g[MAX_STEPS] = {0};
  for (size_t i = 0; i < e->n; i++) {
    to_go(e, i, g);
    sum += e->p[i] * g[0];
  }
  return sum;
}

/* V of a step and observation. */
static double value_at(const pgb_value *v, size_t t, double obs) {
  double sum = 0, feature[MAX_D + 8] = {0};
  switch (v->kind) {
  case PGB_VALUE_TABLE:
    return v->table[t * v->n_contexts + (size_t)obs];
  case PGB_VALUE_QUADRATIC:
    return v->constant[t] + v->quad[t] * obs * obs;
  case PGB_VALUE_FEATURES:
    pgb_value_features(&obs, 1, v->n_contexts, (double)t, feature);
    for (size_t k = 0; k < pgb_value_feature_count(1, v->n_contexts); k++)
      sum += v->coefficient[k] * feature[k];
  }
  return sum;
}

/* The estimator, and of every point: A, the estimate with V (or none), S, what a constant multiplies, and
 * G_t. */
typedef struct parts {
  pgb_estimator_kind kind;
  double lambda, discount[MAX_STEPS]; /* gamma^t */
  double *a, *s, *g;                  /* [n][d] [n][d] [n][T] */
} parts;

/* Weight of each score as the estimator's definition reads, V in the baseline's place. */
static void weigh(const pgb_atoms *e, const parts *x, const double *g, const double *v, double *w) {
  for (size_t t = 0; t < e->steps; t++) {
    if (x->kind == PGB_ESTIMATOR_REINFORCE)
      w[t] = g[0] - v[0];
    if (x->kind == PGB_ESTIMATOR_GPOMDP)
      w[t] = x->discount[t] * (g[t] - v[t]);
    if (x->kind == PGB_ESTIMATOR_UNDISCOUNTED)
      w[t] = g[t] - v[t];
    if (x->kind != PGB_ESTIMATOR_GAE)
      continue;
    double power = 1;
    w[t] = 0;
    for (size_t l = t; l < e->steps; l++, power *= x->lambda) {
      const bool last = l + 1 == e->steps;
      const double reward = g[l] - (last ? 0 : e->gamma * g[l + 1]);
      const double delta = reward + (last ? 0 : e->gamma * v[l + 1]) - v[l];
      w[t] += x->discount[l] * power * delta; /* gamma^t (gamma lambda)^(l-t) */
    }
  }
}

/* out += sum_t w_t psi_t. */
static void contract(const pgb_atoms *e, size_t i, const double *w, double *out) {
  for (size_t t = 0; t < e->steps; t++)
    for (size_t k = 0; k < e->d; k++)
      out[k] += w[t] * e->psi[(i * e->steps + t) * e->d + k];
}

static bool parts_of(const pgb_atoms *e, const pgb_pair *pair, parts *out) {
  out->kind = pgb_estimator_what(pair->estimator);
  const bool gae = out->kind == PGB_ESTIMATOR_GAE, discounted = gae || out->kind == PGB_ESTIMATOR_GPOMDP;
  out->lambda = gae ? ((const pgb_gae *)pair->estimator_params)->lambda : 1;
  for (size_t t = 0; t < e->steps; t++)
    out->discount[t] = pow(e->gamma, (double)t);
  out->a = calloc(e->n * (2 * e->d + e->steps), sizeof *out->a);
  if (out->a == NULL)
    return false;
  out->s = out->a + e->n * e->d;
  out->g = out->s + e->n * e->d;
  for (size_t i = 0; i < e->n; i++) {
    double v[MAX_STEPS] = {0}, w[MAX_STEPS] = {0}, ones[MAX_STEPS], *g = out->g + i * e->steps;
    to_go(e, i, g);
    for (size_t t = 0; t < e->steps; t++) {
      v[t] =
          pair->baseline->kind == PGB_BASELINE_VALUE ? value_at(pair->value, t, e->obs[i * e->steps + t]) : 0;
      ones[t] = discounted ? out->discount[t] : 1;
    }
    weigh(e, out, g, v, w);
    contract(e, i, w, out->a + i * e->d);
    contract(e, i, ones, out->s + i * e->d);
  }
  return true;
}

bool pgb_atoms_constant(const pgb_atoms *e, const pgb_estimator_class *estimator, bool component, double *b) {
  const pgb_baseline_class none = {.name = "none", .kind = PGB_BASELINE_NONE};
  const pgb_pair pair = {.estimator = estimator, .baseline = &none};
  parts x;
  double all_as = 0, all_ss = 0;
  if (pgb_estimator_what(estimator) == PGB_ESTIMATOR_GAE || !parts_of(e, &pair, &x))
    return false;
  for (size_t k = 0; k < e->d; k++) {
    double as = 0, ss = 0;
    for (size_t i = 0; i < e->n; i++) {
      as += e->p[i] * x.a[i * e->d + k] * x.s[i * e->d + k];
      ss += e->p[i] * x.s[i * e->d + k] * x.s[i * e->d + k];
    }
    all_as += as;
    all_ss += ss;
    b[k] = as / ss;
  }
  for (size_t k = 0; !component && k < e->d; k++)
    b[k] = all_as / all_ss;
  free(x.a);
  return true;
}

/* The mean reward-to-go of the others at each step is V. */
static void estimate_steps(const pgb_atoms *e, const parts *x, const size_t *pick, size_t n, double *out) {
  for (size_t i = 0; i < n; i++) {
    double v[MAX_STEPS] = {0}, w[MAX_STEPS] = {0};
    for (size_t j = 0; j < n; j++)
      for (size_t t = 0; t < e->steps && j != i; t++)
        v[t] += x->g[pick[j] * e->steps + t] / ((double)n - 1);
    weigh(e, x, x->g + pick[i] * e->steps, v, w);
    contract(e, pick[i], w, out);
  }
}

/* The sum over the batch of one pair's estimates, as the baseline's definition reads. */
static void estimate(const pgb_atoms *e, pgb_pair_kind kind, const parts *x, const size_t *pick, size_t n,
                     double *out) {
  double bar = 0, squares = 0;
  memset(out, 0, e->d * sizeof *out);
  if (kind == PGB_PAIR_STEP) {
    estimate_steps(e, x, pick, n, out);
    return;
  }
  for (size_t i = 0; i < n; i++)
    bar += x->g[pick[i] * e->steps] / (double)n;
  for (size_t i = 0; i < n; i++) {
    const double r = x->g[pick[i] * e->steps], others = (bar * (double)n - r) / ((double)n - 1);
    const double b = kind == PGB_PAIR_LOO ? others : bar;
    squares += (r - bar) * (r - bar);
    for (size_t k = 0; k < e->d; k++)
      out[k] += x->a[pick[i] * e->d + k] - b * x->s[pick[i] * e->d + k];
  }
  const double sd = sqrt(squares / ((double)n - 1));
  for (size_t k = 0; k < e->d && kind == PGB_PAIR_NORMALISED; k++)
    out[k] = sd < 1e-12 ? 0 : out[k] / sd;
}

/* Sums of p (g - shift) and p (g - shift)^2: the shift, E A of one episode, spares digits. */
typedef struct sums {
  size_t d;
  double shift[MAX_D], first[MAX_D], second[MAX_D];
} sums;

static void add(sums *s, double p, const double *g, double n) {
  for (size_t k = 0; k < s->d; k++) {
    const double off = g[k] / n - s->shift[k];
    s->first[k] += p * off;
    s->second[k] += p * off * off;
  }
}

static void finish(const sums *s, double batch, double *mean, double *variance) {
  for (size_t k = 0; k < s->d; k++) {
    mean[k] = s->shift[k] + s->first[k];
    variance[k] = (s->second[k] - s->first[k] * s->first[k]) / batch;
  }
}

/* A batch of n independent episodes: 1/n of the variance of one. */
static void by_episodes(const pgb_atoms *e, const pgb_pair *pair, const parts *x, sums *s) {
  double g[MAX_D];
  for (size_t i = 0; i < e->n; i++) {
    for (size_t k = 0; k < e->d; k++)
      g[k] = x->a[i * e->d + k] -
             (pair->baseline->kind == PGB_BASELINE_CONSTANT ? pair->constant[k] * x->s[i * e->d + k] : 0);
    add(s, e->p[i], g, 1);
  }
}

/* Every batch once in each of its orders: picks that do not fall, times how many orders they have. */
static void by_batches(const pgb_atoms *e, pgb_pair_kind kind, const parts *x, size_t n, sums *s) {
  size_t pick[MAX_BATCH] = {0};
  double g[MAX_D];
  for (;;) {
    double p = 1;
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
      run = i > 0 && pick[i] == pick[i - 1] ? run + 1 : 1;
      p *= e->p[pick[i]] * (double)(i + 1) / (double)run;
    }
    estimate(e, kind, x, pick, n, g);
    add(s, p, g, (double)n);
    size_t i = n;
    while (i > 0 && pick[i - 1] + 1 == e->n)
      i--;
    if (i == 0)
      return;
    const size_t next = pick[i - 1] + 1;
    for (size_t at = i - 1; at < n; at++)
      pick[at] = next;
  }
}

static bool few_batches(const pgb_atoms *e, size_t n) {
  double count = 1;
  for (size_t i = 0; i < n; i++)
    count *= (double)(e->n + i) / (double)(i + 1);
  return n <= MAX_BATCH && count <= MOST_BATCHES;
}

bool pgb_atoms_moments(const pgb_atoms *e, const pgb_pair *pair, size_t batch, double *mean,
                       double *variance) {
  const pgb_pair_kind kind = pgb_pair_what(pair);
  const bool single = kind == PGB_PAIR_NONE || kind == PGB_PAIR_CONSTANT || kind == PGB_PAIR_VALUE;
  const bool others = kind == PGB_PAIR_LOO || kind == PGB_PAIR_STEP || kind == PGB_PAIR_NORMALISED;
  sums s = {.d = e->d};
  parts x;
  if (kind == PGB_PAIR_OTHER || (kind == PGB_PAIR_NORMALISED && e->noisy) || (others && batch < 2) ||
      (!single && !few_batches(e, batch)) || !parts_of(e, pair, &x))
    return false;
  for (size_t i = 0; i < e->n; i++)
    for (size_t k = 0; k < e->d; k++)
      s.shift[k] += e->p[i] * x.a[i * e->d + k];
  if (single)
    by_episodes(e, pair, &x, &s);
  else
    by_batches(e, kind, &x, batch, &s);
  finish(&s, single ? (double)batch : 1, mean, variance);
  free(x.a);
  return true;
}
