/* SPDX-License-Identifier: MIT */
#include "core/sha256.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, ROUNDS = 64, LENGTH_AT = 56 };

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, section 4.2.2).
 */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

/* FIPS 180-4, section 6.2.2. */
static void take_block(uint32_t hash[8], const unsigned char *bytes) {
  uint32_t w[ROUNDS];
  uint32_t v[8];
  for (size_t t = 0; t < 16; t++)
    w[t] = (uint32_t)bytes[4 * t] << 24 | (uint32_t)bytes[4 * t + 1] << 16 | (uint32_t)bytes[4 * t + 2] << 8 |
           bytes[4 * t + 3];
  for (size_t t = 16; t < ROUNDS; t++) {
    const uint32_t a = w[t - 15];
    const uint32_t b = w[t - 2];
    w[t] = (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10) + w[t - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
           w[t - 16];
  }
  memcpy(v, hash, sizeof v);
  for (size_t t = 0; t < ROUNDS; t++) {
    const uint32_t one = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
                         ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[t] + w[t];
    const uint32_t two = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
                         ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += one;
    v[0] = one + two;
  }
  for (size_t i = 0; i < 8; i++)
    hash[i] += v[i];
}

/* The last bytes with their padding: a one bit, zeros, the length in bits. */
static void take_end(uint32_t hash[8], const unsigned char *rest, size_t n, uint64_t length) {
  unsigned char last[2 * BLOCK] = {0};
  const size_t size = n < LENGTH_AT ? BLOCK : 2 * BLOCK;
  memcpy(last, rest, n);
  last[n] = 0x80;
  for (size_t i = 0; i < 8; i++)
    last[size - 1 - i] = (unsigned char)(length * 8 >> 8 * i);
  for (size_t at = 0; at < size; at += BLOCK)
    take_block(hash, last + at);
}

pgb_status pgb_sha256_file(const char *path, char out[PGB_SHA256_HEX]) {
  assert(path != NULL && out != NULL);
  /* Fractional parts of the square roots of the first eight primes (section 5.3.3). */
  uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  unsigned char block[BLOCK];
  uint64_t length = 0;
  size_t n = 0;
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return pgb_fail(PGB_USAGE, "%.200s: cannot be opened (%s); check the path and its permissions", path,
                    strerror(errno));
  while ((n = fread(block, 1, BLOCK, file)) == BLOCK) {
    take_block(hash, block);
    length += BLOCK;
  }
  const bool lost = ferror(file) != 0;
  (void)fclose(file); /* only read */
  if (lost)
    return pgb_fail(PGB_USAGE, "%.200s: cannot be read; check that it is a file and its disk works", path);
  take_end(hash, block, n, length + n);
  for (size_t i = 0; i < 8; i++)
    (void)snprintf(out + 8 * i, PGB_SHA256_HEX - 8 * i, "%08x", (unsigned)hash[i]);
  return pgb_ok();
}
