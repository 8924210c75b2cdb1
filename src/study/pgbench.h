/* SPDX-License-Identifier: MIT */
/* For users of the library, from C11 and from C++17 on: all of it. Any other header serves alone in C; C++
 * takes them through this one, which gives them C linkage. */
#ifndef PGB_STUDY_PGBENCH_H
#define PGB_STUDY_PGBENCH_H

/* Link with find_package(pgbench) and pgbench::pgbench, or with pkg-config --cflags --libs pgbench. A run in
 * four steps, all of which say what failed in a pgb_status:
 *
 *   pgb_comm_create      the ranks of this launch, or the one process                     comm/comm.h
 *   pgb_study_resolve    a study of a file, a name or a text of your own, checked         study/study.h
 *   pgb_run              every cell measured, combined over the ranks and judged          study/run.h
 *   pgb_run_result       figures as named arrays, also while the run goes on              study/result.h
 *
 * An environment of your own goes into pgb_request.extra; pgb_env_check (env/plugins.h) tells whether it
 * keeps the contract of env/env.h. For rollouts alone: rollout/rollout.h. */

#ifdef __cplusplus
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
extern "C" {
#endif

#include "comm/comm.h"
#include "core/mem.h"
#include "core/status.h"
#include "core/vmath.h"
#include "env/env.h"
#include "env/plugins.h"
#include "rollout/rollout.h"
#include "rollout/value.h"
#include "stats/stats.h"
#include "study/explain.h"
#include "study/output.h"
#include "study/plan.h"
#include "study/run.h"
#include "study/study.h"
#include "study/verify.h"

#ifdef __cplusplus
}
#endif

#endif
