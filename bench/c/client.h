/*
 * The calm part of the load driver: a blocking connection that makes the handshake every client
 * makes (ApiVersions, CreateTopics, Metadata), so that what follows runs against a real broker.
 */
#ifndef SAMSA_BENCH_CLIENT_H
#define SAMSA_BENCH_CLIENT_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

static const Text CLIENT_ID = {(const uint8_t *)"bench", 5};

static int connect_to(int port) {
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htobe16((uint16_t)port),
                                .sin_addr.s_addr = htobe32(INADDR_LOOPBACK)};
  if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
    die("connect to port %d: %s", port, strerror(errno));
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

/* Begins a frame at `start`: room for its length, then the request header. */
static Writer begin_request(uint8_t *start, int16_t key, int32_t correlation_id) {
  Writer w = {start + 4};
  write16(&w, key);
  write16(&w, api_of(key)->version);
  write32(&w, correlation_id);
  write16(&w, (int16_t)CLIENT_ID.length); /* the one string that never became compact */
  write_bytes(&w, CLIENT_ID.bytes, CLIENT_ID.length);
  write_no_tags(&w);
  return w;
}

/* Where the correlation id lies in a frame of either direction that begins at its length. */
enum { REQUEST_CORRELATION_ID = 8, RESPONSE_CORRELATION_ID = 4 };

static size_t end_request(uint8_t *start, Writer w) {
  store32(start, (int32_t)(w.at - start - 4));
  return (size_t)(w.at - start);
}

/* Sends a request that lies in `buffer` and reads the response over it; gives its body. */
static Reader call(int connection, uint8_t *buffer, size_t capacity, Writer w) {
  int16_t key = load16(buffer + 4);
  size_t length = end_request(buffer, w);
  if (send(connection, buffer, length, MSG_NOSIGNAL) != (ssize_t)length) die("send failed");
  size_t have = 0, wanted = 4;
  while (have < wanted) {
    ssize_t got = recv(connection, buffer + have, wanted - have, 0);
    if (got <= 0) die("%s v%d: the broker closed the connection", api_of(key)->name,
                      api_of(key)->version);
    have += (size_t)got;
    if (have == 4) wanted = 4 + (size_t)(uint32_t)load32(buffer);
    if (wanted > capacity) die("%s: a response of %zu bytes", api_of(key)->name, wanted);
  }
  Reader r = {buffer + 8, buffer + wanted, false};
  if (key != API_VERSIONS) skip_tags(&r);
  return r;
}

enum { CALL_BYTES = 1 << 20 };

static void check_versions(int connection, uint8_t *buffer) {
  Writer w = begin_request(buffer, API_VERSIONS, 0);
  write_text(&w, CLIENT_ID); /* clientSoftwareName, clientSoftwareVersion */
  write_text(&w, (Text){(const uint8_t *)"1", 1});
  write_no_tags(&w);
  Reader r = call(connection, buffer, CALL_BYTES, w);
  int16_t error = read16(&r);
  if (error != 0) die("ApiVersions v3: error %d", error);
  bool found[API_COUNT] = {false};
  for (int64_t count = read_length(&r); count > 0 && !r.bad; count--) {
    int16_t key = read16(&r), lowest = read16(&r), highest = read16(&r);
    skip_tags(&r);
    const Api *api = api_of(key);
    if (api != NULL && lowest <= api->version && api->version <= highest) found[api - APIS] = true;
  }
  for (int i = 0; i < API_COUNT; i++)
    if (r.bad || !found[i]) die("the broker does not offer %s v%d", APIS[i].name, APIS[i].version);
}

static void create_topic(int connection, uint8_t *buffer, Text topic, int partitions) {
  Writer w = begin_request(buffer, API_CREATE_TOPICS, 0);
  write_length(&w, 1);
  write_text(&w, topic);
  write32(&w, partitions);
  write16(&w, 1);      /* replicationFactor */
  write_length(&w, 0); /* assignments */
  write_length(&w, 0); /* configs */
  write_no_tags(&w);
  write32(&w, 30000);
  write8(&w, 0); /* validateOnly */
  write_no_tags(&w);
  Reader r = call(connection, buffer, CALL_BYTES, w);
  read32(&r); /* throttleTimeMs */
  if (read_length(&r) != 1) die("CreateTopics: not one topic in the response");
  read_text(&r);
  int16_t error = read16(&r);
  if (r.bad || error != 0) die("CreateTopics: error %d", error);
}

static void delete_topic(int connection, uint8_t *buffer, Text topic) {
  Writer w = begin_request(buffer, API_DELETE_TOPICS, 0);
  write_length(&w, 1);
  write_text(&w, topic);
  write32(&w, 30000);
  write_no_tags(&w);
  Reader r = call(connection, buffer, CALL_BYTES, w);
  read32(&r);
  if (read_length(&r) != 1) die("DeleteTopics: not one topic in the response");
  read_text(&r);
  int16_t error = read16(&r);
  if (r.bad || error != 0) die("DeleteTopics: error %d", error);
}

