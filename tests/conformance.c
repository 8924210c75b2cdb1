/* SPDX-License-Identifier: MIT */
/* What every class owes, by its name alone: conformance env|policy|estimator|baseline NAME. One test for each
 * line of a .def file (conformance.cmake), so that a new class is held to its contract before anyone writes a
 * test for it. */
#include "baseline/baseline.h"
#include "estimator/estimator.h"
#include "policy/policy.h"
#include "study/measure.h"

#include "conformance_score.h"
#include "kernels.h"

enum { EPISODES = 150, MAX_THETA = PGB_SCORE_MOST };

static void check_text(checks *c, const char *what, const char *text) {
  const bool there = text != NULL && strlen(text) >= 3;
  if (!there)
    fprintf(stderr, "%s is empty\n", what);
  CHECK(c, there);
}

/* Names unique and speakable, ranges in order, the fallback a value that the option itself takes. */
static void check_options(checks *c, const pgb_option *o, size_t n, size_t params_size) {
  for (size_t i = 0; i < n; i++) {
    check_text(c, "an option's help", o[i].help);
    CHECK(c, o[i].name != NULL && o[i].name[0] != '\0' && strcmp(o[i].name, "name") != 0);
    CHECK(c, strspn(o[i].name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
                 strlen(o[i].name));
    CHECK(c, o[i].unit != NULL && o[i].unit[0] != '\0' && o[i].at < params_size);
    CHECK(c, (o[i].type == PGB_TYPE_CHOICE) == (o[i].choices != NULL));
    if (o[i].type == PGB_TYPE_INT || o[i].type == PGB_TYPE_REAL || o[i].type == PGB_TYPE_ARRAY)
      CHECK(c, o[i].low < o[i].high);
    for (size_t j = 0; j < i; j++)
      CHECK(c, strcmp(o[i].name, o[j].name) != 0 && o[i].at != o[j].at);
  }
  pgb_arena *arena = NULL;
  void *params = NULL;
  CHECK_OK(c, pgb_arena_create(&arena));
  if (arena != NULL)
    CHECK_OK(c, pgb_arena_alloc(arena, 1, params_size + 1, &params));
  if (params != NULL)
    CHECK_OK(c, pgb_options_read(o, n, NULL, NULL, arena, params));
  pgb_arena_destroy(arena);
}

static uint64_t add_bytes(uint64_t hash, const void *data, size_t size) { /* FNV-1a */
  const unsigned char *byte = data;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

/* Everything that an episode is; idle lanes are nobody's. Also counts what is not finite or out of order. */
static uint64_t digest(const pgb_actor *a, const pgb_rollout *r, size_t *wrong) {
  uint64_t hash = 0xcbf29ce484222325u;
  const float *const rows[3] = {r->obs, r->act, r->delta};
  const size_t count[3] = {r->n_obs, r->n_act, r->n_delta};
  for (size_t e = 0; e < r->n_episodes; e++) {
    *wrong += r->length[e] < 1 || (size_t)r->length[e] > a->space.horizon || !isfinite(r->ret[e]);
    for (size_t t = 0; t < (size_t)r->length[e]; t++) {
      const size_t at = (size_t)r->origin[e] + t * PGB_LANES;
      const bool last = t + 1 == (size_t)r->length[e];
      const bool limit = last && (size_t)r->length[e] == a->space.horizon;
      *wrong += (r->end[at] != PGB_LIVE) != last ||
                (r->end[at] == PGB_TRUNCATED && !(limit && a->env->limit_truncates));
      for (size_t f = 0; f < 3; f++)
        for (size_t k = 0; k < count[f]; k++) {
          const float x = rows[f][(at / PGB_LANES * count[f] + k) * PGB_LANES + at % PGB_LANES];
          *wrong += isfinite(x) ? 0 : 1;
          hash = add_bytes(hash, &x, sizeof x);
        }
      *wrong += a->space.n_choices != 0 && !(r->act[at] >= 0 && r->act[at] < (float)a->space.n_choices);
      const float *kept = r->kept + pgb_kept_at(r, at);
      for (size_t k = 0; k < r->n_kept; k++)
        *wrong += isfinite(kept[k]) ? 0 : 1;
      hash = add_bytes(hash, kept, r->n_kept * sizeof *kept);
      hash = add_bytes(hash, &r->reward[at], sizeof *r->reward);
      hash = add_bytes(hash, &r->end[at], 1);
    }
    hash = add_bytes(hash, &r->ret[e], sizeof *r->ret);
  }
  for (size_t at = 0; at < r->rows * PGB_LANES; at++) /* what idle lanes hold is never used, but finite */
    *wrong += !isfinite(r->reward[at]) || r->step[at] < 0 || (size_t)r->step[at] >= a->space.horizon;
  return hash;
}

/* Runs a study's first cell in every instruction set; the digests must agree, but for policies with matrix
 * kernels: their digests agree among the sets with fused multiply-add, and among those without. */
static void check_runs(checks *c, const char *text) {
  uint64_t first[2] = {0, 0};
  bool any[2] = {false, false};
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    const pgb_isa isa = (pgb_isa)i;
    kernel_run k = {NULL, NULL};
    pgb_study *study = pgb_isa_supported(isa) ? kernel_study(c, text, isa) : NULL;
    if (study == NULL)
      continue;
    const pgb_actor *a = &study->cells[0].actor;
    if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k)) {
      size_t wrong = 0;
      kernel_roll(&k, isa, a, (pgb_address){.seed = 17, .stream = 5}, 9, 4, EPISODES);
      const uint64_t hash = digest(a, k.r, &wrong);
      CHECK(c, wrong == 0 && k.r->n_episodes >= PGB_LANES);
      const int family = a->shape.n_packed != 0 && isa >= PGB_ISA_AVX2;
      CHECK(c, !any[family] || hash == first[family]);
      first[family] = hash;
      any[family] = true;
    }
    kernel_close(&k);
    pgb_study_destroy(study);
  }
  CHECK(c, any[0]);
}

