/* SPDX-License-Identifier: MIT */
/* Checkpoints: the sealed file, and a run that is stopped over and over, at most a few blocks further each
 * time, whose results are those of a run in one go, bit for bit (batch gradients: test_program_resume.py). */
#include "check.h"
#include "cli/resume.h"
#include "io/part.h"
#include "study/checkpoint.h"
#include "study/output.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] =
    "seed: 5\nenv: [{name: chain, horizon: 3}, bandit, {name: cartpole, horizon: 12}]\n"
    "estimators: [reinforce, gpomdp]\nbaselines: [none, loo, value-linear]\n"
    "batch: [1, 4]\nreplicates: 9\npilot: 64\n";

typedef struct launch {
  const pgb_study *study;
  pgb_store *store;
  pgb_arena *arena;
  char folder[64], result[96], name[104];
  pgb_checkpoint_head head;
  pgb_part_reader *part;
  long left; /* questions until the answer is to stop; below 0: never */
  int kept;
} launch;

static int stop(void *self) {
  launch *l = self;
  if (l->left > 0)
    l->left--;
  return l->left == 0 ? SIGTERM : 0;
}

static pgb_status keep(void *self, const pgb_snapshot *snapshot) {
  launch *l = self;
  l->kept++;
  return pgb_checkpoint_write(l->name, &l->head, l->study, snapshot, l->store);
}

static pgb_status cell(void *self, size_t number, const pgb_cell_result *result, double *const *gradients) {
  launch *l = self;
  return pgb_output_cell(l->store, l->study, number, result, gradients);
}

static pgb_status restore(void *self, size_t number, pgb_cell_result *result, const pgb_restored *to) {
  launch *l = self;
  if (to != NULL)
    return pgb_checkpoint_begun(l->part, &l->head, l->study, l->arena, result, to);
  PGB_TRY(pgb_checkpoint_result(l->part, l->study, number, l->arena, result));
  PGB_TRY(cell(self, number, result, NULL));
  PGB_TRY(pgb_output_gradients(l->store, l->study, number));
  return pgb_checkpoint_gradients(l->part, l->study, number, l->store);
}

/* One launch, from the checkpoint if there is one. */
static pgb_status go(launch *l, pgb_comm *comm, pgb_run_result *out) {
  const pgb_observer observer = {
      .self = l, .cell = cell, .stop = stop, .checkpoint = keep, .restore = restore};
  pgb_run_options options = {.isa = PGB_ISA_NONE, .save_gradients = true, .interval = 1e-9};
  if (access(l->name, F_OK) == 0) {
    PGB_TRY(pgb_checkpoint_open(l->name, l->arena, &l->part, &l->head));
    PGB_TRY(pgb_checkpoint_fits(l->name, &l->head, l->study));
    options.start = l->head.at;
    options.resumed = true;
  }
  *out = (pgb_run_result){0};
  pgb_status s = pgb_store_create(l->result, true, &l->store);
  if (s.code == PGB_OK)
    s = pgb_run(l->study, &options, comm, &observer, l->arena, out);
  if (s.code == PGB_OK)
    s = pgb_store_close(l->store);
  else
    pgb_store_discard(l->store);
  pgb_part_end(l->part);
  l->part = NULL;
  return s;
}

