/*
 * The load: requests encoded once and sent again and again, so that next to nothing is measured but
 * the broker. The same program drives the C peer, Samsa and Apache Kafka.
 *
 *   load produce|small|fetch --port N [--pid N] [--topic NAME] [options]
 *
 *   --connections N     1                 --depth N         5   requests in flight on each
 *   --partitions N      1                 --acks 1|0|-1     1
 *   --batch-bytes N     16384  (produce)  --record-bytes N  100 size of a record's value
 *   --bytes N           256 MiB           --seconds S       10  whichever comes first
 *   --warmup-bytes N    0                 batches acknowledged before measuring begins
 *   --max-bytes N       1 MiB  (fetch)    --from tail|start tail
 *   --fill-bytes N      256 MiB (fetch)   produced first, unmeasured
 *   --window-bytes N    16 MiB (fetch)    the part of the log that is read over and over
 *
 * `small` is `produce` with one record in a batch. The topic is made first and deleted afterwards.
 * Prints one line of JSON; `bytes` are those of record batches, and of --pid's process the CPU time
 * is given. Any error code, a response out of order, an offset that is not the one expected or a
 * record batch with a wrong CRC ends the run with a message and exit code 1: a broker that refuses
 * or forgets is not fast.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "client.h"
#include "crc32c.h"
#include "wire.h"

enum { MAX_LANES = 4096, MAX_PARTITIONS = 64, MAX_EVENTS = 256, STALLED_MS = 30000 };

static struct {
  bool fetch, small, from_start;
  int port, pid, connections, partitions, depth, acks;
  int64_t batch_bytes, record_bytes, max_bytes, bytes, warmup_bytes, fill_bytes, window_bytes;
  double seconds;
  const char *topic;
} option = {.connections = 1, .partitions = 1, .depth = 5, .acks = 1, .batch_bytes = 16384,
            .record_bytes = 100, .max_bytes = 1 << 20, .bytes = 256 << 20, .seconds = 10,
            .fill_bytes = 256 << 20, .window_bytes = 16 << 20, .topic = "bench"};

/* One connection. Its requests lie in `ring`, in `depth` equal slots that are sent in turn. */
typedef struct {
  int socket, partition;
  uint8_t *ring, *input;
  size_t input_bytes, have, frame_bytes;
  size_t acks_at, offset_at; /* where these fields lie in a frame */
  int64_t queued, done;      /* requests released for sending, and finished */
  int64_t sent_bytes;
  int64_t offset;            /* produce: the end known so far; fetch: where to read next */
  bool blocked, barrier, checked;
} Lane;

typedef struct {
  int64_t requests, bytes;
  double time, server_cpu, client_cpu;
} Mark;

static Text topic;
static uint8_t *batch; /* what every produce request carries */
static int64_t batch_bytes, batch_records;
static int64_t acknowledged[MAX_PARTITIONS], log_end[MAX_PARTITIONS]; /* in records */
static int epoll;
static int64_t done_requests, done_bytes;

static uint8_t *allocate(size_t size) {
  uint8_t *memory = calloc(1, size);
  if (memory == NULL) die("out of memory");
  return memory;
}

/* ---- measuring ---- */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* User and system seconds of the broker's process, all its threads, from /proc/PID/stat. */
static double server_cpu(void) {
  if (option.pid == 0) return 0;
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", option.pid);
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length <= 0) die("process %d is gone", option.pid);
  close(file);
  text[length] = 0;
  long user, kernel; /* fields 14 and 15; the name before them may hold spaces, not the last ')' */
  if (sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
             &kernel) != 2)
    die("%s cannot be read", path);
  return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static Mark mark(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double client_cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return (Mark){done_requests, done_bytes, now(), server_cpu(), client_cpu};
}

static void print_result(Mark from, Mark to) {
  double seconds = to.time - from.time, cpu = to.server_cpu - from.server_cpu;
  int64_t bytes = to.bytes - from.bytes, requests = to.requests - from.requests;
  printf("{\"requests\":%lld,\"bytes\":%lld,\"seconds\":%.4f,\"mbPerSecond\":%.1f,"
         "\"requestsPerSecond\":%.0f,\"serverCpuSeconds\":%.2f,\"serverCpuSecondsPerGb\":%.3f,"
         "\"serverCpuMicrosPerRequest\":%.2f,\"clientCpuSeconds\":%.3f}\n",
         (long long)requests, (long long)bytes, seconds, (double)bytes / 1e6 / seconds,
         (double)requests / seconds, cpu, cpu / ((double)bytes / 1e9), cpu * 1e6 / (double)requests,
         to.client_cpu - from.client_cpu);
}

