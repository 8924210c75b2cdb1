/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_REFERENCE_H
#define PGB_TESTS_REFERENCE_H

#include "envs/arms.h"
#include "envs/gaussian.h"
#include "envs/lqr.h"
#include "envs/mdp.h"
#include "kernels.h"
#include "reference_gym.h"

#include <float.h>

/* The independent answer to the lane kernels: environments and policies once more, from their documentation,
 * one episode at a time, in double and with libm, on the same random words. Nothing is shared with the
 * kernels but the words' addresses (core/rng.h) and the options as the user gave them. */

enum { REF_MAX = 8 }; /* state, action and choice rows */

static inline double ref_uniform(uint32_t w) {
  return ((double)(w >> 8) + 0.5) * 0x1p-24;
}

/* Box and Muller 1958 on the words of a pair. */
static inline void ref_normals(const uint32_t *w, size_t n, double *z) {
  for (size_t i = 0; i < n; i += 2) {
    const double radius = sqrt(-2 * log(((double)(w[i] >> 1) + 0.5) * 0x1p-31));
    const double angle = 2 * 3.14159265358979323846 * (ref_uniform(w[i + 1]) - 0.5);
    z[i] = radius * cos(angle);
    if (i + 1 < n)
      z[i + 1] = radius * sin(angle);
  }
}

/* Index of the interval of p that a uniform of 31 bits falls into. */
static inline size_t ref_draw(const double *p, size_t n, uint32_t w, double *margin) {
  const double u = ((double)(w >> 1) + 0.5) * 0x1p-31;
  double sum = 0;
  size_t at = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    sum += p[i];
    *margin = fmin(*margin, fabs(u - sum));
    at += u > sum;
  }
  return at;
}

static inline double ref_entry(const pgb_array *a, size_t i) {
  return a->data[a->size == 1 ? 0 : i];
}

/* Lower L with L L' = x. */
static inline void ref_root(const double *x, size_t n, double l[REF_MAX][REF_MAX]) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = x[i * n + j];
      for (size_t k = 0; k < j; k++)
        sum -= l[i][k] * l[j][k];
      l[i][j] = i == j ? sqrt(fmax(sum, 0)) : l[j][j] > 0 ? sum / l[j][j] : 0;
    }
}

static inline void ref_reset_lqr(const pgb_lqr *p, const uint32_t *w, double *x) {
  double z[REF_MAX], root[REF_MAX][REF_MAX];
  double identity[REF_MAX * REF_MAX] = {0};
  for (size_t i = 0; i < p->n; i++)
    identity[i * p->n + i] = 1;
  const bool random = p->s0.size != 0 || p->start.size == 0;
  ref_normals(w, random ? p->n : 0, z);
  ref_root(p->s0.size != 0 ? p->s0.data : identity, p->n, root);
  for (size_t i = 0; i < p->n; i++) {
    x[i] = p->start.size != 0 ? p->start.data[i] : 0;
    for (size_t j = 0; j <= i && random; j++)
      x[i] += root[i][j] * z[j];
  }
}

/* The first state (and observation), from the episode's reset words. */
static inline double ref_reset(const pgb_actor *a, const uint32_t *w, double *x) {
  double margin = INFINITY;
  const char *name = a->env->name;
  x[0] = 0;
  if (strcmp(name, "cartpole") == 0)
    for (size_t k = 0; k < 4; k++)
      x[k] = 0.1 * ref_uniform(w[k]) - 0.05;
  if (strcmp(name, "pendulum") == 0) {
    x[0] = REF_PI * (2 * ref_uniform(w[0]) - 1);
    x[1] = 2 * ref_uniform(w[1]) - 1;
  }
  if (strcmp(name, "acrobot") == 0)
    for (size_t k = 0; k < 4; k++)
      x[k] = 0.2 * ref_uniform(w[k]) - 0.1;
  if (strcmp(name, "mountaincar") == 0) {
    x[0] = 0.2 * ref_uniform(w[0]) - 0.6;
    x[1] = 0;
  }
  ref_complete(name, x);
  if (strcmp(name, "lqr") == 0)
    ref_reset_lqr(a->env_params, w, x);
  if (strcmp(name, "gaussian") == 0) {
    x[0] = 1;
    if (strcmp(((const pgb_gaussian *)a->env_params)->context, "normal") == 0)
      ref_normals(w, 1, x);
  }
  if (strcmp(name, "mdp") == 0) {
    const pgb_mdp *p = a->env_params;
    double start[REF_MAX];
    for (size_t s = 0; s < p->states; s++)
      start[s] = p->start.size != 0 ? p->start.data[s] : 1.0 / (double)p->states;
    x[0] = (double)ref_draw(start, p->states, w[0], &margin);
  }
  return margin;
}

