/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_CONFORMANCE_SCORE_H
#define PGB_TESTS_CONFORMANCE_SCORE_H

#include "check.h"
#include "env/env.h"
#include "rollout/rollout.h"

enum { PGB_SCORE_MOST = 8192 }; /* parameters at most */

/* The scores of a policy's kernels for an instruction set against finite differences of log pi. */
void check_score(checks *c, const pgb_actor *a, pgb_isa isa);

#endif
