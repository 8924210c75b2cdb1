/* SPDX-License-Identifier: MIT */
#include "oracle/lqr_poly.h"

#include <assert.h>
#include <string.h>

double pgb_poly_count(size_t n, size_t degree) {
  double count = 1;
  for (size_t d = 1; d <= degree; d++)
    count = count * (double)(n + d) / (double)d;
  return count;
}

/* Children of a monomial append a variable not before its last one, so each monomial has one parent. */
static void enumerate(pgb_poly_space *s, size_t *first, size_t *times, size_t *parent, size_t *last,
                      uint8_t *exponent) {
  const size_t n = s->n;
  size_t count = 1;
  first[0] = 0;
  first[1] = 1;
  for (size_t d = 0; d < s->degree; d++) {
    for (size_t c = first[d]; c < first[d + 1]; c++)
      for (size_t v = c == 0 ? 0 : last[c]; v < n; v++) {
        times[c * n + v] = count;
        parent[count] = c;
        last[count] = v;
        memcpy(exponent + count * n, exponent + c * n, n);
        exponent[count * n + v]++;
        count++;
      }
    first[d + 2] = count;
  }
  /* The other products: c = p * x_last, so c * x_v = (p * x_v) * x_last, a child of p * x_v. */
  for (size_t c = 1; c < first[s->degree]; c++)
    for (size_t v = 0; v < last[c]; v++)
      times[c * n + v] = times[times[parent[c] * n + v] * n + last[c]];
  s->count = count;
}

pgb_status pgb_poly_space_open(size_t n, size_t degree, pgb_arena *arena, pgb_poly_space *out) {
  void *first = NULL;
  void *times = NULL;
  void *parent = NULL;
  void *last = NULL;
  void *exponent = NULL;
  assert(n > 0 && degree > 0 && pgb_poly_count(n, degree) < 1e7);
  const size_t count = (size_t)(pgb_poly_count(n, degree) + 0.5);
  const size_t inner = (size_t)(pgb_poly_count(n, degree - 1) + 0.5);
  PGB_TRY(pgb_arena_alloc(arena, degree + 2, sizeof(size_t), &first));
  PGB_TRY(pgb_arena_alloc(arena, inner * n, sizeof(size_t), &times));
  PGB_TRY(pgb_arena_alloc(arena, count, sizeof(size_t), &parent));
  PGB_TRY(pgb_arena_alloc(arena, count, sizeof(size_t), &last));
  PGB_TRY(pgb_arena_alloc(arena, count, n, &exponent));
  *out = (pgb_poly_space){.n = n,
                          .degree = degree,
                          .first = first,
                          .times = times,
                          .parent = parent,
                          .last = last,
                          .exponent = exponent};
  enumerate(out, first, times, parent, last, exponent);
  assert(out->count == count);
  return pgb_ok();
}

static size_t product(const pgb_poly_space *s, size_t a, size_t b) {
  for (; b != 0; b = s->parent[b])
    a = s->times[a * s->n + s->last[b]];
  return a;
}

void pgb_poly_multiply_add(const pgb_poly_space *s, double scale, const double *a, size_t da, const double *b,
                           size_t db, double *out) {
  assert(da + db <= s->degree);
  for (size_t i = 0; i < s->first[da + 1]; i++)
    for (size_t j = 0; a[i] != 0 && j < s->first[db + 1]; j++)
      if (b[j] != 0)
        out[product(s, j, i)] += scale * a[i] * b[j];
}

void pgb_poly_quadratic_add(const pgb_poly_space *s, double scale, const double *q, size_t k,
                            const double *offset, const double *linear, double *out) {
  const size_t n = s->n;
  for (size_t a = 0; a < k; a++)
    for (size_t b = 0; b < k; b++) {
      const double c = scale * q[a * k + b];
      const double *fa = linear + a * n;
      const double *fb = linear + b * n;
      if (c == 0)
        continue;
      out[0] += c * offset[a] * offset[b];
      for (size_t u = 0; u < n; u++) {
        out[s->times[u]] += c * (offset[a] * fb[u] + fa[u] * offset[b]);
        for (size_t v = 0; fa[u] != 0 && v < n; v++)
          out[s->times[s->times[u] * n + v]] += c * fa[u] * fb[v];
      }
    }
}

/* half = (1/2) sum_ab cov_ab d_a d_b of p, which has the degree. */
static void half_laplacian(const pgb_poly_space *s, const double *cov, size_t degree, const double *p,
                           double *half) {
  const size_t n = s->n;
  for (size_t c = 0; c < s->first[degree - 1]; c++) {
    const uint8_t *e = s->exponent + c * n;
    double sum = 0;
    for (size_t a = 0; a < n; a++) {
      const size_t once = s->times[c * n + a];
      sum += 0.5 * cov[a * n + a] * (e[a] + 1) * (e[a] + 2) * p[s->times[once * n + a]];
      for (size_t b = 0; b < a; b++)
        sum += cov[a * n + b] * (e[a] + 1) * (e[b] + 1) * p[s->times[once * n + b]];
    }
    half[c] = sum;
  }
}

/* E p(z + w) = exp(half Laplacian) p, a finite series for a polynomial (the heat equation at time 1). */
void pgb_poly_smooth(const pgb_poly_space *s, const double *cov, size_t degree, double *p, double *scratch) {
  double *term = scratch;
  double *next = scratch + s->first[degree + 1];
  memcpy(term, p, s->first[degree + 1] * sizeof *p);
  double factor = 1;
  for (size_t d = degree; d >= 2; d -= 2) {
    half_laplacian(s, cov, d, term, next);
    const size_t half = (degree - d) / 2 + 1;
    factor /= (double)half;
    for (size_t c = 0; c < s->first[d - 1]; c++)
      p[c] += factor * next[c];
    double *swap = term;
    term = next;
    next = swap;
  }
}

