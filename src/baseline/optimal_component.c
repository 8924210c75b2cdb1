/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"
#include "baseline/constant.h"

const pgb_baseline_class pgb_baseline_optimal_component = {
    .name = "optimal-component",
    .title = "for each parameter the constant that minimises its variance",
    .formula = "b_k* = E[A_k S_k] / E[S_k^2] (for reinforce E[s_k^2 R] / E[s_k^2])",
    .bias =
        "unbiased wherever the estimator is: b_k* comes from the oracle or from an independent pilot sample",
    .source = "Peters and Schaal 2008, doi:10.1016/j.neunet.2008.02.003, section 3.1",
    .kind = PGB_BASELINE_CONSTANT,
    .per_component = true,
    .min_batch = 1,
    .combine = pgb_constant_combine,
};
