/* SPDX-License-Identifier: MIT */
#include "oracle/lqr_moments.h"

#include "oracle/lqr_poly.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* How it works. Given the state, every conditional moment of what is still to come is a polynomial of it:
 * psi_t is linear in the state, rewards are quadratic, and products of at most two of each occur, so degree 6
 * holds them all. One step back in time maps the polynomials of x_{t+1} to those of x_t: substitute x_{t+1} =
 * A x + B u + w, multiply by advantages and scores in (x, eps), and take the expectation over eps, which
 * holds all noise of the step: u = F x + sd eps_u, w = root eps_w. States are measured from the mean
 * trajectory, which keeps the numbers small: then x' = (A + B F) x + push eps without a constant. The
 * recursion for tabular states is classical (moments of returns: Sobel 1982, J. Appl. Prob. 19:794).
 *
 * Where the state grows, values are many orders larger than what noise changes of them, and r + gamma V' - V
 * formed of its three parts would be rounding. Therefore values are written V = V^pi + gap: delta_t = a_t +
 * gamma gap_{t+1} - gap_t, and of the advantage a_t = r + gamma V^pi' - V^pi only what noise contributes is
 * left, 2 x' slope eps + eps' bend eps - tr bend; what cancels is never formed. For V = V^pi the gap is 0. */

enum { JOINT = 4 }; /* degree in (x, eps) of what multiplies a score: (advantage to go)^2 */

/* Polynomials that one parameter carries from step to step: E[. | x] with G the advantage to go. */
typedef enum carried { SS, GS, GGS, GSS, GGSS, X, GX, XX, XS, GXS, N_CARRIED } carried;

/* Scratch in x (degree 6) and in (x, eps) (degree 4). */
enum { X_TEMP, X_MORE, X_SCORE, X_SMOOTH, N_X = X_SMOOTH + 3 };
enum { Y_S, Y_GS, Y_FS, Y_X, Y_FX, Y_TEMP, N_Y };

struct pgb_lqr_moments {
  const pgb_lqr_model *model;
  pgb_poly_space x, y;
  pgb_poly_map lift, forward; /* x' = closed x + push eps into (x, eps); x' = closed x into x */
  pgb_poly_split split;
  double *state, *fresh;    /* [n_theta][N_CARRIED][x.count], [N_CARRIED][x.count] */
  double *now_g, *now_gg;   /* E[G | x], E[G^2 | x]                                */
  double *next_v, *next_vv; /* gamma gap_{t+1} and its square, in x'               */
  double *ahead, *ahead2;   /* first two moments of gamma gap' + kappa G'          */
  double *e, *g, *gg;       /* in (x, eps): a_t - gap_t, E[G | x, eps], E[G^2 | x, eps] */
  double *x_room[N_X], *y_room[N_Y];
  size_t noises;       /* k: eps = (m of the control, those of w)          */
  double *push;        /* [n][k] (B sd, root of the covariance of w)       */
  double *tilt;        /* [n][k] gamma Q_{t+1} push                        */
  double *slope;       /* [n][k] closed' tilt - (F' R sd, 0)               */
  double *gap, *units; /* [n][n] quadratic part of the gap, [n][n + k] unit vectors */
  const double *mean;  /* [n] of step t                                    */
  double kappa, omega;
};

/* Work of one step and parameter in multiply-adds, to first order. */
static double step_cost(size_t n, size_t dims) {
  double cost = (60 + 3 * pgb_poly_count(dims, 2)) * pgb_poly_count(dims, JOINT);
  for (size_t d = 1; d <= PGB_POLY_DEGREE; d++) {
    const double rows = pgb_poly_count(n, d) - pgb_poly_count(n, d - 1);
    cost += 3 * rows * rows;
    if (d <= JOINT)
      cost += 7 * rows * (pgb_poly_count(dims, d) - pgb_poly_count(dims, d - 1));
  }
  return cost;
}

static bool affordable(const pgb_lqr_model *model, size_t dims) {
  const double most = 2e10; /* some 15 seconds for each estimator */
  const double largest = 4e6;
  return dims <= 32 && pgb_poly_count(model->n, PGB_POLY_DEGREE) < 4000 &&
         pgb_poly_count(dims, JOINT) * pgb_poly_count(model->n, JOINT) < largest &&
         step_cost(model->n, dims) * (double)model->n_theta * (double)model->horizon < most;
}