/* ---- encoding ---- */

static void write_zigzag(Writer *w, int32_t v) {
  write_varint(w, (uint32_t)v << 1 ^ (uint32_t)(v >> 31));
}

/* One record with no key, no headers and a value of printable bytes. */
static void write_record(Writer *w, int32_t number, int64_t value_bytes) {
  static uint32_t noise = 1;
  uint8_t head[32];
  Writer h = {head};
  write8(&h, 0);       /* attributes */
  write_zigzag(&h, 0); /* timestampDelta */
  write_zigzag(&h, number);
  write_zigzag(&h, -1); /* no key */
  write_zigzag(&h, (int32_t)value_bytes);
  size_t head_bytes = (size_t)(h.at - head);
  write_zigzag(w, (int32_t)((int64_t)head_bytes + value_bytes + 1));
  write_bytes(w, head, head_bytes);
  for (int64_t i = 0; i < value_bytes; i++) {
    noise = noise * 1664525 + 1013904223;
    write8(w, (int8_t)(' ' + (noise >> 24) % 95));
  }
  write_zigzag(w, 0); /* headers */
}

/* Builds the batch: records of the size asked for, the last one stretched to fill it. */
static void build_batch(int64_t wanted_bytes, int64_t record_bytes, bool single) {
  enum { RECORD_OVERHEAD = 20 }; /* at the most */
  batch = allocate((size_t)(wanted_bytes + record_bytes) + 1024);
  Writer w = {batch + BATCH_RECORDS};
  for (bool last = false; !last;) {
    int64_t left = wanted_bytes - (w.at - batch);
    last = single || left < 2 * (record_bytes + RECORD_OVERHEAD);
    int64_t value_bytes = last && !single ? left - RECORD_OVERHEAD : record_bytes;
    write_record(&w, (int32_t)batch_records++, value_bytes);
  }
  batch_bytes = w.at - batch;

  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  int64_t timestamp = (int64_t)time.tv_sec * 1000;
  store64(batch + BATCH_BASE_OFFSET, 0);
  store32(batch + BATCH_LENGTH, (int32_t)(batch_bytes - BATCH_LEADER_EPOCH));
  store32(batch + BATCH_LEADER_EPOCH, -1);
  batch[BATCH_MAGIC] = 2;
  store16(batch + BATCH_ATTRIBUTES, 0);
  store32(batch + BATCH_LAST_OFFSET_DELTA, (int32_t)batch_records - 1);
  store64(batch + BATCH_BASE_TIMESTAMP, timestamp);
  store64(batch + BATCH_MAX_TIMESTAMP, timestamp);
  store64(batch + BATCH_PRODUCER_ID, -1);
  store16(batch + BATCH_PRODUCER_EPOCH, -1);
  store32(batch + BATCH_BASE_SEQUENCE, -1);
  store32(batch + BATCH_RECORD_COUNT, (int32_t)batch_records);
  store32(batch + BATCH_CRC, (int32_t)crc32c(batch + BATCH_ATTRIBUTES,
                                             (size_t)batch_bytes - BATCH_ATTRIBUTES));
}

static size_t encode_produce(uint8_t *frame, int partition, size_t *acks_at) {
  Writer w = begin_request(frame, API_PRODUCE, 0);
  write_null(&w); /* transactionalId */
  *acks_at = (size_t)(w.at - frame);
  write16(&w, (int16_t)option.acks);
  write32(&w, 30000); /* timeoutMs */
  write_length(&w, 1);
  write_text(&w, topic);
  write_length(&w, 1);
  write32(&w, partition);
  write_length(&w, batch_bytes);
  write_bytes(&w, batch, (size_t)batch_bytes);
  for (int i = 0; i < 3; i++) write_no_tags(&w); /* of the partition, the topic, the request */
  return end_request(frame, w);
}

/* ---- lanes ---- */

static void open_lane(Lane *lane, int partition, bool fetch) {
  size_t room = 1024 + (fetch ? 0 : (size_t)batch_bytes);
  int depth = fetch ? 1 : option.depth;
  uint8_t *frame = allocate(room);
  *lane = (Lane){.socket = connect_to(option.port), .partition = partition};
  lane->input_bytes = fetch ? (size_t)option.max_bytes + (1 << 21) : 256 << 10;
  lane->input = allocate(lane->input_bytes);
  lane->frame_bytes =
      fetch ? encode_fetch(frame, topic, partition, (int)option.max_bytes, &lane->offset_at)
            : encode_produce(frame, partition, &lane->acks_at);
  lane->ring = allocate(lane->frame_bytes * (size_t)depth);
  for (int i = 0; i < depth; i++)
    memcpy(lane->ring + lane->frame_bytes * (size_t)i, frame, lane->frame_bytes);
  free(frame);
  fcntl(lane->socket, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, lane->socket, &event) < 0) die("epoll_ctl");
}

