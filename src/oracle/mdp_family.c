/* SPDX-License-Identifier: MIT */
#include "oracle/mdp_model.h"

#include <string.h>

/* Second moments of sums over steps for one parameter k = (s, a). For t < u both at s, with psi_u centred
 * given s_u and G_t = (rewards between) + gamma^(u-t) G_u, every expectation factorises at s_u: what happened
 * before enters through E[psi_t 1{s_u = s}] and E[psi_t (rewards between) 1{s_u = s}], what comes through g_1
 * and g_2. */

/* One parameter as rows over time; d, f1, f2, v are those of its state. */
typedef struct series {
  size_t t;
  const double *discount, *weight;
  const double *d, *f1, *f2, *v;
  const double *g1, *g2, *m1, *m2, *back, *back_pay;
  double m0;
} series;

/* E[psi_t M 1{s_u = s} | s_t = s], M = E[G_t | up to u] - V_t(s), the surprise between the visits. */
static double surprise(const series *x, size_t t, size_t u) {
  const size_t n = u - t;
  return x->back_pay[n] + (x->discount[n] * x->v[u] - x->v[t]) * x->back[n];
}

/* E[A^2] at b = V, and its slopes. */
static double to_go_square(const series *x, double *line) {
  double sum = 0;
  for (size_t t = 0; t < x->t; t++) {
    const double own = x->weight[t] * x->weight[t] * x->d[t];
    sum += own * x->m2[t];
    line[t] += own * x->m1[t];
    for (size_t u = t + 1; u < x->t; u++) {
      const double way = x->weight[t] * x->weight[u] * x->d[t], back = x->back[u - t],
                   shrink = x->discount[u - t];
      sum += 2 * way * (x->g1[u] * surprise(x, t, u) + shrink * x->g2[u] * back);
      line[t] += way * x->g1[u] * back;
      line[u] += way * shrink * x->g1[u] * back;
    }
  }
  return sum;
}

/* E[Y^2 R'] and E[Y^2 R'^2], R' = R - b(s_0) as f1 and f2 have it. */
static void return_squares(const series *x, double *first, double *second) {
  const double *g = x->discount;
  for (size_t t = 0; t < x->t; t++) {
    const double own = x->weight[t] * x->weight[t];
    *first += own * (x->f1[t] * x->m0 + g[t] * x->d[t] * x->m1[t]);
    *second += own * (x->f2[t] * x->m0 + 2 * g[t] * x->f1[t] * x->m1[t] + g[t] * g[t] * x->d[t] * x->m2[t]);
    for (size_t u = t + 1; u < x->t; u++) {
      const double way = 2 * x->weight[t] * x->weight[u] * g[u], back = x->back[u - t];
      const double past = x->f1[t] * back + g[t] * x->d[t] * surprise(x, t, u);
      *first += way * x->g1[u] * x->d[t] * back;
      *second += way * (2 * x->g1[u] * past + g[u] * x->g2[u] * x->d[t] * back);
    }
  }
}

/* E[A Y R~] at b = J, f1 centred at J too. */
static double cross_moment(const series *x, double j) {
  const double *g = x->discount;
  double sum = 0;
  for (size_t t = 0; t < x->t; t++) {
    const double e = j - x->v[t], own = x->weight[t] * x->weight[t];
    sum += own * (x->f1[t] * (x->m1[t] - e * x->m0) + g[t] * x->d[t] * (x->m2[t] - e * x->m1[t]));
    for (size_t u = t + 1; u < x->t; u++) {
      const double back = x->back[u - t], met = x->d[t] * back, shrink = g[u - t], e_u = j - x->v[u];
      const double between = x->d[t] * surprise(x, t, u), past = x->f1[t] * back + g[t] * between;
      const double first =
          x->g1[u] * (g[u] * (between - e * met) + shrink * past) + shrink * g[u] * x->g2[u] * met;
      const double second = x->g1[u] * (past - e_u * g[u] * met) + g[u] * x->g2[u] * met;
      sum += x->weight[t] * x->weight[u] * (first + second);
    }
  }
  return sum;
}