/* root [n][n], lower, root root' = cov. */
static void cholesky(const double *cov, size_t n, double *root) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = cov[i * n + j];
      for (size_t k = 0; k < j; k++)
        sum -= root[i * n + k] * root[j * n + k];
      root[i * n + j] = i == j ? sqrt(fmax(sum, 0)) : root[j * n + j] > 0 ? sum / root[j * n + j] : 0;
    }
}

/* matrix [n][n + k] = (closed, push); the number k of noises. Process noise is there or is not. */
static pgb_status linear_step(const pgb_lqr_model *p, pgb_arena *arena, double **matrix, size_t *noises) {
  const size_t n = p->n;
  const size_t m = p->m;
  double *root = NULL;
  bool noisy = false;
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &root));
  cholesky(p->env->cov_w, n, root);
  for (size_t i = 0; i < n * n; i++)
    noisy = noisy || root[i] != 0;
  *noises = m + (noisy ? n : 0);
  const size_t dims = n + *noises;
  PGB_TRY(pgb_lqr_numbers(arena, n * dims, matrix));
  for (size_t i = 0; i < n; i++) {
    double *row = *matrix + i * dims;
    memcpy(row, p->closed + i * n, n * sizeof *row);
    for (size_t k = 0; k < m; k++)
      row[n + k] = p->env->b.data[i * m + k] * p->sd[k];
    for (size_t k = 0; noisy && k < n; k++)
      row[n + m + k] = root[i * n + k];
  }
  return pgb_ok();
}

static pgb_status make_room(pgb_lqr_moments *s, pgb_arena *arena) {
  const size_t nx = s->x.count;
  const size_t ny = s->y.count;
  const size_t n = s->x.n;
  const size_t k = s->noises;
  double **const in_x[] = {&s->now_g, &s->now_gg, &s->next_v, &s->next_vv, &s->ahead, &s->ahead2};
  double **const in_y[] = {&s->e, &s->g, &s->gg};
  PGB_TRY(pgb_lqr_numbers(arena, s->model->n_theta * N_CARRIED * nx, &s->state));
  PGB_TRY(pgb_lqr_numbers(arena, N_CARRIED * nx, &s->fresh));
  PGB_TRY(pgb_lqr_numbers(arena, n * k, &s->push));
  PGB_TRY(pgb_lqr_numbers(arena, n * k, &s->tilt));
  PGB_TRY(pgb_lqr_numbers(arena, n * k, &s->slope));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &s->gap));
  PGB_TRY(pgb_lqr_numbers(arena, n * (n + k), &s->units));
  for (size_t i = 0; i < sizeof in_x / sizeof *in_x; i++)
    PGB_TRY(pgb_lqr_numbers(arena, nx, in_x[i]));
  for (size_t i = 0; i < sizeof in_y / sizeof *in_y; i++)
    PGB_TRY(pgb_lqr_numbers(arena, ny, in_y[i]));
  for (size_t i = 0; i < N_Y; i++)
    PGB_TRY(pgb_lqr_numbers(arena, ny, &s->y_room[i]));
  for (size_t i = 0; i < N_X; i++)
    PGB_TRY(pgb_lqr_numbers(arena, nx, &s->x_room[i]));
  PGB_TRY(pgb_lqr_numbers(arena, 2 * nx, &s->x_room[X_SMOOTH]));
  return pgb_ok();
}

pgb_status pgb_lqr_moments_open(const pgb_lqr_model *model, pgb_arena *arena, pgb_lqr_moments **out) {
  const size_t n = model->n;
  void *piece = NULL;
  double *matrix = NULL;
  size_t noises = 0;
  *out = NULL;
  PGB_TRY(linear_step(model, arena, &matrix, &noises));
  if (!affordable(model, n + noises))
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_lqr_moments), &piece));
  pgb_lqr_moments *s = piece;
  s->model = model;
  s->noises = noises;
  PGB_TRY(pgb_poly_space_open(n, PGB_POLY_DEGREE, arena, &s->x));
  PGB_TRY(pgb_poly_space_open(n + noises, JOINT, arena, &s->y));
  PGB_TRY(pgb_poly_map_open(&s->x, &s->y, matrix, JOINT, arena, &s->lift));
  PGB_TRY(pgb_poly_map_open(&s->x, &s->x, model->closed, PGB_POLY_DEGREE, arena, &s->forward));
  PGB_TRY(pgb_poly_split_open(&s->x, &s->y, arena, &s->split));
  PGB_TRY(make_room(s, arena));
  for (size_t i = 0; i < n; i++)
    memcpy(s->push + i * noises, matrix + i * (n + noises) + n, noises * sizeof *matrix);
  *out = s;
  return pgb_ok();
}

