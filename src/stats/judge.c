/* SPDX-License-Identifier: MIT */
#include "stats/block.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

/* A false INVALID is a disaster, so each z errs towards 0 where samples are few or heavy-tailed, in three
 * ways.
 * 1. Bernstein: a deviation x of a mean carried by samples as large as v has a tail like exp(-n x^2 / 2 (s^2
 * + c x v)), so the guard c x v joins the variance; v is the largest sample seen (peak), and the guard fades
 * as n grows.
 * 2. Student's t with the effective degrees of freedom, mapped to the normal scale.
 * 3. What has not been seen: an event of probability p per episode stays unseen with (1-p)^episodes. No z may
 * claim more than that for events of p = 1/PGB_RARE: the sample kurtosis cannot know of them. */

static const double rounding = 1e-5;   /* relative; the simulation is float32 */
static const double underflow = 1e-35; /* of a gradient's component: near the end of float32's range */

/* The normal deviate (two-sided) of an event of probability exp(-loss). */
static double deviate(double loss) {
  return loss > 680 ? 36 : -pgb_normal_quantile(0.5 * exp(-fmax(loss, 0)));
}

static double to_normal(double t, double dof) {
  return fmin(36, -pgb_normal_quantile(pgb_student_cdf(-t, dof)));
}

/* Measured below exact. On the scale of the exact trace; the mass that is missing may be one large rare
 * sample. The less has been seen of the exact trace, the rarer the event that may hide the rest (a nearly
 * deterministic policy). */
static double z_below(const pgb_summary *s, double exact, double batch) {
  const double seen = s->trace / exact, missing = 1 - seen;
  const double loss = s->n * batch / PGB_RARE * fmin(1, fmax(2 * seen, 0.01));
  if (!(s->log_se > 0))
    return -deviate(loss);
  /* Variance in proportion to the trace, as that of a Poisson number of rare samples. */
  const double square = seen * s->log_se * s->log_se + missing * s->peak / (exact * s->n);
  return -fmin(to_normal(missing / sqrt(square), s->dof), deviate(loss));
}

/* Measured above exact, on the scale of the measured trace. Unseen samples pull the trace down by not more
 * than their probability. */
static double z_above(const pgb_summary *s, double exact) {
  const double excess = 1 - exact / s->trace;
  const double square = s->log_se * s->log_se + excess / s->n;
  return fmin(to_normal(excess / sqrt(square), s->dof), deviate(s->n * excess));
}

double pgb_z_trace(const pgb_summary *summary, double exact, double batch, double scale2) {
  assert(!(exact < 0) && batch > 0 && scale2 >= 0);
  if (isnan(summary->trace) || isnan(summary->log_se) || isnan(exact))
    return NAN;
  const double noise =
      rounding * exact + rounding * rounding * (summary->norm2 + scale2) + underflow * underflow;
  if (fabs(summary->trace - exact) <= noise)
    return 0;
  if (exact == 0)
    return INFINITY;
  return summary->trace < exact ? z_below(summary, exact, batch) : z_above(summary, exact);
}

/* A component's deviation less what rounding explains, against its variance; known variance: normal, else t.
 */
static double z_component(double off, double variance, bool known, double v, double n, double batch) {
  const double square =
      (variance + off * v * (known ? 1. / 3 : 1)) / n; /* 1/3 is Bernstein's for known variance */
  if (variance == 0 && known)
    return INFINITY;
  const double z = off / sqrt(square);
  return known ? fmin(z, 1e9) : fmin(to_normal(z, n - 1), deviate(n * batch / PGB_RARE));
}

