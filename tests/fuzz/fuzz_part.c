/* SPDX-License-Identifier: MIT */
/* The reader of checkpoints, as --resume goes through it: a checkpoint whose bytes were edited is refused
 * with a message that names it, or read. The first byte of the input chooses the checkpoint and whether its
 * checksum is made to fit again. What the numbers of a cell mean is not judged: behind a checksum that fits
 * they are ours. */
#include "cli/resume.h"
#include "edits.h"
#include "io/provenance.h"
#include "study/measure.h"
#include "study/output.h"

#include <getopt.h>
#include <zlib.h>

static const char text[] = "env: [{name: chain, horizon: 2}, bandit, {name: chain, horizon: 1}]\n"
                           "estimators: reinforce\nbaselines: [none, loo]\nbatch: [1, 3]\nreplicates: 5\n";

enum { PILOT = 3, KINDS = 4, SEAL = 4, MOST_BYTES = 1 << 26 };

/* Where the checkpoints of the kinds are. */
static const struct {
  bool gradients;
  pgb_share share;
  pgb_point at;
} kinds[KINDS] = {
    {true, {0, 0}, {1, 1, 2}},
    {false, {1, 2}, {2, 0, 5}},
    {false, {0, 0}, {1, 0, 0}},
    {true, {2, 2}, {1, 1, 0}},
};

/* A cell as good as measured: what its arrays hold is no matter of the reader. */
static void fill(const pgb_study *study, pgb_arena *arena, pgb_store *store, pgb_cell_result *cells) {
  for (size_t c = 0; c < study->n_cells; c++) {
    PROMISE(pgb_result_create(study, &study->cells[c], arena, &cells[c]).code == PGB_OK);
    cells[c].oracle = "none";
    PROMISE(pgb_output_cell(store, study, c, &cells[c], NULL).code == PGB_OK);
    PROMISE(pgb_output_gradients(store, study, c).code == PGB_OK);
  }
}

static void write_part(const char *result, const char *name, int kind) {
  const pgb_request request = {.study = "fuzz", .text = text, .isa = PGB_ISA_NONE};
  const pgb_provenance build = pgb_provenance_build();
  pgb_study *study = NULL;
  pgb_arena *arena = NULL;
  pgb_store *store = NULL;
  pgb_cell_result cells[3];
  PROMISE(pgb_study_resolve(&request, &study).code == PGB_OK && study->n_cells == 3);
  PROMISE(pgb_arena_create(&arena).code == PGB_OK && pgb_store_create(result, true, &store).code == PGB_OK);
  fill(study, arena, store, cells);
  const pgb_point at = kinds[kind].at;
  const size_t stride = pgb_measure_stride(study, &study->cells[at.cell]);
  const size_t pairs = study->n_estimators * study->n_baselines;
  void *zeros = NULL;
  PROMISE(pgb_arena_alloc(arena, (size_t)study->replicates * (stride + pairs * 16), sizeof(double), &zeros)
              .code == PGB_OK);
  double *gradients[] = {zeros, zeros};
  const pgb_checkpoint_head head = {.version = build.version,
                                    .git_commit = build.git_commit,
                                    .study = study->name,
                                    .config = study->config,
                                    .plugins = "",
                                    .simd = "none",
                                    .started = "2026-11-22T17:12:22Z",
                                    .save_gradients = kinds[kind].gradients,
                                    .share = kinds[kind].share,
                                    .launches = 1};
  const pgb_snapshot snapshot = {.at = at,
                                 .cells = cells,
                                 .pilot = zeros,
                                 .n_pilot = PILOT,
                                 .slots = zeros,
                                 .n_slots = at.block * stride,
                                 .gradients = gradients,
                                 .replicates = at.block}; /* a block each */
  PROMISE(pgb_checkpoint_write(name, &head, study, &snapshot, store).code == PGB_OK);
  pgb_store_discard(store);
  pgb_arena_destroy(arena);
  pgb_study_destroy(study);
}

/* The program asks what the machine has; here little is enough. */
static pgb_status admit(void *self, const pgb_study *study) {
  (void)self;
  const pgb_run_options options = {.save_gradients = true};
  return pgb_run_estimate(study, &options, 1).bytes_per_rank < MOST_BYTES
             ? pgb_ok()
             : pgb_fail(PGB_USAGE, "fuzz: needs much memory; not here");
}

/* Gradients go into a store, which costs more than all else here. */
static pgb_status restore_gradients(const pgb_resume *r, const pgb_study *study, size_t cell,
                                    const pgb_cell_result *result) {
  pgb_store *store = NULL;
  pgb_status s = pgb_store_create(r->output, true, &store);
  if (s.code == PGB_OK)
    s = pgb_output_cell(store, study, cell, result, NULL);
  if (s.code == PGB_OK)
    s = pgb_output_gradients(store, study, cell);
  if (s.code == PGB_OK)
    s = pgb_checkpoint_gradients(r->part, study, cell, store);
  pgb_store_discard(store);
  return s;
}