static void check_space(checks *c, const pgb_env_class *env, const pgb_space *s) {
  CHECK(c, s->n_state > 0 && s->n_obs > 0 && s->n_act > 0 && s->horizon > 0 && s->n_choices != 1);
  CHECK(c, s->n_choices == 0 || s->n_act == 1);
  CHECK(c, s->n_contexts == 0 || s->n_obs == 1);
  CHECK(c, env->obs_fields == NULL || env->n_obs_fields == s->n_obs);
  for (size_t k = 0; k < env->n_obs_fields; k++) {
    check_text(c, "an observation's name", env->obs_fields[k].name);
    CHECK(c, env->obs_fields[k].low < env->obs_fields[k].high && env->obs_fields[k].unit[0] != '\0');
  }
}

/* A lane's first state depends on its own words alone; a step is a function of state, action and words. */
static void check_lanes(checks *c, const pgb_actor *a) {
  enum { LANE = 13 };
  const size_t rows = a->space.step_words > a->space.reset_words ? a->space.step_words : a->space.reset_words;
  const size_t all = (a->space.n_state + a->space.n_obs) * PGB_LANES; /* state rows, then obs rows */
  pgb_batch *b = NULL;
  uint32_t *words = calloc((rows + 1) * PGB_LANES, sizeof *words);
  float *first = calloc(all, sizeof *first);
  CHECK_OK(c, pgb_batch_create(&a->space, &b));
  CHECK(c, words != NULL && first != NULL);
  if (b == NULL || words == NULL || first == NULL)
    return;
  for (size_t i = 0; i < rows * PGB_LANES; i++)
    words[i] = (uint32_t)i * 2654435761u;
  b->words = words;
  a->env->reset(a->env_params, b);
  memcpy(first, b->state, all * sizeof *first);
  for (size_t i = 0; i < rows * PGB_LANES; i++)
    words[i] += i % PGB_LANES == LANE ? 0 : 0x5bd1e995u;
  memset(b->state, 0xff, all * sizeof *first);
  a->env->reset(a->env_params, b);
  size_t wrong = 0;
  for (size_t at = 0; at < all; at++)
    wrong += !isfinite(b->state[at]) || (at % PGB_LANES == LANE && b->state[at] != first[at]);
  CHECK(c, wrong == 0);
  float twice[2] = {0, 0};
  for (size_t k = 0; k < 2; k++) {
    a->env->reset(a->env_params, b);
    memset(b->reward, 0xff, PGB_LANES * sizeof *b->reward);
    a->env->step(a->env_params, b);
    twice[k] = b->reward[LANE];
    for (size_t i = 0; i < PGB_LANES; i++)
      CHECK(c, isfinite(b->reward[i]) && (b->end[i] == PGB_LIVE || b->end[i] == PGB_TERMINAL));
  }
  CHECK(c, twice[0] == twice[1]);
  pgb_batch_destroy(b);
  free(words);
  free(first);
}

