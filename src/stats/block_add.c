/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: a sample into its block. */
#include "stats/block.h"

#include <math.h>

/* Four partial sums in a fixed order: vector code without leave to reorder, so every compiler gives the same
 * bits. */
enum { WAYS = 4 };

pgb_block_add_fn PGB_KERNEL(pgb_block_add);

void PGB_KERNEL(pgb_block_add)(double *block, size_t d, const double *g) {
  const double count = block[PGB_BLOCK_COUNT] + 1, share = 1 / count;
  const double *restrict in = g;
  double *restrict mean = block + PGB_BLOCK_HEAD;
  double *restrict m2 = mean + d;
  double *restrict unit = m2 + d;
  double far[WAYS] = {0}, length[WAYS] = {0};
  size_t k = 0;
  for (; k + WAYS <= d; k += WAYS)
    for (size_t j = 0; j < WAYS; j++) {
      const double x = in[k + j], delta = x - mean[k + j], next = mean[k + j] + delta * share;
      mean[k + j] = next;
      m2[k + j] += delta * (x - next);
      far[j] += delta * delta;
      length[j] += x * x;
    }
  for (; k < d; k++) {
    const double x = in[k], delta = x - mean[k], next = mean[k] + delta * share;
    mean[k] = next;
    m2[k] += delta * (x - next);
    far[0] += delta * delta;
    length[0] += x * x;
  }
  const double distance2 = (far[0] + far[1]) + (far[2] + far[3]);
  const double length2 = (length[0] + length[1]) + (length[2] + length[3]);
  block[PGB_BLOCK_COUNT] = count;
  if (count > 1 && distance2 > block[PGB_BLOCK_PEAK])
    block[PGB_BLOCK_PEAK] = distance2;
  if (length2 == 0) {
    block[PGB_BLOCK_ZEROS] += 1;
    return;
  }
  const double scale = 1 / sqrt(length2);
  for (k = 0; k < d; k++)
    unit[k] += in[k] * scale;
}