static void close_lane(Lane *lane) {
  close(lane->socket);
  free(lane->ring);
  free(lane->input);
}

static uint8_t *slot(Lane *lane, int64_t number, int depth) {
  return lane->ring + lane->frame_bytes * (size_t)(number % depth);
}

/* Releases the next request: its slot is free, because what lay there has been answered. */
static uint8_t *queue(Lane *lane, int depth) {
  uint8_t *frame = slot(lane, lane->queued, depth);
  store32(frame + REQUEST_CORRELATION_ID, (int32_t)lane->queued);
  lane->queued++;
  return frame;
}

/* Sends what is queued, as far as the socket takes it. */
static void transmit(Lane *lane, int depth) {
  int64_t ring_bytes = (int64_t)lane->frame_bytes * depth;
  int64_t queued_bytes = lane->queued * (int64_t)lane->frame_bytes;
  bool full = false;
  while (lane->sent_bytes < queued_bytes && !full) {
    int64_t at = lane->sent_bytes % ring_bytes, length = queued_bytes - lane->sent_bytes;
    if (length > ring_bytes - at) length = ring_bytes - at;
    ssize_t sent = send(lane->socket, lane->ring + at, (size_t)length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) die("send: %s", strerror(errno));
    full = sent < length;
    if (sent > 0) lane->sent_bytes += sent;
  }
  if (full == lane->blocked) return;
  lane->blocked = full;
  struct epoll_event event = {.events = full ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = lane};
  epoll_ctl(epoll, EPOLL_CTL_MOD, lane->socket, &event);
}

/* Reads once, and hands every complete response's body to `take_body`. */
static void receive(Lane *lane, void (*take_body)(Lane *, Reader)) {
  ssize_t got = recv(lane->socket, lane->input + lane->have, lane->input_bytes - lane->have, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) die("the broker closed the connection");
  lane->have += (size_t)got;
  uint8_t *at = lane->input, *end = lane->input + lane->have;
  while (end - at >= 8) {
    size_t size = 4 + (size_t)(uint32_t)load32(at);
    if (size > lane->input_bytes) die("a response of %zu bytes", size);
    if ((size_t)(end - at) < size) break;
    int32_t id = load32(at + RESPONSE_CORRELATION_ID);
    if (id != (int32_t)lane->done) die("response %d where %d was due", id, (int)lane->done);
    Reader body = {at + 8, at + size, false};
    skip_tags(&body);
    take_body(lane, body);
    at += size;
  }
  lane->have = (size_t)(end - at);
  if (at != lane->input) memmove(lane->input, at, lane->have);
}

/* ---- produce ---- */

static void count_produced(Lane *lane) {
  lane->done++;
  acknowledged[lane->partition] += batch_records;
  done_requests++;
  done_bytes += batch_bytes;
}

static void take_produced(Lane *lane, Reader r) {
  if (read_length(&r) != 1) r.bad = true;
  read_text(&r);
  if (read_length(&r) != 1) r.bad = true;
  int32_t partition = read32(&r);
  int16_t error = read16(&r);
  int64_t base_offset = read64(&r);
  if (r.bad || partition != lane->partition) die("a Produce response that cannot be read");
  if (error != 0) die("Produce: error %d", error);
  if (base_offset < lane->offset) die("offset %lld again", (long long)base_offset);
  lane->offset = base_offset + batch_records;
  if (lane->offset > log_end[partition]) log_end[partition] = lane->offset;
  count_produced(lane);
}

/* Without acknowledgements a request is done when it is sent; only the barrier has a response. */
static void count_sent(Lane *lane) {
  while (lane->sent_bytes >= (lane->done + 1) * (int64_t)lane->frame_bytes) count_produced(lane);
}

