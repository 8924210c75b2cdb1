/* SPDX-License-Identifier: MIT */
/* Matrix products of every instruction set against sums in double, against each other bit by bit within a
 * family (with and without fused multiply-add), and that nothing beside c is written; operands whose rows are
 * listed give the same bits. */
#include "core/dispatch.h"
#include "policy/gemm.h"

#include "check.h"
#include "kernels.h"

PGB_DECLARE_KERNEL(pgb_gemm_fn, pgb_gemm_run, );

enum { MOST = 100, SIZE = MOST * 2 * MOST, AT = 3 };

typedef struct matrices {
  float a[SIZE], b[SIZE], before[SIZE], bias[2 * MOST];
  float c[PGB_ISA_COUNT][SIZE], other[SIZE];
} matrices;

static void fill(matrices *m) {
  for (uint32_t i = 0; i < SIZE; i++) {
    m->a[i] = (float)kernel_noise(1, i);
    m->b[i] = (float)kernel_noise(2, i);
    m->before[i] = (float)kernel_noise(3, i);
  }
  for (uint32_t i = 0; i < 2 * MOST; i++)
    m->bias[i] = (float)kernel_noise(4, i);
}

/* Entries of c that are not the sum in double, or not what they were outside the product. */
static size_t errors(const matrices *m, const pgb_gemm *g, const float *c, int start) {
  size_t wrong = 0;
  for (size_t i = 0; i < SIZE / g->ldc; i++)
    for (size_t j = 0; j < g->ldc; j++) {
      const float before = m->before[i * g->ldc + j];
      if (i >= g->rows || j >= g->columns) {
        wrong += c[i * g->ldc + j] != before;
        continue;
      }
      double sum = start == 0 ? 0 : start == 1 ? (double)before : (double)m->bias[j];
      for (size_t k = 0; k < g->depth; k++)
        sum += (double)g->a[i * g->a_row + k * g->a_step] * (double)g->b[k * g->ldb + j];
      wrong += !check_close((double)c[i * g->ldc + j], sum, 0, 2e-7 * ((double)g->depth + 1));
    }
  return wrong;
}

/* The same product with the rows of a, or of b, given one by one. */
static bool is_same_apart(matrices *m, pgb_gemm g, bool of_a, pgb_gemm_fn *run) {
  const float *const result = g.c;
  const float *rows[MOST];
  for (size_t k = 0; k < g.depth; k++)
    rows[k] = of_a ? g.a - AT + k * g.a_step : g.b - AT + k * g.ldb;
  *(of_a ? &g.a : &g.b) = NULL;
  g.of_step = rows;
  g.of_at = AT;
  g.c = m->other;
  g.start = g.start == result ? g.c : g.start;
  memcpy(m->other, m->before, sizeof m->before);
  run(&g);
  return memcmp(m->other, result, sizeof m->before) == 0;
}

static void check_shape(checks *c, matrices *m, size_t rows, size_t columns, size_t depth) {
  static pgb_gemm_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_gemm_run);
  for (int turned = 0; turned < 2; turned++)
    for (int start = 0; start < 3; start++) {
      int family[2] = {-1, -1};
      for (int isa = 0; isa < PGB_ISA_COUNT; isa++) {
        if (!pgb_isa_supported((pgb_isa)isa))
          continue;
        float *to = m->c[isa];
        const pgb_gemm g = {.rows = rows,
                            .columns = columns,
                            .depth = depth,
                            .a = m->a + AT,
                            .a_row = turned ? 1 : depth + 3,
                            .a_step = turned ? rows + 5 : 1,
                            .b = m->b + AT,
                            .ldb = columns + 16,
                            .c = to,
                            .ldc = columns + 2,
                            .start = start == 0   ? NULL
                                     : start == 1 ? to
                                                  : m->bias};
        memcpy(to, m->before, sizeof m->before);
        copies[isa](&g);
        const size_t wrong = errors(m, &g, to, start);
        if (wrong != 0)
          fprintf(stderr, "%s %zux%zux%zu: %zu errors\n", pgb_isa_name((pgb_isa)isa), rows, columns, depth,
                  wrong);
        CHECK(c, wrong == 0);
        CHECK(c, is_same_apart(m, g, turned != 0, copies[isa]));
        int *first = &family[isa >= PGB_ISA_AVX2];
        CHECK(c, *first < 0 || memcmp(to, m->c[*first], sizeof m->before) == 0);
        *first = isa;
      }
    }
}

int main(void) {
  static matrices m;
  checks c = {0, 0};
  fill(&m);
  static const size_t rows[] = {1, 2, 3, 4, 5, 6, 7, 11, 12, 64, 65}, depth[] = {0, 1, 2, 7, 65};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t k = 0; k < sizeof depth / sizeof *depth; k++)
      for (size_t columns = 16; columns <= 144; columns += 16)
        check_shape(&c, &m, rows[i], columns, depth[k]);
  return check_end(&c, "gemm");
}
