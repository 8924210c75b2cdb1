/* SPDX-License-Identifier: MIT */
/* The step of every environment of envs.def in every instruction set, all lanes at once, from a state of
 * zeros every 16 steps with random actions and noise. Items are environment steps. */
#include "bodies.h"
#include "case.h"
#include "core/vmath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 16, ROUNDS = 8, ENVS = 32 };

typedef struct task {
  const char *env;
  pgb_isa isa;
} task;

static void random_actions(const pgb_space *space, float *act, uint32_t *words) {
  for (uint32_t k = 0; k < space->n_act * PGB_LANES; k++) {
    uint32_t w[4];
    pgb_words(1, PGB_USE_ACTION, 0, 0, 0, k, w);
    act[k] = space->n_choices != 0 ? (float)(w[0] % (uint32_t)space->n_choices) : 2 * pgb_uniform(w[0]) - 1;
  }
  for (uint32_t k = 0; k < space->step_words * PGB_LANES; k++) {
    uint32_t w[4];
    pgb_words(1, PGB_USE_STEP, 0, 0, 0, k, w);
    words[k] = w[0];
  }
}

static void body(bench_state *state, void *argument) {
  const task *t = argument;
  const pgb_request request = {
      .env = &t->env, .n_env = 1, .estimator = "reinforce", .baseline = "none", .isa = t->isa};
  pgb_study *study = NULL;
  pgb_batch *batch = NULL;
  void *words = NULL;
  bench_require(pgb_study_resolve(&request, &study));
  const pgb_actor *actor = &study->cells[0].actor;
  bench_require(pgb_batch_create(&actor->space, &batch));
  bench_require(pgb_alloc(actor->space.step_words * PGB_LANES + 1, sizeof(uint32_t), &words));
  random_actions(&actor->space, batch->act, words);
  batch->words = words;
  double steps = 0;
  while (bench_next(state)) {
    for (int round = 0; round < ROUNDS; round++) {
      memset(batch->state, 0, actor->space.n_state * PGB_LANES * sizeof(float));
      memset(batch->obs, 0, actor->space.n_obs * PGB_LANES * sizeof(float));
      for (int k = 0; k < STEPS; k++)
        actor->env->step(actor->env_params, batch);
    }
    bench_use(batch->state);
    steps += ROUNDS * STEPS * PGB_LANES;
  }
  bench_items(state, steps);
  free(words);
  pgb_batch_destroy(batch);
  pgb_study_destroy(study);
}

void envs_add(const bench_limits *limits) {
  static task tasks[ENVS][PGB_ISA_COUNT];
  const pgb_env_class *const *table = pgb_env_table(PGB_ISA_NONE);
  for (size_t e = 0; e < ENVS && table[e] != NULL; e++)
    for (int isa = 0; isa <= (int)limits->best; isa++) {
      if (!pgb_isa_supported((pgb_isa)isa))
        continue;
      char name[96];
      tasks[e][isa] = (task){.env = table[e]->name, .isa = (pgb_isa)isa};
      (void)snprintf(name, sizeof name, "env_step/%s/%s", table[e]->name, pgb_isa_name((pgb_isa)isa));
      bench_add(name, body, &tasks[e][isa]);
    }
}
