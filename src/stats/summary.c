/* SPDX-License-Identifier: MIT */
#include "stats/block.h"

#include <assert.h>
#include <math.h>

/* Components of one cache line are pooled together over all blocks. */
enum { CHUNK = 8 };

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

static void merge_all(const double *blocks, size_t n_blocks, size_t d, size_t from, size_t to, double *mean,
                      double *m2) {
  double before = 0;
  for (size_t k = 0; k < to - from; k++)
    mean[k] = m2[k] = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    const double *block = blocks + b * pgb_block_size(d);
    if (block[PGB_BLOCK_COUNT] > 0)
      merge(block, d, from, to, before, mean, m2);
    before += block[PGB_BLOCK_COUNT];
  }
}

void pgb_parts_of(const double *blocks, size_t n_blocks, size_t d, pgb_parts *out) {
  assert(n_blocks <= PGB_MAX_BLOCKS && d > 0);
  out->blocks = 0;
  out->n = out->total = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    out->count[b] = blocks[b * pgb_block_size(d) + PGB_BLOCK_COUNT];
    out->q[b] = out->off2[b] = 0;
    out->n += out->count[b];
    out->blocks += out->count[b] > 0;
  }
  for (size_t from = 0; from < d; from += CHUNK) {
    const size_t to = d - from < CHUNK ? d : from + CHUNK;
    double mean[CHUNK], m2[CHUNK];
    merge_all(blocks, n_blocks, d, from, to, mean, m2);
    for (size_t b = 0; b < n_blocks; b++) {
      const double *block_mean = blocks + b * pgb_block_size(d) + PGB_BLOCK_HEAD;
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

/* tr(S^2)/(tr S)^2: products of the means of neighbouring blocks, which are independent, estimate tr(S^2);
 * from below it is bounded by what the components' variances give alone. */
static double overlap_of(const double *blocks, size_t n_blocks, size_t d, const double *mean,
                         const double *variance, double trace) {
  enum { LAGS = 8 };
  double sum = 0, pairs = 0, alone = 0;
  for (size_t k = 0; k < d; k++)
    alone += variance[k] / trace * (variance[k] / trace);
  for (size_t b = 1; b < n_blocks; b++)
    for (size_t lag = 1; lag <= LAGS && lag <= b; lag++) {
      const double *x = blocks + b * pgb_block_size(d), *y = x - lag * pgb_block_size(d);
      double dot = 0;
      for (size_t k = 0; k < d; k++)
        dot += (x[PGB_BLOCK_HEAD + k] - mean[k]) * (y[PGB_BLOCK_HEAD + k] - mean[k]);
      dot /= trace;
      sum += dot * dot * x[PGB_BLOCK_COUNT] * y[PGB_BLOCK_COUNT];
      pairs += 1;
    }
  const double found = pairs > 0 ? sum / pairs : 1;
  return fmin(1, fmax(alone, found));
}

/* |sum of unit vectors|^2 holds each pair twice and each vector with itself once. */
static double cosine_pairwise(const double *blocks, size_t n_blocks, size_t d, double n) {
  double zeros = 0, square = 0;
  for (size_t b = 0; b < n_blocks; b++)
    zeros += blocks[b * pgb_block_size(d) + PGB_BLOCK_ZEROS];
  for (size_t k = 0; k < d; k++) {
    double sum = 0;
    for (size_t b = 0; b < n_blocks; b++)
      sum += blocks[b * pgb_block_size(d) + PGB_BLOCK_HEAD + 2 * d + k];
    square += sum * sum;
  }
  n -= zeros;
  return n < 2 ? NAN : (square - n) / (n * (n - 1));
}

double pgb_cosine_to(const double *blocks, size_t n_blocks, size_t d, const double *c) {
  assert(n_blocks <= PGB_MAX_BLOCKS && d > 0);
  double n = 0, dot = 0, length = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    const double *block = blocks + b * pgb_block_size(d);
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
static double peak_of(const double *blocks, const pgb_parts *parts, size_t n_blocks, size_t d) {
  double peak = 0;
  for (size_t b = 0; b < n_blocks; b++) {
    const double reach = sqrt(blocks[b * pgb_block_size(d) + PGB_BLOCK_PEAK]) + sqrt(parts->off2[b]);
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

void pgb_summarise(const double *blocks, size_t n_blocks, size_t d, double *mean, double *variance,
                   pgb_summary *out) {
  pgb_parts parts;
  pgb_parts_of(blocks, n_blocks, d, &parts);
  const double n = parts.n;
  merge_all(blocks, n_blocks, d, 0, d, mean, variance);
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
  out->peak = n < 2 ? NAN : peak_of(blocks, &parts, n_blocks, d);
  out->cosine_pairwise = cosine_pairwise(blocks, n_blocks, d, n);
  out->low = out->high = out->log_se = out->dof = out->skew = out->kurtosis = out->overlap = NAN;
  if (out->trace == 0) {
    out->low = out->high = out->log_se = out->skew = 0;
    out->dof = (double)parts.blocks - 1;
  } else if (parts.blocks >= 2 && isfinite(out->trace)) {
    out->overlap = overlap_of(blocks, n_blocks, d, mean, variance, out->trace);
    spread(&parts, n_blocks, out);
  }
}
