/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

bool any_failed = false;

benchmark::State *of(bench_state *state) {
  return reinterpret_cast<benchmark::State *>(state);
}

/* For ranks that do not speak. */
class Silent : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context &) override {
    return true;
  }
  void ReportRuns(const std::vector<Run> &) override {}
};

} // namespace

extern "C" {

void bench_add(const char *name, bench_body *body, void *argument) {
  benchmark::RegisterBenchmark(name, [body, argument](benchmark::State &state) {
    body(reinterpret_cast<bench_state *>(&state), argument);
  });
}

void bench_add_fixed(const char *name, bench_body *body, void *argument, long iterations) {
  benchmark::RegisterBenchmark(
      name,
      [body, argument](benchmark::State &state) { body(reinterpret_cast<bench_state *>(&state), argument); })
      ->Iterations(iterations)
      ->UseManualTime();
}

void bench_time(bench_state *state, double seconds) {
  of(state)->SetIterationTime(seconds);
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

void bench_share(bench_state *state, const char *limit, double units, double per_second) {
  if (per_second > 0)
    of(state)->counters[std::string("of_") + limit] =
        benchmark::Counter(units / per_second, benchmark::Counter::kIsRate);
}

void bench_fail(bench_state *state, const char *why) {
  any_failed = true;
  of(state)->SkipWithError(why);
}

void bench_context(const char *key, const char *value) {
  benchmark::AddCustomContext(key, value);
}

int bench_main(int argc, char **argv, bool speaks) {
  std::vector<char *> kept;
  for (int i = 0; i < argc; i++)
    if (speaks || std::string(argv[i]).rfind("--benchmark_out", 0) != 0)
      kept.push_back(argv[i]);
  argc = static_cast<int>(kept.size());
  kept.push_back(nullptr);
  argv = kept.data();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  Silent silent;
  const size_t run =
      speaks ? benchmark::RunSpecifiedBenchmarks() : benchmark::RunSpecifiedBenchmarks(&silent);
  benchmark::Shutdown();
  return run == 0 || any_failed ? 1 : 0;
}
}
