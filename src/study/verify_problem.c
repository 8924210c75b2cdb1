/* SPDX-License-Identifier: MIT */
#include "core/option.h"
#include "core/rng.h"
#include "study/verify_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Random instances as study text: what a user could have written. */

enum { TEXT = 1 << 16 };

typedef struct writer {
  char *text;
  size_t used;
  uint64_t seed;
  uint32_t instance, word;
} writer;

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...) {
  va_list list;
  va_start(list, format);
  const int n = vsnprintf(w->text + w->used, TEXT - w->used, format, list);
  va_end(list);
  assert(n >= 0 && (size_t)n < TEXT - w->used);
  w->used += (size_t)n;
}

static double between(writer *w, double low, double high) {
  uint32_t words[4];
  pgb_words(w->seed, PGB_USE_THETA, w->instance, UINT32_MAX, 0, w->word++, words);
  return low + (high - low) * ((double)words[0] + 0.5) * 0x1p-32;
}

static void put_number(writer *w, double x) {
  char text[PGB_REAL_TEXT];
  pgb_real_text(x, text);
  put(w, "%s", text);
}

/* "[x, y]" of n numbers. */
static void put_list(writer *w, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    put(w, i == 0 ? "[" : ", ");
    put_number(w, x[i]);
  }
  put(w, "]");
}

static void put_rows(writer *w, const char *key, const double *x, size_t rows, size_t columns) {
  put(w, "  %s: [", key);
  for (size_t i = 0; i < rows; i++) {
    put(w, i == 0 ? "" : ", ");
    put_list(w, x + i * columns, columns);
  }
  put(w, "]\n");
}

enum { MOST = 64 };

static void put_random(writer *w, const char *key, size_t n, double low, double high) {
  double x[MOST] = {0};
  assert(n <= MOST);
  for (size_t i = 0; i < n; i++)
    x[i] = between(w, low, high);
  put(w, "  %s: ", key);
  put_list(w, x, n);
  put(w, "\n");
}

static void put_matrix(writer *w, const char *key, size_t rows, size_t columns, double low, double high,
                       double diagonal) {
  double x[MOST] = {0};
  assert(rows * columns <= MOST);
  for (size_t i = 0; i < rows * columns; i++)
    x[i] = between(w, low, high) + (i % columns == i / columns ? diagonal : 0);
  put_rows(w, key, x, rows, columns);
}

/* scale (0.1 I + L L'), positive definite. */
static void put_definite(writer *w, const char *key, size_t n, double scale) {
  double root[MOST] = {0}, x[MOST] = {0};
  assert(n * n <= MOST);
  for (size_t i = 0; i < n * n; i++)
    root[i] = between(w, -1, 1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      x[i * n + j] = i == j ? 0.1 * scale : 0;
      for (size_t k = 0; k < n; k++)
        x[i * n + j] += scale * root[i * n + k] * root[j * n + k] / (double)n;
    }
  put_rows(w, key, x, n, n);
}

/* "[p, q]" that sums to 1. */
static void put_distribution(writer *w, size_t n) {
  double x[MOST] = {0}, all = 0;
  assert(n <= MOST);
  for (size_t i = 0; i < n; i++)
    all += x[i] = between(w, 0.05, 1);
  for (size_t i = 0; i < n; i++)
    x[i] /= all;
  put_list(w, x, n);
}

/* How one instance differs from another: sizes a, b, horizon t, and a variant. */
typedef enum variant {
  PLAIN,
  NOISY,
  LEARN = 2,   /* gaussian, lqr: log sigma is a parameter too         */
  CONTEXT = 4, /* gaussian: x ~ N(0, 1)                               */
  FIXED = 8,   /* lqr: a fixed start                                  */
  MOVED = 16,  /* lqr: a random start around a mean                   */
} variant;

typedef struct template {
  const char *problem, *title;
  size_t a, b, t;
  unsigned variant;
}
template;

/* The last of each problem is too large for a second method: Monte Carlo alone. */
static const template templates[] = {
    {"bandit", "2 arms", 2, 0, 1, PLAIN},
    {"bandit", "3 arms, noise", 3, 0, 1, NOISY},
    {"bandit", "5 arms", 5, 0, 1, PLAIN},
    {"bandit", "10 arms, noise", 10, 0, 1, NOISY},
    {"gaussian", "1 dimension", 1, 0, 1, PLAIN},
    {"gaussian", "1 dimension, noise, sigma learned", 1, 0, 1, NOISY | LEARN},
    {"gaussian", "2 dimensions, noise, sigma learned", 2, 0, 1, NOISY | LEARN},
    {"gaussian", "1 dimension, context, sigma learned", 1, 0, 1, CONTEXT | LEARN},
    {"gaussian", "2 dimensions, context, noise", 2, 0, 1, CONTEXT | NOISY},
    {"gaussian", "8 dimensions, context, noise", 8, 0, 1, CONTEXT | NOISY},
    {"mdp", "2 states, 2 actions, 2 steps, noise", 2, 2, 2, NOISY},
    {"mdp", "2 states, 2 actions, 3 steps", 2, 2, 3, PLAIN},
    {"mdp", "3 states, 2 actions, 3 steps", 3, 2, 3, PLAIN},
    {"mdp", "2 states, 3 actions, 2 steps, noise", 2, 3, 2, NOISY},
    {"mdp", "8 states, 4 actions, 12 steps, noise", 8, 4, 12, NOISY},
    {"lqr", "1 state, 1 control, 2 steps", 1, 1, 2, PLAIN},
    {"lqr", "2 states, 1 control, 3 steps", 2, 1, 3, PLAIN},
    {"lqr", "1 state, 1 control, 4 steps, fixed start, sigma learned", 1, 1, 4, FIXED | LEARN},
    {"lqr", "2 states, 2 controls, 2 steps, start around a mean", 2, 2, 2, MOVED},
    {"lqr", "3 states, 1 control, 2 steps, fixed start", 3, 1, 2, FIXED},
    {"lqr", "4 states, 2 controls, 10 steps", 4, 2, 10, PLAIN},
    {"chain", "2 arms, 3 steps", 2, 0, 3, PLAIN},
    {"chain", "3 arms, 2 steps, noise", 3, 0, 2, NOISY},
    {"chain", "2 arms, 4 steps, noise", 2, 0, 4, NOISY},
    {"chain", "4 arms, 20 steps, noise", 4, 0, 20, NOISY},
};

