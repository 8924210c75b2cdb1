/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_SIMD_H
#define PGB_CORE_SIMD_H

#include "core/status.h"

/* The lane loops (envs, policies, rollout, estimators) are compiled once per instruction set from the same
 * source; PGB_KERNEL(name) gives each copy its own symbol, and the program picks a copy at run time. */
typedef enum pgb_isa { PGB_ISA_NONE, PGB_ISA_SSE2, PGB_ISA_AVX2, PGB_ISA_AVX512, PGB_ISA_COUNT } pgb_isa;

#define PGB_CONCAT_(a, b) a##_##b
#define PGB_CONCAT(a, b)  PGB_CONCAT_(a, b)
#ifndef PGB_KERNEL_SUFFIX
#define PGB_KERNEL_SUFFIX none
#endif
#define PGB_KERNEL(name) PGB_CONCAT(name, PGB_KERNEL_SUFFIX)

/* Lanes of a block, a multiple of every vector width. Part of no result: any width gives the same bits. */
enum { PGB_LANES = 64 };

/* Asks the compiler to turn a lane loop into vector code (-fopenmp-simd); `none` builds leave it scalar. */
#ifdef PGB_SCALAR
#define PGB_LANE_LOOP
#else
#define PGB_LANE_LOOP _Pragma("omp simd")
#endif

const char *pgb_isa_name(pgb_isa isa);

/* "auto" gives the best that this machine runs and this build holds; another name is PGB_USAGE if unknown or
 * not supported here. */
pgb_status pgb_isa_parse(const char *name, pgb_isa *out) PGB_MUST_CHECK;
bool pgb_isa_supported(pgb_isa isa);

#endif