static int same(const pgb_study *study, const pgb_cell_result *a, const pgb_cell_result *b) {
  const size_t pairs = study->n_estimators * study->n_baselines;
  const size_t figures = pairs * study->n_batches;
  int equal = 1;
  for (size_t c = 0; c < study->n_cells; c++) {
    const size_t d = study->cells[c].actor.shape.n_theta;
    for (int i = 0; i < PGB_FIGURE_COUNT; i++)
      equal = equal && memcmp(a[c].figure[i], b[c].figure[i], figures * sizeof(double)) == 0;
    for (int i = 0; i < PGB_VECTOR_COUNT; i++)
      equal = equal && memcmp(a[c].vector[i], b[c].vector[i], figures * d * sizeof(double)) == 0;
    for (int i = 0; i < PGB_ROLL_COUNT; i++)
      equal = equal && memcmp(a[c].roll[i], b[c].roll[i], study->n_batches * sizeof(double)) == 0;
    for (size_t k = 0; k < pairs; k++)
      equal = equal && strcmp(a[c].reason[k], b[c].reason[k]) == 0;
    equal = equal && memcmp(a[c].summary, b[c].summary, figures * sizeof(pgb_summary)) == 0;
    equal = equal && memcmp(a[c].exact_gradient, b[c].exact_gradient, d * sizeof(double)) == 0;
    equal = equal && memcmp(a[c].biased, b[c].biased, pairs * sizeof(double)) == 0;
    equal = equal && memcmp(&a[c].exact_return, &b[c].exact_return, sizeof(double)) == 0;
    equal = equal && strcmp(a[c].oracle, b[c].oracle) == 0;
  }
  return equal;
}

static void test_stops(checks *c, launch *l, pgb_comm *comm) {
  enum { LAUNCHES = 5000 };
  pgb_run_result whole, pieces;
  l->left = -1;
  CHECK_OK(c, go(l, comm, &whole));
  CHECK(c, l->kept > 20); /* about one for every two blocks: 3 cells, 2 batch sizes, 9 blocks */
  CHECK_OK(c, pgb_part_remove(l->name));
  pgb_status s = pgb_fail(PGB_STOPPED, "not begun");
  int launches = 0;
  pgb_point last = {0};
  for (; launches < LAUNCHES && s.code == PGB_STOPPED; launches++) {
    l->left = 1 + launches % 61;
    s = go(l, comm, &pieces);
    const size_t before = (last.cell * 2 + last.batch) * 10 + last.block;
    last = l->head.at;
    CHECK(c, (last.cell * 2 + last.batch) * 10 + last.block >= before);
  }
  CHECK_OK(c, s);
  CHECK(c, launches > 10);
  CHECK(c, s.code == PGB_OK && same(l->study, whole.cells, pieces.cells));
}

static void test_other_study(checks *c, launch *l, pgb_comm *comm) {
  pgb_run_result result;
  pgb_checkpoint_head head;
  const pgb_study *study = l->study;
  CHECK_OK(c, pgb_part_remove(l->name));
  l->left = 60;
  CHECK(c, go(l, comm, &result).code == PGB_STOPPED);
  CHECK_OK(c, pgb_checkpoint_open(l->name, l->arena, &l->part, &head));
  CHECK(c,
        head.force && head.save_gradients && head.launches == 7 && strcmp(head.config, study->config) == 0);
  CHECK_OK(c, pgb_checkpoint_fits(l->name, &head, study));
  head.at.block = 10;
  CHECK_REFUSED(c, pgb_checkpoint_fits(l->name, &head, study), PGB_USAGE, "does not resolve");
  const pgb_restored no_pilot = {.n_pilot = 0};
  CHECK_REFUSED(c, pgb_checkpoint_begun(l->part, &head, study, l->arena, result.cells, &no_pilot), PGB_USAGE,
                l->name);
  pgb_part_end(l->part);
  l->part = NULL;
}

