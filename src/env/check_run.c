/* SPDX-License-Identifier: MIT */
/* What an environment does, for a few hundred steps: the rollout loop's use of it, with canaries. */
#include "env/plugins.h"

#include "core/rng.h"
#include "core/vmath.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  STEPS = 320,
  FEW_STEPS = 40, /* of spaces so large that random words take the time */
  LARGE = 128,    /* rows and words of such a space */
  QUANTUM = 4,    /* an ended lane is stepped on until the next multiple, as the rollout loop does */
  MAX_ROWS = 4096,
  MAX_WORDS = 4096,
  MAX_HORIZON = 1 << 24,
  CANARY = 0xA5,
  UNSET = 0xFF, /* NaN as a float, no valid `end` */
  OTHER = 37    /* the other lane that an episode is played in */
};

/* How one episode is played: which lane, beside whom, and what memory held before. */
typedef struct play {
  size_t lane;
  uint32_t others;
  int fill;
  const char *reason; /* why a difference from the first play is wrong */
} play;

enum { PLAYS = 4 };
static const play plays[PLAYS] = {
    {0, 1000, 0, NULL},
    {0, 1000, 0,
     "gives another result when it is run again; let nothing but params, state, actions and words decide"},
    {0, 2000, 0x41,
     "gives another result beside other episodes or from memory that held something else; each lane must use "
     "its "
     "own column alone, and reset must set all of it"},
    {OTHER, 1000, 0, "gives another result in lane 37 than in lane 0; lanes must not differ"},
};

/* Rows of one kind, a guard before them and one behind. */
typedef struct guarded {
  unsigned char *at;
  size_t bytes;
} guarded;

enum { STATE, OBS, ACT, REWARD, END, STEP, WORDS, RESET, KINDS };
static const char *const kind_names[KINDS] = {"state", "obs",  "act",   "reward",
                                              "end",   "step", "words", "reset words"};
enum { GUARD = PGB_LANES * sizeof(float) };

typedef struct stage {
  const pgb_env_class *env;
  pgb_space space;
  size_t steps;
  void *params;
  pgb_arena *arena;
  pgb_batch batch, batch_copy;
  guarded kind[KINDS];
  unsigned char *saved; /* copies of what step and reset must leave alone */
  unsigned char *params_copy;
  uint32_t episode[PGB_LANES]; /* number of the lane's episode                  */
  bool ended[PGB_LANES];
  uint64_t digest[STEPS]; /* of what the lane in view saw at each step of the first play */
} stage;

/* ---- Memory ---- */

static pgb_status make_rows(stage *s) {
  const pgb_space *p = &s->space;
  const size_t size[KINDS] = {p->n_state * sizeof(float),
                              p->n_obs * sizeof(float),
                              p->n_act * sizeof(float),
                              sizeof(float),
                              sizeof(uint8_t),
                              sizeof(int32_t),
                              p->step_words * sizeof(uint32_t),
                              p->reset_words * sizeof(uint32_t)};
  size_t most = GUARD;
  for (size_t k = 0; k < KINDS; k++) {
    void *memory = NULL;
    const size_t bytes = size[k] * PGB_LANES;
    PGB_TRY(pgb_arena_alloc(s->arena, bytes + 2 * (size_t)GUARD, 1, &memory));
    s->kind[k] = (guarded){.at = (unsigned char *)memory + GUARD, .bytes = bytes};
    most = bytes > most ? bytes : most;
    memset(memory, CANARY, GUARD);
    memset(s->kind[k].at + bytes, CANARY, GUARD);
  }
  void *saved = NULL;
  PGB_TRY(pgb_arena_alloc(s->arena, 2 * most, 1, &saved));
  s->saved = saved;
  s->batch = (pgb_batch){.state = (void *)s->kind[STATE].at,
                         .obs = (void *)s->kind[OBS].at,
                         .act = (void *)s->kind[ACT].at,
                         .reward = (void *)s->kind[REWARD].at,
                         .end = s->kind[END].at,
                         .step = (void *)s->kind[STEP].at,
                         .words = (const void *)s->kind[WORDS].at};
  s->batch_copy = s->batch;
  return pgb_ok();
}

