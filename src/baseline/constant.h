/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_BASELINE_CONSTANT_H
#define PGB_BASELINE_CONSTANT_H

#include "baseline/baseline.h"

/* (sum A - b_k sum S) / N: the estimate with a constant known beforehand. */
void pgb_constant_combine(const pgb_batch_sums *sums, double *g);

#endif