static double *clear(double *p, const pgb_poly_space *space) {
  memset(p, 0, space->count * sizeof *p);
  return p;
}

static void add(double scale, const double *p, size_t count, double *out) {
  for (size_t i = 0; i < count; i++)
    out[i] += scale * p[i];
}

/* out(x, eps) = p(x'). */
static double *lift(pgb_lqr_moments *s, const double *p, size_t degree, double *out) {
  pgb_poly_map_add(&s->lift, 1, p, degree, clear(out, &s->y));
  return out;
}

/* out(x) += scale * E[p(x') | x]. */
static void forward_add(pgb_lqr_moments *s, double scale, const double *p, double *out) {
  double *copy = s->x_room[X_MORE];
  memcpy(copy, p, s->x.count * sizeof *copy);
  pgb_poly_smooth(&s->x, s->model->noise, PGB_POLY_DEGREE, copy, s->x_room[X_SMOOTH]);
  pgb_poly_map_add(&s->forward, scale, copy, PGB_POLY_DEGREE, out);
}

/* out(x) += scale * E[f(x, eps) | x]. */
static void mean_add(const pgb_lqr_moments *s, double scale, const double *f, size_t degree, double *out) {
  pgb_poly_average_add(&s->split, scale, 0, 0, f, degree, out);
}

/* out(x) += scale * E[psi_k^power f(x, eps) | x], power 1 or 2. For the mean of control i, psi = gain eps_i
 * x_j / sd_i; for log sd_i, psi = eps_i^2 - 1. */
static void score_add(pgb_lqr_moments *s, size_t k, unsigned power, double scale, const double *f,
                      size_t degree, double *out) {
  const pgb_lqr_model *p = s->model;
  const size_t n = p->n;
  if (k >= p->m * n) {
    const size_t i = k - p->m * n;
    pgb_poly_average_add(&s->split, power == 1 ? scale : -2 * scale, i, 2, f, degree, out);
    pgb_poly_average_add(&s->split, power == 1 ? -scale : scale, i, 0, f, degree, out);
    if (power == 2)
      pgb_poly_average_add(&s->split, scale, i, 4, f, degree, out);
    return;
  }
  const size_t i = k / n;
  const size_t j = k % n;
  const double slope = p->gain / p->sd[i];
  const double shift = s->mean[j];
  double *average = clear(s->x_room[X_SCORE], &s->x);
  pgb_poly_average_add(&s->split, power == 1 ? scale * slope : scale * slope * slope, i, power, f, degree,
                       average);
  for (size_t c = 0; c < s->x.first[degree + 1]; c++) {
    const size_t once = average[c] == 0 ? 0 : s->x.times[c * n + j];
    if (power == 1) {
      out[c] += shift * average[c];
      out[once] += average[c];
    } else {
      out[c] += shift * shift * average[c];
      out[once] += 2 * shift * average[c];
      out[average[c] == 0 ? 0 : s->x.times[once * n + j]] += average[c];
    }
  }
}

/* out += scale * gap_t as a polynomial in the deviation from the mean, in x or in (x, eps). */
static void add_gap(pgb_lqr_moments *s, const pgb_poly_space *space, const pgb_lqr_signal *signal, size_t t,
                    double scale, double *out) {
  const pgb_lqr_model *p = s->model;
  const size_t n = p->n;
  const pgb_value *v = signal->value;
  if (t >= p->horizon)
    return;
  memset(s->units, 0, n * space->n * sizeof *s->units);
  for (size_t i = 0; i < n; i++)
    s->units[i * space->n + i] = 1;
  for (size_t i = 0; i < n * n; i++)
    s->gap[i] = (v != NULL ? v->quad[t * n * n + i] : 0) - p->quad[t * n * n + i];
  out[0] += scale * ((v != NULL ? v->constant[t] : signal->level) - p->constant[t]);
  pgb_poly_quadratic_add(space, scale, s->gap, n, p->mean + t * n, s->units, out);
}

