/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_VERIFY_H
#define PGB_STUDY_VERIFY_H

#include "comm/comm.h"
#include "core/simd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The installed program against mathematics: random small instances of every problem with an oracle (bandit,
 * gaussian, mdp, lqr, chain), drawn from the seed. Each of the oracle's answers is compared with a second
 * exact method (oracle/second.h), where the instance is small enough for one, and with Monte Carlo through
 * pgb_run. */

/* One instance. */
typedef struct pgb_verify_row {
  const char *problem, *instance; /* "mdp", "3 states, 2 actions, 2 steps"                               */
  const char *method;             /* the second method, or "none": too large for one                     */
  size_t known;       /* answers of the oracle: gradient, constants, mean and variance of each pair and
                       * batch size                                                              */
  size_t compared;    /* those that the second method answers too                            */
  double difference;  /* largest, relative; NaN where nothing is compared                     */
  double episodes, z; /* Monte Carlo: episodes, largest |z|                                  */
  bool ok;
  char failure[256]; /* "" or the first: what, and both figures */
} pgb_verify_row;

typedef struct pgb_verify_options {
  uint64_t seed;
  uint64_t replicates; /* batches of each size, 0: PGB_VERIFY_REPLICATES                                */
  pgb_isa isa;
  void *self;
  /* Rank 0, after each instance; the row is valid during the call. */
  void (*row)(void *self, const pgb_verify_row *row);
} pgb_verify_options;

enum { PGB_VERIFY_REPLICATES = 1 << 16 };

/* Exact answers may differ by this much, relative to the size of what was added: the square root of the
 * second moment of the estimate (of the same estimator without baseline, if that is larger) for a mean, the
 * second moment for a variance. Adding 1e6 terms in double loses at most 1e6 * 1.1e-16 = 1e-10; no answer
 * here has more terms. */
#define PGB_VERIFY_TOLERANCE 1e-9

typedef struct pgb_verify_result {
  bool valid;
  size_t rows, compared;
  double bound;   /* of |z|: family-wise 1e-6 over all rows                      */
  char text[400]; /* "VALID: ..." or "INVALID: ..." with the first failure       */
} pgb_verify_result;

/* Collective; *out is the same on all ranks. Contradictions are in *out, not in the status. */
pgb_status pgb_verify(const pgb_verify_options *options, pgb_comm *comm,
                      pgb_verify_result *out) PGB_MUST_CHECK;

#endif
