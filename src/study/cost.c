/* SPDX-License-Identifier: MIT */
#include "study/cost.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Functions of core/vmath.h and core/rng.h; a pair of normals is log, sqrt, sine and cosine of two uniforms.
 */
enum { EXP = 20, SINCOS = 26, WRAP = 7, UNIFORM = 2, NORMAL_PAIR = 60 };

static double pairs_of(size_t n) {
  const size_t pairs = (n + 1) / 2;
  return NORMAL_PAIR * (double)pairs;
}

/* ---- Environments: flops of a step and of a reset ---- */

/* A normal number, times its standard deviation, added: of whatever takes two words for it. */
static double noise(bool noisy) {
  return noisy ? NORMAL_PAIR + 2 : 0;
}

static double arms_step(const pgb_space *s) {
  return noise(s->step_words > 0);
}

static double gaussian_step(const pgb_space *s) { /* (h/2) |a - c x|^2 */
  return 4 * (double)s->n_act + 1 + noise(s->step_words > 0);
}

static double gaussian_reset(const pgb_space *s) {
  return s->reset_words > 0 ? NORMAL_PAIR : 0;
}

static double mdp_step(const pgb_space *s) { /* the next state is found by comparing integers */
  return noise(s->step_words > 1);
}

/* x'Qx + u'Ru, A x + B u, and a lower triangle times n normals. */
static double lqr_step(const pgb_space *s) {
  const double n = (double)s->n_state;
  const double m = (double)s->n_act;
  const double w = s->step_words > 0 ? pairs_of(s->n_state) + n * (n + 1) : 0;
  return 2 * n * (n + 1) + 2 * m * (m + 1) + 2 * n * (n + m) + w;
}

static double lqr_reset(const pgb_space *s) {
  const double n = (double)s->n_state;
  return s->reset_words > 0 ? pairs_of(s->n_state) + n * (n + 1) : 0;
}

static double cartpole_step(const pgb_space *s) { /* two accelerations with one division, four Euler sums */
  (void)s;
  return SINCOS + 18 + 8;
}

static double cartpole_reset(const pgb_space *s) {
  (void)s;
  return 4 * (UNIFORM + 2);
}

static double pendulum_step(const pgb_space *s) { /* acceleration 4, angle 2, reward 7 */
  (void)s;
  return SINCOS + WRAP + 13;
}

static double pendulum_reset(const pgb_space *s) {
  (void)s;
  return 2 * (UNIFORM + 2) + SINCOS;
}

/* Runge-Kutta: 4 accelerations of 31, 4 states of which 3 come from slopes, weighted sums, height of the tip.
 */
static double acrobot_step(const pgb_space *s) {
  (void)s;
  return 4 * 31 + 4 * 2 * SINCOS + 3 * 8 + 20 + 8 + 2 * WRAP + 4 + 1;
}

static double acrobot_reset(const pgb_space *s) {
  (void)s;
  return 4 * (UNIFORM + 2) + 2 * SINCOS;
}

static double mountaincar_step(const pgb_space *s) { /* speed 5, position 1, reward 3 */
  (void)s;
  return SINCOS + 9;
}

static double mountaincar_reset(const pgb_space *s) {
  (void)s;
  return UNIFORM + 2;
}

static double nothing(const pgb_space *s) {
  (void)s;
  return 0;
}

static const struct env_cost {
  const char *name;
  double (*step)(const pgb_space *space);
  double (*reset)(const pgb_space *space);
} envs[] = {
    {"bandit", arms_step, nothing},
    {"chain", arms_step, nothing},
    {"gaussian", gaussian_step, gaussian_reset},
    {"mdp", mdp_step, nothing},
    {"lqr", lqr_step, lqr_reset},
    {"cartpole", cartpole_step, cartpole_reset},
    {"pendulum", pendulum_step, pendulum_reset},
    {"acrobot", acrobot_step, acrobot_reset},
    {"mountaincar", mountaincar_step, mountaincar_reset},
};

static const struct env_cost *find_env(const pgb_actor *a) {
  for (size_t i = 0; i < sizeof envs / sizeof *envs; i++)
    if (strcmp(envs[i].name, a->env->name) == 0)
      return &envs[i];
  return NULL;
}

