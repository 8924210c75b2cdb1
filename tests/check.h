/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_CHECK_H
#define PGB_TESTS_CHECK_H

#include "core/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A test is a program: it counts what failed, prints each failure with its place, and returns non-zero if any
 * did. */
typedef struct checks {
  int done, failed;
} checks;

static inline void check_true(checks *c, int ok, const char *what, const char *file, int line) {
  c->done++;
  if (!ok) {
    c->failed++;
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
  }
}

/* Within relative tolerance of the larger magnitude, or equal; NaN only equals NaN. */
static inline int check_close(double a, double b, double relative, double absolute) {
  if (isnan(a) || isnan(b))
    return isnan(a) && isnan(b);
  return a == b || fabs(a - b) <= absolute + relative * fmax(fabs(a), fabs(b));
}

static inline void check_near(checks *c, double a, double b, double relative, double absolute,
                              const char *what, const char *file, int line) {
  c->done++;
  if (!check_close(a, b, relative, absolute)) {
    c->failed++;
    fprintf(stderr, "%s:%d: failed: %s: %.17g against %.17g (difference %.3g)\n", file, line, what, a, b,
            a - b);
  }
}

static inline void check_fine(checks *c, pgb_status s, const char *what, const char *file, int line) {
  c->done++;
  if (s.code != PGB_OK) {
    c->failed++;
    fprintf(stderr, "%s:%d: failed: %s: %s\n", file, line, what, s.text);
  }
}

/* A failure of the right kind whose text holds a word. */
static inline void check_refused(checks *c, pgb_status s, pgb_code code, const char *word, const char *file,
                                 int line) {
  c->done++;
  if (s.code != code || strstr(s.text, word) == NULL) {
    c->failed++;
    fprintf(stderr, "%s:%d: failed: code %d, text \"%s\"; expected code %d and \"%s\"\n", file, line,
            (int)s.code, s.text, (int)code, word);
  }
}

static inline int check_end(const checks *c, const char *name) {
  printf("%s: %d checks, %d failed\n", name, c->done, c->failed);
  return c->failed != 0 || c->done == 0;
}

#define CHECK(c, condition)                check_true((c), (condition), #condition, __FILE__, __LINE__)
#define CHECK_NEAR(c, a, b, rel, abs)      check_near((c), (a), (b), (rel), (abs), #a " ~ " #b, __FILE__, __LINE__)
#define CHECK_OK(c, call)                  check_fine((c), (call), #call, __FILE__, __LINE__)
#define CHECK_REFUSED(c, call, code, word) check_refused((c), (call), (code), (word), __FILE__, __LINE__)

#endif
