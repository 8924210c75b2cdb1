/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

const pgb_baseline_class pgb_baseline_value_linear = {
    .name = "value-linear",
    .title = "a value linear in features of observation and time, fitted on an independent pilot sample",
    .formula = "b_t(s) = c . (o, o^2, u, u^2, u^3, 1), u = t/100; a discrete observation as its indicator",
    .bias = "unbiased wherever the estimator is, for it is held fixed; with gae biased for lambda < 1",
    .source = "Duan et al. 2016, arXiv:1604.06778; rllab LinearFeatureBaseline",
    .kind = PGB_BASELINE_VALUE,
    .min_batch = 1,
};
