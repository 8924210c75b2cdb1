/* SPDX-License-Identifier: MIT */
#include "core/simd.h"

#include <string.h>

static const char *const names[PGB_ISA_COUNT] = {"none", "sse2", "avx2", "avx512"};

const char *pgb_isa_name(pgb_isa isa) {
  return names[isa];
}

bool pgb_isa_supported(pgb_isa isa) {
#ifdef PGB_X86_KERNELS
  switch (isa) {
  case PGB_ISA_SSE2:
    return true;
  case PGB_ISA_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case PGB_ISA_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
  case PGB_ISA_NONE:
  case PGB_ISA_COUNT:
    break;
  }
#endif
  return isa == PGB_ISA_NONE;
}

pgb_status pgb_isa_parse(const char *name, pgb_isa *out) {
  *out = PGB_ISA_NONE;
  if (strcmp(name, "auto") == 0) {
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
      if (pgb_isa_supported((pgb_isa)isa))
        *out = (pgb_isa)isa;
    return pgb_ok();
  }
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
    if (strcmp(name, names[isa]) == 0) {
      if (!pgb_isa_supported((pgb_isa)isa))
        return pgb_fail(PGB_USAGE, "--simd %s: this machine or build cannot run it; use --simd auto", name);
      *out = (pgb_isa)isa;
      return pgb_ok();
    }
  return pgb_fail(PGB_USAGE, "--simd %s: no such instruction set; use auto, avx512, avx2, sse2 or none",
                  name);
}
