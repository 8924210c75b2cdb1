/* SPDX-License-Identifier: MIT */
/* Matrix product at the sizes of small networks, compiled once per instruction set: a tile of TALL rows and
 * WIDE registers of columns stays in registers while k runs (Goto and van de Geijn 2008,
 * doi:10.1145/1356052.1356053, without their packing: operands here are in cache). */
#include "policy/gemm.h"

#include "policy/vec.h"

#include <assert.h>

/* Tile: 24 sums of 32 registers with AVX-512, 12 of 16 otherwise. */
enum { TALL = 6, WIDE = VEC == 16 ? 4 : 2 };

/* Rows [i, i + tall) and columns [j, j + wide * VEC); tall and wide are constants where it is called, and all
 * inner loops disappear. */
static inline __attribute__((always_inline)) void tile(const pgb_gemm *g, size_t i, size_t j, size_t tall,
                                                       size_t wide) {
  vec sum[TALL][WIDE];
  const size_t row = g->a_row;
  const size_t step = g->a_step;
  const size_t ldb = g->ldb;
  const float *a = g->a + i * row;
  const float *b = g->b + j;
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
    a += step;
    b += ldb;
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < tall; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < wide; v++)
      vec_store(c + r * g->ldc + v * VEC, sum[r][v]);
}

/* All rows of `wide` registers of columns from j on. */
static inline __attribute__((always_inline)) void strip(const pgb_gemm *g, size_t j, size_t wide) {
  size_t i = 0;
  for (; i + TALL <= g->rows; i += TALL)
    tile(g, i, j, TALL, wide);
  switch (g->rows - i) {
  case 5:
    tile(g, i, j, 5, wide);
    break;
  case 4:
    tile(g, i, j, 4, wide);
    break;
  case 3:
    tile(g, i, j, 3, wide);
    break;
  case 2:
    tile(g, i, j, 2, wide);
    break;
  case 1:
    tile(g, i, j, 1, wide);
    break;
  default:
    break;
  }
}

static void strip_1(const pgb_gemm *g, size_t j) {
  strip(g, j, 1);
}

static void strip_2(const pgb_gemm *g, size_t j) {
  strip(g, j, 2);
}

void PGB_KERNEL(pgb_gemm_run)(const pgb_gemm *g) {
  assert(g->columns % PGB_GEMM_COLUMNS == 0);
  size_t j = 0;
  for (; j + (size_t)WIDE * VEC <= g->columns; j += (size_t)WIDE * VEC)
    strip(g, j, WIDE);
  if (WIDE == 4 && j + 2 * VEC <= g->columns) {
    strip_2(g, j);
    j += 2 * VEC;
  }
  if (WIDE == 4 && j < g->columns)
    strip_1(g, j);
}