static void arms(writer *w, const template *p) {
  put_random(w, "mean", p->a, -2, 2);
  if (p->variant & NOISY)
    put_random(w, "noise", p->a, 0.2, 1);
  if (strcmp(p->problem, "chain") == 0)
    put(w, "  horizon: %zu\n", p->t);
  put(w, "policy:\n  name: softmax-tabular\n");
  put_random(w, "theta", p->a, -1, 1);
}

static void gaussian(writer *w, const template *p) {
  put(w, "  dim: %zu\n  curvature: ", p->a);
  put_number(w, between(w, 0.5, 2));
  put(w, "\n");
  put_random(w, "target", p->a, -1, 1);
  if (p->variant & NOISY) {
    put(w, "  noise: ");
    put_number(w, between(w, 0.1, 1));
    put(w, "\n");
  }
  if (p->variant & CONTEXT)
    put(w, "  context: normal\n");
  put(w, "policy:\n  name: gaussian-linear\n");
  put_random(w, "theta", p->a, -1, 1);
  put_random(w, "sigma", p->a, 0.4, 1);
  put(w, "  learn_sigma: %s\n", p->variant & LEARN ? "true" : "false");
}

static void mdp(writer *w, const template *p) {
  put(w, "  horizon: %zu\n  start: ", p->t);
  put_distribution(w, p->a);
  put(w, "\n  transition: [");
  for (size_t i = 0; i < p->a * p->b; i++) {
    put(w, "%s%s", i == 0 ? "" : ", ", i % p->b == 0 ? "[" : "");
    put_distribution(w, p->a);
    put(w, "%s", (i + 1) % p->b == 0 ? "]" : "");
  }
  put(w, "]\n");
  put_matrix(w, "reward", p->a, p->b, -2, 2, 0);
  if (p->variant & NOISY)
    put(w, "  noise: 0.5\n");
  put(w, "policy:\n  name: softmax-tabular\n");
  put_random(w, "theta", p->a * p->b, -1, 1);
}

static void lqr(writer *w, const template *p) {
  put(w, "  horizon: %zu\n", p->t);
  put_matrix(w, "A", p->a, p->a, -0.3, 0.3, 0.5);
  put_matrix(w, "B", p->a, p->b, -1, 1, 0);
  put_definite(w, "Q", p->a, 1);
  put_definite(w, "R", p->b, 0.5);
  put_definite(w, "W", p->a, 0.2);
  if (!(p->variant & FIXED))
    put_definite(w, "S0", p->a, 0.7);
  if (p->variant & (FIXED | MOVED))
    put_random(w, "start", p->a, -2, 2);
  put(w, "policy:\n  name: gaussian-linear\n");
  put_random(w, "theta", p->a * p->b, -0.4, 0.4);
  put_random(w, "sigma", p->b, 0.4, 1);
  put(w, "  learn_sigma: %s\n", p->variant & LEARN ? "true" : "false");
}

/* All of them, gae with a random lambda. */
static void estimators(writer *w) {
  put(w, "estimators: [");
  for (const pgb_estimator_class *const *e = pgb_estimator_table(PGB_ISA_NONE); *e != NULL; e++) {
    put(w, "{name: %s", (*e)->name);
    if (strcmp((*e)->name, "gae") == 0) {
      put(w, ", lambda: ");
      put_number(w, between(w, 0, 1));
    }
    put(w, "}%s", e[1] == NULL ? "]\n" : ", ");
  }
}

size_t pgb_verify_count(void) {
  return sizeof templates / sizeof *templates;
}

pgb_status pgb_verify_instance_at(uint64_t seed, size_t i, pgb_arena *arena, pgb_verify_instance *out) {
  static const struct {
    const char *problem;
    void (*write)(writer *w, const template *p);
  } problems[] = {{"bandit", arms}, {"gaussian", gaussian}, {"mdp", mdp}, {"lqr", lqr}, {"chain", arms}};
  void *text = NULL;
  assert(i < pgb_verify_count());
  const template *p = &templates[i];
  PGB_TRY(pgb_arena_alloc(arena, TEXT, 1, &text));
  writer w = {.text = text, .seed = seed, .instance = (uint32_t)i};
  put(&w, "gamma: ");
  put_number(&w, between(&w, 0.6, 0.95));
  put(&w, "\nbatch: [1, 2, 3, 8]\npilot: 1024\n");
  estimators(&w);
  put(&w, "env:\n  name: %s\n", p->problem);
  for (size_t k = 0; k < sizeof problems / sizeof *problems; k++)
    if (strcmp(problems[k].problem, p->problem) == 0)
      problems[k].write(&w, p);
  *out = (pgb_verify_instance){.problem = p->problem, .title = p->title, .text = text};
  return pgb_ok();
}
