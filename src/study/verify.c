/* SPDX-License-Identifier: MIT */
#include "study/verify.h"

#include "core/rng.h"
#include "stats/stats.h"
#include "study/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const double family_wise = 1e-6; /* one false INVALID in a million */

typedef struct instance {
  pgb_verify_instance is;
  pgb_study *study;
} instance;

typedef struct job {
  const pgb_verify_options *options;
  pgb_comm *comm;
  pgb_arena *arena;
  size_t n;
  instance *instances; /* [n] */
  double *slots;       /* [n][PGB_VERIFY_SLOTS] */
  pgb_verify_result *out;
} job;

/* The study of an instance, with random numbers of its own. */
static pgb_status resolve(const job *j, size_t i, pgb_study **out) {
  const uint64_t replicates = j->options->replicates;
  uint32_t word[4];
  char seed[24];
  char count[24];
  pgb_words(j->options->seed, PGB_USE_THETA, (uint32_t)i, UINT32_MAX, 1, 0, word);
  (void)snprintf(seed, sizeof seed, "%" PRIu64, (uint64_t)word[0] << 32 | word[1]);
  (void)snprintf(count, sizeof count, "%" PRIu64,
                 replicates != 0 ? replicates : (uint64_t)PGB_VERIFY_REPLICATES);
  const pgb_request request = {.study = "verify",
                               .text = j->instances[i].is.text,
                               .seed = seed,
                               .replicates = count,
                               .isa = j->options->isa};
  return pgb_study_resolve(&request, out);
}

static pgb_status open(job *j) {
  void *instances = NULL;
  void *slots = NULL;
  j->n = pgb_verify_count();
  PGB_TRY(pgb_arena_alloc(j->arena, j->n, sizeof(instance), &instances));
  PGB_TRY(pgb_arena_alloc(j->arena, j->n * PGB_VERIFY_SLOTS, sizeof(double), &slots));
  j->instances = instances;
  j->slots = slots;
  for (size_t i = 0; i < j->n; i++) {
    instance *x = &j->instances[i];
    PGB_TRY(pgb_verify_instance_at(j->options->seed, i, j->arena, &x->is));
    PGB_TRY(resolve(j, i, &x->study));
  }
  return pgb_ok();
}

/* Exact answers: every rank takes its share of the instances. */
static pgb_status compare(job *j) {
  const size_t size = (size_t)pgb_comm_size(j->comm), rank = (size_t)pgb_comm_rank(j->comm);
  pgb_status s = pgb_ok();
  for (size_t i = rank; i < j->n && s.code == PGB_OK; i += size)
    s = pgb_verify_exact(j->instances[i].study, j->options->isa, j->slots + i * PGB_VERIFY_SLOTS);
  PGB_TRY(pgb_comm_agree(j->comm, s));
  return pgb_comm_agree(j->comm, pgb_comm_combine(j->comm, j->slots, j->n * PGB_VERIFY_SLOTS));
}

static pgb_status run_row(job *j, size_t i) {
  const instance *x = &j->instances[i];
  pgb_verify_row row = {.problem = x->is.problem, .instance = x->is.title};
  pgb_verify_exact_row(x->study, j->slots + i * PGB_VERIFY_SLOTS, &row);
  PGB_TRY(pgb_verify_sample(x->study, j->options->isa, j->out->bound, j->comm, &row));
  if (pgb_comm_rank(j->comm) != 0)
    return pgb_ok();
  if (j->options->row != NULL)
    j->options->row(j->options->self, &row);
  j->out->rows++;
  j->out->compared += row.compared;
  if (j->out->valid && !row.ok)
    (void)snprintf(j->out->text, sizeof j->out->text, "INVALID: %s (%s): %s", row.problem, row.instance,
                   row.failure);
  j->out->valid = j->out->valid && row.ok;
  return pgb_ok();
}

static pgb_status verify(job *j) {
  size_t tests = 0;
  PGB_TRY(pgb_comm_agree(j->comm, open(j)));
  PGB_TRY(compare(j));
  for (size_t i = 0; i < j->n; i++)
    tests += pgb_verify_tests(j->instances[i].study);
  j->out->bound = pgb_z_bound(family_wise, tests);
  for (size_t i = 0; i < j->n; i++)
    PGB_TRY(run_row(j, i));
  if (j->out->valid)
    (void)snprintf(
        j->out->text, sizeof j->out->text,
        "VALID: %zu instances, %zu exact answers within %g of a second method, every |z| below %.2f",
        j->out->rows, j->out->compared, PGB_VERIFY_TOLERANCE, j->out->bound);
  return pgb_comm_agree(j->comm, pgb_comm_broadcast(j->comm, j->out, sizeof *j->out));
}

pgb_status pgb_verify(const pgb_verify_options *options, pgb_comm *comm, pgb_verify_result *out) {
  job j = {.options = options, .comm = comm, .out = out};
  memset(out, 0, sizeof *out);
  out->valid = true;
  pgb_status s = pgb_comm_agree(comm, pgb_arena_create(&j.arena));
  if (s.code == PGB_OK)
    s = verify(&j);
  for (size_t i = 0; i < j.n && j.instances != NULL; i++)
    pgb_study_destroy(j.instances[i].study);
  pgb_arena_destroy(j.arena);
  return s;
}
