/* SPDX-License-Identifier: MIT */
/* Matrix product at the sizes of small networks, compiled once per instruction set: a tile of TALL rows and
 * WIDE registers of columns stays in registers while k runs (Goto and van de Geijn 2008,
 * doi:10.1145/1356052.1356053, without their packing: operands here are in cache). */
#include "policy/gemm.h"

#include "policy/vec.h"

#include <assert.h>

/* Tile: 24 sums of 32 registers with AVX-512, 12 of 16 otherwise. */
enum { TALL = 6, WIDE = VEC == 16 ? 4 : 2 };

/* Which operand's rows of step k lie apart. */
typedef enum apart { APART_NONE, APART_A, APART_B } apart;

/* Rows [i, i + tall) and columns [j, j + wide * VEC); tall, wide and which are constants where it is called,
 * and all inner loops disappear. */
static inline __attribute__((always_inline)) void tile(const pgb_gemm *g, size_t i, size_t j, size_t tall,
                                                       size_t wide, apart which) {
  vec sum[TALL][WIDE];
  const size_t row = g->a_row;
  const size_t step = g->a_step;
  const size_t ldb = g->ldb;
  const float *a = which == APART_A ? NULL : g->a + i * row;
  const float *b = which == APART_B ? NULL : g->b + j;
  const float *const *of_step = g->of_step;
  const size_t of_at = g->of_at + (which == APART_A ? i * row : j);
  float *c = g->c + i * g->ldc + j;
  const float *start = g->start == NULL ? NULL : g->start == g->c ? c : g->start + j;
  const size_t next = g->start == g->c ? g->ldc : 0;
#pragma GCC unroll 6
  for (size_t r = 0; r < tall; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < wide; v++)
      sum[r][v] = start == NULL ? vec_zero() : vec_load(start + r * next + v * VEC);
  for (size_t k = g->depth; k > 0; k--) {
    vec x[WIDE];
    if (which == APART_A)
      a = *of_step++ + of_at;
    if (which == APART_B)
      b = *of_step++ + of_at;
#pragma GCC unroll 4
    for (size_t v = 0; v < wide; v++)
      x[v] = vec_load(b + v * VEC);
#pragma GCC unroll 6
    for (size_t r = 0; r < tall; r++) {
      const vec y = vec_all(a[r * row]);
#pragma GCC unroll 4
      for (size_t v = 0; v < wide; v++)
        sum[r][v] = vec_fma(y, x[v], sum[r][v]);
    }
    if (which != APART_A)
      a += step;
    if (which != APART_B)
      b += ldb;
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < tall; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < wide; v++)
      vec_store(c + r * g->ldc + v * VEC, sum[r][v]);
}

/* All rows of `wide` registers of columns from j on. */
static inline __attribute__((always_inline)) void strip(const pgb_gemm *g, size_t j, size_t wide,
                                                        apart which) {
  size_t i = 0;
  for (; i + TALL <= g->rows; i += TALL)
    tile(g, i, j, TALL, wide, which);
  switch (g->rows - i) {
  case 5:
    tile(g, i, j, 5, wide, which);
    break;
  case 4:
    tile(g, i, j, 4, wide, which);
    break;
  case 3:
    tile(g, i, j, 3, wide, which);
    break;
  case 2:
    tile(g, i, j, 2, wide, which);
    break;
  case 1:
    tile(g, i, j, 1, wide, which);
    break;
  default:
    break;
  }
}

static inline __attribute__((always_inline)) void run(const pgb_gemm *g, apart which) {
  size_t j = 0;
  for (; j + (size_t)WIDE * VEC <= g->columns; j += (size_t)WIDE * VEC)
    strip(g, j, WIDE, which);
  if (WIDE == 4 && j + 2 * VEC <= g->columns) {
    strip(g, j, 2, which);
    j += 2 * VEC;
  }
  if (WIDE == 4 && j < g->columns)
    strip(g, j, 1, which);
}

static void run_a_apart(const pgb_gemm *g) {
  run(g, APART_A);
}

static void run_b_apart(const pgb_gemm *g) {
  run(g, APART_B);
}

void PGB_KERNEL(pgb_gemm_run)(const pgb_gemm *g) {
  assert(g->columns % PGB_GEMM_COLUMNS == 0);
  if (g->of_step == NULL)
    run(g, APART_NONE);
  else if (g->a == NULL)
    run_a_apart(g);
  else
    run_b_apart(g);
}
