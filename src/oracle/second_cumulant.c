/* SPDX-License-Identifier: MIT */
#include "oracle/second_cumulant.h"

#include <assert.h>
#include <string.h>

void pgb_form_add_outer(double scale, const double *left, const double *right, size_t d, pgb_form *out) {
  for (size_t i = 0; i < d; i++)
    for (size_t j = 0; j < d; j++)
      out->c[i][j] += 0.5 * scale * (left[i] * right[j] + right[i] * left[j]);
}

void pgb_form_add(double scale, const pgb_form *f, size_t d, pgb_form *out) {
  for (size_t i = 0; i < d; i++)
    for (size_t j = 0; j < d; j++)
      out->c[i][j] += scale * f->c[i][j];
}

void pgb_form_difference(const pgb_form *f, size_t d, pgb_form *out) {
  assert(2 * d - 1 <= PGB_FORM_MAX_D);
  memset(out, 0, sizeof *out);
  for (size_t i = 1; i < d; i++) {
    out->c[0][i] = out->c[i][0] = f->c[0][i];
    out->c[0][d - 1 + i] = out->c[d - 1 + i][0] = -f->c[0][i];
    for (size_t j = 1; j < d; j++) {
      out->c[i][j] = f->c[i][j];
      out->c[d - 1 + i][d - 1 + j] = -f->c[i][j];
    }
  }
}

/* chain times f with the 1 projected out between them. */
static void times(const pgb_form *chain, const pgb_form *f, size_t d, pgb_form *out) {
  memset(out, 0, sizeof *out);
  for (size_t a = 0; a < d; a++)
    for (size_t b = 1; b < d; b++)
      for (size_t c = 0; chain->c[a][b] != 0 && c < d; c++)
        out->c[a][c] += chain->c[a][b] * f->c[b][c];
}

/* Sum over the orders in which the forms of `left` can follow the chain: corner + trace / size. */
static double orders(const pgb_form *const *list, unsigned left, double size, size_t d,
                     const pgb_form *chain) {
  double sum = 0;
  for (unsigned i = 0; left >> i != 0; i++) {
    const pgb_form *f = list[i];
    const unsigned rest = left & ~(1U << i);
    pgb_form next;
    if ((left >> i & 1) == 0)
      continue;
    if (rest != 0) {
      if (chain != NULL)
        times(chain, f, d, &next);
      sum += orders(list, rest, size, d, chain == NULL ? f : &next);
      continue;
    }
    for (size_t a = 0; a < d; a++)
      for (size_t b = 1; b < d && chain != NULL; b++)
        sum += chain->c[a][b] * f->c[b][a] * (a == 0 ? 1 : 1 / size);
    for (size_t a = 0; a < d && chain == NULL; a++)
      sum += f->c[a][a];
  }
  return sum;
}

/* Joint cumulant of the forms of a set (Mathai and Provost 1992, Quadratic Forms in Random Variables, ch. 3):
 * 2^(k-1) (sum over cyclic orders of tr A..A + sum over orders of b'A..A b), A the quadratic part, 2 b the
 * linear. */
static double cumulant(const pgb_form *const *list, unsigned set, size_t d) {
  unsigned size = 0;
  for (unsigned rest = set; rest != 0; rest &= rest - 1)
    size++;
  return (double)(1U << (size - 1)) * orders(list, set, size, d, NULL);
}

/* E of the product of the forms of a set: a sum over its partitions, by the block of its first member. */
static double expect_set(unsigned set, const double *kappa) {
  if (set == 0)
    return 1;
  const unsigned first = set & (~set + 1);
  const unsigned rest = set & ~first;
  double sum = 0;
  for (unsigned block = rest;; block = (block - 1) & rest) {
    sum += kappa[block | first] * expect_set(rest & ~block, kappa);
    if (block == 0)
      return sum;
  }
}

double pgb_form_expect(size_t d, size_t k, const pgb_form *const *list) {
  double kappa[16] = {0};
  assert(k >= 1 && k <= 4 && d <= PGB_FORM_MAX_D);
  for (unsigned set = 1; set < 1U << k; set++)
    kappa[set] = cumulant(list, set, d);
  return expect_set((1U << k) - 1, kappa);
}