static pgb_status check_guards(const stage *s, const char *who, size_t step) {
  if (memcmp(&s->batch, &s->batch_copy, sizeof s->batch) != 0)
    return pgb_fail(PGB_USAGE, "%s changed the pointers of its batch at step %zu; write where they point",
                    who, step);
  for (size_t k = 0; k < KINDS; k++)
    for (size_t i = 0; i < GUARD; i++)
      if (s->kind[k].at[s->kind[k].bytes + i] != CANARY || s->kind[k].at[-1 - (ptrdiff_t)i] != CANARY)
        return pgb_fail(PGB_USAGE,
                        "%s wrote beyond its %s rows at step %zu; row k of lane i is [k*PGB_LANES + i]", who,
                        kind_names[k], step);
  if (memcmp(s->params_copy, s->params, s->env->params_size) != 0)
    return pgb_fail(PGB_USAGE, "%s changed params at step %zu; they are read-only after prepare", who, step);
  return pgb_ok();
}

/* ---- One episode's randomness: a function of its number alone ---- */

static uint32_t word_of(const stage *s, size_t lane, pgb_use use, size_t block) {
  uint32_t words[4];
  pgb_words(1, use, 0, 0, s->episode[lane], (uint32_t)(block / 4), words);
  return words[block % 4];
}

static void draw(stage *s, size_t lane) {
  const pgb_space *p = &s->space;
  const size_t t = (size_t)s->batch.step[lane];
  uint32_t *words = (void *)s->kind[WORDS].at;
  for (size_t j = 0; j < p->step_words; j++)
    words[j * PGB_LANES + lane] = word_of(s, lane, PGB_USE_STEP, t * p->step_words + j);
  for (size_t k = 0; k < p->n_act; k++) {
    const uint32_t w0 = word_of(s, lane, PGB_USE_ACTION, 2 * (t * p->n_act + k));
    const uint32_t w1 = word_of(s, lane, PGB_USE_ACTION, 2 * (t * p->n_act + k) + 1);
    float z0;
    float z1;
    pgb_normal_pair(w0, w1, &z0, &z1);
    s->batch.act[k * PGB_LANES + lane] =
        p->n_choices > 0 ? (float)(size_t)((double)w0 * 0x1p-32 * (double)p->n_choices) : z0;
  }
}

/* ---- Running ---- */

static void keep_lane(const float *from, size_t rows, size_t lane, float *to) {
  for (size_t k = 0; k < rows; k++)
    to[k * PGB_LANES + lane] = from[k * PGB_LANES + lane];
}

/* Begins the next episode in the lanes that wait for one, or in all (t = 0): reset starts every lane, and
 * those that are under way get back what they held, as the rollout loop does it. */
static pgb_status reset(stage *s, const play *how, uint32_t *next, size_t t) {
  uint32_t *words = (void *)s->kind[RESET].at;
  float *obs = (void *)s->saved;
  float *state = (void *)(s->saved + s->kind[OBS].bytes);
  memcpy(obs, s->batch.obs, s->kind[OBS].bytes);
  memcpy(state, s->batch.state, s->kind[STATE].bytes);
  memset(s->batch.obs, how->fill, s->kind[OBS].bytes);
  memset(s->batch.state, how->fill, s->kind[STATE].bytes);
  bool begins[PGB_LANES];
  for (size_t i = 0; i < PGB_LANES; i++) {
    begins[i] = t == 0 || s->ended[i];
    if (begins[i]) {
      s->episode[i] = next[i]++;
      s->ended[i] = false;
      s->batch.step[i] = 0;
    }
    for (size_t j = 0; j < s->space.reset_words; j++)
      words[j * PGB_LANES + i] = word_of(s, i, PGB_USE_RESET, j);
  }
  s->batch.words = s->batch_copy.words = words;
  s->env->reset(s->params, &s->batch);
  PGB_TRY(check_guards(s, "reset", t));
  s->batch.words = s->batch_copy.words = (const void *)s->kind[WORDS].at;
  for (size_t k = 0; k < s->space.n_obs * PGB_LANES; k++)
    if (!isfinite(s->batch.obs[k]))
      return pgb_fail(PGB_USAGE, "obs[%zu] after a reset is not finite; set every row of every lane",
                      k / PGB_LANES);
  for (size_t i = 0; i < PGB_LANES; i++)
    if (!begins[i]) {
      keep_lane(obs, s->space.n_obs, i, s->batch.obs);
      keep_lane(state, s->space.n_state, i, s->batch.state);
    }
  return pgb_ok();
}

