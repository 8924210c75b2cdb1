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

bench_case *bench_case_open(pgb_isa isa, const char *estimators, const char *baselines) {
  static const char *const env[] = {"cartpole"};
  void *piece = NULL;
  bench_require(pgb_alloc(1, sizeof(bench_case), &piece));
  bench_case *c = piece;
  const pgb_request request = {.env = env,
                               .n_env = 1,
                               .estimator = estimators,
                               .baseline = baselines,
                               .batch = "64",
                               .replicates = "128",
                               .isa = isa};
  c->isa = isa;
  bench_require(pgb_study_resolve(&request, &c->study));
  bench_require(pgb_arena_create(&c->arena));
  bench_require(pgb_plan_create(c->study, 0, isa, c->arena, &c->plan));
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
  pgb_measure_block(c->measure, 0, 0, 0, CASE_REPLICATES, c->slots, NULL, &times);
  return c->slots[c->stride - PGB_SLOT_COUNT + PGB_SLOT_STEPS];
}
