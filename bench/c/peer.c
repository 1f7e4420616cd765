/*
 * The yardstick: a broker's produce and fetch paths in C with nothing around them.
 *
 *   peer FOLDER [PORT]        prints "listening PORT" when ready; ends with SIGTERM
 *
 * One thread, epoll, level-triggered. Per read event it takes all complete frames, checks each
 * batch's CRC32C, assigns its offset in place, and then makes one vectored append per log touched
 * and one socket write: what acks=1 means in a broker with a single replica and no fsync. A fetch
 * within the last TAIL_BYTES of a log is sent from memory (the mapped file), an older one is read
 * into a buffer first; sendfile was tried and was no faster here. It answers the handshake that
 * load.c makes and nothing else; what a broker does for safety (validation beyond the CRC, indexes
 * on disk, recovery, idle connections) is missing on purpose. It marks what the machine can do, not
 * what a broker should do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crc32c.h"
#include "wire.h"

enum {
  TAIL_BYTES = 32 << 20,
  INPUT_BYTES = 4 << 20,
  OUTPUT_BYTES = 1 << 20,
  RESPONSE_BYTES = 4 << 10, /* no response of ours is longer, records apart */
  MAX_STAGED = 1024,        /* IOV_MAX */
  MAX_LOGS = 1024,
  MAX_EVENTS = 256,
};

static const size_t MAP_BYTES = (size_t)64 << 30;

typedef struct {
  int64_t offset, position;
} Place;

/* One partition: a file of batches and where each of them begins. */
typedef struct {
  char name[256];
  size_t name_length;
  int32_t partition;
  int file;
  int64_t end_offset, size;
  Place *places;
  size_t place_count, place_capacity;
  struct iovec staged[MAX_STAGED];
  int staged_count;
  uint8_t *map;
} Log;

typedef struct {
  int socket;
  bool blocked;
  uint8_t *input, *output;
  size_t input_start, input_end;
  Writer out;
  uint8_t *cold; /* records read from a file, allocated when first needed */
  size_t cold_bytes;
  struct iovec pieces[3]; /* output so far, fetched records, what follows them */
  int piece, piece_count;
} Connection;

static const char *folder;
static int epoll, port;
static Log *logs[MAX_LOGS];
static int log_count;
static Log *dirty[MAX_LOGS];
static int dirty_count;

static void *allocate(size_t size) {
  void *memory = calloc(1, size);
  if (memory == NULL) die("out of memory");
  return memory;
}

/* ---- logs ---- */

static Log *find_log(Text name, int32_t partition) {
  for (int i = 0; i < log_count; i++) {
    Log *log = logs[i];
    if (log->partition == partition && log->name_length == name.length &&
        memcmp(log->name, name.bytes, name.length) == 0)
      return log;
  }
  return NULL;
}

static void log_path(const Log *log, char *path, size_t size) {
  snprintf(path, size, "%s/%s-%d.log", folder, log->name, log->partition);
}

static void create_log(Text name, int32_t partition) {
  if (log_count == MAX_LOGS || name.length >= sizeof logs[0]->name) die("too many or too long");
  Log *log = logs[log_count++] = allocate(sizeof *log);
  memcpy(log->name, name.bytes, name.length);
  log->name_length = name.length;
  log->partition = partition;
  char path[4096];
  log_path(log, path, sizeof path);
  log->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log->file < 0) die("%s: %s", path, strerror(errno));
}

static void delete_logs(Text name) {
  int kept = 0;
  for (int i = 0; i < log_count; i++) {
    Log *log = logs[i];
    if (log->name_length != name.length || memcmp(log->name, name.bytes, name.length) != 0) {
      logs[kept++] = log;
      continue;
    }
    char path[4096];
    log_path(log, path, sizeof path);
    unlink(path);
    close(log->file);
    if (log->map != NULL) munmap(log->map, MAP_BYTES);
    free(log->places);
    free(log);
  }
  log_count = kept;
}

