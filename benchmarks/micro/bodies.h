/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_BODIES_H
#define PGB_BENCH_BODIES_H

#include "bench.h"
#include "core/simd.h"

/* Each file of benchmarks adds its own under "<group>/<what>/<instruction set>". */
void pipelines_add(pgb_isa best); /* CartPole from random words to moments, beside the plain C twin */
void pieces_add(pgb_isa best);    /* what such a pipeline is made of                               */
void limits_add(pgb_isa best);    /* lane functions beside the machine's own limits                */

#endif
