/* SPDX-License-Identifier: MIT */
/* Rounds of blocks under a clock of our own (linked in pgb_clock's place): whenever the time limit comes, and
 * however long checkpoints take, a run ends complete or stopped after a checkpoint. */
#include "check.h"
#include "comm/comm.h"
#include "core/clock.h"
#include "study/run.h"
#include "study/study.h"

typedef struct clock_state {
  double now;
  int checkpoints;
} clock_state;

static clock_state *the_clock(void) {
  static clock_state state;
  return &state;
}

double __wrap_pgb_clock(void);
double __wrap_pgb_clock(void) {
  return the_clock()->now += 4e-3;
}

/* The first one is slow, as on a disk that wakes up: later rounds expect as much, then learn better. */
static pgb_status slow_once(void *self, const pgb_snapshot *snapshot) {
  (void)self;
  (void)snapshot;
  if (the_clock()->checkpoints++ == 0)
    the_clock()->now += 1;
  return pgb_ok();
}

static void test_limits(checks *c, pgb_comm *comm, const pgb_study *study) {
  const pgb_observer observer = {.checkpoint = slow_once};
  int stopped = 0, whole = 0;
  for (int limit = 0; limit < 30; limit++) {
    pgb_arena *arena = NULL;
    pgb_run_result result = {.cells = NULL};
    *the_clock() = (clock_state){0};
    const pgb_run_options options = {
        .isa = PGB_ISA_NONE, .unpredicted = true, .interval = 0.3, .deadline = 2 + 0.1 * limit};
    CHECK_OK(c, pgb_arena_create(&arena));
    const pgb_status s = pgb_run(study, &options, comm, &observer, arena, &result);
    CHECK(c, s.code == PGB_OK || s.code == PGB_STOPPED);
    CHECK(c, s.code == PGB_OK || the_clock()->checkpoints > 0);
    stopped += s.code == PGB_STOPPED;
    whole += s.code == PGB_OK;
    pgb_arena_destroy(arena);
  }
  CHECK(c, stopped > 10);
  printf("test_rounds: %d stopped, %d complete\n", stopped, whole);
}

int main(int argc, char **argv) {
  checks c = {0};
  pgb_comm *comm = NULL;
  pgb_study *study = NULL;
  const pgb_request request = {
      .study = "rounds",
      .text = "{env: {name: chain, horizon: 5}, estimators: [reinforce], baselines: [none], "
              "batch: [50, 51, 52, 53], replicates: 36000}",
      .isa = PGB_ISA_NONE};
  CHECK_OK(&c, pgb_comm_create(&argc, &argv, &comm));
  CHECK_OK(&c, pgb_study_resolve(&request, &study));
  if (comm != NULL && study != NULL)
    test_limits(&c, comm, study);
  pgb_study_destroy(study);
  pgb_comm_destroy(comm);
  return check_end(&c, "test_rounds");
}