/* Everything that the checkpoint holds, in the order of a run. */
static pgb_status restore(const pgb_resume *r, const pgb_study *study, pgb_arena *arena) {
  const pgb_point *at = &r->head.at;
  const size_t stride = pgb_measure_stride(study, &study->cells[at->cell]);
  const size_t d = study->cells[at->cell].actor.shape.n_theta;
  const size_t each = (size_t)study->replicates * study->n_estimators * study->n_baselines * d;
  pgb_cell_result result;
  void *room = NULL;
  void *table = NULL;
  for (size_t c = 0; c <= at->cell; c++) {
    PGB_TRY(pgb_result_create(study, &study->cells[c], arena, &result));
    if (c == at->cell || !pgb_share_has(&r->head.share, c))
      continue;
    PGB_TRY(pgb_checkpoint_result(r->part, study, c, arena, &result));
    if (r->head.save_gradients)
      PGB_TRY(restore_gradients(r, study, c, &result));
  }
  const size_t slots = pgb_block_count(study->replicates, stride) * stride;
  PGB_TRY(pgb_arena_alloc(arena, PILOT + slots + study->n_batches * each, sizeof(double), &room));
  PGB_TRY(pgb_arena_alloc(arena, study->n_batches, sizeof(double *), &table));
  double *next = room;
  double **gradients = table;
  for (size_t n = 0; n < study->n_batches; n++)
    gradients[n] = next + PILOT + slots + n * each;
  const pgb_restored to = {next, PILOT, next + PILOT, gradients};
  return pgb_checkpoint_begun(r->part, &r->head, study, arena, &result, &to);
}

/* src/cli/cmd_variance.c from --resume to the first block. */
static pgb_status resume(char *result, const char *name, pgb_arena *arena, pgb_study **study, pgb_resume *r) {
  char *words[] = {(char[]){"pgbench"}, (char[]){"--resume"}, result, NULL};
  pgb_arguments arguments;
  optind = 0;
  PGB_TRY(pgb_arguments_read(3, words, &arguments));
  pgb_status s = pgb_resume_open(&arguments, arena, r);
  PROMISE(s.code != PGB_USAGE || strstr(s.text, result) != NULL);
  PGB_TRY(s);
  arguments.request.admit = admit;
  PGB_TRY(pgb_study_resolve(&arguments.request, study));
  s = pgb_checkpoint_fits(name, &r->head, *study);
  if (s.code == PGB_OK)
    s = restore(r, *study, arena);
  PROMISE(s.code != PGB_USAGE || strstr(s.text, name) != NULL);
  return s;
}

static void seal(unsigned char *bytes, size_t n) {
  uint64_t sum = 0;
  if (n < sizeof sum)
    return;
  sum = crc32_z(crc32_z(0, NULL, 0), bytes, n - sizeof sum);
  memcpy(bytes + n - sizeof sum, &sum, sizeof sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned char *parts[KINDS]; /* made once: libFuzzer hands a target nothing of its own */
  static size_t lengths[KINDS];
  char folder[] = "/tmp/pgbench-fuzz-XXXXXX";
  char result[64];
  char name[72];
  if (size == 0)
    return 0;
  const int kind = data[0] % KINDS;
  PROMISE(mkdtemp(folder) != NULL);
  (void)snprintf(result, sizeof result, "%s/x.h5", folder);
  (void)snprintf(name, sizeof name, "%s.part", result);
  if (parts[kind] == NULL) {
    write_part(result, name, kind);
    parts[kind] = load(name, &lengths[kind]);
  }
  unsigned char *bytes = malloc(lengths[kind] + size);
  PROMISE(bytes != NULL);
  memcpy(bytes, parts[kind], lengths[kind]);
  const size_t n = apply_edits(data + 1, size - 1, bytes, lengths[kind]);
  if ((data[0] & SEAL) != 0)
    seal(bytes, n);
  save(name, bytes, n);
  free(bytes);
  pgb_arena *arena = NULL;
  pgb_study *study = NULL;
  pgb_resume r = {.part = NULL};
  PROMISE(pgb_arena_create(&arena).code == PGB_OK);
  const pgb_status s = resume(result, name, arena, &study, &r);
  if (s.code != PGB_OK)
    promise_refusal(s);
  PROMISE(size > 1 || s.code == PGB_OK);
  pgb_part_end(r.part);
  pgb_study_destroy(study);
  pgb_arena_destroy(arena);
  PROMISE(unlink(name) == 0 && rmdir(folder) == 0);
  return 0;
}
