/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

const pgb_baseline_class pgb_baseline_optimal_state_time = {
    .name = "optimal-state-time",
    .title = "of all baselines of state and time the one that minimises the trace of the variance",
    .formula = "b_t(s) = argmin tr Var: E[gamma^t psi_t . g_0 | s_t = s] / E"
               "[|gamma^t psi_t|^2 | s_t = s], g_0 the estimate without baseline",
    .bias = "unbiased: it is known beforehand, from the problem's dynamics (mdp, chain)",
    .source = "Kirk 2022, arXiv:2212.13587",
    .kind = PGB_BASELINE_VALUE,
    .from = PGB_FROM_OPTIMAL,
    .min_batch = 1,
};
