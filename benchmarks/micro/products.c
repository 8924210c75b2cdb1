/* SPDX-License-Identifier: MIT */
/* Matrix products in the shapes that the perceptron 4-64-64-2 gives them, beside the plain copy and the
 * multiply-add limit. Rows of activations and deltas lie as far apart as in the product. */
#include "bodies.h"
#include "case.h"
#include "core/dispatch.h"
#include "policy/gemm.h"

#include <stdio.h>
#include <stdlib.h>

PGB_DECLARE_KERNEL(pgb_gemm_fn, pgb_gemm_run, );

enum { UNITS = 64, FAR = 144, MOST = 512 }; /* units of a layer, floats of a step's row, steps at the most */

/* forward: h W' + b of some lanes; delta: d W of some steps; gradient: d' h over the steps of an episode. */
typedef struct shape {
  const char *name;
  size_t steps;
  bool bias, gradient;
} shape;

static const shape shapes[] = {
    {"forward_24", 24, true, false},  {"delta_96", 96, false, false},     {"gradient_22", 22, false, true},
    {"gradient_96", 96, false, true}, {"gradient_500", 500, false, true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct task {
  const shape *of;
  const bench_limits *limits;
  pgb_isa isa;
} task;

static float *matrix(size_t rows, size_t columns) {
  void *room = NULL;
  bench_require(pgb_alloc(rows * columns, sizeof(float), &room));
  float *x = room;
  for (size_t i = 0; i < rows * columns; i++)
    x[i] = (float)(i % 61) * 0x1p-6f - 0.5f;
  return x;
}

static pgb_gemm job_of(const shape *s, const float *a, const float *b, const float *start, float *c) {
  if (s->gradient)
    return (pgb_gemm){.rows = UNITS,
                      .columns = UNITS,
                      .depth = s->steps,
                      .a = a,
                      .a_row = 1,
                      .a_step = FAR,
                      .b = b,
                      .ldb = FAR,
                      .c = c,
                      .ldc = UNITS};
  return (pgb_gemm){.rows = s->steps,
                    .columns = UNITS,
                    .depth = UNITS,
                    .a = a,
                    .a_row = FAR,
                    .a_step = 1,
                    .b = b,
                    .ldb = UNITS,
                    .c = c,
                    .ldc = FAR,
                    .start = s->bias ? start : NULL};
}

static void body(bench_state *state, void *argument) {
  static pgb_gemm_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_gemm_run);
  const task *t = argument;
  float *a = matrix(MOST, FAR), *b = matrix(MOST, FAR), *c = matrix(MOST, FAR), *start = matrix(1, UNITS);
  const pgb_gemm job = job_of(t->of, a, b, start, c);
  double flops = 0;
  while (bench_next(state)) {
    copies[t->isa](&job);
    bench_use(c);
    flops += 2.0 * (double)(job.rows * job.columns * job.depth);
  }
  bench_rate(state, "flops", flops);
  bench_share(state, "fma", flops, t->limits->fma);
  free(a);
  free(b);
  free(c);
  free(start);
}

void products_add(const bench_limits *limits) {
  static task tasks[SHAPES][2];
  const pgb_isa copies[2] = {PGB_ISA_NONE, limits->best};
  for (size_t s = 0; s < SHAPES; s++)
    for (size_t k = 0; k < (limits->best == PGB_ISA_NONE ? 1 : 2); k++) {
      char name[96];
      tasks[s][k] = (task){.of = &shapes[s], .limits = limits, .isa = copies[k]};
      (void)snprintf(name, sizeof name, "product/%s/%s", shapes[s].name, pgb_isa_name(copies[k]));
      bench_add(name, body, &tasks[s][k]);
    }
}
