/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_FUZZ_H
#define PGB_TESTS_FUZZ_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the fuzzers share. A target is one function that libFuzzer calls with bytes of its making. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that the input broke: ends the process with a message, which libFuzzer takes for a crash. */
#define PROMISE(x)                                                                                           \
  do {                                                                                                       \
    if (!(x)) {                                                                                              \
      (void)fprintf(stderr, "%s:%d: promised, not kept: %s\n", __FILE__, __LINE__, #x);                      \
      abort();                                                                                               \
    }                                                                                                        \
  } while (0)

/* A refusal is bad usage and says something, in one line; memory that is not there is the one other reason.
 */
static inline void promise_refusal(pgb_status s) {
  PROMISE(s.code == PGB_USAGE || s.code == PGB_RUNTIME);
  PROMISE(strlen(s.text) > 10 && strchr(s.text, ';') != NULL);
  PROMISE(strpbrk(s.text, "\n\r\t\x1B") == NULL);
}

#endif