/* What a step must have set, in every lane. */
static pgb_status check_step(const stage *s, size_t t) {
  const pgb_batch *b = &s->batch;
  for (size_t i = 0; i < PGB_LANES; i++) {
    const char *after =
        s->ended[i] ? " (after the episode's end, where figures are unused but stay finite)" : "";
    if (b->end[i] != PGB_LIVE && b->end[i] != PGB_TERMINAL)
      return pgb_fail(
          PGB_USAGE,
          "end of lane %zu at step %zu is %u; set PGB_LIVE or PGB_TERMINAL in every lane (the time "
          "limit is not the environment's business)",
          i, t, b->end[i]);
    if (!isfinite(b->reward[i]))
      return pgb_fail(PGB_USAGE, "reward of lane %zu at step %zu is %g%s; set a finite one in every lane", i,
                      t, (double)b->reward[i], after);
    for (size_t k = 0; k < s->space.n_obs; k++) {
      const float x = b->obs[k * PGB_LANES + i];
      const bool valid =
          isfinite(x) &&
          (s->space.n_contexts == 0 || (x >= 0 && x < (float)s->space.n_contexts && x == (float)(uint32_t)x));
      if (!valid)
        return pgb_fail(PGB_USAGE, "obs[%zu] of lane %zu at step %zu is %g%s; %s", k, i, t, (double)x, after,
                        s->space.n_contexts == 0 ? "keep it finite" : "give one of 0..n_contexts-1");
    }
  }
  return pgb_ok();
}

static uint64_t add_bytes(uint64_t hash, const void *data, size_t size) { /* FNV-1a */
  const unsigned char *byte = data;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

static uint64_t digest(const stage *s, size_t lane) {
  const pgb_batch *b = &s->batch;
  uint64_t hash = add_bytes(0xcbf29ce484222325u, &b->reward[lane], sizeof *b->reward);
  hash = add_bytes(hash, &b->end[lane], 1);
  for (size_t k = 0; k < s->space.n_obs; k++)
    hash = add_bytes(hash, &b->obs[k * PGB_LANES + lane], sizeof *b->obs);
  return hash;
}

static pgb_status step(stage *s, size_t t) {
  unsigned char *act_copy = s->saved;
  unsigned char *words_copy = s->saved + s->kind[ACT].bytes;
  int32_t steps[PGB_LANES];
  for (size_t i = 0; i < PGB_LANES; i++)
    draw(s, i);
  memcpy(act_copy, s->batch.act, s->kind[ACT].bytes);
  memcpy(words_copy, s->batch.words, s->kind[WORDS].bytes);
  memcpy(steps, s->batch.step, sizeof steps);
  memset(s->batch.reward, UNSET, s->kind[REWARD].bytes);
  memset(s->batch.end, UNSET, s->kind[END].bytes);
  s->env->step(s->params, &s->batch);
  PGB_TRY(check_guards(s, "step", t));
  if (memcmp(act_copy, s->batch.act, s->kind[ACT].bytes) != 0 ||
      memcmp(words_copy, s->batch.words, s->kind[WORDS].bytes) != 0 ||
      memcmp(steps, s->batch.step, sizeof steps) != 0)
    return pgb_fail(PGB_USAGE, "step changed act, words or step at step %zu; it only reads them", t);
  return check_step(s, t);
}

static pgb_status run_play(stage *s, const play *how, bool first) {
  memset(s->batch.state, how->fill, s->kind[STATE].bytes);
  memset(s->batch.obs, how->fill, s->kind[OBS].bytes);
  uint32_t next[PGB_LANES];
  for (size_t i = 0; i < PGB_LANES; i++)
    next[i] = i == how->lane ? 0 : how->others + (uint32_t)i * STEPS;
  for (size_t t = 0; t < s->steps; t++) {
    if (t % QUANTUM == 0)
      PGB_TRY(reset(s, how, next, t));
    PGB_TRY(step(s, t));
    const uint64_t now = digest(s, how->lane);
    if (first)
      s->digest[t] = now;
    else if (now != s->digest[t])
      return pgb_fail(PGB_USAGE, "the same episode %s (step %zu)", how->reason, t);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const bool limit = (size_t)++s->batch.step[i] >= s->space.horizon;
      s->ended[i] = s->ended[i] || limit || s->batch.end[i] != PGB_LIVE;
      if (s->ended[i])
        s->batch.step[i] = 0; /* a valid index until the lane is reset */
    }
  }
  return pgb_ok();
}