double pgb_z_mean(const pgb_summary *summary, const double *mean, const double *variance, size_t d,
                  const double *exact_mean, const double *exact_variance, double batch, double scale2) {
  assert(batch > 0 && scale2 >= 0);
  const bool known = exact_variance != NULL;
  const double *spread = known ? exact_variance : variance, v = sqrt(summary->peak);
  double worst = 0, square = scale2;
  for (size_t k = 0; k < d; k++)
    square += exact_mean[k] * exact_mean[k];
  const double scale = sqrt(square / (double)d);
  if (isnan(summary->trace) && !(known && summary->n == 1))
    return NAN;
  for (size_t k = 0; k < d; k++) {
    const double off = mean[k] - exact_mean[k],
                 beyond = fabs(off) - rounding * (fabs(exact_mean[k]) + scale) - underflow;
    if (isnan(off) || isnan(spread[k]))
      return NAN;
    if (beyond <= 0)
      continue;
    const double z = z_component(beyond, spread[k], known, isnan(v) ? 0 : v, summary->n, batch);
    if (z > fabs(worst))
      worst = off < 0 ? -z : z;
  }
  return worst;
}

/* One component's part: the even blocks' mean deviation, weighted by 1/variance, times each odd block's. */
static void joint_component(pgb_blocks blocks, size_t k, double weight, double exact_mean, double tolerance,
                            double *y) {
  double sum[2] = {0, 0}, n[2] = {0, 0};
  for (size_t b = 0; b < blocks.n; b++) {
    const double *block = pgb_block_at(blocks, b);
    sum[b % 2] += block[PGB_BLOCK_COUNT] * (block[PGB_BLOCK_HEAD + k] - exact_mean);
    n[b % 2] += block[PGB_BLOCK_COUNT];
  }
  if (fabs(sum[0] + sum[1]) <= tolerance * (n[0] + n[1]))
    return;
  const double direction = sum[0] / n[0] * weight;
  for (size_t b = 1; b < blocks.n; b += 2) {
    const double *block = pgb_block_at(blocks, b);
    y[b / 2] += direction * block[PGB_BLOCK_COUNT] * (block[PGB_BLOCK_HEAD + k] - exact_mean);
  }
}

/* Sample splitting (Cox 1975, Biometrika 62:441): given the even half, the odd half's projections are
 * independent with mean zero where there is no bias, whatever the correlation of the components. */
double pgb_z_joint(pgb_blocks blocks, const double *variance, const double *exact_mean,
                   const double *exact_variance, double batch, double scale2) {
  assert(blocks.n <= PGB_MAX_BLOCKS && batch > 0 && scale2 >= 0);
  enum { FEWEST = 16 };
  double y[PGB_MAX_BLOCKS / 2] = {0}, square = scale2, n = 0, sum = 0, peak = 0;
  const size_t half = blocks.n / 2;
  const size_t d = blocks.d;
  if (blocks.n < FEWEST)
    return 0;
  for (size_t k = 0; k < d; k++)
    square += exact_mean[k] * exact_mean[k];
  for (size_t k = 0; k < d; k++) {
    if (isnan(variance[k]) || isnan(exact_mean[k]))
      return NAN;
    const double tolerance = rounding * (fabs(exact_mean[k]) + sqrt(square / (double)d)) + underflow;
    /* Where little has been seen of a known variance, the event that carries it was not there: no test. */
    if (variance[k] > 0 && (exact_variance == NULL || variance[k] >= 0.5 * exact_variance[k]))
      joint_component(blocks, k, 1 / variance[k], exact_mean[k], tolerance, y);
  }
  for (size_t i = 0; i < half; i++) {
    n += pgb_block_at(blocks, 2 * i + 1)[PGB_BLOCK_COUNT];
    sum += y[i];
  }
  if (!(sum > 0))
    return isnan(sum) ? NAN : 0;
  for (size_t i = 0; i < half; i++) {
    y[i] -= sum / n * pgb_block_at(blocks, 2 * i + 1)[PGB_BLOCK_COUNT];
    peak = fmax(peak, fabs(y[i]));
  }
  const pgb_jackknife spread = pgb_jackknife_of(y, half);
  const double guarded = sqrt(spread.se * spread.se + sum * peak);
  return fmin(to_normal(sum / guarded, spread.dof), deviate(n * batch / PGB_RARE));
}
