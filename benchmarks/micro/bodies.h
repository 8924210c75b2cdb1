/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_BODIES_H
#define PGB_BENCH_BODIES_H

#include "bench.h"
#include "comm/comm.h"
#include "core/simd.h"

/* The machine's limits, measured at the start of every run: units per second of processor time. */
typedef struct bench_limits {
  pgb_isa best;
  double fma;     /* flops of float multiply-add in registers, the best instruction set     */
  double l1, l2;  /* bytes read                                                             */
  pgb_comm *comm; /* all ranks of this launch                                               */
} bench_limits;

/* Each file of benchmarks adds its own, named <group>/<what>/<instruction set or twin>. limits must live as
 * long as the run. */
void pipelines_add(const bench_limits *limits); /* from random words to moments, beside plain C twins     */
void pieces_add(const bench_limits *limits);    /* what such a pipeline is made of                        */
void products_add(const bench_limits *limits);  /* matrix products of a network                          */
void envs_add(const bench_limits *limits);      /* every environment's step                               */
void lanes_add(const bench_limits *limits);     /* lane functions, their scalar twins, the machine's limits */
void ranks_add(const bench_limits *limits);     /* reduction over the ranks, writing a result file        */

/* Fills all but comm. */
void limits_measure(bench_limits *limits);

#endif