static inline double ref_arms(const pgb_array *mean, const pgb_array *noise, double act, const uint32_t *w) {
  const size_t k = (size_t)act;
  double z[2] = {0, 0};
  double largest = 0;
  for (size_t i = 0; i < noise->size; i++)
    largest = fmax(largest, noise->data[i]);
  if (largest > 0)
    ref_normals(w, 2, z);
  return mean->data[k] + ref_entry(noise, k) * z[0];
}

static inline double ref_gaussian(const pgb_gaussian *p, const double *x, const double *act,
                                  const uint32_t *w) {
  double square = 0, z[2] = {0, 0};
  for (size_t d = 0; d < (size_t)p->dim; d++) {
    const double miss = act[d] - ref_entry(&p->target, d) * x[0];
    square += miss * miss;
  }
  if (p->noise > 0)
    ref_normals(w, 2, z);
  return -p->curvature / 2 * square + p->noise * z[0];
}

static inline ref_step ref_mdp(const pgb_mdp *p, double *x, const double *act, const uint32_t *w) {
  ref_step out = {.margin = INFINITY};
  const size_t pair = (size_t)x[0] * p->actions + (size_t)act[0];
  double z[2] = {0, 0};
  if (p->noise > 0)
    ref_normals(w + 1, 2, z);
  out.reward = p->reward.data[pair] + p->noise * z[0];
  x[0] = (double)ref_draw(p->transition.data + pair * p->states, p->states, w[0], &out.margin);
  return out;
}

static inline double ref_form(const double *m, const double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      sum += x[i] * m[i * n + j] * x[j];
  return sum;
}

static inline double ref_lqr(const pgb_lqr *p, double *x, const double *u, const uint32_t *w) {
  const double reward = -(ref_form(p->q.data, x, p->n) + ref_form(p->r.data, u, p->m));
  double next[REF_MAX], z[REF_MAX], root[REF_MAX][REF_MAX];
  if (p->w.size != 0) {
    ref_normals(w, p->n, z);
    ref_root(p->w.data, p->n, root);
  }
  for (size_t i = 0; i < p->n; i++) {
    next[i] = 0;
    for (size_t j = 0; j < p->n; j++)
      next[i] += p->a.data[i * p->n + j] * x[j];
    for (size_t j = 0; j < p->m; j++)
      next[i] += p->b.data[i * p->m + j] * u[j];
    for (size_t j = 0; j <= i && p->w.size != 0; j++)
      next[i] += root[i][j] * z[j];
  }
  memcpy(x, next, p->n * sizeof *x);
  return reward;
}

/* A number among the options, as the user gave it, of a class whose params no header shows. */
static inline double ref_option(const pgb_actor *a, const char *option) {
  double value = NAN;
  for (size_t i = 0; i < a->env->n_options; i++)
    if (strcmp(a->env->options[i].name, option) == 0)
      memcpy(&value, (const char *)a->env_params + a->env->options[i].at, sizeof value);
  return value;
}