static void write_staged(Log *log) {
  struct iovec *vector = log->staged;
  int count = log->staged_count;
  while (count > 0) {
    ssize_t written = writev(log->file, vector, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) die("append to %s: %s", log->name, strerror(errno));
    while (count > 0 && (size_t)written >= vector->iov_len) {
      written -= (ssize_t)vector->iov_len;
      vector++, count--;
    }
    if (count > 0) {
      vector->iov_base = (uint8_t *)vector->iov_base + written;
      vector->iov_len -= (size_t)written;
    }
  }
  log->staged_count = 0;
}

static void commit(void) {
  for (int i = 0; i < dirty_count; i++) write_staged(dirty[i]);
  dirty_count = 0;
}

/* Checks and stages one batch; gives Kafka's error code. */
static int16_t append(Log *log, uint8_t *batch, int64_t length, int64_t *base_offset) {
  if (length < BATCH_RECORDS || load32(batch + BATCH_LENGTH) != length - BATCH_LEADER_EPOCH)
    return 87; /* INVALID_RECORD */
  if (batch[BATCH_MAGIC] != 2) return 43; /* UNSUPPORTED_FOR_MESSAGE_FORMAT */
  uint32_t crc = crc32c(batch + BATCH_ATTRIBUTES, (size_t)length - BATCH_ATTRIBUTES);
  if (crc != (uint32_t)load32(batch + BATCH_CRC)) return 2; /* CORRUPT_MESSAGE */

  *base_offset = log->end_offset;
  store64(batch + BATCH_BASE_OFFSET, log->end_offset);
  store32(batch + BATCH_LEADER_EPOCH, 0);
  if (log->place_count == log->place_capacity) {
    log->place_capacity = log->place_capacity * 2 + 1024;
    log->places = realloc(log->places, log->place_capacity * sizeof *log->places);
    if (log->places == NULL) die("out of memory");
  }
  log->places[log->place_count++] = (Place){log->end_offset, log->size};
  log->end_offset += load32(batch + BATCH_LAST_OFFSET_DELTA) + 1;
  log->size += length;

  if (log->staged_count == MAX_STAGED) write_staged(log);
  if (log->staged_count == 0) {
    bool listed = false;
    for (int i = 0; i < dirty_count; i++) listed |= dirty[i] == log;
    if (!listed) dirty[dirty_count++] = log;
  }
  log->staged[log->staged_count++] = (struct iovec){batch, (size_t)length};
  return 0;
}

/* The number of the batch that holds `offset`, or of the one after the last. */
static size_t batch_at(const Log *log, int64_t offset) {
  size_t low = 0, high = log->place_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (log->places[middle].offset <= offset) low = middle + 1;
    else high = middle;
  }
  return offset >= log->end_offset || low == 0 ? log->place_count : low - 1;
}

static int64_t end_of_batch(const Log *log, size_t number) {
  return number + 1 < log->place_count ? log->places[number + 1].position : log->size;
}

/* Whole batches from `offset` on, at least one, within max_bytes. */
static struct iovec read_log(Log *log, int64_t offset, int64_t max_bytes, Connection *reader) {
  size_t first = batch_at(log, offset);
  if (first == log->place_count) return (struct iovec){NULL, 0};
  int64_t start = log->places[first].position;
  size_t low = first, high = log->place_count - 1; /* the last batch that still fits */
  while (low < high) {
    size_t middle = (low + high + 1) / 2;
    if (end_of_batch(log, middle) - start <= max_bytes) low = middle;
    else high = middle - 1;
  }
  size_t length = (size_t)(end_of_batch(log, low) - start);

  if (start < log->size - TAIL_BYTES) {
    if (reader->cold_bytes < length) {
      free(reader->cold);
      reader->cold = allocate(reader->cold_bytes = length);
    }
    if (pread(log->file, reader->cold, length, start) != (ssize_t)length) die("a read was cut");
    return (struct iovec){reader->cold, length};
  }
  if (log->map == NULL) {
    /* Beyond the file's end as well: the log may grow while a piece of the map is being sent. */
    log->map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, log->file, 0);
    if (log->map == MAP_FAILED) die("mmap: %s", strerror(errno));
  }
  return (struct iovec){log->map + start, length};
}

/* ---- requests ---- */

static Reader frame; /* the request being answered, after its header */

