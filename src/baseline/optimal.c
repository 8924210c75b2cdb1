/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"
#include "baseline/constant.h"

const pgb_baseline_class pgb_baseline_optimal = {
    .name = "optimal",
    .title = "the constant that minimises the trace of the variance",
    .formula = "b* = E[A.S] / E|S|^2 (for reinforce E[|S|^2 R] / E|S|^2)",
    .bias =
        "unbiased wherever the estimator is: b* comes from the oracle or from an independent pilot sample",
    .source = "Greensmith, Bartlett, Baxter 2004, JMLR 5:1471, theorem 8; Weaver and Tao 2001",
    .kind = PGB_BASELINE_CONSTANT,
    .min_batch = 1,
    .combine = pgb_constant_combine,
};
