/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CORE_CLOCK_H
#define PGB_CORE_CLOCK_H

/* Seconds since some fixed moment, monotonic. */
double pgb_clock(void);

#endif
