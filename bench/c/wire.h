/*
 * Kafka's wire format, as much of it as the peer and the load driver share: big-endian integers,
 * unsigned varints, compact strings, and where things lie in a record batch (magic 2).
 *
 * Every API is spoken in its first flexible version. Old clients, today's clients, Apache Kafka 4
 * and we all have these versions, topics are still named by name in them, and one way to encode
 * strings and arrays does for everything.
 *
 * A Reader that runs past its end turns `bad` and reads zeros from then on: check once, at the end.
 */
#ifndef SAMSA_BENCH_WIRE_H
#define SAMSA_BENCH_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  API_PRODUCE = 0,
  API_FETCH = 1,
  API_METADATA = 3,
  API_VERSIONS = 18,
  API_CREATE_TOPICS = 19,
  API_DELETE_TOPICS = 20,
};

typedef struct {
  int16_t key, version;
  const char *name;
} Api;

static const Api APIS[] = {
    {API_PRODUCE, 9, "Produce"},          {API_FETCH, 12, "Fetch"},
    {API_METADATA, 9, "Metadata"},        {API_VERSIONS, 3, "ApiVersions"},
    {API_CREATE_TOPICS, 5, "CreateTopics"}, {API_DELETE_TOPICS, 4, "DeleteTopics"},
};
enum { API_COUNT = sizeof APIS / sizeof *APIS };

static inline const Api *api_of(int16_t key) {
  for (int i = 0; i < API_COUNT; i++)
    if (APIS[i].key == key) return &APIS[i];
  return NULL;
}

/* Where the fields of a record batch lie. The CRC covers everything from the attributes on. */
enum {
  BATCH_BASE_OFFSET = 0,
  BATCH_LENGTH = 8,
  BATCH_LEADER_EPOCH = 12,
  BATCH_MAGIC = 16,
  BATCH_CRC = 17,
  BATCH_ATTRIBUTES = 21,
  BATCH_LAST_OFFSET_DELTA = 23,
  BATCH_BASE_TIMESTAMP = 27,
  BATCH_MAX_TIMESTAMP = 35,
  BATCH_PRODUCER_ID = 43,
  BATCH_PRODUCER_EPOCH = 51,
  BATCH_BASE_SEQUENCE = 53,
  BATCH_RECORD_COUNT = 57,
  BATCH_RECORDS = 61,
};

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  __builtin_va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static inline int16_t load16(const uint8_t *at) {
  uint16_t v;
  memcpy(&v, at, 2);
  return (int16_t)be16toh(v);
}
static inline int32_t load32(const uint8_t *at) {
  uint32_t v;
  memcpy(&v, at, 4);
  return (int32_t)be32toh(v);
}
static inline int64_t load64(const uint8_t *at) {
  uint64_t v;
  memcpy(&v, at, 8);
  return (int64_t)be64toh(v);
}
static inline void store16(uint8_t *at, int16_t value) {
  uint16_t v = htobe16((uint16_t)value);
  memcpy(at, &v, 2);
}
static inline void store32(uint8_t *at, int32_t value) {
  uint32_t v = htobe32((uint32_t)value);
  memcpy(at, &v, 4);
}
static inline void store64(uint8_t *at, int64_t value) {
  uint64_t v = htobe64((uint64_t)value);
  memcpy(at, &v, 8);
}

typedef struct {
  uint8_t *at, *end;
  bool bad;
} Reader;

/* Takes `count` bytes, or turns the reader bad and gives zeros enough for an integer. */
static inline uint8_t *take(Reader *r, size_t count) {
  static uint8_t zeros[8];
  if (r->bad || (size_t)(r->end - r->at) < count) {
    r->bad = true;
    return zeros;
  }
  uint8_t *taken = r->at;
  r->at += count;
  return taken;
}
static inline int8_t read8(Reader *r) { return (int8_t)*take(r, 1); }
static inline int16_t read16(Reader *r) { return load16(take(r, 2)); }
static inline int32_t read32(Reader *r) { return load32(take(r, 4)); }
static inline int64_t read64(Reader *r) { return load64(take(r, 8)); }
static inline uint32_t read_varint(Reader *r) {
  uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    uint8_t byte = *take(r, 1);
    value |= (uint32_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  r->bad = true;
  return 0;
}
/* A compact length: its varint is the length plus one, and 0 says null. -1 for null. */
static inline int64_t read_length(Reader *r) { return (int64_t)read_varint(r) - 1; }
static inline void skip_tags(Reader *r) {
  for (uint32_t count = read_varint(r); count > 0 && !r->bad; count--) {
    read_varint(r);
    take(r, read_varint(r));
  }
}

typedef struct {
  const uint8_t *bytes;
  size_t length;
} Text;

static inline Text read_text(Reader *r) {
  int64_t length = read_length(r);
  if (length <= 0) return (Text){(const uint8_t *)"", 0};
  return (Text){take(r, (size_t)length), r->bad ? 0 : (size_t)length};
}

/* A Writer is a place in a buffer that its owner has made large enough. */
typedef struct {
  uint8_t *at;
} Writer;

static inline void write8(Writer *w, int8_t v) { *w->at++ = (uint8_t)v; }
static inline void write16(Writer *w, int16_t v) { store16(w->at, v), w->at += 2; }
static inline void write32(Writer *w, int32_t v) { store32(w->at, v), w->at += 4; }
static inline void write64(Writer *w, int64_t v) { store64(w->at, v), w->at += 8; }
static inline void write_bytes(Writer *w, const void *bytes, size_t length) {
  memcpy(w->at, bytes, length);
  w->at += length;
}
static inline void write_varint(Writer *w, uint32_t v) {
  for (; v >= 128; v >>= 7) *w->at++ = (uint8_t)(v | 128);
  *w->at++ = (uint8_t)v;
}
static inline void write_length(Writer *w, int64_t length) {
  write_varint(w, (uint32_t)(length + 1));
}
static inline void write_null(Writer *w) { write_varint(w, 0); }
static inline void write_no_tags(Writer *w) { write_varint(w, 0); }
static inline void write_text(Writer *w, Text text) {
  write_length(w, (int64_t)text.length);
  write_bytes(w, text.bytes, text.length);
}

#endif