/* tilt and slope of step t. */
static void tilt_step(pgb_lqr_moments *s, size_t t) {
  const pgb_lqr_model *p = s->model;
  const size_t n = p->n;
  const size_t m = p->m;
  const double *next = p->quad + (t + 1) * n * n;
  memset(s->tilt, 0, n * s->noises * sizeof *s->tilt);
  memset(s->slope, 0, n * s->noises * sizeof *s->slope);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      for (size_t a = 0; a < s->noises; a++)
        s->tilt[i * s->noises + a] += p->gamma * next[i * n + j] * s->push[j * s->noises + a];
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      for (size_t a = 0; a < s->noises; a++)
        s->slope[i * s->noises + a] += p->closed[j * n + i] * s->tilt[j * s->noises + a];
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      for (size_t a = 0; a < m; a++)
        s->slope[i * s->noises + a] -= p->feedback[j * n + i] * p->env->r.data[j * m + a] * p->sd[a];
}

/* out(x, eps) += a_t. */
static void add_advantage(pgb_lqr_moments *s, size_t t, double *out) {
  const pgb_lqr_model *p = s->model;
  const size_t n = p->n;
  const size_t m = p->m;
  const pgb_poly_space *y = &s->y;
  tilt_step(s, t);
  for (size_t a = 0; a < s->noises; a++) {
    const size_t once = y->times[n + a];
    for (size_t i = 0; i < n; i++) {
      out[once] += 2 * s->mean[i] * s->slope[i * s->noises + a];
      out[y->times[once * y->n + i]] += 2 * s->slope[i * s->noises + a];
    }
    for (size_t b = 0; b < s->noises; b++) {
      double bend = a < m && b < m ? -p->sd[a] * p->env->r.data[a * m + b] * p->sd[b] : 0;
      for (size_t i = 0; i < n; i++)
        bend += s->push[i * s->noises + a] * s->tilt[i * s->noises + b];
      out[y->times[once * y->n + n + b]] += bend;
      if (a == b)
        out[0] -= bend;
    }
  }
}

/* What the step shares between the parameters; afterwards now_g and now_gg belong to step t. */
static void prepare_step(pgb_lqr_moments *s, const pgb_lqr_signal *signal, size_t t) {
  const pgb_lqr_model *p = s->model;
  const size_t nx = s->x.count;
  s->mean = p->mean + t * p->n;
  add_gap(s, &s->x, signal, t + 1, p->gamma, clear(s->next_v, &s->x));
  pgb_poly_multiply_add(&s->x, 1, s->next_v, 2, s->next_v, 2, clear(s->next_vv, &s->x));
  memcpy(s->ahead, s->next_v, nx * sizeof *s->ahead);
  add(s->kappa, s->now_g, nx, s->ahead);
  memcpy(s->ahead2, s->next_vv, nx * sizeof *s->ahead2);
  pgb_poly_multiply_add(&s->x, 2 * s->kappa, s->next_v, 2, s->now_g, 2, s->ahead2);
  add(s->kappa * s->kappa, s->now_gg, nx, s->ahead2);

  clear(s->e, &s->y);
  add_advantage(s, t, s->e);
  add_gap(s, &s->y, signal, t, -1, s->e);
  lift(s, s->ahead, 2, s->g);
  lift(s, s->ahead2, 4, s->gg);
  pgb_poly_multiply_add(&s->y, 2, s->e, 2, s->g, 2, s->gg);
  pgb_poly_multiply_add(&s->y, 1, s->e, 2, s->e, 2, s->gg);
  add(1, s->e, s->y.count, s->g);
  mean_add(s, 1, s->g, 2, clear(s->now_g, &s->x));
  mean_add(s, 1, s->gg, 4, clear(s->now_gg, &s->x));
}