/* ---- Before it ---- */

static pgb_status check_space(const pgb_env_class *c, const pgb_space *p) {
  if (p->horizon < 1 || p->horizon > MAX_HORIZON)
    return pgb_fail(PGB_USAGE, "prepare set horizon %zu; give one in [1, %d]", p->horizon, (int)MAX_HORIZON);
  if (p->n_state < 1 || p->n_obs < 1 || p->n_act < 1 || p->n_state > MAX_ROWS || p->n_obs > MAX_ROWS ||
      p->n_act > MAX_ROWS)
    return pgb_fail(PGB_USAGE, "prepare set n_state %zu, n_obs %zu, n_act %zu; give each in [1, %d]",
                    p->n_state, p->n_obs, p->n_act, (int)MAX_ROWS);
  if (p->n_choices == 1 || (p->n_choices > 0 && p->n_act != 1) || p->n_choices > MAX_HORIZON)
    return pgb_fail(PGB_USAGE,
                    "prepare set n_choices %zu with n_act %zu; discrete actions are 2 or more, in one "
                    "row; continuous ones are n_choices 0",
                    p->n_choices, p->n_act);
  if ((p->n_contexts > 0 && p->n_obs != 1) || p->n_contexts > MAX_HORIZON)
    return pgb_fail(PGB_USAGE, "prepare set n_contexts %zu with n_obs %zu; a discrete observation is one row",
                    p->n_contexts, p->n_obs);
  if (p->reset_words > MAX_WORDS || p->step_words > MAX_WORDS)
    return pgb_fail(PGB_USAGE, "prepare set reset_words %zu, step_words %zu; give each in [0, %d]",
                    p->reset_words, p->step_words, (int)MAX_WORDS);
  if (c->obs_fields != NULL && c->n_obs_fields != p->n_obs)
    return pgb_fail(PGB_USAGE, "obs_fields has %zu rows and prepare set n_obs %zu; they must agree",
                    c->n_obs_fields, p->n_obs);
  return pgb_ok();
}

static pgb_status prepare(stage *s) {
  const pgb_env_class *c = s->env;
  void *copy = NULL;
  PGB_TRY(pgb_arena_alloc(s->arena, 1, c->params_size + 1, &s->params));
  PGB_TRY(pgb_arena_alloc(s->arena, 1, c->params_size + 1, &copy));
  PGB_TRY(pgb_options_read(c->options, c->n_options, NULL, NULL, s->arena, s->params));
  pgb_status made = c->prepare(s->params, s->arena, &s->space);
  if (made.code != PGB_OK)
    return pgb_fail(made.code == PGB_RUNTIME ? PGB_RUNTIME : PGB_USAGE,
                    "prepare refuses the defaults: %.300s", made.text);
  PGB_TRY(check_space(c, &s->space));
  s->steps = s->space.n_act + s->space.n_obs + s->space.step_words > LARGE ? FEW_STEPS : STEPS;
  memcpy(copy, s->params, c->params_size);
  s->params_copy = copy;
  return make_rows(s);
}

static pgb_status run(stage *s) {
  PGB_TRY(pgb_arena_create(&s->arena));
  PGB_TRY(prepare(s));
  for (size_t k = 0; k < PLAYS; k++)
    PGB_TRY(run_play(s, &plays[k], k == 0));
  return pgb_ok();
}

pgb_status pgb_env_check_run(const pgb_env_class *c) {
  assert(c != NULL);
  void *memory = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(stage), &memory));
  stage *s = memory;
  s->env = c;
  pgb_status status = run(s);
  pgb_arena_destroy(s->arena);
  free(s);
  return status.code == PGB_OK ? status : pgb_fail(status.code, "env %s: %.440s", c->name, status.text);
}
