/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

const pgb_baseline_class pgb_baseline_value = {
    .name = "value",
    .title = "the exact state value V^pi",
    .formula = "b_t(s) = V_t^pi(s) = E[G_t | s_t = s]",
    .bias = "unbiased wherever the estimator is; with gae unbiased for any lambda",
    .source = "Sutton et al. 2000; Greensmith, Bartlett, Baxter 2004, JMLR 5:1471",
    .kind = PGB_BASELINE_VALUE,
    .from = PGB_FROM_EXACT,
    .min_batch = 1,
};