/* Pieces of any size around the buffer's, and nothing at all. */
static void test_part(checks *c, launch *l) {
  static const size_t sizes[] = {0, 1, (1 << 20) - 25, 1 << 20, (1 << 20) + 1, 3000000};
  unsigned char *bytes = malloc(3000000), *back = malloc(3000000);
  const char *word = NULL;
  for (size_t i = 0; i < 3000000; i++)
    bytes[i] = (unsigned char)(i * 7 + i / 1000);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    pgb_part_writer *out = NULL;
    pgb_part_reader *in = NULL;
    CHECK_OK(c, pgb_part_create(l->name, &out));
    pgb_part_put(out, bytes, sizes[i]);
    pgb_part_put_text(out, "last \xCE\xBB");
    CHECK_OK(c, pgb_part_close(out));
    CHECK_OK(c, pgb_part_open(l->name, &in));
    CHECK_OK(c, pgb_part_get(in, back, sizes[i]));
    CHECK(c, memcmp(back, bytes, sizes[i]) == 0);
    CHECK_OK(c, pgb_part_get_text(in, l->arena, &word));
    CHECK(c, word != NULL && strcmp(word, "last \xCE\xBB") == 0);
    CHECK_OK(c, pgb_part_get(in, back, 0));
    CHECK_REFUSED(c, pgb_part_get(in, back, 1), PGB_USAGE, "asks for");
    CHECK_REFUSED(c, pgb_part_get_text(in, l->arena, &word), PGB_USAGE, "asks for");
    pgb_part_end(in);
  }
  pgb_part_writer *given_up = NULL;
  pgb_part_reader *in = NULL;
  CHECK_OK(c, pgb_part_create(l->name, &given_up)); /* the one before stays */
  pgb_part_put(given_up, bytes, 3000000);
  pgb_part_discard(given_up);
  pgb_part_discard(NULL);
  CHECK_OK(c, pgb_part_open(l->name, &in));
  pgb_part_end(in);
  pgb_part_end(NULL);
  CHECK_OK(c, pgb_part_remove(l->name));
  CHECK_OK(c, pgb_part_remove(l->name));
  CHECK_REFUSED(c, pgb_part_open(l->name, &in), PGB_USAGE, "No such file");
  free(bytes);
  free(back);
}

/* What may not be looked at is not called missing. */
static void test_locked(checks *c, launch *l) {
  enum { NOBODY = 65534 };
  pgb_arguments arguments = {.resume = l->result};
  pgb_resume resume;
  int failed = 1;
  CHECK(c, chmod(l->folder, 0) == 0);
  const pid_t child = fork();
  if (child == 0) {
    checks own = {0};
    CHECK(&own, geteuid() != 0 || setuid(NOBODY) == 0); /* nothing is locked to root */
    CHECK_REFUSED(&own, pgb_resume_open(&arguments, l->arena, &resume), PGB_USAGE, "Permission denied");
    _exit(own.failed);
  }
  CHECK(c, child > 0 && waitpid(child, &failed, 0) == child && failed == 0);
  CHECK(c, chmod(l->folder, S_IRWXU) == 0);
}

int main(int argc, char **argv) {
  checks c = {0};
  pgb_comm *comm = NULL;
  pgb_study *study = NULL;
  const pgb_request request = {.study = "test", .text = text, .isa = PGB_ISA_NONE};
  launch l = {.folder = "/tmp/pgb-checkpoint-XXXXXX"};
  CHECK_OK(&c, pgb_comm_create(&argc, &argv, &comm));
  CHECK_OK(&c, pgb_study_resolve(&request, &study));
  CHECK_OK(&c, pgb_arena_create(&l.arena));
  if (c.failed > 0 || mkdtemp(l.folder) == NULL)
    return 1;
  l.study = study;
  (void)snprintf(l.result, sizeof l.result, "%s/x.h5", l.folder);
  (void)snprintf(l.name, sizeof l.name, "%s.part", l.result);
  const pgb_provenance build = pgb_provenance_build();
  l.head = (pgb_checkpoint_head){.version = build.version,
                                 .git_commit = build.git_commit,
                                 .study = study->name,
                                 .config = study->config,
                                 .plugins = "",
                                 .simd = "none",
                                 .started = "now",
                                 .force = true,
                                 .save_gradients = true,
                                 .launches = 7};
  test_stops(&c, &l, comm);
  test_other_study(&c, &l, comm);
  test_part(&c, &l);
  test_locked(&c, &l);
  (void)unlink(l.result);
  CHECK(&c, rmdir(l.folder) == 0);
  pgb_arena_destroy(l.arena);
  pgb_study_destroy(study);
  pgb_comm_destroy(comm);
  return check_end(&c, "test_checkpoint");
}
