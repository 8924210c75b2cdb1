/* SPDX-License-Identifier: MIT */
#include "oracle/mdp_model.h"
#include "oracle/batch.h"

#include <string.h>

pgb_status pgb_doubles(pgb_arena *arena, size_t n, double **out) {
  void *memory = NULL;
  *out = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &memory));
  *out = memory;
  return pgb_ok();
}

/* Bellman's recursion for the mean, Sobel 1982 for the variance (law of total variance over s'). */
void pgb_tabular_back(const pgb_tabular *o, double kappa, const double *value, const double *next_value,
                      const double *next_v, const double *next_var, const pgb_backup *out) {
  for (size_t s = 0; s < o->s; s++) {
    double v = 0, var = 0;
    for (size_t a = 0; a < o->a; a++) {
      const size_t k = s * o->a + a;
      const double *p = o->of.transition + k * o->s;
      const double reward = o->of.reward[k] - (value == NULL ? 0 : value[s]);
      double q = 0, var_q = o->of.noise2[k];
      for (size_t n = 0; n < o->s; n++)
        q += p[n] * (reward + (next_value == NULL ? 0 : o->of.gamma * next_value[n]) + kappa * next_v[n]);
      for (size_t n = 0; n < o->s; n++) {
        const double off =
            reward + (next_value == NULL ? 0 : o->of.gamma * next_value[n]) + kappa * next_v[n] - q;
        var_q += p[n] * (off * off + kappa * kappa * next_var[n]);
      }
      out->q[k] = q;
      out->var_q[k] = var_q;
      v += o->pi[k] * q;
    }
    for (size_t a = 0; a < o->a; a++) {
      const size_t k = s * o->a + a;
      var += o->pi[k] * (out->var_q[k] + (out->q[k] - v) * (out->q[k] - v));
    }
    out->v[s] = v;
    out->var[s] = var;
  }
}

/* psi = 1{action a} - pi, so that E[psi f] = pi (f_a - E f) and E[psi^2 f] = pi (1 - 2 pi) f_a + pi^2 E f. */
pgb_visit pgb_tabular_visit(const pgb_tabular *o, const pgb_backup *b, size_t s, size_t a) {
  const size_t k = s * o->a + a;
  const double pi = o->pi[k], h1 = b->q[k] - b->v[s], h2 = b->var_q[k] + h1 * h1;
  return (pgb_visit){
      .g1 = pi * h1,
      .g2 = pi * (h2 - b->var[s]),
      .m1 = pi * (1 - 2 * pi) * h1,
      .m2 = pi * (1 - 2 * pi) * h2 + pi * pi * b->var[s],
  };
}

void pgb_tabular_forward(const pgb_tabular *o, const double *b, double *f1, double *f2) {
  const size_t n_s = o->s;
  for (size_t s = 0; s < n_s; s++) {
    const double off = o->v[s] - b[s];
    f1[s] = o->of.start[s] * off;
    f2[s] = o->of.start[s] * off * off;
  }
  for (size_t t = 0; t + 1 < o->t; t++) {
    const double *d = o->d + t * n_s, *v = o->v + t * n_s, *now1 = f1 + t * n_s, *now2 = f2 + t * n_s;
    double *next1 = f1 + (t + 1) * n_s, *next2 = f2 + (t + 1) * n_s;
    memset(next1, 0, n_s * sizeof *next1);
    memset(next2, 0, n_s * sizeof *next2);
    for (size_t k = 0; k < o->p; k++) {
      const size_t s = k / o->a;
      const double *p = o->of.transition + k * n_s;
      for (size_t n = 0; n < n_s; n++) {
        const double step = o->discount[t] * (o->of.reward[k] + o->of.gamma * v[n_s + n] - v[s]);
        const double noise = o->discount[t] * o->discount[t] * o->of.noise2[k], way = o->pi[k] * p[n];
        next1[n] += way * (now1[s] + step * d[s]);
        next2[n] += way * (now2[s] + 2 * step * now1[s] + (step * step + noise) * d[s]);
      }
    }
  }
}

/* Policy-averaged transition and reward in rows of non-zeros. */
static pgb_status average(pgb_tabular *o) {
  double *line = NULL;
  void *memory = NULL;
  size_t count = 0;
  PGB_TRY(pgb_doubles(o->arena, 2 * o->s, &line));
  PGB_TRY(pgb_arena_alloc(o->arena, o->s + 1, sizeof(size_t), &memory));
  o->row = memory;
  PGB_TRY(pgb_arena_alloc(o->arena, o->s * o->s, sizeof(size_t), &memory));
  o->col = memory;
  PGB_TRY(pgb_doubles(o->arena, o->s * o->s, &o->next));
  PGB_TRY(pgb_doubles(o->arena, o->s * o->s, &o->pay));
  for (size_t s = 0; s < o->s; s++) {
    double *p = line, *r = line + o->s;
    memset(line, 0, 2 * o->s * sizeof *line);
    for (size_t k = s * o->a; k < (s + 1) * o->a; k++)
      for (size_t n = 0; n < o->s; n++) {
        p[n] += o->pi[k] * o->of.transition[k * o->s + n];
        r[n] += o->pi[k] * o->of.transition[k * o->s + n] * o->of.reward[k];
      }
    o->row[s] = count;
    for (size_t n = 0; n < o->s; n++) {
      if (p[n] == 0)
        continue;
      o->col[count] = n;
      o->next[count] = p[n];
      o->pay[count++] = r[n];
    }
  }
  o->row[o->s] = count;
  return pgb_ok();
}

