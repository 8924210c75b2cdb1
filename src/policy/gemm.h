/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_GEMM_H
#define PGB_POLICY_GEMM_H

#include "core/simd.h"

#include <stddef.h>

/* Columns come in whole cache lines: what a matrix has beyond its own columns is padding, zero where it is
 * read. */
enum { PGB_GEMM_COLUMNS = 16 };

/* c[i][j] = start + sum_k a(i, k) b[k][j] for i < rows, j < columns (a multiple of PGB_GEMM_COLUMNS), summed
 * in the order of k with one rounding or two for each term (policy/vec.h), whatever the shape.
 * a(i, k) is a[i * a_row + k * a_step]; b is [depth][ldb], c is [rows][ldc]. start: NULL for 0, c itself to
 * add to what is there, or one row [columns] for all rows (a bias). No matrix overlaps another.
 * of_step: NULL, or [depth] rows that lie apart, for b (a NULL b: b[k] is of_step[k] + of_at) or for a (a
 * NULL a: a(i, k) is of_step[k][of_at + i * a_row]). */
typedef struct pgb_gemm {
  size_t rows, columns, depth;
  const float *a;
  size_t a_row, a_step;
  const float *b;
  size_t ldb;
  float *c;
  size_t ldc;
  const float *start;
  const float *const *of_step;
  size_t of_at;
} pgb_gemm;

typedef void pgb_gemm_fn(const pgb_gemm *job);
extern pgb_gemm_fn PGB_KERNEL(pgb_gemm_run);

#endif
