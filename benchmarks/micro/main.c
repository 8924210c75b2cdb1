/* SPDX-License-Identifier: MIT */
#include "bodies.h"
#include "case.h"

int main(int argc, char **argv) {
  bench_limits limits = {.best = PGB_ISA_NONE};
  bench_require(pgb_comm_create(&argc, &argv, &limits.comm));
  bench_require(pgb_isa_parse("auto", &limits.best));
  bench_context("simd", pgb_isa_name(limits.best));
  limits_measure(&limits);
  pipelines_add(&limits);
  pieces_add(&limits);
  products_add(&limits);
  envs_add(&limits);
  lanes_add(&limits);
  ranks_add(&limits);
  const int code = bench_main(argc, argv, pgb_comm_rank(limits.comm) == 0);
  pgb_comm_destroy(limits.comm);
  return code;
}