void pgb_tabular_propagate(const pgb_tabular *o, size_t columns, const double *k, double kappa,
                           const double *x, const double *w, double *y, double *z) {
  enum { WIDE = 8 }; /* columns at a time: two rows of sums stay in registers */
  for (size_t from = 0; from < columns; from += WIDE) {
    const size_t n = columns - from < WIDE ? columns - from : WIDE;
    for (size_t s = 0; s < o->s; s++) {
      double sum_y[WIDE] = {0}, sum_z[WIDE] = {0};
      for (size_t i = o->row[s]; i < o->row[s + 1]; i++) {
        const double p = o->next[i], kp = kappa * p, pay = k[i];
        const double *from_x = x + o->col[i] * columns + from, *from_w = w + o->col[i] * columns + from;
        for (size_t c = 0; n == WIDE && c < WIDE; c++) {
          sum_y[c] += p * from_x[c];
          sum_z[c] += pay * from_x[c] + kp * from_w[c];
        }
        for (size_t c = 0; n < WIDE && c < n; c++) {
          sum_y[c] += p * from_x[c];
          sum_z[c] += pay * from_x[c] + kp * from_w[c];
        }
      }
      memcpy(y + s * columns + from, sum_y, n * sizeof *y);
      memcpy(z + s * columns + from, sum_z, n * sizeof *z);
    }
  }
}

static pgb_status backward(pgb_tabular *o) {
  const size_t n_s = o->s, n_t = o->t;
  pgb_backup b;
  PGB_TRY(pgb_doubles(o->arena, o->p, &b.q));
  PGB_TRY(pgb_doubles(o->arena, o->p, &b.var_q));
  for (size_t t = n_t; t-- > 0;) {
    b.v = o->v + t * n_s;
    b.var = o->var + t * n_s;
    pgb_tabular_back(o, o->of.gamma, NULL, NULL, b.v + n_s, b.var + n_s, &b);
    for (size_t k = 0; k < o->p; k++) {
      const pgb_visit visit = pgb_tabular_visit(o, &b, k / o->a, k % o->a);
      o->g1[k * n_t + t] = visit.g1;
      o->g2[k * n_t + t] = visit.g2;
      o->m1[k * n_t + t] = visit.m1;
      o->m2[k * n_t + t] = visit.m2;
    }
  }
  return pgb_ok();
}

static void visits(pgb_tabular *o) {
  memcpy(o->d, o->of.start, o->s * sizeof *o->d);
  for (size_t t = 0; t + 1 < o->t; t++)
    for (size_t s = 0; s < o->s; s++)
      for (size_t i = o->row[s]; i < o->row[s + 1]; i++)
        o->d[(t + 1) * o->s + o->col[i]] += o->d[t * o->s + s] * o->next[i];
  for (size_t s = 0; s < o->s; s++)
    o->j += o->of.start[s] * o->v[s];
  for (size_t s = 0; s < o->s; s++)
    o->var_r += o->of.start[s] * (o->var[s] + (o->v[s] - o->j) * (o->v[s] - o->j));
}

static pgb_status allocate(pgb_tabular *o) {
  const size_t table = (o->t + 1) * o->s, history = o->p * o->t;
  const struct {
    double **at;
    size_t n;
  } all[] = {
      {&o->pi, o->p},    {&o->discount, o->t + 1}, {&o->v, table},    {&o->var, table},  {&o->d, table},
      {&o->g1, history}, {&o->g2, history},        {&o->m1, history}, {&o->m2, history}, {&o->m0, o->p}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    PGB_TRY(pgb_doubles(o->arena, all[i].n, all[i].at));
  return pgb_ok();
}

pgb_status pgb_tabular_open(const pgb_tabular_problem *problem, pgb_arena *arena, pgb_tabular **out) {
  void *memory = NULL;
  *out = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_tabular), &memory));
  pgb_tabular *o = memory;
  o->of = *problem;
  o->arena = arena;
  o->s = problem->states;
  o->a = problem->actions;
  o->t = problem->horizon;
  o->p = o->s * o->a;
  PGB_TRY(allocate(o));
  o->discount[0] = 1;
  for (size_t t = 0; t < o->t; t++)
    o->discount[t + 1] = o->discount[t] * problem->gamma;
  for (size_t s = 0; s < o->s; s++)
    pgb_softmax(problem->theta + s * o->a, o->a, o->pi + s * o->a);
  for (size_t k = 0; k < o->p; k++)
    o->m0[k] = o->pi[k] * (1 - o->pi[k]);
  PGB_TRY(average(o));
  PGB_TRY(backward(o));
  visits(o);
  *out = o;
  return pgb_ok();
}
