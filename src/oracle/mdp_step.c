/* SPDX-License-Identifier: MIT */
#include "oracle/mdp_model.h"

#include <string.h>

/* time-mean, b_{i,t} = mean of G_{j,t} over the other episodes. With p_t = omega^t psi_t and q_t = G_t the
 * batch estimate is the U-statistic of the kernel (p_i - p_j).(q_i - q_j)/2 (Hoeffding 1948), E[p] = 0 and
 * E[p_t p_u] = 0 for t != u, so Var = [Var(A with b_t = E G_t) + (sum_t E[p_t^2] Var G_t + sum_{t,u} E[p_t
 * G_u] E[p_u G_t]) / (N-1)] / N. E[p_u G_t] for t < u is the gradient's term of u, discounted; E[p_t G_u]
 * needs what psi_t says about s_u.
 *
 * gae with V = time-mean has A_t = D_t - mean_{j != i} D_{j,t}, D_t = sum_l (gamma lambda)^l r_{t+l}: the
 * weights of V in A_t turn a mean of G into one of D. So it is the same statistic with D for G. */

/* u[S] = E[V at a later step | s] one step earlier, and given[S][A] the same given the action. */
static void one_back(const pgb_tabular *o, double *u, double *given) {
  for (size_t k = 0; k < o->p; k++) {
    const double *p = o->of.transition + k * o->s;
    double sum = 0;
    for (size_t n = 0; n < o->s; n++)
      sum += p[n] * u[n];
    given[k] = sum;
  }
  for (size_t s = 0; s < o->s; s++) {
    u[s] = 0;
    for (size_t k = s * o->a; k < (s + 1) * o->a; k++)
      u[s] += o->pi[k] * given[k];
  }
}

static void pairs(const pgb_tabular *q, const double *weight, double *u, double *given, double *out) {
  for (size_t late = 1; late < q->t; late++) {
    memcpy(u, q->v + late * q->s, q->s * sizeof *u);
    for (size_t t = late; t-- > 0;) {
      one_back(q, u, given);
      for (size_t k = 0; k < q->p; k++) {
        const size_t s = k / q->a;
        const double ahead = weight[t] * q->d[t * q->s + s] * q->pi[k] * (given[k] - u[s]);
        const double behind =
            weight[late] * q->discount[late - t] * q->d[late * q->s + s] * q->g1[k * q->t + late];
        out[k] += 2 * ahead * behind;
      }
    }
  }
}

static void same_step(const pgb_tabular *q, const double *weight, double *out) {
  for (size_t t = 0; t < q->t; t++) {
    const double *d = q->d + t * q->s, *v = q->v + t * q->s;
    double mean = 0, var = 0;
    for (size_t s = 0; s < q->s; s++)
      mean += d[s] * v[s];
    for (size_t s = 0; s < q->s; s++)
      var += d[s] * (q->var[t * q->s + s] + (v[s] - mean) * (v[s] - mean));
    for (size_t k = 0; k < q->p; k++) {
      const double met = d[k / q->a], term = weight[t] * met * q->g1[k * q->t + t];
      out[k] += weight[t] * weight[t] * met * q->m0[k] * var + term * term;
    }
  }
}

/* q is the problem with the discount of its return; weight [T] omega^t. */
static bool add_terms(const pgb_tabular *q, const double *weight, double *out) {
  pgb_arena *scratch = NULL;
  double *work = NULL;
  if ((double)q->t * (double)q->t * (double)q->p * (double)q->s > PGB_TABULAR_MOST)
    return false;
  if (pgb_arena_scratch(q->arena, &scratch).code != PGB_OK)
    return false;
  const bool room = pgb_doubles(scratch, q->s + q->p, &work).code == PGB_OK;
  if (room) {
    same_step(q, weight, out);
    pairs(q, weight, work, work + q->s, out);
  }
  pgb_arena_destroy(scratch);
  return room;
}

bool pgb_tabular_step(pgb_tabular *o, const double *weight, double **out) {
  double *step = NULL;
  if (*out == NULL && pgb_doubles(o->arena, o->p, &step).code == PGB_OK && add_terms(o, weight, step))
    *out = step;
  return *out != NULL;
}

bool pgb_tabular_step_gae(pgb_tabular *o, double lambda, double **out) {
  pgb_arena *scratch = NULL;
  pgb_tabular *q = NULL;
  pgb_tabular_problem problem = o->of;
  double *step = NULL;
  problem.gamma *= lambda;
  if (*out != NULL)
    return true;
  if (pgb_arena_scratch(o->arena, &scratch).code != PGB_OK)
    return false;
  if (pgb_tabular_open(&problem, scratch, &q).code == PGB_OK &&
      pgb_doubles(o->arena, o->p, &step).code == PGB_OK && add_terms(q, o->discount, step))
    *out = step;
  pgb_arena_destroy(scratch);
  return *out != NULL;
}

void pgb_tabular_step_means(const pgb_tabular *o, double *table) {
  for (size_t t = 0; t < o->t; t++) {
    double mean = 0;
    for (size_t s = 0; s < o->s; s++)
      mean += o->d[t * o->s + s] * o->v[t * o->s + s];
    for (size_t s = 0; s < o->s; s++)
      table[t * o->s + s] = mean;
  }
}
