/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CORE_CLOCK_H
#define PGB_CORE_CLOCK_H

/* Seconds since some fixed moment, monotonic. */
double pgb_clock(void);

/* Seconds that this thread has had a core: what a computation takes, whoever else wants the core. */
double pgb_cpu_clock(void);

#endif
