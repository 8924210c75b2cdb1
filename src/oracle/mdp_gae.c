/* SPDX-License-Identifier: MIT */
#include "estimator/gae.h"

#include "oracle/batch.h"
#include "oracle/mdp_model.h"

#include <string.h>

/* Generalised advantage estimation (Schulman et al. 2016) with any table V: X_t = psi_t G_t + gamma X_{t+1},
 * where G is the return of the rewards delta_t = r_t + gamma V(s_{t+1}) - V(s_t) discounted by gamma lambda.
 * Backwards in time, for every state and parameter, x = E[X_t | s] and c = Cov(X_t, G_t | s); E[X_0^2] then
 * sums over visits to the parameter's own state alone. The delta depend on t through V, so that visits cannot
 * be paired by their distance as in mdp_family.c. */

typedef struct pass {
  double kappa;
  pgb_backup now, next;            /* of the return G                          */
  double *x, *c, *next_x, *next_c; /* [S][P]                                 */
  double *pay;                     /* [nonzeros] sum_a pi P (rho + kappa v' - v) */
  double *second;                  /* [P] E[X_0^2]                             */
} pass;

static pgb_status allocate(const pgb_tabular *o, pgb_arena *arena, pass *w) {
  const size_t block = o->s * o->p;
  double **const states[] = {&w->now.v, &w->now.var, &w->next.v, &w->next.var};
  double **const blocks[] = {&w->x, &w->c, &w->next_x, &w->next_c};
  for (size_t i = 0; i < 4; i++) {
    PGB_TRY(pgb_doubles(arena, o->s, states[i]));
    PGB_TRY(pgb_doubles(arena, block, blocks[i]));
  }
  PGB_TRY(pgb_doubles(arena, o->p, &w->now.q));
  PGB_TRY(pgb_doubles(arena, o->p, &w->now.var_q));
  PGB_TRY(pgb_doubles(arena, o->p, &w->second));
  return pgb_doubles(arena, o->row[o->s], &w->pay);
}

/* The reward of a transition plus what follows, less v(s): sum over actions, transition by transition. */
static void rewards(const pgb_tabular *o, const double *value, const double *next_value, pass *w) {
  for (size_t s = 0; s < o->s; s++)
    for (size_t i = o->row[s]; i < o->row[s + 1]; i++) {
      const size_t n = o->col[i];
      const double follow = (next_value == NULL ? 0 : o->of.gamma * next_value[n]) + w->kappa * w->next.v[n];
      w->pay[i] = o->pay[i] + o->next[i] * (follow - value[s] - w->now.v[s]);
    }
}

/* E[psi G X' | s] for k = (s, a), X' the sum after this step; all = the averages over actions, as propagate
 * gives. */
static double later(const pgb_tabular *o, const double *value, const double *next_value, const pass *w,
                    size_t k) {
  const size_t s = k / o->a;
  const double *p = o->of.transition + k * o->s;
  double met = 0, pay = 0;
  for (size_t n = 0; n < o->s; n++) {
    if (p[n] == 0)
      continue;
    const double follow = (next_value == NULL ? 0 : o->of.gamma * next_value[n]) + w->kappa * w->next.v[n];
    const double x = w->next_x[n * o->p + k];
    met += p[n] * x;
    pay +=
        p[n] * ((o->of.reward[k] - value[s] + follow - w->now.v[s]) * x + w->kappa * w->next_c[n * o->p + k]);
  }
  return o->pi[k] * (pay - w->c[s * o->p + k] + w->now.v[s] * (met - w->x[s * o->p + k]));
}

static void swap(double **a, double **b) {
  double *kept = *a;
  *a = *b;
  *b = kept;
}

static void step(const pgb_tabular *o, size_t t, const double *value, const double *next_value, pass *w,
                 double *mean) {
  const double gamma = o->of.gamma, weight = o->discount[t];
  pgb_tabular_back(o, w->kappa, value, next_value, w->next.v, w->next.var, &w->now);
  rewards(o, value, next_value, w);
  pgb_tabular_propagate(o, o->p, w->pay, w->kappa, w->next_x, w->next_c, w->x, w->c);
  for (size_t k = 0; k < o->p; k++) {
    const size_t s = k / o->a;
    const double v = w->now.v[s], d = o->d[t * o->s + s];
    const pgb_visit visit = pgb_tabular_visit(o, &w->now, s, k % o->a);
    const double own = visit.m2 + 2 * v * visit.m1 + v * v * o->m0[k];
    mean[k] += weight * d * visit.g1;
    w->second[k] += weight * weight * d * (own + 2 * gamma * later(o, value, next_value, w, k));
  }
  for (size_t i = 0; i < o->s * o->p; i++) {
    w->x[i] *= gamma;
    w->c[i] *= gamma;
  }
  for (size_t k = 0; k < o->p; k++) {
    const size_t s = k / o->a;
    const pgb_visit visit = pgb_tabular_visit(o, &w->now, s, k % o->a);
    w->x[s * o->p + k] += visit.g1;
    w->c[s * o->p + k] += visit.g2 + w->now.v[s] * visit.g1;
  }
  swap(&w->x, &w->next_x);
  swap(&w->c, &w->next_c);
  swap(&w->now.v, &w->next.v);
  swap(&w->now.var, &w->next.var);
}

static pgb_status keep(pgb_tabular *o, double lambda, const double *table, pgb_gae_law **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(o->arena, 1, sizeof(pgb_gae_law), &memory));
  pgb_gae_law *law = memory;
  PGB_TRY(pgb_doubles(o->arena, o->t * o->s, &law->table));
  PGB_TRY(pgb_doubles(o->arena, o->p, &law->mean));
  PGB_TRY(pgb_doubles(o->arena, o->p, &law->variance));
  law->lambda = lambda;
  memcpy(law->table, table, o->t * o->s * sizeof *table);
  *out = law;
  return pgb_ok();
}

bool pgb_tabular_gae(pgb_tabular *o, double lambda, const double *table, pgb_gae_law **out) {
  for (*out = o->gae; *out != NULL; *out = (*out)->next)
    if ((*out)->lambda == lambda && memcmp((*out)->table, table, o->t * o->s * sizeof *table) == 0)
      return true;
  if (3 * (double)o->t * (double)o->row[o->s] * (double)o->p > PGB_TABULAR_MOST)
    return false;
  pgb_arena *scratch = NULL;
  pgb_gae_law *law = NULL;
  pass w = {.kappa = o->of.gamma * lambda};
  if (pgb_arena_scratch(o->arena, &scratch).code != PGB_OK)
    return false;
  const bool room = allocate(o, scratch, &w).code == PGB_OK && keep(o, lambda, table, &law).code == PGB_OK;
  if (room) {
    for (size_t t = o->t; t-- > 0;)
      step(o, t, table + t * o->s, t + 1 < o->t ? table + (t + 1) * o->s : NULL, &w, law->mean);
    for (size_t k = 0; k < o->p; k++)
      law->variance[k] = pgb_variance(w.second[k], law->mean[k]);
    law->next = o->gae;
    *out = o->gae = law;
  }
  pgb_arena_destroy(scratch);
  return room;
}