static void check_env(checks *c, const char *name) {
  char text[200];
  const pgb_env_class *env = pgb_env_find(PGB_ISA_NONE, name);
  CHECK(c, env != NULL);
  if (env == NULL)
    return;
  check_text(c, "title", env->title);
  check_text(c, "source", env->source);
  CHECK(c, env->policy_gain == 1 || env->policy_gain == -1);
  check_options(c, env->options, env->n_options, env->params_size);
  (void)snprintf(text, sizeof text, "env: %s\n", name);
  check_runs(c, text);
  pgb_study *study = kernel_study(c, text, PGB_ISA_NONE);
  if (study != NULL) {
    check_space(c, env, &study->cells[0].actor.space);
    check_lanes(c, &study->cells[0].actor);
  }
  pgb_study_destroy(study);
}

static void check_cell(checks *c, const pgb_cell *cell) {
  const pgb_actor *a = &cell->actor;
  double theta[MAX_THETA];
  CHECK(c,
        a->shape.n_theta > 0 && a->shape.n_theta <= MAX_THETA && a->shape.n_delta > 0 && a->shape.words > 0);
  size_t same = 0;
  for (size_t k = 0; k < a->shape.n_theta; k++) {
    CHECK(c, cell->label[k][0] != '\0');
    for (size_t j = 0; j < k; j++)
      same += strcmp(cell->label[j], cell->label[k]) == 0;
  }
  CHECK(c, same == 0);
  CHECK(c, (a->policy->pack != NULL) == (a->shape.n_packed != 0));
  a->policy->initial(a->policy_params, theta);
  if (a->policy->start != NULL)
    CHECK_OK(c, a->policy->start(a->policy_params, 3, theta));
  for (size_t k = 0; k < a->shape.n_theta; k++)
    CHECK(c, isfinite(theta[k]));
}

static void check_policy(checks *c, const char *name) {
  const pgb_policy_class *policy = pgb_policy_find(PGB_ISA_NONE, name);
  size_t fits = 0;
  CHECK(c, policy != NULL);
  if (policy == NULL)
    return;
  check_text(c, "title", policy->title);
  check_text(c, "formula", policy->formula);
  check_text(c, "source", policy->source);
  check_options(c, policy->options, policy->n_options, policy->params_size);
  for (const pgb_env_class *const *env = pgb_env_table(PGB_ISA_NONE); *env != NULL; env++) {
    char text[200];
    (void)snprintf(text, sizeof text, "env: %s\n", (*env)->name);
    pgb_study *study = kernel_study(c, text, PGB_ISA_NONE);
    const char *why = study == NULL ? "no study" : policy->misfit(&study->cells[0].actor.space);
    pgb_study_destroy(study);
    if (why != NULL) {
      check_text(c, "the reason of a misfit", why);
      continue;
    }
    fits++;
    (void)snprintf(text, sizeof text, "env: %s\npolicy: {name: %s, theta: 'random:.4'}\n", (*env)->name,
                   name);
    check_runs(c, text);
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++) {
      study = pgb_isa_supported((pgb_isa)isa) ? kernel_study(c, text, (pgb_isa)isa) : NULL;
      if (study == NULL)
        continue;
      check_cell(c, &study->cells[0]);
      check_score(c, &study->cells[0].actor, (pgb_isa)isa);
      pgb_study_destroy(study);
    }
  }
  CHECK(c, fits > 0);
}

/* Weights of one rollout of one instruction set: finite, idle lanes 0; with `ones`, a value that is b
 * everywhere is the constant b; `whole` is true. Returns the digest. */
