/* What the floors share: a listener on the loopback address, and epoll. */
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static inline void give_up(const char* what) {
  perror(what);
  exit(1);
}

/* Not blocking; its connections inherit TCP_NODELAY. */
static inline int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 4096) != 0)
    give_up("floor: listen");
  return listener;
}

static inline void watch(int epoll, int descriptor, epoll_data_t data) {
  struct epoll_event event = {.events = EPOLLIN, .data = data};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("floor: epoll_ctl");
}
