/* SPDX-License-Identifier: MIT */
#include "envs/arms.h"
#include "envs/mdp.h"
#include "oracle/second_kind.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* All paths of a finite problem with a tabular softmax policy. The noise of each reward enters as two points
 * of its variance. */

enum { MAX_STEPS = 8, MAX_CHOICES = 64, MOST_DOUBLES = 2000000 };

typedef struct finite {
  size_t states, actions, steps;
  const double *start, *transition, *reward; /* start, transition NULL: one state */
  const double *sd;                          /* [S*A], or NULL: one noise for all */
  double noise;
  pgb_atoms atoms, spare; /* spare: for J elsewhere */
} finite;

static double sd_of(const finite *f, size_t at) {
  return f->sd != NULL ? f->sd[at] : f->noise;
}

typedef struct path {
  const finite *f;
  const double *pi; /* [S][A] */
  pgb_atoms *out;
  double reward[MAX_STEPS];
  size_t state[MAX_STEPS], act[MAX_STEPS];
} path;

static void write_atom(const path *x, double p) {
  const finite *f = x->f;
  pgb_atoms *e = x->out;
  const size_t row = e->n * f->steps;
  double *psi = e->psi + row * e->d;
  memset(psi, 0, f->steps * e->d * sizeof *psi);
  e->p[e->n++] = p;
  for (size_t t = 0; t < f->steps; t++) {
    e->reward[row + t] = x->reward[t];
    e->obs[row + t] = (double)x->state[t];
    for (size_t a = 0; a < f->actions; a++) {
      const size_t k = x->state[t] * f->actions + a;
      psi[t * e->d + k] = (a == x->act[t] ? 1 : 0) - x->pi[k];
    }
  }
}

/* All that can follow from state s at step t, reached with probability p. */
static void walk(path *x, size_t t, size_t s, double p) {
  const finite *f = x->f;
  if (!(p > 0))
    return;
  if (t == f->steps) {
    write_atom(x, p);
    return;
  }
  assert(t < MAX_STEPS);
  for (size_t a = 0; a < f->actions; a++) {
    const size_t at = s * f->actions + a;
    const double sd = sd_of(f, at);
    for (int sign = sd > 0 ? -1 : 1; sign <= 1; sign += 2) {
      const double here = p * x->pi[at] * (sd > 0 ? 0.5 : 1);
      x->state[t] = s;
      x->act[t] = a;
      x->reward[t] = f->reward[at] + sign * sd;
      if (f->transition == NULL || t + 1 == f->steps) /* where the last step leads does not matter */
        walk(x, t + 1, s, here);
      else
        for (size_t next = 0; next < f->states; next++) {
          x->reward[t] = f->reward[at] + sign * sd;
          walk(x, t + 1, next, here * f->transition[at * f->states + next]);
        }
    }
  }
}

static void fill(const finite *f, const double *theta, pgb_atoms *out) {
  double pi[MAX_CHOICES];
  path x = {.f = f, .pi = pi, .out = out};
  for (size_t s = 0; s < f->states; s++) {
    double all = 0;
    for (size_t a = 0; a < f->actions; a++)
      all += exp(theta[s * f->actions + a]);
    for (size_t a = 0; a < f->actions; a++)
      pi[s * f->actions + a] = exp(theta[s * f->actions + a]) / all;
  }
  out->n = 0;
  for (size_t s = 0; s < f->states; s++)
    walk(&x, 0, s, f->start != NULL ? f->start[s] : 1);
}

static bool read_problem(const pgb_problem *problem, finite *f) {
  if (strcmp(problem->policy, "softmax-tabular") != 0)
    return false;
  const bool bandit = strcmp(problem->env, "bandit") == 0;
  if (bandit || strcmp(problem->env, "chain") == 0) {
    const pgb_arms *p = problem->env_params;
    *f = (finite){.states = 1,
                  .actions = p->arms,
                  .steps = bandit ? 1 : (size_t)p->horizon,
                  .reward = p->mean.data,
                  .sd = p->noise_sd};
  } else if (strcmp(problem->env, "mdp") == 0) {
    const pgb_mdp *m = problem->env_params;
    *f = (finite){.states = m->states,
                  .actions = m->actions,
                  .steps = (size_t)m->horizon,
                  .start = m->start_p,
                  .transition = m->transition.data,
                  .reward = m->reward.data,
                  .noise = m->noise};
  } else
    return false;
  return f->steps <= MAX_STEPS && f->states * f->actions <= MAX_CHOICES;
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  finite f;
  void *memory = NULL;
  if (!read_problem(problem, &f))
    return pgb_ok();
  bool noisy = false;
  double paths = (double)f.states, branches = 0;
  for (size_t s = 0; s < f.states; s++) {
    double here = 0;
    for (size_t a = 0; a < f.actions; a++) {
      noisy = noisy || sd_of(&f, s * f.actions + a) > 0;
      here += sd_of(&f, s * f.actions + a) > 0 ? 2 : 1;
    }
    branches = fmax(branches, here);
  }
  for (size_t t = 0; t < f.steps; t++)
    paths *= branches * (t + 1 < f.steps ? (double)f.states : 1);
  if (paths * (double)(f.steps * problem->n_theta) > MOST_DOUBLES)
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(finite), &memory));
  PGB_TRY(pgb_atoms_create((size_t)paths, f.steps, problem->n_theta, arena, &f.atoms));
  PGB_TRY(pgb_atoms_create((size_t)paths, f.steps, problem->n_theta, arena, &f.spare));
  f.atoms.gamma = f.spare.gamma = problem->gamma;
  f.atoms.noisy = noisy;
  fill(&f, problem->theta, &f.atoms);
  *(finite *)memory = f;
  *state = memory;
  return pgb_ok();
}

static bool j_at(void *state, const pgb_problem *problem, double *j) {
  finite *f = state;
  fill(f, problem->theta, &f->spare);
  *j = pgb_atoms_return(&f->spare);
  return true;
}

static bool constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  return pgb_atoms_constant(&((finite *)state)->atoms, estimator, component, b);
}

static bool moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  return pgb_atoms_moments(&((finite *)state)->atoms, pair, batch, mean, variance);
}

const pgb_second_kind pgb_second_paths = {
    .method = "enumeration", .open = open, .j = j_at, .constant = constant, .moments = moments};
