/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_STATUS_H
#define PGB_CORE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* Outcome of anything that can meet the world (files, memory, MPI, user input).
 * The codes are the program's exit codes. Numerical trouble is not an error: it is stored as NaN. */
typedef enum pgb_code {
  PGB_OK = 0,
  PGB_RUNTIME = 1,  /* the machine failed: disk, memory, MPI                   */
  PGB_USAGE = 2,    /* the user must change an option, a study file or an input */
  PGB_INVALID = 3,  /* the run contradicts its oracle                          */
  PGB_STOPPED = 75, /* stopped early, resumable (EX_TEMPFAIL of sysexits.h)    */
} pgb_code;

enum { PGB_TEXT = 500 };

/* text reads "<what>: <why>; <what to do>", without the program's name; empty when code is PGB_OK. */
typedef struct pgb_status {
  pgb_code code;
  char text[PGB_TEXT];
} pgb_status;

#define PGB_MUST_CHECK __attribute__((warn_unused_result))

static inline pgb_status pgb_ok(void) {
  pgb_status s;
  s.code = PGB_OK;
  s.text[0] = '\0';
  return s;
}

/* A failed status with a formatted text of one line: control characters become '?', and of one that is too
 * long the middle is left out. */
pgb_status pgb_fail(pgb_code code, const char *format, ...) PGB_MUST_CHECK
    __attribute__((format(printf, 2, 3)));

/* Leaves the calling function with the status if it is not PGB_OK. */
#define PGB_TRY(expression)                                                                                  \
  do {                                                                                                       \
    pgb_status pgb_try_status_ = (expression);                                                               \
    if (pgb_try_status_.code != PGB_OK)                                                                      \
      return pgb_try_status_;                                                                                \
  } while (0)

/* The same in a function that owns something: stores the status and jumps to the clean-up. */
#define PGB_TRY_OR(label, status, expression)                                                                \
  do {                                                                                                       \
    (status) = (expression);                                                                                 \
    if ((status).code != PGB_OK)                                                                             \
      goto label;                                                                                            \
  } while (0)

#endif
