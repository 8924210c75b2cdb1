/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <benchmark/benchmark.h>

#include <ctime>
#include <string>
#include <vector>

/* Google Benchmark's state, and the processor time of all iterations, which it tells its reporters only. */
struct bench_state {
  benchmark::State &google;
  double start = -1;
  double spent = 0;
};

namespace {

bool any_failed = false;

double processor_seconds() {
  struct timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

void run(benchmark::State &google, bench_body *body, void *argument) {
  bench_state state{google};
  body(&state, argument);
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
  benchmark::RegisterBenchmark(name, [=](benchmark::State &google) { run(google, body, argument); });
}

void bench_add_fixed(const char *name, bench_body *body, void *argument, long iterations) {
  benchmark::RegisterBenchmark(name, [=](benchmark::State &google) { run(google, body, argument); })
      ->Iterations(iterations)
      ->UseManualTime();
}

void bench_time(bench_state *state, double seconds) {
  state->google.SetIterationTime(seconds);
}

bool bench_next(bench_state *state) {
  if (state->start < 0)
    state->start = processor_seconds();
  const bool more = state->google.KeepRunning();
  if (!more)
    state->spent = processor_seconds() - state->start;
  return more;
}

void bench_items(bench_state *state, double total) {
  state->google.SetItemsProcessed(static_cast<int64_t>(total));
}

void bench_bytes(bench_state *state, double total) {
  state->google.SetBytesProcessed(static_cast<int64_t>(total));
}

void bench_rate(bench_state *state, const char *name, double total) {
  state->google.counters[name] = benchmark::Counter(total, benchmark::Counter::kIsRate);
}

void bench_share(bench_state *state, const char *limit, double units, double per_second) {
  if (per_second > 0 && state->spent > 0)
    state->google.counters[std::string("of_") + limit] = units / (per_second * state->spent);
}

void bench_fail(bench_state *state, const char *why) {
  any_failed = true;
  state->google.SkipWithError(why);
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