/* One step: x becomes the next state. */
static inline ref_step ref_env(const pgb_actor *a, double *x, const double *act, const uint32_t *w) {
  ref_step out = {.margin = INFINITY};
  const char *name = a->env->name;
  if (strcmp(name, "bandit") == 0 || strcmp(name, "chain") == 0) {
    const pgb_arms *p = a->env_params;
    out.reward = ref_arms(&p->mean, &p->noise, act[0], w);
    out.terminal = strcmp(name, "bandit") == 0;
  } else if (strcmp(name, "gaussian") == 0) {
    out.reward = ref_gaussian(a->env_params, x, act, w);
    out.terminal = true;
  } else if (strcmp(name, "mdp") == 0) {
    out = ref_mdp(a->env_params, x, act, w);
  } else if (strcmp(name, "lqr") == 0) {
    out.reward = ref_lqr(a->env_params, x, act, w);
  } else if (strcmp(name, "cartpole") == 0) {
    out = ref_cartpole(x, act[0]);
  } else if (strcmp(name, "pendulum") == 0) {
    out = ref_pendulum(ref_option(a, "g"), x, act[0]);
  } else if (strcmp(name, "acrobot") == 0) {
    out = ref_acrobot(x, act[0]);
  } else if (strcmp(name, "mountaincar") == 0) {
    out = ref_mountaincar(ref_option(a, "goal_velocity"), x, act[0]);
  } else {
    out.reward = NAN; /* an environment without a reference must fail the test */
  }
  return out;
}

static inline bool ref_is(const pgb_actor *a, const char *policy) {
  return strcmp(a->policy->name, policy) == 0;
}

/* Probabilities of the choices. */
static inline void ref_softmax(const pgb_actor *a, const double *obs, double *p) {
  const size_t k = a->space.n_choices, n = a->space.n_obs;
  double sum = 0;
  for (size_t c = 0; c < k; c++) {
    double logit = 0;
    if (ref_is(a, "softmax-tabular"))
      logit = (double)a->theta[(size_t)obs[0] * k + c];
    else {
      logit = (double)a->theta[k * n + c];
      for (size_t i = 0; i < n; i++)
        logit += (double)a->theta[c * n + i] * obs[i];
    }
    p[c] = exp(logit);
    sum += p[c];
  }
  for (size_t c = 0; c < k; c++)
    p[c] /= sum;
}

/* grad log pi(act | obs) by the chain rule on paper. sd[d]: standard deviation of each action dimension. */
static inline void ref_score(const pgb_actor *a, const double *sd, const double *obs, const double *act,
                             double *psi) {
  const size_t n = a->space.n_obs, k = a->space.n_choices, m = a->space.n_act;
  memset(psi, 0, a->shape.n_theta * sizeof *psi);
  if (k != 0) {
    double p[REF_MAX];
    ref_softmax(a, obs, p);
    for (size_t c = 0; c < k; c++) {
      const double d = ((size_t)act[0] == c ? 1 : 0) - p[c];
      if (ref_is(a, "softmax-tabular"))
        psi[(size_t)obs[0] * k + c] = d;
      else {
        psi[k * n + c] = d;
        for (size_t i = 0; i < n; i++)
          psi[c * n + i] = d * obs[i];
      }
    }
    return;
  }
  const double gain = a->env->policy_gain;
  for (size_t d = 0; d < m; d++) {
    double mean = 0;
    for (size_t i = 0; i < n; i++)
      mean += gain * (double)a->theta[d * n + i] * obs[i];
    const double off = act[d] - mean;
    for (size_t i = 0; i < n; i++)
      psi[d * n + i] = gain * off / (sd[d] * sd[d]) * obs[i];
    if (a->shape.n_theta > m * n)
      psi[m * n + d] = off * off / (sd[d] * sd[d]) - 1;
  }
}

/* The action from the step's words. */
static inline double ref_sample(const pgb_actor *a, const double *sd, const double *obs, const uint32_t *w,
                                double *act) {
  const size_t n = a->space.n_obs, k = a->space.n_choices, m = a->space.n_act;
  double margin = INFINITY;
  if (k != 0) {
    double p[REF_MAX], sum = 0;
    ref_softmax(a, obs, p);
    act[0] = 0;
    for (size_t c = 0; c + 1 < k; c++) {
      sum += p[c];
      act[0] += ref_uniform(w[0]) >= sum ? 1 : 0;
      margin = fmin(margin, fabs(ref_uniform(w[0]) - sum));
    }
    return margin;
  }
  double z[REF_MAX];
  ref_normals(w, m, z);
  for (size_t d = 0; d < m; d++) {
    act[d] = sd[d] * z[d];
    for (size_t i = 0; i < n; i++)
      act[d] += a->env->policy_gain * (double)a->theta[d * n + i] * obs[i];
  }
  return margin;
}

#endif
