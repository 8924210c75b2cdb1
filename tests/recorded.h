/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_RECORDED_H
#define PGB_TESTS_RECORDED_H

#include "kernels.h"

/* What the tests of Gymnasium's environments share: recordings of Gymnasium 1.4.0 (tests/data/<env>.csv) and
 * a class to be stepped by hand. */

enum { MAX_ROWS = 1024, MAX_COLUMNS = 17 };

typedef struct table {
  size_t rows, columns;
  double cell[MAX_ROWS][MAX_COLUMNS];
} table;

static inline void read_csv(checks *c, const char *path, size_t columns, table *out) {
  char line[1024];
  FILE *f = fopen(path, "r");
  *out = (table){.columns = columns};
  CHECK(c, f != NULL);
  if (f == NULL)
    return;
  CHECK(c, fgets(line, sizeof line, f) != NULL);
  while (out->rows < MAX_ROWS && fgets(line, sizeof line, f) != NULL) {
    char *at = line;
    for (size_t k = 0; k < columns; k++) {
      char *end = at;
      out->cell[out->rows][k] = strtod(at, &end);
      CHECK(c, end != at && (*end == ',' || *end == '\n' || *end == '\r'));
      at = end + (*end == ',');
    }
    out->rows++;
  }
  (void)fclose(f);
}

typedef struct lab {
  pgb_isa isa;
  pgb_study *study;
  const pgb_actor *actor;
  pgb_batch *b;
} lab;

/* False where this machine lacks the instruction set or something failed. */
static inline bool lab_open(checks *c, const char *text, pgb_isa isa, lab *l) {
  *l = (lab){.isa = isa};
  if (!pgb_isa_supported(isa))
    return false;
  l->study = kernel_study(c, text, isa);
  if (l->study == NULL)
    return false;
  l->actor = &l->study->cells[0].actor;
  CHECK_OK(c, pgb_batch_create(&l->actor->space, &l->b));
  return l->b != NULL;
}

static inline void lab_close(lab *l) {
  pgb_batch_destroy(l->b);
  pgb_study_destroy(l->study);
}

static inline void lab_step(const lab *l) {
  l->actor->env->step(l->actor->env_params, l->b);
}

static inline double lab_state(const lab *l, size_t k, size_t lane) {
  return (double)l->b->state[k * PGB_LANES + lane];
}

static inline double lab_obs(const lab *l, size_t k, size_t lane) {
  return (double)l->b->obs[k * PGB_LANES + lane];
}

/* State row k over many resets: within [low, high], and of a uniform's mean and variance. */
static inline void check_uniform(checks *c, const lab *l, size_t k, double low, double high) {
  enum { N = 40000 };
  const double middle = (low + high) / 2, width = high - low, sd = width / sqrt(12);
  double sum = 0, square = 0, least = high, most = low;
  uint32_t words[8 * PGB_LANES];
  l->b->words = words;
  for (uint32_t n = 0; n < N; n++) {
    if (n % PGB_LANES == 0) {
      for (uint32_t i = 0; i < PGB_LANES; i++) {
        uint32_t w[8];
        pgb_words(6, PGB_USE_RESET, 0, 0, n + i, 0, w);
        pgb_words(6, PGB_USE_RESET, 0, 0, n + i, 1, w + 4);
        for (size_t j = 0; j < 8; j++)
          words[j * PGB_LANES + i] = w[j];
      }
      l->actor->env->reset(l->actor->env_params, l->b);
    }
    const double x = lab_state(l, k, n % PGB_LANES);
    sum += x - middle;
    square += (x - middle) * (x - middle);
    least = fmin(least, x);
    most = fmax(most, x);
  }
  CHECK(c, least >= low - 2e-7 * fabs(low) && most <= high + 2e-7 * fabs(high));
  CHECK(c, least < low + 0.002 * width && most > high - 0.002 * width);
  CHECK_NEAR(c, sum / N, 0, 0, 6 * sd / sqrt(N));
  CHECK_NEAR(c, square / N, sd * sd, 0, 6 * sd * sd * sqrt(0.8 / N));
}

/* Every episode of a study's first cell ends by `how`: TRUNCATED at the horizon and not before, or TERMINAL
 * before it, after `least` steps at the earliest. */
static inline void check_ends(checks *c, pgb_isa isa, const char *text, size_t horizon, uint8_t how,
                              size_t least) {
  pgb_study *study = pgb_isa_supported(isa) ? kernel_study(c, text, isa) : NULL;
  kernel_run k;
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  CHECK(c, a->space.horizon == horizon);
  if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k)) {
    const pgb_address address = {.seed = 8};
    kernel_roll(&k, isa, a, address, 1, 0, 100);
    CHECK(c, k.r->n_episodes >= PGB_LANES);
    size_t wrong = 0;
    for (size_t e = 0; e < k.r->n_episodes; e++) {
      const size_t last = (size_t)k.r->origin[e] + ((size_t)k.r->length[e] - 1) * PGB_LANES;
      wrong += k.r->end[last] != how || (size_t)k.r->length[e] < least;
      wrong += how == PGB_TRUNCATED && (size_t)k.r->length[e] != horizon;
      wrong += how == PGB_TERMINAL && (size_t)k.r->length[e] >= horizon;
      for (size_t t = 0; t + 1 < (size_t)k.r->length[e]; t++)
        wrong += k.r->end[(size_t)k.r->origin[e] + t * PGB_LANES] != PGB_LIVE;
    }
    CHECK(c, wrong == 0);
  }
  kernel_close(&k);
  pgb_study_destroy(study);
}

#endif
