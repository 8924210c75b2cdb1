/* SPDX-License-Identifier: MIT */
#include "case.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_require(pgb_status status) {
  if (status.code == PGB_OK)
    return;
  (void)fprintf(stderr, "bench: %s\n", status.text);
  exit((int)status.code);
}

bool bench_case_known(const bench_setting *setting) {
  char name[64];
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(setting->policy, ":"), setting->policy);
  if (pgb_policy_find(PGB_ISA_NONE, name) == NULL)
    return false;
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(setting->env, ":"), setting->env);
  return pgb_env_find(PGB_ISA_NONE, name) != NULL;
}

bench_case *bench_case_open(pgb_isa isa, const bench_setting *setting) {
  char replicates[32];
  void *piece = NULL;
  bench_require(pgb_alloc(1, sizeof(bench_case), &piece));
  bench_case *c = piece;
  (void)snprintf(replicates, sizeof replicates, "%llu", (unsigned long long)setting->replicates);
  const pgb_request request = {.env = &setting->env,
                               .n_env = 1,
                               .policy = &setting->policy,
                               .n_policy = 1,
                               .estimator = setting->estimators,
                               .baseline = setting->baselines,
                               .batch = "64",
                               .replicates = replicates,
                               .isa = isa};
  c->isa = isa;
  c->replicates = setting->replicates;
  bench_require(pgb_study_resolve(&request, &c->study));
  c->actor = &c->study->cells[0].actor;
  bench_require(pgb_arena_create(&c->arena));
  bench_require(pgb_plan_create(c->study, 0, isa, NULL, c->arena, &c->plan));
  bench_require(pgb_measure_create(&c->study->cells[0], &c->plan, c->study, isa, &c->measure));
  c->stride = pgb_measure_stride(c->study, &c->study->cells[0]);
  bench_require(pgb_alloc(c->stride, sizeof(double), &piece));
  c->slots = piece;
  return c;
}

void bench_case_close(bench_case *c) {
  pgb_measure_destroy(c->measure);
  pgb_arena_destroy(c->arena);
  pgb_study_destroy(c->study);
  free(c->slots);
  free(c);
}

double bench_case_run(bench_case *c) {
  pgb_phase_times times = {0, 0};
  memset(c->slots, 0, c->stride * sizeof *c->slots);
  pgb_measure_block(c->measure, 0, 0, 0, c->replicates, c->slots, NULL, &times);
  return c->slots[c->stride - PGB_SLOT_COUNT + PGB_SLOT_STEPS];
}