static uint64_t check_weights(checks *c, const pgb_study_estimator *e, const pgb_actor *a,
                              const pgb_rollout *r) {
  const size_t size = r->rows * PGB_LANES;
  float *w[3] = {NULL, NULL, NULL};
  double *value = malloc(size * sizeof *value);
  size_t wrong = 0;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t k = 0; k < 3; k++) {
    w[k] = malloc(size * sizeof *w[k]);
    if (w[k] == NULL || value == NULL)
      return 0;
    memset(w[k], 0xff, size * sizeof *w[k]);
  }
  for (size_t at = 0; at < size; at++)
    value[at] = r->end[at] == PGB_IDLE ? 0 : 1.5;
  e->class_->weights(e->params, a->gamma, r, NULL, w[0]);
  e->class_->weights(e->params, a->gamma, r, value, w[1]);
  memcpy(w[2], w[0], size * sizeof *w[2]);
  if (e->class_->ones != NULL)
    e->class_->ones(a->gamma, r, w[2]);
  for (size_t at = 0; at < size; at++) {
    for (size_t k = 0; k < 3; k++)
      wrong += !isfinite(w[k][at]) || (r->end[at] == PGB_IDLE && w[k][at] != 0);
    const double both = (double)w[0][at] - 1.5 * (double)w[2][at];
    if (e->class_->ones != NULL)
      wrong += !check_close((double)w[1][at], both, 3e-7, 1e-6 * fabs((double)w[0][at]) + 1e-6);
  }
  for (size_t i = 0; i < r->n_episodes && e->class_->whole; i++) /* R less V(s_0), times ones */
    for (size_t t = 0; t < (size_t)r->length[i]; t++) {
      const size_t at = (size_t)r->origin[i] + t * PGB_LANES;
      wrong += w[0][at] != (float)(r->ret[i] * (double)w[2][at]);
      wrong += w[1][at] != (float)((r->ret[i] - 1.5) * (double)w[2][at]);
    }
  CHECK(c, wrong == 0);
  for (size_t k = 0; k < 3; k++) {
    hash = add_bytes(hash, w[k], size * sizeof *w[k]);
    free(w[k]);
  }
  free(value);
  return hash;
}

typedef struct aliases {
  char text[200];
  const char *word[16];
} aliases;

static size_t cut(const char *list, aliases *out) {
  (void)snprintf(out->text, sizeof out->text, "%s", list != NULL ? list : "");
  return pgb_cut_words(out->text, out->word, 16);
}

static void check_estimator(checks *c, const char *name) {
  static const char *const envs[] = {"mdp", "cartpole"};
  const pgb_estimator_class *class_ = pgb_estimator_find(PGB_ISA_NONE, name);
  CHECK(c, class_ != NULL);
  if (class_ == NULL)
    return;
  check_text(c, "title", class_->title);
  check_text(c, "formula", class_->formula);
  check_text(c, "bias", class_->bias);
  check_text(c, "source", class_->source);
  check_options(c, class_->options, class_->n_options, class_->params_size);
  aliases room;
  for (size_t i = 0; i < cut(class_->aliases, &room); i++)
    CHECK(c, pgb_estimator_find(PGB_ISA_NONE, room.word[i]) == class_);
  for (size_t k = 0; k < 2; k++) {
    char text[200];
    uint64_t first = 0;
    (void)snprintf(text, sizeof text, "gamma: .9\nenv: %s\nestimators: %s\n", envs[k], name);
    for (int i = 0; i < PGB_ISA_COUNT; i++) {
      kernel_run run = {NULL, NULL};
      pgb_study *study = pgb_isa_supported((pgb_isa)i) ? kernel_study(c, text, (pgb_isa)i) : NULL;
      if (study == NULL)
        continue;
      const pgb_actor *a = &study->cells[0].actor;
      const pgb_study_estimator *e = &study->estimators[0];
      CHECK(c, strcmp(e->class_->name, name) == 0);
      /* V^pi keeps everyone but the undiscounted unbiased; without discount so is that. */
      CHECK(c, e->class_->biased == NULL ||
                   (!e->class_->biased(e->params, 1, 9, true) && !e->class_->biased(e->params, .9, 1, true)));
      if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &run)) {
        kernel_roll(&run, (pgb_isa)i, a, (pgb_address){.seed = 3}, 1, 0, EPISODES);
        const uint64_t hash = check_weights(c, e, a, run.r);
        CHECK(c, i == 0 || hash == first);
        first = hash;
      }
      kernel_close(&run);
      pgb_study_destroy(study);
    }
  }
}

/* Expectation of the batch estimate of N draws from a distribution of two points with E[S] = 0, by
 * enumeration: it is E[R S] for every N exactly where the class does not say `biased`. */
static double expectation(const pgb_baseline_class *b, size_t n) {
  const double p[2] = {.3, .7}, s[2] = {.7, -.3}, r[2] = {2, 5}, constant = 1.7;
  double sum = 0;
  for (size_t word = 0; word < (size_t)1 << n; word++) {
    double chance = 1, a = 0, ss = 0, rs = 0, total = 0, rr = 0, g = 0;
    for (size_t i = 0; i < n; i++) {
      const size_t k = word >> i & 1;
      chance *= p[k];
      a += r[k] * s[k];
      ss += s[k];
      rs += r[k] * s[k];
      total += r[k];
    }
    for (size_t i = 0; i < n; i++)
      rr += pow(r[word >> i & 1] - total / (double)n, 2);
    const pgb_batch_sums sums = {
        .n = n, .n_theta = 1, .a = &a, .s = &ss, .rs = &rs, .r = total, .rr = rr, .constant = &constant};
    b->combine(&sums, &g);
    sum += chance * g;
  }
  return sum;
}