/* E[H Z'] from E[Z'] and E[G' Z'], where H = gamma gap' + kappa G' is what of G_t comes after step t. */
static double *after(pgb_lqr_moments *s, const double *z, const double *gz, size_t degree) {
  double *h = clear(s->x_room[X_TEMP], &s->x);
  if (z != NULL)
    pgb_poly_multiply_add(&s->x, 1, s->next_v, 2, z, degree, h);
  add(s->kappa, gz, s->x.count, h);
  return h;
}

/* E[H^2 Z'], degree of z. */
static double *after2(pgb_lqr_moments *s, const double *z, const double *gz, const double *ggz,
                      size_t degree) {
  double *h = clear(s->x_room[X_TEMP], &s->x);
  if (z != NULL)
    pgb_poly_multiply_add(&s->x, 1, s->next_vv, 4, z, degree, h);
  pgb_poly_multiply_add(&s->x, 2 * s->kappa, s->next_v, 2, gz, z != NULL ? degree + 2 : 2, h);
  add(s->kappa * s->kappa, ggz, s->x.count, h);
  return h;
}

/* Moments of S and G: S_t = psi + omega S', G_t = e + H. E[S' | x'] = 0. */
static void step_score(pgb_lqr_moments *s, size_t k, double *const *old, double *const *fresh) {
  const double w = s->omega;
  double *next_ss = lift(s, old[SS], 2, s->y_room[Y_S]);
  double *next_gs = lift(s, after(s, NULL, old[GS], 0), 2, s->y_room[Y_GS]); /* E[G S' | x, eps]   */
  double *next_ggs =
      lift(s, after2(s, NULL, old[GS], old[GGS], 0), 4, s->y_room[Y_FS]); /* E[G^2 S' | x, eps] */
  double *next_gss = lift(s, after(s, old[SS], old[GSS], 2), 4, s->y_room[Y_TEMP]);
  pgb_poly_multiply_add(&s->y, 2, s->e, 2, next_gs, 2, next_ggs);

  static const double one[1] = {1};
  score_add(s, k, 2, 1, one, 0, fresh[SS]);
  mean_add(s, w * w, next_ss, 2, fresh[SS]);
  score_add(s, k, 1, 1, s->g, 2, fresh[GS]);
  mean_add(s, w, next_gs, 2, fresh[GS]);
  score_add(s, k, 1, 1, s->gg, 4, fresh[GGS]);
  mean_add(s, w, next_ggs, 4, fresh[GGS]);

  /* E[e^2 S'^2 + 2 e H S'^2] before E[G S'^2], which takes next_gss over. */
  score_add(s, k, 2, 1, s->gg, 4, fresh[GGSS]);
  score_add(s, k, 1, 2 * w, next_ggs, 4, fresh[GGSS]);
  pgb_poly_average_product_add(&s->split, 2 * w * w, s->e, 2, next_gss, 4, fresh[GGSS]);
  double *e_ss = clear(s->y_room[Y_X], &s->y);
  pgb_poly_multiply_add(&s->y, 1, s->e, 2, next_ss, 2, e_ss);
  pgb_poly_average_product_add(&s->split, w * w, s->e, 2, e_ss, 4, fresh[GGSS]);
  forward_add(s, w * w, after2(s, old[SS], old[GSS], old[GGSS], 2), fresh[GGSS]);

  score_add(s, k, 2, 1, s->g, 2, fresh[GSS]);
  score_add(s, k, 1, 2 * w, next_gs, 2, fresh[GSS]);
  mean_add(s, w * w, next_gss, 4, fresh[GSS]);
  mean_add(s, w * w, e_ss, 4, fresh[GSS]);
}

/* Moments of X and G: X_t = psi G_t + omega X'. Leaves E[X' | x, eps] in Y_X and E[G X' | x, eps] in Y_FX. */
static void step_weighted(pgb_lqr_moments *s, size_t k, double *const *old, double *const *fresh) {
  const double w = s->omega;
  double *next_x = lift(s, old[X], 2, s->y_room[Y_X]);
  double *next_gx = lift(s, after(s, old[X], old[GX], 2), 4, s->y_room[Y_FX]);
  pgb_poly_multiply_add(&s->y, 1, s->e, 2, next_x, 2, next_gx);

  score_add(s, k, 1, 1, s->g, 2, fresh[X]);
  mean_add(s, w, next_x, 2, fresh[X]);
  score_add(s, k, 1, 1, s->gg, 4, fresh[GX]);
  mean_add(s, w, next_gx, 4, fresh[GX]);
  score_add(s, k, 2, 1, s->gg, 4, fresh[XX]);
  score_add(s, k, 1, 2 * w, next_gx, 4, fresh[XX]);
  forward_add(s, w * w, old[XX], fresh[XX]);
}

