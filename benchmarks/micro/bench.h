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

/* True while another iteration is wanted; the time between two calls is what is measured. */
bool bench_next(bench_state *state);
/* Totals over all iterations: items (for pipelines environment steps) and bytes per second, or another rate.
 */
void bench_items(bench_state *state, double total);
void bench_bytes(bench_state *state, double total);
void bench_rate(bench_state *state, const char *name, double total);
/* Ends this benchmark as failed; the program then returns 1. */
void bench_fail(bench_state *state, const char *why);
/* One key and value of the context that opens the report. */
void bench_context(const char *key, const char *value);

/* Takes Google Benchmark's options, runs what was added, returns the exit code. */
int bench_main(int argc, char **argv);

/* Keeps what *x points to from being optimised away. */
static inline void bench_use(const void *x) {
  __asm__ volatile("" : : "r"(x) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