/* One batch of the smallest size through the unit of work: finite on a problem with an oracle. */
static void check_batch(checks *c, const pgb_baseline_class *b) {
  char text[300];
  pgb_arena *arena = NULL;
  pgb_plan plan = {.n_pairs = 0};
  pgb_measure *m = NULL;
  (void)snprintf(text, sizeof text,
                 "env: mdp\nestimators: gpomdp\nbaselines: %s\nbatch: %zu\npilot: 64\n"
                 "policy: {name: softmax-tabular, theta: [.2, -.3, .5, 0]}\n",
                 b->name, b->min_batch);
  pgb_study *study = kernel_study(c, text, kernel_isa());
  CHECK_OK(c, pgb_arena_create(&arena));
  if (study != NULL && arena != NULL) {
    CHECK_OK(c, pgb_plan_create(study, 0, kernel_isa(), NULL, arena, &plan));
    if (plan.n_pairs == 1 && plan.pairs[0].defined)
      CHECK_OK(c, pgb_measure_create(&study->cells[0], &plan, study, kernel_isa(), &m));
  }
  double *slots = m == NULL ? NULL : calloc(pgb_measure_stride(study, &study->cells[0]), sizeof *slots);
  CHECK(c, slots != NULL);
  if (slots != NULL) {
    double g[20 * 4];
    pgb_phase_times times = {0, 0};
    memset(g, 0xff, sizeof g);
    pgb_measure_block(m, 0, 0, 0, 20, slots, g, &times);
    for (size_t i = 0; i < 20 * 4; i++)
      CHECK(c, isfinite(g[i]));
  }
  free(slots);
  pgb_measure_destroy(m);
  pgb_arena_destroy(arena);
  pgb_study_destroy(study);
}

static void check_baseline(checks *c, const char *name) {
  aliases room;
  const pgb_baseline_class *b = pgb_baseline_find(name);
  CHECK(c, b != NULL);
  if (b == NULL)
    return;
  check_text(c, "title", b->title);
  check_text(c, "formula", b->formula);
  check_text(c, "bias", b->bias);
  check_text(c, "source", b->source);
  const bool sums =
      b->kind == PGB_BASELINE_NONE || b->kind == PGB_BASELINE_BATCH || b->kind == PGB_BASELINE_CONSTANT;
  CHECK(c, (b->combine != NULL) == sums && b->min_batch >= 1);
  CHECK(c, !b->per_component || b->kind == PGB_BASELINE_CONSTANT);
  CHECK(c, b->from == PGB_FROM_PILOT || b->kind == PGB_BASELINE_VALUE);
  CHECK(c, b->biased == (strncmp(b->bias, "biased", 6) == 0));
  for (size_t n = b->min_batch; n <= 6 && sums; n++) {
    const double g = expectation(b, n), exact = .3 * .7 * 2 - .7 * .3 * 5;
    CHECK(c, isfinite(g) && (fabs(g - exact) < 1e-12) == !b->biased);
  }
  for (size_t i = 0; i < cut(b->aliases, &room); i++)
    CHECK(c, pgb_baseline_find(room.word[i]) == b);
  check_batch(c, b);
}

int main(int argc, char **argv) {
  checks c = {0, 0};
  char name[64];
  if (argc != 3) {
    fprintf(stderr, "usage: conformance env|policy|estimator|baseline NAME\n");
    return 2;
  }
  (void)snprintf(name, sizeof name, "%s", argv[2]); /* a symbol of a .def file, or the name that users type */
  for (char *at = name; *at != '\0'; at++)
    *at = *at == '_' ? '-' : *at;
  if (strcmp(argv[1], "env") == 0)
    check_env(&c, name);
  else if (strcmp(argv[1], "policy") == 0)
    check_policy(&c, name);
  else if (strcmp(argv[1], "estimator") == 0)
    check_estimator(&c, name);
  else if (strcmp(argv[1], "baseline") == 0)
    check_baseline(&c, name);
  return check_end(&c, name);
}