/* E[psi 1{s_n = s}] and the same with the rewards between, for parameters in order; x[S][S] = Pr(s_(n-1) =
 * column | s), w[S][S] = E[rewards 1{...} | s]. */
static void store_lag(pgb_tabular *o, size_t n, const double *x, const double *w) {
  for (size_t s = 0; s < o->s; s++) {
    double all = 0, all_pay = 0;
    for (size_t k = s * o->a; k < (s + 1) * o->a; k++) {
      const double *p = o->of.transition + k * o->s;
      double met = 0, pay = 0;
      for (size_t i = 0; i < o->s; i++) {
        met += p[i] * x[i * o->s + s];
        pay += p[i] * w[i * o->s + s];
      }
      o->back[k * o->t + n] = met;
      o->back_pay[k * o->t + n] = o->of.reward[k] * met + o->of.gamma * pay;
      all += o->pi[k] * met;
      all_pay += o->pi[k] * o->back_pay[k * o->t + n];
    }
    for (size_t k = s * o->a; k < (s + 1) * o->a; k++) {
      o->back[k * o->t + n] = o->pi[k] * (o->back[k * o->t + n] - all);
      o->back_pay[k * o->t + n] = o->pi[k] * (o->back_pay[k * o->t + n] - all_pay);
    }
  }
}

bool pgb_tabular_lags(pgb_tabular *o) {
  const double steps = (double)o->t, size = (double)o->p;
  if (o->back != NULL)
    return true;
  if (3 * steps * (double)o->s * (double)o->row[o->s] + steps * steps * size * 10 > PGB_TABULAR_MOST)
    return false;
  pgb_arena *scratch = NULL;
  double *block = NULL, *back = NULL, *pay = NULL;
  const size_t square = o->s * o->s;
  if (pgb_arena_scratch(o->arena, &scratch).code != PGB_OK)
    return false;
  const bool room = pgb_doubles(scratch, 4 * square, &block).code == PGB_OK &&
                    pgb_doubles(o->arena, o->p * o->t, &back).code == PGB_OK &&
                    pgb_doubles(o->arena, o->p * o->t, &pay).code == PGB_OK;
  if (room) {
    double *x = block, *w = block + square, *y = block + 2 * square, *z = block + 3 * square;
    o->back = back;
    o->back_pay = pay;
    for (size_t s = 0; s < o->s; s++)
      x[s * o->s + s] = 1;
    for (size_t n = 1; n < o->t; n++) {
      store_lag(o, n, x, w);
      pgb_tabular_propagate(o, o->s, o->pay, o->of.gamma, x, w, y, z);
      double *old_x = x, *old_w = w;
      x = y;
      w = z;
      y = old_x;
      z = old_w;
    }
  }
  pgb_arena_destroy(scratch);
  return room;
}

/* Column s of a [T][S] table as a row. */
static void gather(const pgb_tabular *o, const double *table, size_t s, double *out) {
  for (size_t t = 0; t < o->t; t++)
    out[t] = table[t * o->s + s];
}

/* Rows of state s into columns[4][T]. */
static series of_state(const pgb_tabular *o, const double *weight, const double *f1, const double *f2,
                       size_t s, double *columns) {
  const double *const tables[] = {o->d, f1, f2, o->v};
  for (size_t i = 0; i < 4; i++)
    gather(o, tables[i], s, columns + i * o->t);
  return (series){.t = o->t,
                  .discount = o->discount,
                  .weight = weight,
                  .d = columns,
                  .f1 = columns + o->t,
                  .f2 = columns + 2 * o->t,
                  .v = columns + 3 * o->t};
}

static void of_parameter(const pgb_tabular *o, size_t k, series *x) {
  const size_t at = k * o->t;
  x->g1 = o->g1 + at;
  x->g2 = o->g2 + at;
  x->m1 = o->m1 + at;
  x->m2 = o->m2 + at;
  x->back = o->back + at;
  x->back_pay = o->back_pay + at;
  x->m0 = o->m0[k];
}

