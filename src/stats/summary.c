/* SPDX-License-Identifier: MIT */
#include "stats/block.h"

#include <assert.h>
#include <math.h>

/* Components that are pooled together over all blocks, which lie on pages far apart: the more, the fewer
 * visits to each. WAYS: partial sums in a fixed order (block.c). */
enum { CHUNK = 128, WAYS = 4 };

/* Chan, Golub, LeVeque 1983 (Am. Stat. 37:242): merges block b into mean and m2 of the `before` samples so
 * far. */
static void merge(const double *block, size_t d, size_t from, size_t to, double before, double *mean,
                  double *m2) {
  const double count = block[PGB_BLOCK_COUNT], share = count / (before + count);
  const double *block_mean = block + PGB_BLOCK_HEAD, *block_m2 = block_mean + d;
  for (size_t k = from; k < to; k++) {
    const double delta = block_mean[k] - mean[k - from];
    mean[k - from] += delta * share;
    m2[k - from] += block_m2[k] + delta * delta * before * share;
  }
}

static void merge_all(pgb_blocks blocks, size_t from, size_t to, double *mean, double *m2) {
  double before = 0;
  for (size_t k = 0; k < to - from; k++)
    mean[k] = m2[k] = 0;
  for (size_t b = 0; b < blocks.n; b++) {
    const double *block = pgb_block_at(blocks, b);
    if (block[PGB_BLOCK_COUNT] > 0)
      merge(block, blocks.d, from, to, before, mean, m2);
    before += block[PGB_BLOCK_COUNT];
  }
}

void pgb_parts_of(pgb_blocks blocks, pgb_parts *out) {
  const size_t d = blocks.d, n_blocks = blocks.n;
  assert(n_blocks <= PGB_MAX_BLOCKS && d > 0);
  out->blocks = 0;
  out->n = out->total = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    out->count[b] = pgb_block_at(blocks, b)[PGB_BLOCK_COUNT];
    out->q[b] = out->off2[b] = 0;
    out->n += out->count[b];
    out->blocks += out->count[b] > 0;
  }
  for (size_t from = 0; from < d; from += CHUNK) {
    const size_t to = d - from < CHUNK ? d : from + CHUNK;
    double mean[CHUNK], m2[CHUNK];
    merge_all(blocks, from, to, mean, m2);
    for (size_t b = 0; b < n_blocks; b++) {
      const double *block_mean = pgb_block_at(blocks, b) + PGB_BLOCK_HEAD;
      for (size_t k = from; k < to; k++) {
        const double e = block_mean[k] - mean[k - from];
        out->q[b] += block_mean[d + k] + out->count[b] * e * e;
        out->off2[b] += e * e;
      }
    }
  }
  for (size_t b = 0; b < n_blocks; b++)
    out->total += out->q[b];
}