/* Reads action and observation, writes observation, reward, step, episode and end. */
pgb_cost pgb_cost_env(const pgb_actor *a) {
  const struct env_cost *e = find_env(a);
  return (pgb_cost){.flops = e == NULL ? NAN : e->step(&a->space),
                    .bytes = 4 * (double)(a->space.n_obs + a->space.n_act + 3) + 1,
                    .words = (double)a->space.step_words};
}

pgb_cost pgb_cost_reset(const pgb_actor *a) {
  const struct env_cost *e = find_env(a);
  return (pgb_cost){.flops = e == NULL ? NAN : e->reset(&a->space),
                    .bytes = 4 * (double)a->space.n_obs,
                    .words = (double)a->space.reset_words};
}

/* ---- Policies: flops of a step, and of its score in one weight row ---- */

/* Largest, exponentials, their sum, that of the others, levels, shares, 1 - p; and the uniform. */
static double softmax(const pgb_actor *a) {
  return (6 + EXP) * (double)a->space.n_choices - 1 + UNIFORM + 1;
}

static double softmax_linear_step(const pgb_actor *a) {
  return 2 * (double)(a->space.n_choices * a->space.n_obs) + softmax(a);
}

/* w delta, then times x and added, or added alone; the second of two choices is the negative of the first. */
static double softmax_linear_row(const pgb_actor *a) {
  return (a->space.n_choices == 2 ? 1 : 2) * (double)a->shape.n_theta;
}

static double softmax_tabular_row(const pgb_actor *a) { /* the visited state's parameters alone */
  return 2 * (double)a->space.n_choices;
}

/* Mean, one normal per action, the score (a - mean) / sigma^2, and (a - mean)^2 / sigma^2 - 1 where sigma is
 * learnt. */
static double gaussian_linear_step(const pgb_actor *a) {
  const double m = (double)a->space.n_act;
  const bool learn = a->shape.n_delta > a->space.n_act;
  return pairs_of(a->space.n_act) + m * (2 * (double)a->space.n_obs + 3 + (learn ? 2 : 0));
}

static double gaussian_linear_row(const pgb_actor *a) {
  return (double)a->shape.n_delta + 2 * (double)(a->space.n_act * a->space.n_obs) +
         (double)(a->shape.n_delta - a->space.n_act);
}

/* ---- Networks: option hidden "64x64" between observation and outputs, option activation ---- */

enum { MOST_LAYERS = 16, TANH = 19, TANH_BACK = 3 };

typedef struct network {
  size_t n, width[MOST_LAYERS + 2]; /* n layers of weights: width[0] inputs ... width[n] outputs */
  bool tanh;
} network;

static const char *text_option(const pgb_actor *a, const char *name) {
  for (size_t i = 0; i < a->policy->n_options; i++)
    if (strcmp(a->policy->options[i].name, name) == 0) {
      const char *text = NULL;
      memcpy(&text, (const char *)a->policy_params + a->policy->options[i].at, sizeof text);
      return text;
    }
  return NULL;
}

static network network_of(const pgb_actor *a) {
  network net = {.n = 0, .width = {a->space.n_obs}};
  const char *hidden = text_option(a, "hidden");
  const char *activation = text_option(a, "activation");
  for (char *end = NULL; hidden != NULL && *hidden != '\0' && net.n < MOST_LAYERS;
       hidden = end + (*end == 'x')) {
    net.width[++net.n] = strtoul(hidden, &end, 10);
    if (end == hidden)
      break;
  }
  net.width[++net.n] = a->space.n_choices != 0 ? a->space.n_choices : a->space.n_act;
  net.tanh = activation != NULL && strcmp(activation, "tanh") == 0;
  return net;
}

/* Products and sums of layers [from, n), and units of the hidden layers. */
static double products(const network *net, size_t from) {
  double sum = 0;
  for (size_t i = from; i < net->n; i++)
    sum += 2 * (double)net->width[i] * (double)net->width[i + 1];
  return sum;
}

static double hidden_units(const network *net) {
  double sum = 0;
  for (size_t i = 1; i < net->n; i++)
    sum += (double)net->width[i];
  return sum;
}

