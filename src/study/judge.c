/* SPDX-License-Identifier: MIT */
#include "study/result.h"

#include "stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pgb_exact_pair(const pgb_study *study, const pgb_plan *plan, size_t pair, size_t batch,
                    const double *gradient, double *out) {
  const size_t d = plan->problem.n_theta;
  const pgb_plan_pair *p = &plan->pairs[pair];
  const pgb_study_estimator *e = &study->estimators[pair / study->n_baselines];
  const pgb_baseline_class *baseline = study->baselines[pair % study->n_baselines];
  for (size_t k = 0; k < 2 * d; k++)
    out[k] = NAN;
  if (!p->defined || study->batches[batch] < baseline->min_batch)
    return;
  const pgb_pair question = {.estimator = e->class_,
                             .estimator_params = e->params,
                             .baseline = baseline,
                             .value = p->value,
                             .constant = p->constant};
  if (pgb_oracle_moments(plan->oracle, &question, (size_t)study->batches[batch], out, out + d))
    return;
  for (size_t k = 0; k < d; k++) {
    out[k] = p->biased ? NAN : gradient[k];
    out[d + k] = NAN;
  }
}

/* Size of the terms that cancel in an estimate: what the same estimator has without a baseline, or the pair
 * itself; at the least what becomes of returns as large as these by scores at the end of float32's range (the
 * kernels' exponential does not fall to 0: a saturated policy has scores of 1e-38). */
static double cancelled(const pgb_study *study, size_t pair, size_t batch, const pgb_cell_result *result) {
  static const double faint = 1e-30; /* times the 1e-5 of stats.h */
  const size_t estimator = pair / study->n_baselines;
  const double mean = result->roll[PGB_RETURN_MEAN][batch];
  const double return2 = faint * faint * (mean * mean + result->roll[PGB_RETURN_VARIANCE][batch]);
  double scale2 = return2 > 0 ? return2 : 0; /* NaN where returns leave the range of numbers */
  for (size_t b = 0; b < study->n_baselines; b++) {
    const size_t k = estimator * study->n_baselines + b;
    const pgb_summary *s = &result->summary[k * study->n_batches + batch];
    if ((k == pair || study->baselines[b]->kind == PGB_BASELINE_NONE) && s->n > 0 &&
        s->norm2 + s->trace > scale2)
      scale2 = s->norm2 + s->trace;
  }
  return scale2;
}

void pgb_result_exact(const pgb_study *study, size_t cell, const double *exact, pgb_cell_result *result) {
  const size_t d = study->cells[cell].actor.shape.n_theta;
  const size_t figures = study->n_estimators * study->n_baselines * study->n_batches;
  for (size_t at = 0; at < figures; at++) {
    const double *variance = exact + (2 * at + 1) * d;
    memcpy(result->vector[PGB_EXACT_GRADIENT_MEAN] + at * d, exact + 2 * at * d, d * sizeof *exact);
    memcpy(result->vector[PGB_EXACT_VARIANCE] + at * d, variance, d * sizeof *exact);
    double trace = 0;
    for (size_t k = 0; k < d; k++)
      trace += variance[k];
    result->figure[PGB_EXACT_TRACE][at] = trace;
  }
}

/* The smallest probability that a policy of discrete observations and actions gives to any choice; else 1. An
 * action that hardly ever comes can carry most of the variance. */
static double rarest_choice(const pgb_actor *actor, const double *theta) {
  double least = 0;
  for (size_t s = 0; s < actor->space.n_contexts; s++)
    for (size_t a = 0; a < actor->space.n_choices; a++) {
      const double obs = (double)s;
      const double act = (double)a;
      least = fmin(least, actor->policy->logp(actor->policy_params, theta, &obs, &act));
    }
  return fmax(exp(least), 1e-300);
}