/* Row of a monomial: its parent's row times the linear form of its last variable. */
static void fill_row(const pgb_poly_map *map, const double *matrix, size_t degree, size_t c,
                     const double *parent_row, double *row) {
  const pgb_poly_space *to = map->to;
  const double *form = matrix + map->from->last[c] * to->n;
  for (size_t i = to->first[degree - 1]; i < to->first[degree]; i++)
    for (size_t v = 0; v < to->n; v++)
      row[to->times[i * to->n + v] - to->first[degree]] += form[v] * parent_row[i - to->first[degree - 1]];
}

pgb_status pgb_poly_map_open(const pgb_poly_space *from, const pgb_poly_space *to, const double *matrix,
                             size_t degree, pgb_arena *arena, pgb_poly_map *out) {
  void *piece = NULL;
  assert(degree <= from->degree && degree <= to->degree);
  PGB_TRY(pgb_arena_alloc(arena, degree + 1, sizeof(double *), &piece));
  double **block = piece;
  *out = (pgb_poly_map){.from = from, .to = to, .block = (const double *const *)block};
  for (size_t d = 0; d <= degree; d++) {
    const size_t rows = from->first[d + 1] - from->first[d];
    const size_t columns = to->first[d + 1] - to->first[d];
    PGB_TRY(pgb_arena_alloc(arena, rows * columns, sizeof(double), &piece));
    block[d] = piece;
    if (d == 0)
      block[0][0] = 1;
    for (size_t c = from->first[d]; d > 0 && c < from->first[d + 1]; c++) {
      const size_t parents = to->first[d] - to->first[d - 1];
      fill_row(out, matrix, d, c, block[d - 1] + (from->parent[c] - from->first[d - 1]) * parents,
               block[d] + (c - from->first[d]) * columns);
    }
  }
  return pgb_ok();
}

void pgb_poly_map_add(const pgb_poly_map *map, double scale, const double *p, size_t degree, double *out) {
  const pgb_poly_space *from = map->from;
  const pgb_poly_space *to = map->to;
  for (size_t d = 0; d <= degree; d++) {
    const size_t columns = to->first[d + 1] - to->first[d];
    double *target = out + to->first[d];
    for (size_t c = from->first[d]; c < from->first[d + 1]; c++) {
      const double *row = map->block[d] + (c - from->first[d]) * columns;
      const double factor = scale * p[c];
      for (size_t i = 0; factor != 0 && i < columns; i++)
        target[i] += factor * row[i];
    }
  }
}

pgb_status pgb_poly_split_open(const pgb_poly_space *x, const pgb_poly_space *y, pgb_arena *arena,
                               pgb_poly_split *out) {
  void *part = NULL;
  void *bits = NULL;
  assert(y->n > x->n && y->n - x->n <= 32 && y->degree <= x->degree);
  PGB_TRY(pgb_arena_alloc(arena, y->count, sizeof(size_t), &part));
  PGB_TRY(pgb_arena_alloc(arena, y->count, sizeof(uint32_t), &bits));
  size_t *x_part = part;
  uint32_t *odd = bits;
  for (size_t c = 0; c < y->count; c++) {
    for (size_t v = 0; v < y->n; v++)
      for (unsigned e = 0; e < y->exponent[c * y->n + v]; e++)
        if (v < x->n)
          x_part[c] = x->times[x_part[c] * x->n + v];
        else
          odd[c] ^= UINT32_C(1) << (v - x->n);
  }
  *out = (pgb_poly_split){.x = x, .y = y, .x_part = x_part, .odd = odd};
  return pgb_ok();
}

/* E[eps^e] of a standard normal for the even powers that occur. */
static double normal_moment(unsigned e) {
  static const double even[] = {1, 1, 3, 15, 105};
  assert(e % 2 == 0 && e / 2 < sizeof even / sizeof *even);
  return even[e / 2];
}

void pgb_poly_average_add(const pgb_poly_split *split, double scale, size_t i, unsigned power,
                          const double *f, size_t degree, double *out) {
  const pgb_poly_space *y = split->y;
  const size_t m = y->n - split->x->n;
  const uint32_t parity = (uint32_t)(power % 2) << i;
  for (size_t c = 0; c < y->first[degree + 1]; c++) {
    if (split->odd[c] != parity || f[c] == 0)
      continue;
    const uint8_t *e = y->exponent + c * y->n + split->x->n;
    double moment = scale * f[c];
    for (size_t v = 0; v < m; v++)
      moment *= normal_moment(e[v] + (v == i ? power : 0));
    out[split->x_part[c]] += moment;
  }
}

void pgb_poly_average_product_add(const pgb_poly_split *split, double scale, const double *weight,
                                  size_t weight_degree, const double *f, size_t degree, double *out) {
  const pgb_poly_space *y = split->y;
  const size_t n = split->x->n;
  for (size_t a = 0; a < y->first[weight_degree + 1]; a++)
    for (size_t c = 0; weight[a] != 0 && c < y->first[degree + 1]; c++) {
      if (split->odd[a] != split->odd[c] || f[c] == 0)
        continue;
      double moment = scale * weight[a] * f[c];
      for (size_t v = n; v < y->n; v++)
        moment *= normal_moment((unsigned)y->exponent[a * y->n + v] + y->exponent[c * y->n + v]);
      out[product(split->x, split->x_part[c], split->x_part[a])] += moment;
    }
}