/* How many partitions of the topic have a leader, by Metadata. */
static int partitions_led(int connection, uint8_t *buffer, Text topic) {
  Writer w = begin_request(buffer, API_METADATA, 0);
  write_length(&w, 1);
  write_text(&w, topic);
  write_no_tags(&w);
  for (int i = 0; i < 3; i++) write8(&w, 0); /* no auto-creation, no authorized operations */
  write_no_tags(&w);
  Reader r = call(connection, buffer, CALL_BYTES, w);
  read32(&r); /* throttleTimeMs */
  for (int64_t brokers = read_length(&r); brokers > 0 && !r.bad; brokers--) {
    read32(&r);
    read_text(&r);
    read32(&r);
    read_text(&r);
    skip_tags(&r);
  }
  read_text(&r); /* clusterId */
  read32(&r);    /* controllerId */
  if (read_length(&r) != 1) return 0;
  if (read16(&r) != 0) return 0;
  read_text(&r);
  read8(&r); /* isInternal */
  int led = 0;
  for (int64_t partitions = read_length(&r); partitions > 0 && !r.bad; partitions--) {
    int16_t error = read16(&r);
    read32(&r);
    int32_t leader = read32(&r);
    read32(&r); /* leaderEpoch */
    for (int list = 0; list < 3; list++) {
      int64_t length = read_length(&r);
      take(&r, length > 0 ? (size_t)length * 4 : 0);
    }
    skip_tags(&r);
    if (error == 0 && leader >= 0) led++;
  }
  return r.bad ? 0 : led;
}

/* Encodes a Fetch of one partition and gives its length. `*offset_at` is where its offset lies. */
static size_t encode_fetch(uint8_t *frame, Text topic, int partition, int max_bytes,
                           size_t *offset_at) {
  Writer w = begin_request(frame, API_FETCH, 0);
  write32(&w, -1);  /* replicaId */
  write32(&w, 500); /* maxWaitMs */
  write32(&w, 0);   /* minBytes */
  write32(&w, max_bytes);
  write8(&w, 0);   /* isolationLevel */
  write32(&w, 0);  /* sessionId */
  write32(&w, -1); /* sessionEpoch: no session */
  write_length(&w, 1);
  write_text(&w, topic);
  write_length(&w, 1);
  write32(&w, partition);
  write32(&w, -1); /* currentLeaderEpoch */
  *offset_at = (size_t)(w.at - frame);
  write64(&w, 0);
  write32(&w, -1); /* lastFetchedEpoch */
  write64(&w, -1); /* logStartOffset */
  write32(&w, max_bytes);
  write_no_tags(&w);
  write_no_tags(&w);
  write_length(&w, 0); /* forgottenTopicsData */
  write_length(&w, 0); /* rackId */
  write_no_tags(&w);
  return end_request(frame, w);
}

typedef struct {
  int16_t error;
  int64_t high_watermark;
  uint8_t *records;
  int64_t length;
} Fetched;

/* Reads the body of a Fetch response for one partition. */
static Fetched decode_fetch(Reader r) {
  Fetched fetched = {0};
  read32(&r); /* throttleTimeMs */
  fetched.error = read16(&r);
  read32(&r); /* sessionId */
  if (fetched.error != 0) return fetched;
  if (read_length(&r) != 1) r.bad = true;
  read_text(&r);
  if (read_length(&r) != 1) r.bad = true;
  read32(&r);
  fetched.error = read16(&r);
  fetched.high_watermark = read64(&r);
  read64(&r); /* lastStableOffset */
  read64(&r); /* logStartOffset */
  int64_t aborted = read_length(&r);
  for (; aborted > 0 && !r.bad; aborted--) take(&r, 16), skip_tags(&r);
  read32(&r); /* preferredReadReplica */
  fetched.length = read_length(&r);
  fetched.records = take(&r, fetched.length > 0 ? (size_t)fetched.length : 0);
  if (r.bad) die("a Fetch response that cannot be read");
  return fetched;
}

static int16_t fetch_error(int connection, uint8_t *buffer, Text topic, int partition) {
  size_t offset_at;
  Writer w = {buffer + encode_fetch(buffer, topic, partition, 1, &offset_at)};
  return decode_fetch(call(connection, buffer, CALL_BYTES, w)).error;
}

/*
 * Makes the topic and waits until every partition answers: a broker may name a leader a moment
 * before that leader knows, and the run itself takes no error for an answer.
 */
static void prepare_topic(int connection, uint8_t *buffer, Text topic, int partitions) {
  const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  check_versions(connection, buffer);
  create_topic(connection, buffer, topic, partitions);
  int attempts = 0;
  while (partitions_led(connection, buffer, topic) != partitions) {
    if (attempts++ == 1000) die("after 10 s the topic has no leader for each partition");
    nanosleep(&pause, NULL);
  }
  for (int partition = 0; partition < partitions; partition++) {
    int16_t error;
    while ((error = fetch_error(connection, buffer, topic, partition)) != 0) {
      if (attempts++ == 1000) die("after 10 s Fetch answers with error %d", error);
      nanosleep(&pause, NULL);
    }
  }
}

#endif
