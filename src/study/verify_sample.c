/* SPDX-License-Identifier: MIT */
#include "study/verify_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Oracle against the program's own run. */

size_t pgb_verify_tests(const pgb_study *study) {
  /* z_bias counts each component, z_joint and z_variance once. */
  return study->n_estimators * study->n_baselines * study->n_batches *
         (study->cells[0].actor.shape.n_theta + 2);
}

typedef struct sample {
  const pgb_study *study;
  double bound;
  pgb_verify_row *row;
} sample;

static void judge(const sample *m, const pgb_cell_result *r, size_t at, pgb_figure figure) {
  const pgb_study *s = m->study;
  const size_t pair = at / s->n_batches;
  const double z = r->figure[figure][at];
  const bool ok = fabs(z) <= m->bound; /* false for NaN: the run gave no number where the oracle has one */
  m->row->z = isnan(z) ? INFINITY : fmax(m->row->z, fabs(z));
  if (ok || !m->row->ok)
    return;
  m->row->ok = false;
  (void)snprintf(m->row->failure, sizeof m->row->failure, "%s %s batch %llu: %s = %.2f is beyond +-%.2f",
                 s->estimators[pair / s->n_baselines].label, s->baselines[pair % s->n_baselines]->name,
                 (unsigned long long)s->batches[at % s->n_batches], pgb_figure_table[figure].name, z,
                 m->bound);
}

static pgb_status judge_cell(void *self, size_t cell, const pgb_cell_result *r, double *const *gradients) {
  const sample *m = self;
  const pgb_study *s = m->study;
  const size_t d = s->cells[cell].actor.shape.n_theta;
  (void)gradients;
  for (size_t at = 0; at < s->n_estimators * s->n_baselines * s->n_batches; at++) {
    if (r->summary[at].n == 0)
      continue;
    if (!isnan(r->vector[PGB_EXACT_GRADIENT_MEAN][at * d])) {
      judge(m, r, at, PGB_Z_BIAS);
      judge(m, r, at, PGB_Z_JOINT);
    }
    if (!isnan(r->figure[PGB_EXACT_TRACE][at]))
      judge(m, r, at, PGB_Z_VARIANCE);
  }
  for (size_t n = 0; n < s->n_batches; n++)
    m->row->episodes += r->roll[PGB_EPISODES][n];
  return pgb_ok();
}

pgb_status pgb_verify_sample(const pgb_study *study, pgb_isa isa, double bound, pgb_comm *comm,
                             pgb_verify_row *row) {
  sample self = {.study = study, .bound = bound, .row = row};
  const pgb_observer observer = {.self = &self, .cell = judge_cell};
  const pgb_run_options options = {.isa = isa};
  pgb_run_result result;
  pgb_arena *arena = NULL;
  memset(&result, 0, sizeof result);
  pgb_status s = pgb_comm_agree(comm, pgb_arena_create(&arena));
  if (s.code == PGB_OK)
    s = pgb_run(study, &options, comm, &observer, arena, &result);
  pgb_arena_destroy(arena);
  return s;
}