void pgb_result_judged(const pgb_study *study, size_t cell, size_t pair, size_t batch, pgb_blocks blocks,
                       pgb_cell_result *result) {
  const size_t d = study->cells[cell].actor.shape.n_theta;
  const size_t at = pair * study->n_batches + batch;
  const pgb_summary *s = &result->summary[at];
  const double *exact_mean = result->vector[PGB_EXACT_GRADIENT_MEAN] + at * d;
  const double *variance = result->vector[PGB_GRADIENT_VARIANCE] + at * d;
  const double exact_trace = result->figure[PGB_EXACT_TRACE][at];
  const double size = (double)study->batches[batch] *
                      fmin(1, PGB_RARE * rarest_choice(&study->cells[cell].actor, study->cells[cell].theta));
  const double scale2 = cancelled(study, pair, batch, result);
  if (s->n < 2)
    return;
  if (!isnan(exact_mean[0])) {
    const double *exact_variance = isnan(exact_trace) ? NULL : result->vector[PGB_EXACT_VARIANCE] + at * d;
    result->figure[PGB_Z_BIAS][at] = pgb_z_mean(s, result->vector[PGB_GRADIENT_MEAN] + at * d, variance, d,
                                                exact_mean, exact_variance, size, scale2);
    result->figure[PGB_Z_JOINT][at] = pgb_z_joint(blocks, variance, exact_mean, exact_variance, size, scale2);
  }
  if (isnan(exact_trace))
    return;
  const double z = result->figure[PGB_Z_VARIANCE][at] = pgb_z_trace(s, exact_trace, size, scale2);
  /* Agrees only because rounding may explain the difference: such a figure is no measurement of the variance.
   */
  if (z == 0 && fabs(s->trace - exact_trace) > 0.5 * exact_trace) {
    result->figure[PGB_VARIANCE_TRACE_LOW][at] = result->figure[PGB_VARIANCE_TRACE_HIGH][at] = NAN;
    if (result->reason[pair][0] == '\0')
      result->reason[pair] =
          "the variance measured is rounding (float32 in the rollouts): what cancels is 1e5 "
          "times larger";
  }
}

static const pgb_figure judged[] = {PGB_Z_BIAS, PGB_Z_JOINT, PGB_Z_VARIANCE};
enum { N_JUDGED = sizeof judged / sizeof *judged };

/* Whether there must be a z-score: something was measured and its exact counterpart is known. */
static bool expected(const pgb_cell_result *result, size_t at, size_t d, pgb_figure figure) {
  if (result->summary[at].n < 2)
    return false;
  return figure == PGB_Z_VARIANCE ? !isnan(result->figure[PGB_EXACT_TRACE][at])
                                  : !isnan(result->vector[PGB_EXACT_GRADIENT_MEAN][at * d]);
}

/* Tests in all cells: z_bias is the largest of P components, the others count one each. */
static size_t count_tests(const pgb_study *study, const pgb_cell_result *results) {
  size_t n = 0;
  const size_t figures = study->n_estimators * study->n_baselines * study->n_batches;
  for (size_t c = 0; c < study->n_cells; c++)
    for (size_t at = 0; at < figures * N_JUDGED; at++) {
      const size_t d = study->cells[c].actor.shape.n_theta;
      const pgb_figure figure = judged[at % N_JUDGED];
      if (expected(&results[c], at / N_JUDGED, d, figure))
        n += figure == PGB_Z_BIAS ? d : 1;
    }
  return n;
}

static void convict(const pgb_study *study, size_t cell, size_t at, pgb_figure figure, double z,
                    pgb_verdict *v) {
  const size_t pair = at / study->n_batches;
  char why[96];
  if (isnan(z))
    (void)snprintf(why, sizeof why, "is not a number although the exact value is known");
  else
    (void)snprintf(why, sizeof why, "= %.2f is beyond +-%.2f (%zu tests)", z, v->bound, v->tests);
  v->valid = false;
  (void)snprintf(
      v->text, sizeof v->text, "INVALID: %s %s %s batch %llu: %s %s", study->cells[cell].group + 1,
      study->estimators[pair / study->n_baselines].label, study->baselines[pair % study->n_baselines]->name,
      (unsigned long long)study->batches[at % study->n_batches], pgb_figure_table[figure].name, why);
}

pgb_verdict pgb_judge(const pgb_study *study, const pgb_cell_result *results) {
  pgb_verdict v = {.valid = true, .tests = count_tests(study, results)};
  if (v.tests == 0) {
    (void)snprintf(v.text, sizeof v.text, "VALID: nothing to judge, no cell has an oracle");
    return v;
  }
  v.bound = pgb_z_bound(1e-6, v.tests);
  const size_t figures = study->n_estimators * study->n_baselines * study->n_batches;
  for (size_t c = 0; c < study->n_cells; c++)
    for (size_t at = 0; at < figures; at++)
      for (size_t j = 0; j < N_JUDGED; j++) {
        const double z = results[c].figure[judged[j]][at];
        if (!expected(&results[c], at, study->cells[c].actor.shape.n_theta, judged[j]))
          continue;
        v.worst = fmax(v.worst, fabs(z));
        if (v.valid && !(fabs(z) <= v.bound))
          convict(study, c, at, judged[j], z, &v);
      }
  if (v.valid)
    (void)snprintf(v.text, sizeof v.text,
                   "VALID: %zu tests against exact values, largest |z| %.2f, bound %.2f", v.tests, v.worst,
                   v.bound);
  return v;
}