static void answer_produce(Writer *out, bool *answered) {
  read_text(&frame); /* transactionalId */
  int16_t acks = read16(&frame);
  read32(&frame); /* timeoutMs */
  Writer w = *out;
  int64_t topics = read_length(&frame);
  write_length(&w, topics);
  for (; topics > 0 && !frame.bad; topics--) {
    Text name = read_text(&frame);
    write_text(&w, name);
    int64_t partitions = read_length(&frame);
    write_length(&w, partitions);
    for (; partitions > 0 && !frame.bad; partitions--) {
      int32_t index = read32(&frame);
      int64_t length = read_length(&frame);
      uint8_t *records = take(&frame, (size_t)length);
      skip_tags(&frame);
      Log *log = find_log(name, index);
      int64_t base_offset = -1;
      int16_t error = 3; /* UNKNOWN_TOPIC_OR_PARTITION */
      if (log != NULL && !frame.bad) error = append(log, records, length, &base_offset);
      write32(&w, index);
      write16(&w, error);
      write64(&w, base_offset);
      write64(&w, -1);     /* logAppendTimeMs */
      write64(&w, 0);      /* logStartOffset */
      write_length(&w, 0); /* recordErrors */
      write_null(&w);      /* errorMessage */
      write_no_tags(&w);
    }
    skip_tags(&frame);
    write_no_tags(&w);
  }
  write32(&w, 0); /* throttleTimeMs */
  write_no_tags(&w);
  *answered = acks != 0;
  *out = w;
}

/* Answers for the first partition asked for; the records go beside the output, as a piece. */
static struct iovec answer_fetch(Writer *w, Connection *reader) {
  take(&frame, 4 + 4 + 4); /* replicaId, maxWaitMs, minBytes */
  int64_t max_bytes = read32(&frame);
  take(&frame, 1 + 4 + 4); /* isolationLevel, sessionId, sessionEpoch */
  if (read_length(&frame) != 1) frame.bad = true;
  Text name = read_text(&frame);
  if (read_length(&frame) != 1) frame.bad = true;
  int32_t index = read32(&frame);
  read32(&frame); /* currentLeaderEpoch */
  int64_t offset = read64(&frame);
  take(&frame, 4 + 8); /* lastFetchedEpoch, logStartOffset */
  int64_t partition_max_bytes = read32(&frame);
  if (partition_max_bytes < max_bytes) max_bytes = partition_max_bytes;

  commit();
  Log *log = find_log(name, index);
  struct iovec records = {NULL, 0};
  if (log != NULL) records = read_log(log, offset, max_bytes, reader);
  write32(w, 0); /* throttleTimeMs */
  write16(w, 0);
  write32(w, 0); /* sessionId */
  write_length(w, 1);
  write_text(w, name);
  write_length(w, 1);
  write32(w, index);
  write16(w, log == NULL ? 3 : 0);
  write64(w, log == NULL ? -1 : log->end_offset); /* highWatermark */
  write64(w, log == NULL ? -1 : log->end_offset); /* lastStableOffset */
  write64(w, 0);                                  /* logStartOffset */
  write_null(w);                                  /* abortedTransactions */
  write32(w, -1);                                 /* preferredReadReplica */
  write_length(w, (int64_t)records.iov_len);
  return records;
}

static void answer_api_versions(Writer *w) {
  write16(w, 0);
  write_length(w, API_COUNT);
  for (int i = 0; i < API_COUNT; i++) {
    write16(w, APIS[i].key);
    write16(w, APIS[i].version);
    write16(w, APIS[i].version);
    write_no_tags(w);
  }
  write32(w, 0);
  write_no_tags(w);
}

static int32_t partitions_of(Text name) {
  int32_t count = 0;
  while (find_log(name, count) != NULL) count++;
  return count;
}