/* Inner product of two blocks' means, each less the pooled one. */
static double product_of(const double *x, const double *y, const double *mean, size_t d) {
  double sum[WAYS] = {0};
  size_t k = 0;
  for (; k + WAYS <= d; k += WAYS)
    for (size_t j = 0; j < WAYS; j++)
      sum[j] += (x[k + j] - mean[k + j]) * (y[k + j] - mean[k + j]);
  for (; k < d; k++)
    sum[0] += (x[k] - mean[k]) * (y[k] - mean[k]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* tr(S^2)/(tr S)^2: products of the means of neighbouring blocks, which are independent, estimate tr(S^2);
 * from below it is bounded by what the components' variances give alone. */
static double overlap_of(pgb_blocks blocks, const double *mean, const double *variance, double trace) {
  enum { LAGS = 8 };
  double sum = 0, pairs = 0, alone = 0;
  for (size_t k = 0; k < blocks.d; k++)
    alone += variance[k] / trace * (variance[k] / trace);
  for (size_t b = 1; b < blocks.n; b++)
    for (size_t lag = 1; lag <= LAGS && lag <= b; lag++) {
      const double *x = pgb_block_at(blocks, b), *y = pgb_block_at(blocks, b - lag);
      const double dot = product_of(x + PGB_BLOCK_HEAD, y + PGB_BLOCK_HEAD, mean, blocks.d) / trace;
      sum += dot * dot * x[PGB_BLOCK_COUNT] * y[PGB_BLOCK_COUNT];
      pairs += 1;
    }
  const double found = pairs > 0 ? sum / pairs : 1;
  return fmin(1, fmax(alone, found));
}

/* |sum of unit vectors|^2 holds each pair twice and each vector with itself once. */
static double cosine_pairwise(pgb_blocks blocks, double n) {
  const size_t d = blocks.d;
  double zeros = 0, square = 0;
  for (size_t b = 0; b < blocks.n; b++)
    zeros += pgb_block_at(blocks, b)[PGB_BLOCK_ZEROS];
  for (size_t from = 0; from < d; from += CHUNK) {
    const size_t to = d - from < CHUNK ? d : from + CHUNK;
    double sum[CHUNK] = {0};
    for (size_t b = 0; b < blocks.n; b++) {
      const double *unit = pgb_block_at(blocks, b) + PGB_BLOCK_HEAD + 2 * d;
      for (size_t k = from; k < to; k++)
        sum[k - from] += unit[k];
    }
    for (size_t k = from; k < to; k++)
      square += sum[k - from] * sum[k - from];
  }
  n -= zeros;
  return n < 2 ? NAN : (square - n) / (n * (n - 1));
}

double pgb_cosine_to(pgb_blocks blocks, const double *c) {
  const size_t d = blocks.d, n_blocks = blocks.n;
  assert(n_blocks <= PGB_MAX_BLOCKS && d > 0);
  double n = 0, dot = 0, length = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    const double *block = pgb_block_at(blocks, b);
    n += block[PGB_BLOCK_COUNT] - block[PGB_BLOCK_ZEROS];
    for (size_t k = 0; k < d; k++)
      dot += block[PGB_BLOCK_HEAD + 2 * d + k] * c[k];
  }
  for (size_t k = 0; k < d; k++)
    length += c[k] * c[k];
  return n > 0 && !(length == 0) ? dot / (n * sqrt(length)) : NAN;
}

/* The largest |g - mean|^2 from above: a block's peak moved by its offset, but not more than the block's
 * whole sum. */
static double peak_of(pgb_blocks blocks, const pgb_parts *parts) {
  double peak = 0;
  for (size_t b = 0; b < blocks.n; b++) {
    const double reach = sqrt(pgb_block_at(blocks, b)[PGB_BLOCK_PEAK]) + sqrt(parts->off2[b]);
    peak = fmax(peak, parts->count[b] == 1 ? parts->q[b] : fmin(parts->q[b], reach * reach));
  }
  return peak;
}

/* All that rests on the spread of the blocks. Var(log trace) = (kurtosis - 1)/n + 2 overlap/n^2: the second
 * term, that of the mean being estimated too, is what remains when all samples lie equally far from the mean.
 */
static void spread(const pgb_parts *parts, size_t n_blocks, pgb_summary *out) {
  double x[PGB_MAX_BLOCKS];
  const double each = parts->total / parts->n, g = (double)parts->blocks;
  for (size_t b = 0; b < n_blocks; b++)
    x[b] = (parts->q[b] - parts->count[b] * each) / parts->total;
  pgb_jackknife jackknife = pgb_jackknife_of(x, n_blocks);
  /* ddof: with blocks of one replicate this is the plain sample's (k - 1)/n exactly. */
  const double share = (1 - 1 / parts->n) / (1 - 1 / g), square = jackknife.se * jackknife.se * share;
  out->kurtosis = 1 + square * parts->n;
  jackknife.se = sqrt(square + 2 * out->overlap / (parts->n * parts->n));
  out->log_se = jackknife.se;
  out->dof = jackknife.dof;
  out->skew = jackknife.skew;
  double low, high;
  pgb_interval_factors(&jackknife, parts->blocks, &low, &high);
  out->low = out->trace * low;
  out->high = out->trace * high;
}

void pgb_summarise(pgb_blocks blocks, double *mean, double *variance, pgb_summary *out) {
  const size_t d = blocks.d;
  pgb_parts parts;
  pgb_parts_of(blocks, &parts);
  const double n = parts.n;
  merge_all(blocks, 0, d, mean, variance);
  out->n = n;
  out->trace = out->norm2 = 0;
  for (size_t k = 0; k < d; k++) {
    variance[k] = n < 2 ? NAN : variance[k] / (n - 1);
    mean[k] = n < 1 ? NAN : mean[k];
    out->trace += variance[k];
    out->norm2 += mean[k] * mean[k];
  }
  out->signal2 = out->norm2 - out->trace / n;
  out->snr = out->signal2 / out->trace;
  out->peak = n < 2 ? NAN : peak_of(blocks, &parts);
  out->cosine_pairwise = cosine_pairwise(blocks, n);
  out->low = out->high = out->log_se = out->dof = out->skew = out->kurtosis = out->overlap = NAN;
  if (out->trace == 0) {
    out->low = out->high = out->log_se = out->skew = 0;
    out->dof = (double)parts.blocks - 1;
  } else if (parts.blocks >= 2 && isfinite(out->trace)) {
    out->overlap = overlap_of(blocks, mean, variance, out->trace);
    spread(&parts, blocks.n, out);
  }
}
