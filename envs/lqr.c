/* SPDX-License-Identifier: MIT */
#include "envs/lqr.h"

#include "core/vmath.h"
#include "env/env.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const pgb_option options[] = {
    {"A", "1", PGB_TYPE_ARRAY, offsetof(pgb_lqr, a), -1e6, 1e6, "[[1, 0.2], [0, 0.9]]", NULL,
     "state matrix [n][n]"},
    {"B", "1", PGB_TYPE_ARRAY, offsetof(pgb_lqr, b), -1e6, 1e6, "[[0.1], [0.5]]", NULL,
     "control matrix [n][m]"},
    {"Q", "cost", PGB_TYPE_ARRAY, offsetof(pgb_lqr, q), -1e6, 1e6, "[[1, 0], [0, 0.3]]", NULL,
     "state cost x'Qx, symmetric positive semidefinite"},
    {"R", "cost", PGB_TYPE_ARRAY, offsetof(pgb_lqr, r), -1e6, 1e6, "[[0.2]]", NULL,
     "control cost u'Ru, symmetric positive semidefinite"},
    {"W", "1", PGB_TYPE_ARRAY, offsetof(pgb_lqr, w), -1e6, 1e6, NULL, NULL,
     "covariance of the process noise, positive definite; none if left out"},
    {"S0", "1", PGB_TYPE_ARRAY, offsetof(pgb_lqr, s0), -1e6, 1e6, NULL, NULL,
     "covariance of the first state, positive definite; identity if neither S0 nor start is given"},
    {"start", "1", PGB_TYPE_ARRAY, offsetof(pgb_lqr, start), -1e6, 1e6, NULL, NULL,
     "mean of the first state, and the first state itself where S0 is left out"},
    {"horizon", "step", PGB_TYPE_INT, offsetof(pgb_lqr, horizon), 1, 100000, "4", NULL,
     "steps in an episode"},
};

enum { MAX_STATE = 64 };

static pgb_status check_square(const char *name, const pgb_array *x, size_t n) {
  if (x->rank != 2 || x->dim[0] != n || x->dim[1] != n)
    return pgb_fail(PGB_USAGE, "%s: needs a %zu x %zu matrix to fit A and B; give it row by row", name, n, n);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < i; j++)
      if (fabs(x->data[i * n + j] - x->data[j * n + i]) > 1e-12 * (fabs(x->data[i * n + j]) + 1))
        return pgb_fail(PGB_USAGE, "%s: entries [%zu][%zu] and [%zu][%zu] differ; make the matrix symmetric",
                        name, i, j, j, i);
  return pgb_ok();
}

/* Lower Cholesky factor; pivots below -tolerance, or not above it where `definite`, are refused. */
static pgb_status cholesky(const char *name, const double *x, size_t n, bool definite, double *root) {
  double scale = 0;
  for (size_t i = 0; i < n; i++)
    scale = fmax(scale, fabs(x[i * n + i]));
  for (size_t j = 0; j < n; j++) {
    double pivot = x[j * n + j];
    for (size_t k = 0; k < j; k++)
      pivot -= root[j * n + k] * root[j * n + k];
    if (definite ? pivot <= 1e-14 * scale : pivot < -1e-12 * scale)
      return pgb_fail(PGB_USAGE, "%s: is not positive %s (pivot %zu is %.3g); give a valid %s", name,
                      definite ? "definite" : "semidefinite", j, pivot, definite ? "covariance" : "cost");
    const bool zero = pivot <= 1e-12 * scale && !definite;
    root[j * n + j] = zero ? 0 : sqrt(pivot);
    for (size_t i = j + 1; i < n; i++) {
      double sum = x[i * n + j];
      for (size_t k = 0; k < j; k++)
        sum -= root[i * n + k] * root[j * n + k];
      if (zero && fabs(sum) > 1e-9 * scale)
        return pgb_fail(PGB_USAGE, "%s: is not positive semidefinite; give a valid cost", name);
      root[i * n + j] = zero ? 0 : sum / root[j * n + j];
    }
  }
  return pgb_ok();
}

static pgb_status check_shapes(pgb_lqr *p) {
  const size_t n = p->a.rank == 2 ? p->a.dim[0] : 0;
  if (n == 0 || p->a.dim[1] != n || n > MAX_STATE)
    return pgb_fail(PGB_USAGE, "A: needs a square matrix of at most %d rows; give it row by row", MAX_STATE);
  if (p->b.rank != 2 || p->b.dim[0] != n || p->b.dim[1] > MAX_STATE)
    return pgb_fail(PGB_USAGE, "B: needs %zu rows, as A has, and at most %d columns; give it row by row", n,
                    MAX_STATE);
  const size_t m = p->b.dim[1];
  PGB_TRY(check_square("Q", &p->q, n));
  PGB_TRY(check_square("R", &p->r, m));
  if (p->w.size != 0)
    PGB_TRY(check_square("W", &p->w, n));
  if (p->s0.size != 0)
    PGB_TRY(check_square("S0", &p->s0, n));
  if (p->start.size != 0 && (p->start.rank != 1 || p->start.size != n))
    return pgb_fail(PGB_USAGE, "start: has %zu values for %zu states; give one for each", p->start.size, n);
  p->n = n;
  p->m = m;
  return pgb_ok();
}

static const float *to_lane(const double *x, size_t size, float **room) {
  float *out = *room;
  for (size_t i = 0; i < size; i++)
    out[i] = (float)x[i];
  *room += size;
  return out;
}