static void fill(const pgb_tabular *o, const double *f1, const double *f2, double *columns, pgb_family *f) {
  for (size_t s = 0; s < o->s; s++) {
    series x = of_state(o, f->weight, f1, f2, s, columns);
    for (size_t k = s * o->a; k < (s + 1) * o->a; k++) {
      of_parameter(o, k, &x);
      for (size_t t = 0; t < o->t; t++) {
        f->mean[k] += x.weight[t] * x.d[t] * x.g1[t];
        f->yy[k] += x.weight[t] * x.weight[t] * x.d[t] * x.m0;
        f->yr[k] += x.weight[t] * x.discount[t] * x.d[t] * x.g1[t];
      }
      f->base[k] = to_go_square(&x, f->line + k * o->t);
      return_squares(&x, &f->yyr[k], &f->yyrr[k]);
      f->cross[k] = cross_moment(&x, o->j);
    }
  }
}

static pgb_status allocate(const pgb_tabular *o, pgb_family **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(o->arena, 1, sizeof(pgb_family), &memory));
  pgb_family *f = memory;
  double **const rows[] = {&f->mean, &f->base, &f->yy, &f->yr, &f->yyr, &f->yyrr, &f->cross};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    PGB_TRY(pgb_doubles(o->arena, o->p, rows[i]));
  PGB_TRY(pgb_doubles(o->arena, o->t, &f->weight));
  PGB_TRY(pgb_doubles(o->arena, o->p * o->t, &f->line));
  *out = f;
  return pgb_ok();
}

/* Scratch of fill: f1, f2 [T][S], columns [4][T], b [S]. */
static pgb_status workspace(const pgb_tabular *o, pgb_arena **arena, double **out) {
  PGB_TRY(pgb_arena_scratch(o->arena, arena));
  return pgb_doubles(*arena, 2 * o->t * o->s + 4 * o->t + o->s, out);
}

bool pgb_tabular_family(pgb_tabular *o, double omega, pgb_family **out) {
  pgb_family **kept = omega == 1 ? &o->plain : &o->discounted;
  pgb_arena *scratch = NULL;
  double *work = NULL;
  if (*kept == NULL && pgb_tabular_lags(o) && workspace(o, &scratch, &work).code == PGB_OK) {
    pgb_family *f = NULL;
    const size_t table = o->t * o->s;
    if (allocate(o, &f).code == PGB_OK) {
      f->omega = omega;
      f->weight[0] = 1;
      for (size_t t = 1; t < o->t; t++)
        f->weight[t] = f->weight[t - 1] * omega;
      double *b = work + 2 * table + 4 * o->t;
      for (size_t s = 0; s < o->s; s++)
        b[s] = o->j;
      pgb_tabular_forward(o, b, work, work + table);
      fill(o, work, work + table, work + 2 * table, f);
      *kept = f;
    }
  }
  pgb_arena_destroy(scratch);
  *out = *kept;
  return *kept != NULL;
}

bool pgb_tabular_return_square(pgb_tabular *o, const pgb_family *f, const double *b, double *out) {
  pgb_arena *scratch = NULL;
  double *work = NULL;
  const bool room = workspace(o, &scratch, &work).code == PGB_OK;
  if (room) {
    const size_t table = o->t * o->s;
    pgb_tabular_forward(o, b, work, work + table);
    for (size_t s = 0; s < o->s; s++) {
      series x = of_state(o, f->weight, work, work + table, s, work + 2 * table);
      for (size_t k = s * o->a; k < (s + 1) * o->a; k++) {
        double first = 0;
        of_parameter(o, k, &x);
        out[k] = 0;
        return_squares(&x, &first, &out[k]);
      }
    }
  }
  pgb_arena_destroy(scratch);
  return room;
}
