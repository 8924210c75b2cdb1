/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CORE_DISPATCH_H
#define PGB_CORE_DISPATCH_H

#include "core/simd.h"

/* PGB_DISPATCH(name) is an array over pgb_isa of the copies of a kernel symbol (declared by
 * PGB_DECLARE_KERNEL). */
#ifdef PGB_X86_KERNELS
#define PGB_DECLARE_KERNEL(type, name, suffix)                                                               \
  extern type name##_none suffix;                                                                            \
  extern type name##_sse2 suffix;                                                                            \
  extern type name##_avx2 suffix;                                                                            \
  extern type name##_avx512 suffix
#define PGB_DISPATCH(name)                                                                                   \
  { name##_none, name##_sse2, name##_avx2, name##_avx512 }
#else
#define PGB_DECLARE_KERNEL(type, name, suffix) extern type name##_none suffix
#define PGB_DISPATCH(name)                                                                                   \
  { name##_none, name##_none, name##_none, name##_none }
#endif

#endif
