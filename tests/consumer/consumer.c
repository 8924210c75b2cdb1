/* SPDX-License-Identifier: MIT */
/* A program of its own on the library: how much of a bandit's gradient variance does leave-one-out take away?
 */
#include "study/pgbench.h"

#include <stdio.h>

static const char text[] = "env: {name: bandit, mean: [1, 2, 3, 5]}\n"
                           "estimators: reinforce\n"
                           "baselines: [none, loo]\n"
                           "batch: 16\n"
                           "replicates: 2000\n";

static pgb_status measure(pgb_comm *comm, pgb_arena *arena, pgb_study **study) {
  pgb_request request = {.study = "loo", .text = text};
  pgb_run_result result;
  PGB_TRY(pgb_isa_parse("auto", &request.isa));
  PGB_TRY(pgb_study_resolve(&request, study));
  PGB_TRY(pgb_run(*study, &(pgb_run_options){.isa = request.isa}, comm, &(pgb_observer){0}, arena, &result));
  if (pgb_comm_rank(comm) == 0) {
    const double *trace = result.cells[0].figure[PGB_VARIANCE_TRACE]; /* [estimator][baseline][batch] */
    printf("none %.17g\nloo %.17g\n%s\n", trace[0], trace[1], result.verdict.text);
  }
  return pgb_ok();
}

int main(int argc, char **argv) {
  pgb_comm *comm = NULL;
  pgb_arena *arena = NULL;
  pgb_study *study = NULL;
  pgb_status s = pgb_comm_create(&argc, &argv, &comm);
  if (s.code == PGB_OK)
    s = pgb_arena_create(&arena);
  if (s.code == PGB_OK)
    s = measure(comm, arena, &study);
  if (s.code != PGB_OK)
    fprintf(stderr, "consumer: %s\n", s.text);
  pgb_study_destroy(study);
  pgb_arena_destroy(arena);
  pgb_comm_destroy(comm);
  return (int)s.code;
}
