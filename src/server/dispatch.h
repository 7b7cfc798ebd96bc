// From a request to its answer: looks the route up, gives the handler what cweb.h promises, and puts what it left into
// the connection's output.
#pragma once

#include <string>

#include "http/request_reader.h"
#include "http/response_head.h"
#include "runtime/runtime.h"
#include "server/connection.h"
#include "server/management.h"

namespace cweb::server {

/// One a loop. Called by the loop's driver.
class Dispatcher {
 public:
  Dispatcher(runtime::Runtime& runtime, runtime::LoopGate& gate) : runtime_(runtime), gate_(gate) {}

  struct Outcome {
    bool kept_loop = true;   ///< false: the calling thread owns nothing but the request any more
    bool keep_alive = true;  ///< what the answer told the peer
    /// The answer of a call that lost its loop. The output is not the calling thread's then: the loop's new driver may
    /// be sending what is in it.
    std::string detached_answer;
  };
  /// Answers the complete request in `exchange` into its output.
  Outcome answer(Exchange& exchange, bool keep_alive);

 private:
  Outcome call(Exchange& exchange, const runtime::RouteMatch& match, bool keep_alive);

  runtime::Runtime& runtime_;
  runtime::LoopGate& gate_;
};

/// Is it /mgnt, or below it?
bool is_management_target(std::string_view target);

/// A copy of the complete request, for another thread.
ManagementRequest make_management_request(const http::RequestReader& reader);

void append_management_answer(Exchange& exchange, const ManagementAnswer& answer, bool keep_alive);

}  // namespace cweb::server
