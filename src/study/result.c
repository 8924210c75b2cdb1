/* SPDX-License-Identifier: MIT */
#include "study/result.h"

#include "stats/stats.h"
#include "study/measure.h"

#include <math.h>

#define PGB_DESCRIBE(name, file, unit, text) {file, unit, text},
const pgb_description pgb_figure_table[PGB_FIGURE_COUNT] = {PGB_FIGURES(PGB_DESCRIBE)};
const pgb_description pgb_vector_table[PGB_VECTOR_COUNT] = {PGB_VECTORS(PGB_DESCRIBE)};
const pgb_description pgb_roll_table[PGB_ROLL_COUNT] = {PGB_ROLLS(PGB_DESCRIBE)};
#undef PGB_DESCRIBE

static pgb_status nans(pgb_arena *arena, size_t n, double **out) {
  void *piece = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &piece));
  *out = piece;
  for (size_t i = 0; i < n; i++)
    (*out)[i] = NAN;
  return pgb_ok();
}

pgb_status pgb_result_create(const pgb_study *study, const pgb_cell *cell, pgb_arena *arena,
                             pgb_cell_result *out) {
  const size_t pairs = study->n_estimators * study->n_baselines;
  const size_t figures = pairs * study->n_batches;
  const size_t d = cell->actor.shape.n_theta;
  void *reason = NULL;
  void *summary = NULL;
  *out = (pgb_cell_result){.oracle = "none", .exact_return = NAN};
  for (int i = 0; i < PGB_FIGURE_COUNT; i++)
    PGB_TRY(nans(arena, figures, &out->figure[i]));
  for (int i = 0; i < PGB_VECTOR_COUNT; i++)
    PGB_TRY(nans(arena, figures * d, &out->vector[i]));
  for (int i = 0; i < PGB_ROLL_COUNT; i++)
    PGB_TRY(nans(arena, study->n_batches, &out->roll[i]));
  PGB_TRY(nans(arena, d, &out->exact_gradient));
  PGB_TRY(nans(arena, pairs, &out->biased));
  PGB_TRY(pgb_arena_alloc(arena, pairs, sizeof(char *), &reason));
  PGB_TRY(pgb_arena_alloc(arena, figures, sizeof(pgb_summary), &summary));
  out->reason = reason;
  out->summary = summary;
  return pgb_ok();
}

static void rolls(const double *figures, size_t n_blocks, size_t stride, size_t batch,
                  pgb_cell_result *result) {
  double n = 0;
  double mean = 0;
  double m2 = 0;
  double steps = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    const double *f = figures + b * stride;
    const double m = f[PGB_SLOT_EPISODES];
    const double off = f[PGB_SLOT_RETURN_MEAN] - mean;
    m2 += f[PGB_SLOT_RETURN_M2] + off * off * n * m / (n + m);
    mean += off * m / (n + m);
    n += m;
    steps += f[PGB_SLOT_STEPS];
  }
  result->roll[PGB_RETURN_MEAN][batch] = mean;
  result->roll[PGB_RETURN_VARIANCE][batch] = m2 / (n - 1);
  result->roll[PGB_EPISODE_LENGTH_MEAN][batch] = steps / n;
  result->roll[PGB_EPISODES][batch] = n;
  result->roll[PGB_STEPS][batch] = steps;
}

/* Figures that need the true gradient where it is known, else its unbiased estimate. */
static void signal(const pgb_study *study, size_t batch, size_t at, pgb_blocks blocks, const pgb_summary *s,
                   pgb_cell_result *result) {
  const size_t d = blocks.d;
  const double *c = result->exact_gradient;
  double signal2 = s->signal2;
  if (!isnan(c[0])) {
    const double *mean = result->vector[PGB_GRADIENT_MEAN] + at * d;
    double bias2 = 0;
    signal2 = 0;
    for (size_t k = 0; k < d; k++) {
      signal2 += c[k] * c[k];
      bias2 += (mean[k] - c[k]) * (mean[k] - c[k]);
    }
    result->figure[PGB_BIAS_NORM][at] = sqrt(bias2);
    result->figure[PGB_COSINE_TRUE][at] = pgb_cosine_to(blocks, c);
  }
  result->figure[PGB_SNR][at] = signal2 / s->trace;
  result->figure[PGB_NOISE_SCALE][at] = (double)study->batches[batch] * s->trace / signal2;
}

void pgb_result_measured(const pgb_study *study, size_t cell, size_t batch, const pgb_plan *plan,
                         const double *blocks, size_t n_blocks, pgb_cell_result *result) {
  const size_t d = study->cells[cell].actor.shape.n_theta;
  const size_t size = pgb_block_size(d);
  const size_t stride = pgb_measure_stride(study, &study->cells[cell]);
  rolls(blocks + plan->n_pairs * size, n_blocks, stride, batch, result);
  for (size_t k = 0; k < plan->n_pairs; k++) {
    const pgb_plan_pair *pair = &plan->pairs[k];
    const size_t estimator = k / study->n_baselines;
    const size_t at = k * study->n_batches + batch;
    if (batch == 0) /* later batch sizes add to what the first ones had to say */
      result->reason[k] = pair->reason;
    if (!pair->defined)
      continue;
    result->biased[k] = pair->biased ? 1 : 0;
    if (study->batches[batch] < study->baselines[k % study->n_baselines]->min_batch)
      continue;
    pgb_summary *s = &result->summary[at];
    const pgb_blocks own = {blocks + k * size, n_blocks, stride, d};
    pgb_summarise(own, result->vector[PGB_GRADIENT_MEAN] + at * d,
                  result->vector[PGB_GRADIENT_VARIANCE] + at * d, s);
    if (!isfinite(s->trace))
      result->reason[k] = "the estimates leave the range of numbers (float32 in the rollouts)";
    result->figure[PGB_VARIANCE_TRACE][at] = s->trace;
    /* Estimates that never differed bound nothing, unless it is known that they cannot differ. */
    const bool unseen = s->trace == 0 && !(result->figure[PGB_EXACT_TRACE][at] < 1e-20);
    result->figure[PGB_VARIANCE_TRACE_LOW][at] = unseen ? NAN : s->low;
    result->figure[PGB_VARIANCE_TRACE_HIGH][at] = unseen ? NAN : s->high;
    result->figure[PGB_KURTOSIS][at] = s->kurtosis;
    result->figure[PGB_COSINE_PAIRWISE][at] = s->cosine_pairwise;
    signal(study, batch, at, own, s, result);
    for (size_t b = 0; b < study->n_baselines && isfinite(s->trace); b++)
      if (study->baselines[b]->kind == PGB_BASELINE_NONE) {
        const size_t other = (estimator * study->n_baselines + b) * size;
        const pgb_blocks none = {blocks + other, n_blocks, stride, d};
        pgb_ratio(own, none, &result->figure[PGB_VARIANCE_RATIO][at],
                  &result->figure[PGB_VARIANCE_RATIO_LOW][at], &result->figure[PGB_VARIANCE_RATIO_HIGH][at]);
      }
  }
  for (size_t k = 0; k < plan->n_pairs; k++)
    pgb_result_judged(study, cell, k, batch, (pgb_blocks){blocks + k * size, n_blocks, stride, d}, result);
}
