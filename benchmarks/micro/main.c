/* SPDX-License-Identifier: MIT */
#include "bodies.h"
#include "case.h"

int main(int argc, char **argv) {
  pgb_isa best = PGB_ISA_NONE;
  bench_require(pgb_isa_parse("auto", &best));
  bench_context("simd", pgb_isa_name(best));
  pipelines_add(best);
  pieces_add(best);
  limits_add(best);
  return bench_main(argc, argv);
}
