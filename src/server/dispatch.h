// From a request to its answer: looks the route up, gives the handler what cweb.h promises, and puts what it left into
// the connection's output.
#pragma once

#include <string>

#include "http/request_reader.h"
#include "http/response_head.h"
#include "runtime/fault_sink.h"
#include "runtime/invoke.h"
#include "runtime/runtime.h"
#include "server/connection.h"
#include "server/management.h"
#include "server/server_metrics.h"

namespace cweb::server {

/// One a loop. Called by the loop's driver.
class Dispatcher {
 public:
  /// `every_answers_headers`: lines that every answer has. They outlive the dispatcher.
  Dispatcher(runtime::Runtime& runtime, runtime::LoopGate& gate, const ServerMetrics& server_metrics,
             LoopMetrics& metrics, std::string_view every_answers_headers)
      : runtime_(runtime),
        gate_(gate),
        clock_(server_metrics.clock()),
        buckets_(server_metrics.buckets()),
        metrics_(metrics),
        every_answers_headers_(every_answers_headers) {}

  struct Outcome {
    bool kept_loop = true;   ///< false: the calling thread owns nothing but the request any more
    bool keep_alive = true;  ///< what the answer told the peer
    /// The answer of a call that lost its loop. The output is not the calling thread's then: the loop's new driver may
    /// be sending what is in it.
    std::string detached_answer;
  };
  /// Answers the complete request in `exchange` into its output.
  Outcome answer(Exchange& exchange, bool keep_alive);
  /// The next request's time does not begin where the last one's ended: there was something else in between.
  void forget_time() { last_end_ = 0; }

 private:
  Outcome call(Exchange& exchange, const runtime::RouteMatch& match, std::string_view path, bool keep_alive);
  Outcome unrouted(const std::string& out, size_t start, bool keep_alive);
  void count_call(runtime::CallCounters& counters, size_t route, const runtime::CallResult& result, int status_digit,
                  uint64_t start);

  runtime::Runtime& runtime_;
  runtime::LoopGate& gate_;
  const TickClock clock_;
  const LatencyBuckets& buckets_;
  LoopMetrics& metrics_;
  const std::string_view every_answers_headers_;
  /// When the last call's answer was made, in ticks: the next request of a pipeline begins there, which saves a look at
  /// the clock. 0: not known.
  uint64_t last_end_ = 0;
};

/// A target without its query.
inline std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

/// What whoever asked is told of a fault. Of `head` only what tells of the connection counts.
void append_fault_answer(std::string& out, http::ResponseHead head, const runtime::FaultAnswer& answer, bool head_only);

/// Is it /mgnt, or below it?
bool is_management_target(std::string_view target);

/// A copy of the complete request, for another thread.
ManagementRequest make_management_request(const http::RequestReader& reader);

/// `further`: header lines besides the answer's own.
void append_management_answer(Exchange& exchange, const ManagementAnswer& answer, bool keep_alive,
                              std::string_view further);
/// The head of one that goes on behind it. It is the last of its connection.
void append_stream_head(Exchange& exchange, const ManagementAnswer& answer, std::string_view further);

}  // namespace cweb::server
