/*
 * CRC32C with the SSE4.2 instruction, in three interleaved lanes.
 *
 * The instruction has a latency of three cycles and a throughput of one, so a single chain of them
 * leaves two thirds of the unit idle. Three lanes of LANE bytes run side by side; the state of one
 * is carried over the bytes of the next by four table look-ups, because advancing a CRC over N zero
 * bytes is linear in its 32 bits.
 */
#ifndef SAMSA_BENCH_CRC32C_H
#define SAMSA_BENCH_CRC32C_H

#include <nmmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CRC32C_LANE = 1024 };

static uint32_t crc32c_skip[4][256];

/* Fills the tables, in a fraction of a millisecond; to be called before the first crc32c. */
static void crc32c_prepare(void) {
  for (int byte = 0; byte < 4; byte++) {
    for (uint32_t value = 0; value < 256; value++) {
      uint64_t state = value << (8 * byte);
      for (int step = 0; step < CRC32C_LANE / 8; step++) state = _mm_crc32_u64(state, 0);
      crc32c_skip[byte][value] = (uint32_t)state;
    }
  }
}

/* The state after CRC32C_LANE zero bytes. */
static inline uint64_t crc32c_over_a_lane(uint64_t state) {
  return crc32c_skip[0][state & 255] ^ crc32c_skip[1][state >> 8 & 255] ^
         crc32c_skip[2][state >> 16 & 255] ^ crc32c_skip[3][state >> 24 & 255];
}

static inline uint64_t crc32c_word(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

static uint32_t crc32c(const uint8_t *bytes, size_t length) {
  uint64_t first = 0xffffffff;
  while (length >= 3 * CRC32C_LANE) {
    uint64_t second = 0, third = 0;
    for (const uint8_t *stop = bytes + CRC32C_LANE; bytes < stop; bytes += 8) {
      first = _mm_crc32_u64(first, crc32c_word(bytes));
      second = _mm_crc32_u64(second, crc32c_word(bytes + CRC32C_LANE));
      third = _mm_crc32_u64(third, crc32c_word(bytes + 2 * CRC32C_LANE));
    }
    first = crc32c_over_a_lane(crc32c_over_a_lane(first) ^ second) ^ third;
    bytes += 2 * CRC32C_LANE;
    length -= 3 * CRC32C_LANE;
  }
  for (; length >= 8; bytes += 8, length -= 8) first = _mm_crc32_u64(first, crc32c_word(bytes));
  for (; length > 0; bytes++, length--) first = _mm_crc32_u8((uint32_t)first, *bytes);
  return (uint32_t)first ^ 0xffffffff;
}

#endif
