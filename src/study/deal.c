/* SPDX-License-Identifier: MIT */
#include "study/deal.h"

#include "study/share.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static const double most_lead = 0.25;
static const double most_bytes = 64 << 20; /* of room for it */

double pgb_deal_lead(size_t n_blocks, size_t stride, int ranks) {
  const double even = (double)n_blocks / ranks;
  return ranks == 1 || most_lead * even * (double)stride * sizeof(double) > most_bytes ? 0 : most_lead;
}

/* With a lead, parts are rounded to whole blocks, and one may begin in the middle of the last. */
size_t pgb_deal_owned(size_t n_blocks, size_t stride, int ranks) {
  const double lead = pgb_deal_lead(n_blocks, stride, ranks);
  const size_t even = (n_blocks + (size_t)ranks - 1) / (size_t)ranks;
  const size_t most = (size_t)((1 + lead) * (double)n_blocks / ranks) + 2;
  return lead == 0 ? even : most < n_blocks ? most : n_blocks;
}

static void deal_evenly(pgb_deal *d, size_t unit) {
  for (int p = 0; p <= d->ranks; p++)
    d->begin[p] = d->first + pgb_share_begin(d->n / unit, p, d->ranks) * unit;
}

static bool all_known(const double *cost, int ranks) {
  for (int p = 0; p < ranks; p++)
    if (!(cost[p] > 0))
      return false;
  return true;
}

/* A place's goal is a share of all pieces so far in proportion to its speed; differences between speeds are
 * made smaller until the fastest place leads by no more than `lead`. What a place has beyond its goal stays
 * with it, and the others get less. */
static void deal_by_speed(pgb_deal *d, size_t unit, double lead, const double *cost, const double *dealt) {
  const double units = (double)(d->n / unit);
  double mean = 0, most = 0, total = (double)d->n, wanted = 0, sum = 0;
  for (int p = 0; p < d->ranks; p++) {
    mean += 1 / cost[p] / d->ranks;
    most = fmax(most, 1 / cost[p]);
    total += dealt[p];
  }
  const double ahead = most / mean - 1;
  const double less = ahead > lead ? lead / ahead : 1;
  for (int pass = 0; pass < 2; pass++)
    for (int p = 0; p < d->ranks; p++) {
      const double goal = total / d->ranks * (1 + less * (1 / (cost[p] * mean) - 1));
      const double more = fmax(goal - dealt[p], 0);
      if (pass == 0) {
        wanted += more;
        continue;
      }
      sum += more;
      d->begin[p + 1] = d->first + unit * (size_t)floor(units * (sum / wanted) + 0.5);
    }
  d->begin[0] = d->first;
  d->begin[d->ranks] = d->first + d->n;
}

void pgb_deal_out(pgb_deal *d, size_t unit, double lead, const double *cost, double *dealt) {
  assert(d->n > 0 && d->n % unit == 0);
  if (lead > 0 && all_known(cost, d->ranks))
    deal_by_speed(d, unit, lead, cost, dealt);
  else
    deal_evenly(d, unit);
  for (int p = 0; p < d->ranks; p++)
    dealt[p] += (double)(d->begin[p + 1] - d->begin[p]);
}
