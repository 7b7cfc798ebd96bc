// What one loop counts. Written by the loop's driver alone, read by whoever asks.
#pragma once

#include <array>
#include <cstddef>

#include "base/tally.h"
#include "runtime/call_counters.h"

namespace cweb::server {

/// Statuses of requests that are refused before anybody looks for a route; others are counted in one sum.
inline constexpr std::array<int, 8> refusal_statuses{400, 408, 413, 414, 431, 501, 503, 505};

/// What a connection was waiting for when its time was over.
enum class TimedOut { idle, in_head, in_body, in_write, in_end, pong, close, handshake };
inline constexpr std::array<const char*, 8> timed_out_names{"idle", "head", "body",  "write",
                                                            "end",  "pong", "close", "handshake"};

/// On cache lines that no other loop's share.
struct alignas(64) LoopMetrics {
  Tally accepted;       ///< connections
  Tally closed;         ///< of those accepted
  Tally turned_away;    ///< connections that got a 503 because there were too many
  Tally evicted;        ///< connections that were closed while idle to make room for others
  Tally accept_pauses;  ///< no descriptor was left, and accepting waited
  std::array<Tally, timed_out_names.size()> timed_out;
  std::array<Tally, refusal_statuses.size() + 1> refused;  ///< requests, by status; last those of another status
  Tally full_handshakes;                                   ///< of TLS
  Tally resumed_handshakes;                                ///< that went on with an earlier session
  Tally failed_handshakes;                                 ///< silent peers and plain text included
  Tally redirects;                                         ///< answers of the port that leads to HTTPS
  Tally received_bytes;
  Tally sent_bytes;
  Tally sockets_opened;             ///< WebSockets
  Tally sockets_ended;              ///< of those opened
  Tally socket_messages;            ///< whole messages that were read
  Tally dropped_log_lines;          ///< of the access log, because nobody took them in time
  runtime::StatusTally unrouted;    ///< answers to requests that no route was found for
  runtime::StatusTally management;  ///< answers to /mgnt

  void count_timeout(TimedOut what) { timed_out[static_cast<size_t>(what)].add(); }
  void count_refusal(int status) {
    size_t i = 0;
    while (i < refusal_statuses.size() && refusal_statuses[i] != status) ++i;
    refused[i].add();
  }
};

}  // namespace cweb::server