/* Keeps a lane's pipeline full; once `stopping`, lets it run dry. True when it has. */
static bool push(Lane *lane, bool stopping) {
  if (option.acks != 0) {
    while (!stopping && lane->queued - lane->done < option.depth) queue(lane, option.depth);
    transmit(lane, option.depth);
    return lane->done == lane->queued;
  }
  if (lane->barrier) {
    transmit(lane, option.depth);
    return lane->done == lane->queued;
  }
  transmit(lane, option.depth);
  count_sent(lane);
  if (!stopping) {
    while (lane->queued - lane->done < option.depth) queue(lane, option.depth);
    transmit(lane, option.depth);
    count_sent(lane);
    /* The socket took all there was: come back as soon as it takes more. */
    if (!lane->blocked) {
      struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = lane};
      epoll_ctl(epoll, EPOLL_CTL_MOD, lane->socket, &event);
      lane->blocked = true;
    }
  } else if (lane->done == lane->queued) {
    /* An acknowledged request behind the others says that all of them have been dealt with. */
    store16(slot(lane, lane->queued, option.depth) + lane->acks_at, 1);
    queue(lane, option.depth);
    lane->barrier = true;
    transmit(lane, option.depth);
  }
  return false;
}

/* The log is as long as what was acknowledged: nothing is lost and nothing doubled. */
static void check_offsets(void) {
  for (int i = 0; i < option.partitions; i++)
    if (log_end[i] != acknowledged[i])
      die("partition %d ends at %lld after %lld records", i, (long long)log_end[i],
          (long long)acknowledged[i]);
}

static void produce(int connections, int64_t warmup, int64_t bytes, double seconds, Mark *from,
                    Mark *to) {
  Lane *lanes = (Lane *)allocate((size_t)connections * sizeof *lanes);
  for (int i = 0; i < connections; i++) open_lane(&lanes[i], i % option.partitions, false);
  bool started = warmup == 0, stopping = false;
  *from = mark();
  for (int i = 0; i < connections; i++) push(&lanes[i], false);
  for (int running = connections; running > 0;) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(epoll, events, MAX_EVENTS, STALLED_MS);
    if (ready <= 0) die("nothing happened for %d s", STALLED_MS / 1000);
    for (int i = 0; i < ready; i++) {
      Lane *lane = events[i].data.ptr;
      if (events[i].events & ~(uint32_t)EPOLLOUT) receive(lane, take_produced);
      push(lane, stopping);
    }
    if (!started && done_bytes >= warmup) started = true, *from = mark();
    if (started && !stopping &&
        (done_bytes - from->bytes >= bytes || now() - from->time >= seconds)) {
      stopping = true;
      *to = mark();
    }
    if (!stopping) continue;
    running = 0;
    for (int i = 0; i < connections; i++) running += !push(&lanes[i], true);
  }
  if (option.acks == 0) *to = mark();
  check_offsets();
  for (int i = 0; i < connections; i++) close_lane(&lanes[i]);
  free(lanes);
}

/* ---- fetch ---- */

static int64_t window_start(int partition) {
  int64_t window_records = option.window_bytes / batch_bytes * batch_records;
  return option.from_start ? 0 : log_end[partition] - window_records;
}

static void ask(Lane *lane) {
  int64_t window_records = option.window_bytes / batch_bytes * batch_records;
  int64_t start = window_start(lane->partition);
  if (lane->offset >= start + window_records) lane->offset = start;
  store64(queue(lane, 1) + lane->offset_at, lane->offset);
  transmit(lane, 1);
}

static void take_fetched(Lane *lane, Reader r) {
  Fetched fetched = decode_fetch(r);
  if (fetched.error != 0) die("Fetch: error %d", fetched.error);
  int64_t whole = fetched.length / batch_bytes; /* a cut batch at the end is of no use */
  if (whole < 1) die("Fetch: no batch at offset %lld", (long long)lane->offset);
  /* All batches of a first response are checked, of later ones the first. */
  for (int64_t i = 0; i < (lane->checked ? 1 : whole); i++) {
    uint8_t *at = fetched.records + i * batch_bytes;
    if (load64(at) != lane->offset + i * batch_records || at[BATCH_MAGIC] != 2)
      die("Fetch: not the batch at offset %lld", (long long)(lane->offset + i * batch_records));
    if (!lane->checked && memcmp(at + BATCH_MAGIC, batch + BATCH_MAGIC,
                                 (size_t)batch_bytes - BATCH_MAGIC) != 0)
      die("Fetch: the batch at offset %lld is not as it was sent", (long long)load64(at));
  }
  lane->checked = true;
  lane->offset += whole * batch_records;
  lane->done++;
  done_requests++;
  done_bytes += whole * batch_bytes;
}

