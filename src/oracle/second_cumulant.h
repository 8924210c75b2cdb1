/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_SECOND_CUMULANT_H
#define PGB_ORACLE_SECOND_CUMULANT_H

#include <stddef.h>

/* Quadratic forms of (1, z), z ~ N(0, I), and expectations of their products. Of second_forms.c alone. */

enum { PGB_FORM_MAX_D = 28 };

typedef struct pgb_form { /* (1, z)' c (1, z), c symmetric */
  double c[PGB_FORM_MAX_D][PGB_FORM_MAX_D];
} pgb_form;

/* out += scale * (left right' + right left') / 2, for two affine functions of z. */
void pgb_form_add_outer(double scale, const double *left, const double *right, size_t d, pgb_form *out);
void pgb_form_add(double scale, const pgb_form *form, size_t d, pgb_form *out);

/* The form at one z less the form at another one, over both: of size 2 d - 1. */
void pgb_form_difference(const pgb_form *form, size_t d, pgb_form *out);

/* E of the product of k <= 4 forms. */
double pgb_form_expect(size_t d, size_t k, const pgb_form *const *list);

#define PGB_FORM_EXPECT(d, ...)                                                                              \
  pgb_form_expect((d), sizeof((const pgb_form *const[]){__VA_ARGS__}) / sizeof(const pgb_form *),            \
                  (const pgb_form *const[]){__VA_ARGS__})

#endif