/* Forward, and back once with the score of the outputs, which serves every weight row. */
static double network_step(const pgb_actor *a) {
  const network net = network_of(a);
  return products(&net, 0) + products(&net, 1) + (net.tanh ? TANH + TANH_BACK : 0) * hidden_units(&net);
}

/* w delta of every unit and its sum for the bias, then times what enters the layer and added. */
static double network_row(const pgb_actor *a) {
  const network net = network_of(a);
  const double outputs = (double)a->shape.n_delta; /* with log sigma, which is a bias of its own */
  return products(&net, 0) + 2 * (hidden_units(&net) + outputs);
}

static double softmax_mlp_step(const pgb_actor *a) {
  return network_step(a) + softmax(a);
}

static double gaussian_mlp_step(const pgb_actor *a) {
  const bool learn = a->shape.n_delta > a->space.n_act;
  return network_step(a) + pairs_of(a->space.n_act) + (double)a->space.n_act * (learn ? 5 : 3);
}

static const struct policy_cost {
  const char *name;
  double (*step)(const pgb_actor *actor);
  double (*row)(const pgb_actor *actor);
} policies[] = {
    {"softmax-tabular", softmax, softmax_tabular_row},
    {"softmax-linear", softmax_linear_step, softmax_linear_row},
    {"gaussian-linear", gaussian_linear_step, gaussian_linear_row},
    {"softmax-mlp", softmax_mlp_step, network_row},
    {"gaussian-mlp", gaussian_mlp_step, network_row},
};

static const struct policy_cost *find_policy(const pgb_actor *a) {
  for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
    if (strcmp(policies[i].name, a->policy->name) == 0)
      return &policies[i];
  return NULL;
}

/* Reads the observation, writes a copy of it, the action and the delta. */
pgb_cost pgb_cost_policy(const pgb_actor *a) {
  const struct policy_cost *p = find_policy(a);
  return (pgb_cost){.flops = p == NULL ? NAN : p->step(a),
                    .bytes = 4 * (double)(2 * a->space.n_obs + a->space.n_act + a->shape.n_delta),
                    .words = (double)a->shape.words};
}

pgb_cost pgb_cost_return(void) { /* G = r + gamma G: reads reward and end, writes a double */
  return (pgb_cost){.flops = 2, .bytes = 4 + 1 + 8};
}

/* ---- Estimators and baselines ---- */

/* Flops of one weight: without a baseline, with a value in its place, and of what a constant multiplies. */
static const struct weight_cost {
  const char *name;
  double plain, value, ones;
} weights[] = {
    {"reinforce", 0, 1, 0},
    {"gpomdp", 2, 3, 1}, /* gamma^t by one product */
    {"gpomdp-undiscounted", 0, 1, 0},
    {"gae", 3, 6, 0},
};

static double weight_flops(const pgb_study_estimator *e, pgb_row_kind kind) {
  for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
    if (strcmp(weights[i].name, e->class_->name) == 0)
      return kind == PGB_ROW_ONES    ? weights[i].ones
             : kind == PGB_ROW_PLAIN ? weights[i].plain
                                     : weights[i].value;
  return NAN;
}

/* A step's state value: looked up, a quadratic form, or the features of rollout/value.h. */
static double value_flops(const pgb_actor *a, const pgb_value *v) {
  const double n = (double)a->space.n_obs;
  if (v->kind == PGB_VALUE_TABLE)
    return 0;
  if (v->kind == PGB_VALUE_QUADRATIC)
    return 3 * n * n;
  return 7 + (a->space.n_contexts != 0 ? 1 : 4 * n);
}

pgb_cost pgb_cost_row(const pgb_study *study, const pgb_actor *a, const pgb_row *row) {
  const struct policy_cost *p = find_policy(a);
  pgb_cost c = {.flops = weight_flops(&study->estimators[row->estimator], row->kind) +
                         (p == NULL ? NAN : p->row(a)),
                /* togo, step, end and the weight; then weight, step, end, observation and delta */
                .bytes = 8 + 5 + 4 + 4 + 5 + 4 * (double)(a->space.n_obs + a->shape.n_delta)};
  if (row->kind == PGB_ROW_VALUE) {
    c.flops += value_flops(a, row->value);
    c.bytes += 4 * (double)a->space.n_obs + 8 + 8;
  } else if (row->kind == PGB_ROW_STEP) { /* a sum, a count; then less the own one, divided */
    c.flops += 5;
    c.bytes += 8 + 8 + 8;
  }
  return c;
}