static pgb_status factor(const char *name, const double *x, size_t n, bool definite, pgb_arena *arena,
                         double **root) {
  void *piece = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n * n, sizeof(double), &piece));
  *root = piece;
  return cholesky(name, x, n, definite, *root);
}

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  pgb_lqr *p = params;
  PGB_TRY(check_shapes(p));
  const size_t n = p->n;
  const size_t m = p->m;
  void *exact = NULL;
  void *lanes = NULL;
  double *root = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n + 2 * n * n, sizeof(double), &exact));
  PGB_TRY(pgb_arena_alloc(arena, 4 * n * n + n * m + m * m + n, sizeof(float), &lanes));
  double *mean0 = exact;
  double *cov0 = mean0 + n;
  double *cov_w = cov0 + n * n;
  float *room = lanes;
  for (size_t i = 0; i < n; i++) {
    mean0[i] = p->start.size != 0 ? p->start.data[i] : 0;
    cov0[i * n + i] = p->start.size == 0 && p->s0.size == 0 ? 1 : 0;
  }
  if (p->s0.size != 0)
    memcpy(cov0, p->s0.data, n * n * sizeof *cov0);
  if (p->w.size != 0)
    memcpy(cov_w, p->w.data, n * n * sizeof *cov_w);
  PGB_TRY(factor("Q", p->q.data, n, false, arena, &root));
  PGB_TRY(factor("R", p->r.data, m, false, arena, &root));
  PGB_TRY(factor("W", cov_w, n, p->w.size != 0, arena, &root));
  p->root_w = to_lane(root, n * n, &room);
  PGB_TRY(factor("S0", cov0, n, p->s0.size != 0, arena, &root));
  p->root0 = to_lane(root, n * n, &room);
  p->a_lane = to_lane(p->a.data, n * n, &room);
  p->b_lane = to_lane(p->b.data, n * m, &room);
  p->q_lane = to_lane(p->q.data, n * n, &room);
  p->r_lane = to_lane(p->r.data, m * m, &room);
  p->mean0_lane = to_lane(mean0, n, &room);
  p->mean0 = mean0;
  p->cov0 = cov0;
  p->cov_w = cov_w;
  const size_t normals = 2 * ((n + 1) / 2);
  *space = (pgb_space){.n_state = n,
                       .n_obs = n,
                       .n_act = m,
                       .horizon = (size_t)p->horizon,
                       .reset_words = normals,
                       .step_words = p->w.size != 0 ? normals : 0};
  return pgb_ok();
}

/* out += matrix_row . x for all lanes: out[i] += sum_j row[j] x[j][i]. */
static void add_row(const float *row, const float *x, size_t n, float *out) {
  for (size_t j = 0; j < n; j++) {
    const float c = row[j];
    const float *from = x + j * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      out[i] += c * from[i];
  }
}

/* n standard normals for all lanes, one more where n is odd. */
static void normals(const uint32_t *words, size_t n, float z[][PGB_LANES]) {
  for (size_t k = 0; k < n; k += 2) {
    const uint32_t *w = words + k * PGB_LANES;
    float *z0 = z[k], *z1 = z[k + 1];
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      pgb_normal_pair(w[i], w[PGB_LANES + i], &z0[i], &z1[i]);
  }
}

static void reset(const void *params, pgb_batch *batch) {
  const pgb_lqr *p = params;
  float z[MAX_STATE + 1][PGB_LANES];
  normals(batch->words, p->n, z);
  for (size_t k = 0; k < p->n; k++) {
    float *x = batch->state + k * PGB_LANES;
    for (size_t i = 0; i < PGB_LANES; i++)
      x[i] = p->mean0_lane[k];
    add_row(p->root0 + k * p->n, z[0], k + 1, x);
  }
  memcpy(batch->obs, batch->state, p->n * PGB_LANES * sizeof(float));
}

static void add_cost(const float *matrix, const float *x, size_t n, float *reward) {
  for (size_t k = 0; k < n; k++) {
    float inner[PGB_LANES] = {0};
    add_row(matrix + k * n, x, n, inner);
    const float *row = x + k * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      reward[i] -= row[i] * inner[i];
  }
}

static void step(const void *params, pgb_batch *batch) {
  const pgb_lqr *p = params;
  const size_t n = p->n;
  float next[MAX_STATE][PGB_LANES];
  memset(batch->reward, 0, PGB_LANES * sizeof(float));
  add_cost(p->q_lane, batch->state, n, batch->reward);
  add_cost(p->r_lane, batch->act, p->m, batch->reward);
  for (size_t k = 0; k < n; k++) {
    memset(next[k], 0, sizeof next[k]);
    add_row(p->a_lane + k * n, batch->state, n, next[k]);
    add_row(p->b_lane + k * p->m, batch->act, p->m, next[k]);
  }
  if (p->w.size != 0) {
    float z[MAX_STATE + 1][PGB_LANES];
    normals(batch->words, n, z);
    for (size_t k = 0; k < n; k++)
      add_row(p->root_w + k * n, z[0], k + 1, next[k]);
  }
  memcpy(batch->state, next, n * sizeof next[0]);
  memcpy(batch->obs, next, n * sizeof next[0]);
  memset(batch->end, PGB_LIVE, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_lqr) = {
    .name = "lqr",
    .title = "finite-horizon linear-quadratic regulator, x' = A x + B u + w, reward -(x'Qx + u'Ru)",
    .source = "Fazel, Ge, Kakade, Mesbahi 2018, Global convergence of policy gradient methods for LQR (ICML)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_lqr),
    .policy_gain = -1,
    .given = "A,B,Q,R",
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
