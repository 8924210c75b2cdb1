/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ESTIMATOR_GAE_H
#define PGB_ESTIMATOR_GAE_H

/* Options of the estimator gae. */
typedef struct pgb_gae {
  double lambda; /* in [0, 1] */
} pgb_gae;

#endif
