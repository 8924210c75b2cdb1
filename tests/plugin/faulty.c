/* SPDX-License-Identifier: MIT */
/* A small environment with one fault, chosen by -DFAULT_<NAME>; without one it is fine
 * (tests/test_plugin.py). */
#include "env/plugin.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
  int64_t horizon;
  double gain;
} walk;

#ifndef NAME
#define NAME "walk"
#endif
#ifndef OPTION
#define OPTION "gain"
#endif
#ifndef DEFAULT
#define DEFAULT "1"
#endif
#ifndef PLACE
#define PLACE offsetof(walk, gain)
#endif

static const pgb_option options[] = {
    {"horizon", "step", PGB_TYPE_INT, offsetof(walk, horizon), 1, 1000, "20", NULL, "steps"},
    {OPTION, "1", PGB_TYPE_REAL, PLACE, 0, 2, DEFAULT, NULL, "of the action"},
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  walk *p = params;
  (void)arena;
  *space = (pgb_space){.n_state = 1,
                       .n_obs = 1,
                       .n_act = 1,
                       .n_choices = 2,
                       .horizon = (size_t)p->horizon,
                       .reset_words = 1,
                       .step_words = 1};
#ifdef FAULT_HORIZON
  space->horizon = 0;
#endif
#ifdef FAULT_PREPARE
  return pgb_fail(PGB_USAGE, "gain: is odd; give another");
#endif
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  (void)params;
  for (size_t i = 0; i < PGB_LANES; i++) {
    float x = pgb_uniform(batch->words[i]);
#ifdef FAULT_RESET_NEIGHBOUR
    x = pgb_uniform(batch->words[(i + 1) % PGB_LANES]);
#endif
#ifndef FAULT_STATE_KEPT
    batch->state[i] = x;
#endif
    batch->obs[i] = x;
  }
}

static void step(const void *params, pgb_batch *batch) {
  const walk *p = params;
  for (size_t i = 0; i < PGB_LANES; i++) {
    float x = 0.9f * batch->state[i] + (float)p->gain * (batch->act[i] - 0.5f) + pgb_uniform(batch->words[i]);
#ifdef FAULT_LANE
    x += (float)i;
#endif
#ifdef FAULT_NEIGHBOUR
    x += 0.125f * batch->state[(i + 1) % PGB_LANES];
#endif
    batch->state[i] = x;
    batch->obs[i] = x;
    batch->reward[i] = -x * x;
    batch->end[i] = x > 8.0f ? PGB_TERMINAL : PGB_LIVE;
  }
#ifdef FAULT_NAN
  batch->reward[5] = batch->step[5] == 3 ? 0.0f / (batch->step[5] - 3.0f) : 0.0f;
#endif
#ifdef FAULT_OBS
  batch->obs[9] = INFINITY;
#endif
#ifdef FAULT_END
  batch->end[63] = PGB_TRUNCATED;
#endif
#ifdef FAULT_POINTER
  batch->reward = NULL;
#endif
#ifdef FAULT_BEYOND
  batch->obs[PGB_LANES] = 1;
#endif
#ifdef FAULT_BEFORE
  batch->state[-1] = 1;
#endif
#ifdef FAULT_ACT
  batch->act[0] = 1;
#endif
#ifdef FAULT_PARAMS
  ((walk *)(size_t)params)->gain = 2;
#endif
#ifdef FAULT_MEMORY
  static float total;
  total += 1.0f;
  batch->reward[0] += total;
#endif
}

static const pgb_env_class env = {
    .name = NAME,
    .title = "random walk",
#ifndef FAULT_SOURCE
    .source = "none",
#endif
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(walk),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
#ifndef FAULT_STEP
    .step = step,
#endif
};

#if defined FAULT_ABI || defined FAULT_SIZE || defined FAULT_LANES || defined FAULT_EMPTY
static const pgb_env_class *const classes[] = {&env};
#ifdef FAULT_ABI
#define ABI 99
#else
#define ABI PGB_PLUGIN_ABI
#endif
#ifdef FAULT_SIZE
#define CLASS sizeof(pgb_env_class) - 8
#else
#define CLASS sizeof(pgb_env_class)
#endif
#ifdef FAULT_LANES
#define LANES 32
#else
#define LANES PGB_LANES
#endif
#ifdef FAULT_EMPTY
#define COUNT 0
#else
#define COUNT 1
#endif
const pgb_plugin pgb_plugin_entry = {
    .magic = "pgbench",
    .abi = ABI,
    .size = sizeof(pgb_plugin),
    .class_size = CLASS,
    .batch_size = sizeof(pgb_batch),
    .space_size = sizeof(pgb_space),
    .option_size = sizeof(pgb_option),
    .array_size = sizeof(pgb_array),
    .field_size = sizeof(pgb_field),
    .status_size = sizeof(pgb_status),
    .lanes = LANES,
    .n_classes = COUNT,
    .classes = classes,
};
#elif defined FAULT_SYMBOL
const pgb_env_class *walk_class(void);
const pgb_env_class *walk_class(void) {
  return &env;
}
#elif defined FAULT_NULL
PGB_PLUGIN(NULL);
#elif defined FAULT_TWICE
PGB_PLUGIN(&env, &env);
#else
PGB_PLUGIN(&env);
#endif
#ifdef FAULT_UNDEFINED
void pgb_no_such_function(void);
void *walk_needs(void);
void *walk_needs(void) {
  pgb_no_such_function();
  return NULL;
}
#endif
