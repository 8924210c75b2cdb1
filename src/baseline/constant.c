/* SPDX-License-Identifier: MIT */
#include "baseline/constant.h"

void pgb_constant_combine(const pgb_batch_sums *b, double *g) {
  const double share = 1 / (double)b->n;
  for (size_t k = 0; k < b->n_theta; k++)
    g[k] = (b->a[k] - b->constant[k] * b->s[k]) * share;
}
