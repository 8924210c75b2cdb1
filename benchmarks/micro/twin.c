/* SPDX-License-Identifier: MIT */
#include "twin.h"

#include <string.h>

void twin_measure(const twin_problem *p, twin_episode *episode, uint64_t first, uint64_t end,
                  twin_moments *out) {
  for (uint64_t replicate = first; replicate < end; replicate++) {
    double sum[TWIN_MAX] = {0};
    for (uint64_t e = 0; e < p->batch; e++) {
      float g[TWIN_MAX];
      memset(g, 0, p->n_theta * sizeof *g);
      out->steps += episode(p, (uint32_t)replicate, (uint32_t)e, g);
      for (size_t k = 0; k < p->n_theta; k++)
        sum[k] += (double)g[k];
    }
    out->replicates += 1;
    for (size_t k = 0; k < p->n_theta; k++) {
      const double x = sum[k] / (double)p->batch;
      const double far = x - out->mean[k];
      out->mean[k] += far / out->replicates;
      out->m2[k] += far * (x - out->mean[k]);
    }
  }
}