/* Answers for the first topic asked for. */
static void answer_metadata(Writer *w) {
  if (read_length(&frame) != 1) frame.bad = true;
  Text name = read_text(&frame);
  int32_t partitions = partitions_of(name);
  Text host = {(const uint8_t *)"127.0.0.1", 9};
  write32(w, 0);
  write_length(w, 1);
  write32(w, 0); /* nodeId */
  write_text(w, host);
  write32(w, port);
  write_null(w); /* rack */
  write_no_tags(w);
  write_null(w);  /* clusterId */
  write32(w, 0);  /* controllerId */
  write_length(w, 1);
  write16(w, partitions == 0 ? 3 : 0);
  write_text(w, name);
  write8(w, 0); /* isInternal */
  write_length(w, partitions);
  for (int32_t index = 0; index < partitions; index++) {
    write16(w, 0);
    write32(w, index);
    write32(w, 0); /* leaderId */
    write32(w, 0); /* leaderEpoch */
    for (int i = 0; i < 2; i++) write_length(w, 1), write32(w, 0); /* replicas, in sync */
    write_length(w, 0);                                            /* offline */
    write_no_tags(w);
  }
  write32(w, INT32_MIN); /* topicAuthorizedOperations */
  write_no_tags(w);
  write32(w, INT32_MIN); /* clusterAuthorizedOperations */
  write_no_tags(w);
}

static void answer_create_topics(Writer *w) {
  if (read_length(&frame) != 1) frame.bad = true;
  Text name = read_text(&frame);
  int32_t partitions = read32(&frame);
  int16_t error = 0;
  if (frame.bad || partitions < 1 || partitions > 64) error = 37; /* INVALID_PARTITIONS */
  else if (partitions_of(name) > 0) error = 36;                   /* TOPIC_ALREADY_EXISTS */
  else for (int32_t index = 0; index < partitions; index++) create_log(name, index);
  write32(w, 0);
  write_length(w, 1);
  write_text(w, name);
  write16(w, error);
  write_null(w); /* errorMessage */
  write32(w, partitions);
  write16(w, 1);
  write_null(w); /* configs */
  write_no_tags(w);
  write_no_tags(w);
}

static void answer_delete_topics(Writer *w) {
  if (read_length(&frame) != 1) frame.bad = true;
  Text name = read_text(&frame);
  commit();
  int16_t error = partitions_of(name) == 0 ? 3 : 0;
  delete_logs(name);
  write32(w, 0);
  write_length(w, 1);
  write_text(w, name);
  write16(w, error);
  write_no_tags(w);
  write_no_tags(w);
}

/* ---- connections ---- */

/* Answers one frame into the connection's output. False when the connection must be closed. */
static bool answer(Connection *connection, uint8_t *bytes, size_t size) {
  frame = (Reader){bytes, bytes + size, false};
  int16_t key = read16(&frame), version = read16(&frame);
  int32_t correlation_id = read32(&frame);
  int16_t client_id = read16(&frame);
  take(&frame, client_id > 0 ? (size_t)client_id : 0);
  skip_tags(&frame);
  const Api *api = api_of(key);
  if (frame.bad || api == NULL || api->version != version) return false;

  uint8_t *start = connection->out.at;
  Writer w = {start + 4};
  write32(&w, correlation_id);
  if (key != API_VERSIONS) write_no_tags(&w);
  bool answered = true;
  struct iovec records = {NULL, 0};
  switch (key) {
    case API_PRODUCE: answer_produce(&w, &answered); break;
    case API_FETCH: records = answer_fetch(&w, connection); break;
    case API_METADATA: answer_metadata(&w); break;
    case API_VERSIONS: answer_api_versions(&w); break;
    case API_CREATE_TOPICS: answer_create_topics(&w); break;
    case API_DELETE_TOPICS: answer_delete_topics(&w); break;
  }
  if (frame.bad) return false;
  if (!answered) return true;
  connection->out = w;
  size_t length = (size_t)(w.at - start) - 4;
  if (key == API_FETCH) {
    static uint8_t no_tags[3]; /* of the partition, the topic and the response */
    connection->pieces[1] = records;
    connection->pieces[2] = (struct iovec){no_tags, sizeof no_tags};
    connection->piece_count = 3;
    length += records.iov_len + sizeof no_tags;
  }
  store32(start, (int32_t)length);
  return true;
}