static void fetch(Mark *from, Mark *to) {
  Lane *lanes = (Lane *)allocate((size_t)option.connections * sizeof *lanes);
  done_requests = done_bytes = 0;
  for (int i = 0; i < option.connections; i++) {
    open_lane(&lanes[i], i % option.partitions, true);
    if (window_start(i % option.partitions) < 0) die("the window is larger than the log");
    lanes[i].offset = window_start(i % option.partitions);
  }
  bool started = option.warmup_bytes == 0;
  *from = mark();
  for (int i = 0; i < option.connections; i++) ask(&lanes[i]);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(epoll, events, MAX_EVENTS, STALLED_MS);
    if (ready <= 0) die("nothing happened for %d s", STALLED_MS / 1000);
    for (int i = 0; i < ready; i++) {
      Lane *lane = events[i].data.ptr;
      receive(lane, take_fetched);
      if (lane->done == lane->queued) ask(lane);
    }
    if (!started && done_bytes >= option.warmup_bytes) started = true, *from = mark();
    if (!started) continue;
    if (done_bytes - from->bytes >= option.bytes || now() - from->time >= option.seconds) break;
  }
  *to = mark();
  for (int i = 0; i < option.connections; i++) close_lane(&lanes[i]);
  free(lanes);
}

/* ---- options ---- */

static void read_options(int count, char **arguments) {
  static const struct option known[] = {
      {"port", 1, 0, 'p'},         {"pid", 1, 0, 'i'},          {"topic", 1, 0, 't'},
      {"connections", 1, 0, 'c'},  {"partitions", 1, 0, 'n'},   {"depth", 1, 0, 'd'},
      {"acks", 1, 0, 'a'},         {"batch-bytes", 1, 0, 'b'},  {"record-bytes", 1, 0, 'r'},
      {"max-bytes", 1, 0, 'm'},    {"bytes", 1, 0, 'B'},        {"warmup-bytes", 1, 0, 'W'},
      {"fill-bytes", 1, 0, 'F'},   {"window-bytes", 1, 0, 'w'}, {"seconds", 1, 0, 's'},
      {"from", 1, 0, 'f'},         {0, 0, 0, 0}};
  const char *mode = count > 1 ? arguments[1] : "";
  option.fetch = strcmp(mode, "fetch") == 0;
  option.small = strcmp(mode, "small") == 0;
  if (!option.fetch && !option.small && strcmp(mode, "produce") != 0)
    die("usage: load produce|small|fetch --port N ...; the head of load.c has the options");
  optind = 2;
  for (int c; (c = getopt_long(count, arguments, "", known, NULL)) != -1;) {
    int64_t number = c == '?' ? 0 : atoll(optarg);
    switch (c) {
      case 'p': option.port = (int)number; break;
      case 'i': option.pid = (int)number; break;
      case 't': option.topic = optarg; break;
      case 'c': option.connections = (int)number; break;
      case 'n': option.partitions = (int)number; break;
      case 'd': option.depth = (int)number; break;
      case 'a': option.acks = (int)number; break;
      case 'b': option.batch_bytes = number; break;
      case 'r': option.record_bytes = number; break;
      case 'm': option.max_bytes = number; break;
      case 'B': option.bytes = number; break;
      case 'W': option.warmup_bytes = number; break;
      case 'F': option.fill_bytes = number; break;
      case 'w': option.window_bytes = number; break;
      case 's': option.seconds = atof(optarg); break;
      case 'f': option.from_start = strcmp(optarg, "start") == 0; break;
      default: exit(2);
    }
  }
  if (option.port == 0) die("--port is missing");
  if (option.connections < 1 || option.connections > MAX_LANES || option.partitions < 1 ||
      option.partitions > MAX_PARTITIONS || option.depth < 1 || option.record_bytes < 1)
    die("--connections, --partitions, --depth or --record-bytes is out of range");
  if (!option.small && option.batch_bytes < 2 * option.record_bytes + 200)
    die("--batch-bytes must hold two records");
}

int main(int count, char **arguments) {
  read_options(count, arguments);
  crc32c_prepare();
  topic = (Text){(const uint8_t *)option.topic, strlen(option.topic)};
  epoll = epoll_create1(EPOLL_CLOEXEC);
  build_batch(option.small ? 0 : option.batch_bytes, option.record_bytes, option.small);

  uint8_t *buffer = allocate(CALL_BYTES);
  int control = connect_to(option.port);
  prepare_topic(control, buffer, topic, option.partitions);
  Mark from, to;
  if (option.fetch) {
    produce(option.partitions, 0, option.fill_bytes, 60, &from, &to);
    fetch(&from, &to);
  } else {
    produce(option.connections, option.warmup_bytes, option.bytes, option.seconds, &from, &to);
  }
  delete_topic(control, buffer, topic);
  print_result(from, to);
}
