/* SPDX-License-Identifier: MIT */
/* Every allocation of a whole run fails once, in turn: the run must end with a message and leave nothing
 * behind, neither file nor memory (the sanitized build counts that). The linker sends aligned_alloc and
 * calloc here. */
#include "check.h"
#include "comm/comm.h"
#include "io/store.h"
#include "study/output.h"
#include "study/plan.h"
#include "study/run.h"

#include <stdlib.h>
#include <unistd.h>

void *__real_aligned_alloc(size_t align, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_calloc(size_t count, size_t size);

/* LeakSanitizer's, where this is built with it: what MPI keeps to the end of the process is left out as it is
 * taken, so that the quick unwinder will do, which does not see through MPI's frames (tests/nested.sh). Other
 * tests look whether pgb_comm itself loses memory. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static void count_leaks(bool on) {
  void (*const change)(void) = on ? __lsan_enable : __lsan_disable;
  if (change != NULL)
    change();
}

static struct {
  long left; /* allocations until one fails; negative: none does */
  bool failed;
} fault = {-1, false};

static bool fails_now(void) {
  if (fault.left < 0 || fault.left-- > 0)
    return false;
  fault.failed = true;
  return true;
}

void *__wrap_aligned_alloc(size_t align, size_t size) {
  return fails_now() ? NULL : __real_aligned_alloc(align, size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails_now() ? NULL : __real_calloc(count, size);
}

typedef struct sink {
  const pgb_study *study;
  pgb_store *store;
} sink;

static pgb_status on_cell(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients) {
  const sink *s = self;
  return pgb_output_cell(s->store, s->study, cell, result, gradients);
}

static pgb_status keep_usable(pgb_study *study) {
  enum { MOST = 64 };
  const char *estimator[MOST] = {NULL};
  const char *baseline[MOST] = {NULL};
  PGB_TRY(pgb_plan_usable(study, estimator, baseline));
  return pgb_study_keep(study, estimator, baseline);
}

static pgb_status measure(sink *s, pgb_study *study, pgb_comm *comm, pgb_arena *arena, const char *path) {
  const pgb_run_options options = {.isa = PGB_ISA_NONE, .save_gradients = true};
  const pgb_observer observer = {.self = s, .cell = on_cell};
  pgb_run_result result = {.cells = NULL};
  PGB_TRY(keep_usable(study));
  s->study = study;
  PGB_TRY(pgb_store_create(path, false, &s->store));
  PGB_TRY(pgb_run(study, &options, comm, &observer, arena, &result));
  PGB_TRY(pgb_output_timing(s->store, study, &result, 1));
  pgb_store *store = s->store;
  s->store = NULL;
  return pgb_store_close(store);
}

static pgb_status whole_run(const char *text, pgb_comm *comm, const char *path) {
  const pgb_request request = {.study = "memory", .text = text, .isa = PGB_ISA_NONE};
  pgb_study *study = NULL;
  pgb_arena *arena = NULL;
  sink s = {.store = NULL};
  pgb_status status = pgb_study_resolve(&request, &study);
  if (status.code == PGB_OK)
    status = pgb_arena_create(&arena);
  if (status.code == PGB_OK)
    status = measure(&s, study, comm, arena, path);
  pgb_store_discard(s.store);
  pgb_arena_destroy(arena);
  pgb_study_destroy(study);
  return status;
}

/* How many allocations the run makes. libhdf5 opens a new file twice and minds only the second time, so one
 * failure may pass unseen. */
static long walk(checks *c, const char *text, pgb_comm *comm, const char *path) {
  int unseen = 0;
  for (long n = 0;; n++) {
    fault.left = n;
    fault.failed = false;
    const pgb_status s = whole_run(text, comm, path);
    const bool failed = fault.failed;
    fault.left = -1;
    if (s.code == PGB_OK) {
      CHECK(c, unlink(path) == 0);
      unseen++;
      if (failed)
        continue;
      CHECK(c, unseen <= 2);
      return n;
    }
    CHECK(c, s.code == PGB_RUNTIME && strstr(s.text, "memory") != NULL);
    CHECK(c, access(path, F_OK) != 0);
  }
}

int main(int argc, char **argv) {
  static const char *const studies[] = {
      "env: {name: bandit, mean: [1, 2], noise: [.5, 0]}\nbatch: [1, 4]\nreplicates: 8\n",
      "env: {name: mdp, horizon: 3, transition: [[[.8, .2], [.3, .7]], [[.5, .5], [.1, .9]]],"
      " reward: [[1, 0], [-1, 2]], start: [.6, .4]}\nbatch: 4\nreplicates: 4\n",
      "env: {name: lqr, horizon: 3}\nbatch: 2\nreplicates: 4\n",
      "env: {name: gaussian, dim: 2}\nbatch: 2\nreplicates: 4\n",
      "env: {name: chain, horizon: 3}\nbatch: 2\nreplicates: 4\n",
      "env: {name: cartpole, horizon: 20}\nbatch: 2\nreplicates: 4\npilot: 64\n",
  };
  checks c = {0};
  pgb_comm *comm = NULL;
  char path[] = "/tmp/pgbench-memory-XXXXXX";
  const int fd = mkstemp(path);
  CHECK(&c, fd >= 0 && close(fd) == 0 && unlink(path) == 0);
  count_leaks(false);
  CHECK_OK(&c, pgb_comm_create(&argc, &argv, &comm));
  count_leaks(true);
  for (size_t i = 0; comm != NULL && i < sizeof studies / sizeof *studies; i++) {
    const long n = walk(&c, studies[i], comm, path);
    CHECK(&c, n > 30);
    printf("%ld allocations failed one by one: %.24s\n", n, studies[i]);
  }
  count_leaks(false);
  pgb_comm_destroy(comm);
  count_leaks(true);
  return check_end(&c, "memory");
}