/* Answers the complete frames that lie in the input, as far as there is room for responses. */
static bool answer_frames(Connection *connection) {
  connection->out = (Writer){connection->output};
  connection->piece = 0;
  connection->piece_count = 1;
  while (connection->piece_count == 1) {
    size_t have = connection->input_end - connection->input_start;
    uint8_t *at = connection->input + connection->input_start;
    if (have < 4) break;
    int32_t size = load32(at);
    if (size < 0 || size > INPUT_BYTES - 4) return false;
    if (have < 4 + (size_t)size) break;
    if (connection->output + OUTPUT_BYTES - connection->out.at < RESPONSE_BYTES) break;
    if (!answer(connection, at + 4, (size_t)size)) return false;
    connection->input_start += 4 + (size_t)size;
  }
  commit();
  size_t left = (size_t)(connection->out.at - connection->output);
  connection->pieces[0] = (struct iovec){connection->output, left};
  return true;
}

/* Sends what can be sent: 1 when all is gone, 0 when the socket is full, -1 when it is broken. */
static int send_pieces(Connection *connection) {
  for (;;) {
    while (connection->pieces[connection->piece].iov_len == 0)
      if (++connection->piece == connection->piece_count) return 1;
    struct msghdr message = {.msg_iov = connection->pieces + connection->piece,
                             .msg_iovlen = (size_t)(connection->piece_count - connection->piece)};
    ssize_t sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    for (struct iovec *piece = message.msg_iov; sent > 0; piece++) {
      size_t part = (size_t)sent < piece->iov_len ? (size_t)sent : piece->iov_len;
      piece->iov_base = (uint8_t *)piece->iov_base + part;
      piece->iov_len -= part;
      sent -= (ssize_t)part;
    }
  }
}

/* Makes room behind the input for the rest of the frame that has begun. */
static void make_room(Connection *connection) {
  size_t have = connection->input_end - connection->input_start;
  if (have == 0) {
    connection->input_start = connection->input_end = 0;
  } else if (INPUT_BYTES - connection->input_end < INPUT_BYTES / 4) {
    memmove(connection->input, connection->input + connection->input_start, have);
    connection->input_start = 0;
    connection->input_end = have;
  }
}

static void wait_for(Connection *connection, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->socket, &event) < 0) die("epoll_ctl");
}

static void close_connection(Connection *connection) {
  close(connection->socket);
  free(connection->input);
  free(connection->output);
  free(connection->cold);
  free(connection);
}

/* Works through what has arrived. False when the connection is over. */
static bool serve(Connection *connection) {
  if (!connection->blocked) {
    make_room(connection);
    size_t room = INPUT_BYTES - connection->input_end;
    ssize_t got = read(connection->socket, connection->input + connection->input_end, room);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    connection->input_end += (size_t)got;
    if (!answer_frames(connection)) return false;
  }
  for (;;) {
    int sent = send_pieces(connection);
    if (sent < 0) return false;
    if (connection->blocked != (sent == 0)) {
      connection->blocked = sent == 0;
      wait_for(connection, connection->blocked ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
    if (connection->blocked) return true;
    /* A fetch, or a full output, ended the last round before the input was used up. */
    if (!answer_frames(connection)) return false;
    if (connection->pieces[0].iov_len == 0) return true;
  }
}

static void accept_connection(int listener) {
  int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) return;
  int on = 1;
  setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection *connection = allocate(sizeof *connection);
  connection->socket = accepted;
  connection->input = allocate(INPUT_BYTES);
  connection->output = allocate(OUTPUT_BYTES);
  wait_for(connection, EPOLLIN, EPOLL_CTL_ADD);
}

static int listen_on(int wanted) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htobe16((uint16_t)wanted),
                                .sin_addr.s_addr = htobe32(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1024) < 0)
    die("port %d: %s", wanted, strerror(errno));
  getsockname(listener, (struct sockaddr *)&address, &length);
  port = be16toh(address.sin_port);
  return listener;
}

int main(int count, char **arguments) {
  if (count < 2) die("usage: peer FOLDER [PORT]");
  folder = arguments[1];
  crc32c_prepare();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(count > 2 ? atoi(arguments[2]) : 0);
  struct epoll_event readable = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &readable);
  printf("listening %d\n", port);
  fflush(stdout);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(epoll, events, MAX_EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      Connection *connection = events[i].data.ptr;
      if (connection == NULL) accept_connection(listener);
      else if (!serve(connection)) close_connection(connection);
    }
  }
}
