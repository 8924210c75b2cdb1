/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_LQR_POLY_H
#define PGB_ORACLE_LQR_POLY_H

#include "core/mem.h"

#include <stdint.h>

/* Polynomials in n variables, as the coefficients of all monomials ordered by degree. A polynomial of degree
 * d is an array of at least first[d + 1] coefficients; the functions below read no further than the degree
 * they are told. */
typedef struct pgb_poly_space {
  size_t n, degree, count;
  const size_t *first;     /* [degree + 2] where each degree begins; first[degree + 1] = count    */
  const size_t *times;     /* [first[degree]][n] the monomial multiplied by a variable            */
  const size_t *parent;    /* [count] the monomial without one power of its last variable          */
  const size_t *last;      /* [count] its last variable                                            */
  const uint8_t *exponent; /* [count][n]                                                           */
} pgb_poly_space;

/* The linear substitution x = M y: one dense block per degree, a row for each monomial of x. */
typedef struct pgb_poly_map {
  const pgb_poly_space *from, *to;
  const double *const *block; /* [degree + 1] of [from monomials of the degree][to monomials of the degree] */
} pgb_poly_map;

/* Variables y = (x, eps) with eps ~ N(0, I): how an expectation over eps leads back to x. */
typedef struct pgb_poly_split {
  const pgb_poly_space *x, *y;
  const size_t *x_part; /* [y->count] the monomial of x in it          */
  const uint32_t *odd;  /* [y->count] bit i: an odd power of eps_i     */
} pgb_poly_split;

enum { PGB_POLY_DEGREE = 6 };

/* Number of monomials up to a degree, as a double since it may be huge. */
double pgb_poly_count(size_t n, size_t degree);
pgb_status pgb_poly_space_open(size_t n, size_t degree, pgb_arena *arena, pgb_poly_space *out) PGB_MUST_CHECK;

/* out += scale * a * b, of degrees da and db. */
void pgb_poly_multiply_add(const pgb_poly_space *space, double scale, const double *a, size_t da,
                           const double *b, size_t db, double *out);
/* out += scale * f' q f for the affine f = offset + linear z; q [k][k], offset [k], linear [k][n]. */
void pgb_poly_quadratic_add(const pgb_poly_space *space, double scale, const double *q, size_t k,
                            const double *offset, const double *linear, double *out);
/* p(z) becomes E p(z + w), w ~ N(0, cov); scratch: twice the size of p. */
void pgb_poly_smooth(const pgb_poly_space *space, const double *cov, size_t degree, double *p,
                     double *scratch);

/* matrix [from->n][to->n], up to degree. The spaces must outlive the map. */
pgb_status pgb_poly_map_open(const pgb_poly_space *from, const pgb_poly_space *to, const double *matrix,
                             size_t degree, pgb_arena *arena, pgb_poly_map *out) PGB_MUST_CHECK;
/* out(y) += scale * p(M y). */
void pgb_poly_map_add(const pgb_poly_map *map, double scale, const double *p, size_t degree, double *out);

/* y has x's variables first; at most 32 of eps. The spaces must outlive the split. */
pgb_status pgb_poly_split_open(const pgb_poly_space *x, const pgb_poly_space *y, pgb_arena *arena,
                               pgb_poly_split *out) PGB_MUST_CHECK;
/* out(x) += scale * E[eps_i^power * f(x, eps)], power <= 4. */
void pgb_poly_average_add(const pgb_poly_split *split, double scale, size_t i, unsigned power,
                          const double *f, size_t degree, double *out);
/* out(x) += scale * E[weight(x, eps) f(x, eps)], which may have a higher degree than y holds; x must hold it.
 */
void pgb_poly_average_product_add(const pgb_poly_split *split, double scale, const double *weight,
                                  size_t weight_degree, const double *f, size_t degree, double *out);

#endif
