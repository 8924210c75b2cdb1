/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_BENCH_H
#define PGB_BENCH_BENCH_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Google Benchmark for C: a body is a C function that does one unit of work per bench_next. */
typedef struct bench_state bench_state;
typedef void bench_body(bench_state *state, void *argument);

void bench_add(const char *name, bench_body *body, void *argument);
/* Runs the body for just so many iterations, whatever the time, and takes as time what bench_time says: for
 * what all ranks do together, since each of them chooses its own number of iterations else. */
void bench_add_fixed(const char *name, bench_body *body, void *argument, long iterations);
/* Seconds that this iteration took (bench_add_fixed). */
void bench_time(bench_state *state, double seconds);

/* True while another iteration is wanted; the time between two calls is what is measured. */
bool bench_next(bench_state *state);
/* Totals over all iterations: items (for pipelines environment steps) and bytes per second, or another rate.
 */
void bench_items(bench_state *state, double total);
void bench_bytes(bench_state *state, double total);
void bench_rate(bench_state *state, const char *name, double total);
/* The share of a limit (units per second, measured in this run) that units in all are: a counter
 * "of_<limit>". Nothing where the limit is 0. */
void bench_share(bench_state *state, const char *limit, double units, double per_second);
/* Ends this benchmark as failed; the program then returns 1. */
void bench_fail(bench_state *state, const char *why);
/* One key and value of the context that opens the report. */
void bench_context(const char *key, const char *value);

/* Takes Google Benchmark's options, runs what was added, returns the exit code. Only a rank that speaks
 * prints or writes files. */
int bench_main(int argc, char **argv, bool speaks);

/* Keeps what *x points to from being optimised away. */
static inline void bench_use(const void *x) {
  __asm__ volatile("" : : "r"(x) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
