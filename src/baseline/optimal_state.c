/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

const pgb_baseline_class pgb_baseline_optimal_state = {
    .name = "optimal-state",
    .title = "the value of a state weighted by the score: optimal if steps shared no parameters",
    .formula = "b_t(s) = E[|psi_t|^2 G_t | s] / E[|psi_t|^2 | s]",
    .bias = "unbiased: it is known beforehand, from the problem's dynamics (mdp, chain)",
    .source = "Greensmith, Bartlett, Baxter 2004, JMLR 5:1471, section 4",
    .kind = PGB_BASELINE_VALUE,
    .from = PGB_FROM_SCORE_WEIGHTED,
    .min_batch = 1,
};
