/* The load generator: connections that each keep a fixed number of messages in flight.
 *
 * Owns    the client side of the echo measurements: connects, sends, checks every byte that comes back, counts.
 * Never   the server, nor what it costs.
 * Always  whatever was sent is awaited before a phase ends; a wrong byte or a closed connection ends the run with 1.
 *
 * usage: load PORT CONNECTIONS DEPTH SIZE HEAD SECONDS WARM CPU
 *   HEAD 4: a message is a 4-byte big-endian length and SIZE bytes; HEAD 0: SIZE bytes. CPU -1: not pinned.
 * speaks: connects, runs WARM seconds, prints "ready"; a line on stdin starts the measurement of SECONDS; prints
 *   {"messages": N, "seconds": S, "cpu": C}; ends when stdin ends. _load_plain.py does the same in Python. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (256 * 1024)

struct connection {
    int fd;
    size_t at;        /* where in a message the next received byte lies */
    size_t out_at;    /* the same for the next byte to send */
    size_t unsent;    /* bytes that the kernel did not take yet */
    size_t in_flight; /* messages sent, or about to be, and not yet back */
    int wants_out;
};

static size_t frame_size;
static char *pattern;       /* the message again and again: READ_SIZE bytes and one message more */
static char *incoming;
static int poller;
static int stopping;        /* nothing new is sent any more */
static uint64_t messages;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(struct connection *c, int out, int op) {
    struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, op, c->fd, &e) < 0) die("epoll_ctl");
    c->wants_out = out;
}

static void send_some(struct connection *c) {
    while (c->unsent) {
        size_t n = c->unsent < READ_SIZE ? c->unsent : READ_SIZE;
        ssize_t sent = send(c->fd, pattern + c->out_at, n, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) die("send");
            break;
        }
        c->unsent -= (size_t)sent;
        c->out_at = (c->out_at + (size_t)sent) % frame_size;
    }
    int out = c->unsent > 0;
    if (out != c->wants_out) watch(c, out, EPOLL_CTL_MOD);
}

static void send_messages(struct connection *c, size_t count) {
    c->in_flight += count;
    c->unsent += count * frame_size;
    send_some(c);
}

static void receive(struct connection *c) {
    ssize_t n = recv(c->fd, incoming, READ_SIZE, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) die("recv");
    if (n == 0) { errno = 0; die("the server closed a connection"); }
    if (memcmp(incoming, pattern + c->at, (size_t)n)) { errno = 0; die("wrong bytes came back"); }
    size_t whole = (c->at + (size_t)n) / frame_size;
    c->at = (c->at + (size_t)n) % frame_size;
    if (whole > c->in_flight) { errno = 0; die("more came back than was sent"); }
    c->in_flight -= whole;
    messages += whole;
    if (whole && !stopping) send_messages(c, whole);
}

static void turn(int timeout_ms) {
    struct epoll_event ready[512];
    int n = epoll_wait(poller, ready, 512, timeout_ms);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int k = 0; k < n; k++) {
        struct connection *c = ready[k].data.ptr;
        if (ready[k].events & EPOLLOUT) send_some(c);
        if (ready[k].events & ~(uint32_t)EPOLLOUT) receive(c);
    }
}

/* Keeps `depth` messages in flight on every connection for that long, then waits for what is still out. */
static void phase(struct connection *all, size_t count, size_t depth, double seconds) {
    double end = now(CLOCK_MONOTONIC) + seconds;
    stopping = 0;
    for (size_t k = 0; k < count; k++) send_messages(&all[k], depth);
    while (now(CLOCK_MONOTONIC) < end) turn(10);
    stopping = 1;
    double limit = now(CLOCK_MONOTONIC) + 10;
    for (;;) {
        size_t out = 0;
        for (size_t k = 0; k < count; k++) out += all[k].in_flight;
        if (!out) return;
        if (now(CLOCK_MONOTONIC) > limit) { errno = ETIMEDOUT; die("messages did not come back"); }
        turn(10);
    }
}

static void open_connection(struct connection *c, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4); /* where it is not allowed, the default stays */
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0) die("fcntl");
    watch(c, 0, EPOLL_CTL_ADD);
}

static void make_pattern(size_t head, size_t size) {
    frame_size = head + size;
    pattern = malloc(READ_SIZE + frame_size);
    incoming = malloc(READ_SIZE);
    if (!pattern || !incoming) die("malloc");
    for (size_t k = 0; k < READ_SIZE + frame_size; k++) {
        size_t at = k % frame_size;
        pattern[k] = (char)(at < head ? (uint32_t)size >> (8 * (3 - at)) : 'a' + (at - head) % 26);
    }
}

int main(int argc, char **argv) {
    if (argc != 9) { fprintf(stderr, "usage: load PORT CONNECTIONS DEPTH SIZE HEAD SECONDS WARM CPU\n"); return 2; }
    int port = atoi(argv[1]), cpu = atoi(argv[8]);
    size_t count = (size_t)atol(argv[2]), depth = (size_t)atol(argv[3]);
    double seconds = atof(argv[6]), warm = atof(argv[7]);
    char line[64];
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) die("sched_setaffinity");
    }
    make_pattern((size_t)atol(argv[5]), (size_t)atol(argv[4]));
    poller = epoll_create1(0);
    struct connection *all = calloc(count, sizeof *all);
    if (poller < 0 || !all) die("set-up");
    for (size_t k = 0; k < count; k++) open_connection(&all[k], port);
    phase(all, count, depth, warm);
    printf("ready\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 0;
    messages = 0;
    double started = now(CLOCK_MONOTONIC), cpu_started = now(CLOCK_PROCESS_CPUTIME_ID);
    phase(all, count, depth, seconds);
    double taken = now(CLOCK_MONOTONIC) - started, cpu_taken = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_started;
    printf("{\"messages\": %llu, \"seconds\": %.9f, \"cpu\": %.9f}\n", (unsigned long long)messages, taken, cpu_taken);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {}
    return 0;
}
