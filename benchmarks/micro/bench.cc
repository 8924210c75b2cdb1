/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <benchmark/benchmark.h>

namespace {

bool any_failed = false;

benchmark::State *of(bench_state *state) {
  return reinterpret_cast<benchmark::State *>(state);
}

} // namespace

extern "C" {

void bench_add(const char *name, bench_body *body, void *argument) {
  benchmark::RegisterBenchmark(name, [body, argument](benchmark::State &state) {
    body(reinterpret_cast<bench_state *>(&state), argument);
  });
}

bool bench_next(bench_state *state) {
  return of(state)->KeepRunning();
}

void bench_items(bench_state *state, double total) {
  of(state)->SetItemsProcessed(static_cast<int64_t>(total));
}

void bench_bytes(bench_state *state, double total) {
  of(state)->SetBytesProcessed(static_cast<int64_t>(total));
}

void bench_rate(bench_state *state, const char *name, double total) {
  of(state)->counters[name] = benchmark::Counter(total, benchmark::Counter::kIsRate);
}

void bench_fail(bench_state *state, const char *why) {
  any_failed = true;
  of(state)->SkipWithError(why);
}

void bench_context(const char *key, const char *value) {
  benchmark::AddCustomContext(key, value);
}

int bench_main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  const size_t run = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return run == 0 || any_failed ? 1 : 0;
}
}