static pgb_cost plus(pgb_cost a, double times, pgb_cost b) {
  return (pgb_cost){a.flops + times * b.flops, a.bytes + times * b.bytes, a.words + times * b.words};
}

/* Of an episode: a row into the batch's sum, in double; and a factor times a row likewise. */
static pgb_cost row_sum(const pgb_actor *a) {
  const double d = (double)pgb_policy_sums(&a->shape);
  return (pgb_cost){.flops = d, .bytes = (4 + 16) * d};
}

static pgb_cost product_sum(const pgb_actor *a) {
  const double d = (double)pgb_policy_sums(&a->shape);
  return (pgb_cost){.flops = 2 * d, .bytes = (4 + 16) * d};
}

/* Of a batch: the estimate from the sums, and its entry into mean, variance and direction (stats/block.c). */
static pgb_cost finish(const pgb_baseline_class *b, double d) {
  const bool plain = b->combine == NULL || b->kind == PGB_BASELINE_NONE;
  const double combine = plain                                                               ? 1
                         : strcmp(b->name, "loo") == 0 || strcmp(b->name, "normalised") == 0 ? 4
                                                                                             : 3;
  return (pgb_cost){.flops = (combine + 12) * d, .bytes = (plain ? 8 : 16) * d + 7 * 8 * d};
}

enum { SUMS = 3 }; /* of a pair, at the most */

static bool among(const size_t *list, size_t n, size_t x) {
  for (size_t i = 0; i < n; i++)
    if (list[i] == x)
      return true;
  return false;
}

/* What the pair would cost alone: the rows that its sums are of, and the sums. */
pgb_pair_cost pgb_cost_pair(const pgb_study *study, size_t cell, const pgb_plan *plan, size_t pair) {
  const pgb_plan_pair *p = &plan->pairs[pair];
  const pgb_actor *a = &study->cells[cell].actor;
  const double d = (double)a->shape.n_theta;
  pgb_pair_cost c = {.step = {0, 0, 0}};
  if (!p->defined)
    return c;
  const size_t sums[SUMS] = {p->a, p->s, p->rs};
  size_t rows[SUMS];
  for (size_t i = 0; i < SUMS; i++) {
    const bool product = sums[i] >= plan->n_summed;
    rows[i] = product ? plan->products[sums[i] - plan->n_summed].row : sums[i];
    if (!among(sums, i, sums[i]))
      c.episode = plus(c.episode, 1, product ? product_sum(a) : row_sum(a));
    if (!among(rows, i, rows[i]))
      c.step = plus(c.step, 1, pgb_cost_row(study, a, &plan->rows[rows[i]]));
  }
  c.batch = finish(study->baselines[pair % study->n_baselines], d);
  return c;
}

pgb_cell_cost pgb_cost_cell(const pgb_study *study, size_t cell, const pgb_plan *plan) {
  const pgb_actor *a = &study->cells[cell].actor;
  const double d = (double)a->shape.n_theta;
  pgb_cell_cost c = {.n_rows = plan->n_rows, .episode = pgb_cost_reset(a)};
  c.step = plus(plus(pgb_cost_env(a), 1, pgb_cost_policy(a)), 1, pgb_cost_return());
  c.episode.flops += 10; /* the mean and the variance of returns, of the batch and of the block */
  for (size_t row = 0; row < plan->n_rows; row++)
    c.step = plus(c.step, 1, pgb_cost_row(study, a, &plan->rows[row]));
  c.episode = plus(c.episode, (double)plan->n_summed, row_sum(a));
  c.episode = plus(c.episode, (double)plan->n_products, product_sum(a));
  for (size_t k = 0; k < plan->n_pairs; k++)
    if (plan->pairs[k].defined)
      c.batch = plus(c.batch, 1, finish(study->baselines[k % study->n_baselines], d));
  return c;
}

pgb_cost pgb_cost_per_step(const pgb_cell_cost *c, double batch, double length) {
  return plus(plus(c->step, 1 / length, c->episode), 1 / (batch * length), c->batch);
}
