/* SPDX-License-Identifier: MIT */
#include "study/deal.h"

#include "study/share.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static const double most_lead = 0.25;
static const double most_bytes = 64 << 20; /* of room for it, of each rank */

static size_t even_part(size_t n_blocks, int ranks) {
  return (n_blocks + (size_t)ranks - 1) / (size_t)ranks;
}

/* Parts are rounded to whole blocks, and one may begin in the middle of the last. */
static size_t part_with_lead(size_t n_blocks, int ranks) {
  const size_t most = (size_t)((1 + most_lead) * (double)n_blocks / ranks) + 2;
  return most < n_blocks ? most : n_blocks;
}

double pgb_deal_lead(size_t n_blocks, size_t stride, int ranks) {
  const size_t more = part_with_lead(n_blocks, ranks) - even_part(n_blocks, ranks);
  return ranks == 1 || (double)more * (double)stride * sizeof(double) > most_bytes ? 0 : most_lead;
}

size_t pgb_deal_owned(size_t n_blocks, size_t stride, int ranks) {
  return pgb_deal_lead(n_blocks, stride, ranks) > 0 ? part_with_lead(n_blocks, ranks)
                                                    : even_part(n_blocks, ranks);
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

/* What a place gets where all come to the end at `end`, and none beyond `most` pieces in all. */
static double part(double end, double most, double cost, double dealt) {
  return fmax(fmin(end / cost, most) - dealt, 0);
}

static double all_parts(const pgb_deal *d, double end, double most, const double *cost, const double *dealt) {
  double sum = 0;
  for (int p = 0; p < d->ranks; p++)
    sum += part(end, most, cost[p], dealt[p]);
  return sum;
}

/* All come to the end together: the time of it is found by halving. */
static void deal_by_speed(pgb_deal *d, size_t unit, double lead, const double *cost, const double *dealt) {
  const size_t units = d->n / unit;
  double total = (double)d->n, low = 0, high = 0, sum = 0;
  for (int p = 0; p < d->ranks; p++) {
    total += dealt[p];
    high = fmax(high, cost[p]);
  }
  const double most = (1 + lead) * total / d->ranks;
  high *= most; /* where all have the most */
  for (int i = 0; i < 50; i++) {
    const double middle = 0.5 * (low + high);
    if (all_parts(d, middle, most, cost, dealt) < (double)d->n)
      low = middle;
    else
      high = middle;
  }
  const double wanted = all_parts(d, high, most, cost, dealt);
  d->begin[0] = d->first;
  for (int p = 0; p < d->ranks; p++) {
    sum += part(high, most, cost[p], dealt[p]);
    d->begin[p + 1] = d->first + unit * (size_t)floor((double)units * (sum / wanted) + 0.5);
  }
}

/* When the last place is done. */
static double last_end(const pgb_deal *d, const double *cost, const double *dealt) {
  double end = 0;
  for (int p = 0; p < d->ranks; p++)
    end = fmax(end, cost[p] * (dealt[p] + (double)(d->begin[p + 1] - d->begin[p])));
  return end;
}

void pgb_deal_out(pgb_deal *d, size_t unit, double lead, const double *cost, double *dealt) {
  assert(d->n > 0 && d->n % unit == 0);
  deal_evenly(d, unit);
  if (lead > 0 && all_known(cost, d->ranks)) {
    const double even = last_end(d, cost, dealt);
    deal_by_speed(d, unit, lead, cost, dealt);
    if (last_end(d, cost, dealt) >= even) /* whole pieces: some got one more for a difference that is noise */
      deal_evenly(d, unit);
  }
  for (int p = 0; p < d->ranks; p++)
    dealt[p] += (double)(d->begin[p + 1] - d->begin[p]);
}