/* E[X S], E[G X S]: after step_score and step_weighted, whose scratch it reads. */
static void step_both(pgb_lqr_moments *s, size_t k, double *const *old, double *const *fresh) {
  const double w = s->omega;
  double *next_xs = lift(s, old[XS], 4, s->y_room[Y_TEMP]);
  score_add(s, k, 2, 1, s->g, 2, fresh[XS]);
  score_add(s, k, 1, w, s->y_room[Y_GS], 2, fresh[XS]);
  score_add(s, k, 1, w, s->y_room[Y_X], 2, fresh[XS]);
  mean_add(s, w * w, next_xs, 4, fresh[XS]);

  score_add(s, k, 2, 1, s->gg, 4, fresh[GXS]);
  score_add(s, k, 1, w, s->y_room[Y_FS], 4, fresh[GXS]);
  score_add(s, k, 1, w, s->y_room[Y_FX], 4, fresh[GXS]);
  pgb_poly_average_product_add(&s->split, w * w, s->e, 2, next_xs, 4, fresh[GXS]);
  forward_add(s, w * w, after(s, old[XS], old[GXS], 4), fresh[GXS]);
}

static void step_parameter(pgb_lqr_moments *s, const pgb_lqr_signal *signal, size_t k) {
  double *old[N_CARRIED];
  double *fresh[N_CARRIED];
  const size_t size = N_CARRIED * s->x.count;
  for (size_t i = 0; i < N_CARRIED; i++) {
    old[i] = s->state + k * size + i * s->x.count;
    fresh[i] = s->fresh + i * s->x.count;
  }
  memset(s->fresh, 0, size * sizeof *s->fresh);
  if (signal->score)
    step_score(s, k, old, fresh);
  if (signal->weighted)
    step_weighted(s, k, old, fresh);
  if (signal->score && signal->weighted)
    step_both(s, k, old, fresh);
  memcpy(old[0], s->fresh, size * sizeof *s->fresh);
}

/* E p(x_t) before step t: p is in deviations from the mean. */
static double at_step(pgb_lqr_moments *s, size_t t, const double *p) {
  double *copy = s->x_room[X_MORE];
  memcpy(copy, p, s->x.count * sizeof *copy);
  pgb_poly_smooth(&s->x, s->model->cov + t * s->model->n * s->model->n, PGB_POLY_DEGREE, copy,
                  s->x_room[X_SMOOTH]);
  return copy[0];
}

void pgb_lqr_moments_run(pgb_lqr_moments *s, const pgb_lqr_signal *signal, pgb_lqr_joint *joint, double *r,
                         double *square) {
  const pgb_lqr_model *p = s->model;
  assert(signal->value == NULL || signal->value->kind == PGB_VALUE_QUADRATIC);
  s->kappa = p->gamma * signal->lambda;
  s->omega = signal->omega;
  memset(s->state, 0, p->n_theta * N_CARRIED * s->x.count * sizeof *s->state);
  clear(s->now_g, &s->x);
  clear(s->now_gg, &s->x);
  for (size_t t = p->horizon; t-- > 0;) {
    prepare_step(s, signal, t);
    square[t] = at_step(s, t, s->now_gg);
    for (size_t k = 0; k < p->n_theta; k++)
      step_parameter(s, signal, k);
  }
  *r = at_step(s, 0, s->now_g);
  for (size_t k = 0; k < p->n_theta; k++) {
    double value[N_CARRIED];
    for (size_t i = 0; i < N_CARRIED; i++)
      value[i] = at_step(s, 0, s->state + (k * N_CARRIED + i) * s->x.count);
    joint[k] = (pgb_lqr_joint){.ss = value[SS],
                               .rs = value[GS],
                               .rrs = value[GGS],
                               .rss = value[GSS],
                               .rrss = value[GGSS],
                               .x = value[X],
                               .rx = value[GX],
                               .xx = value[XX],
                               .xs = value[XS],
                               .rxs = value[GXS]};
  }
}
