// What a request or a message tells whoever reads the report of a fault. Secrets stay out of it.
#pragma once

#include <string_view>

#include "http/request_reader.h"
#include "runtime/fault_sink.h"
#include "runtime/thread_share.h"

namespace cweb::server {

/// What calls of a module that is quarantined are told, and of one whose stuck calls have all the threads it may have.
inline constexpr std::string_view quarantine_sentence =
    "this module is quarantined: it has faulted too often, or its calls were stuck. A new deploy or a restart "
    "brings it back";
inline constexpr std::string_view stuck_sentence =
    "64 calls of this module are stuck: until some of them return it is not called";
static_assert(runtime::ThreadShare::limit == 64);

/// Of a complete request, whose bytes a handler may have changed: method, path, parameters, headers, the first KiB of
/// its body. `path` is the target without its query; what follows it has been cut into parameters.
runtime::FaultContext describe_request(const http::RequestReader& reader, std::string_view path);

/// `callback` is "on_message" or its like.
runtime::FaultContext describe_message(std::string_view callback, std::string_view path, std::string_view message,
                                       bool is_binary);

/// Reports how the last call of this thread ended, unless it was given up and reported before that.
runtime::FaultAnswer report_ended_call(runtime::ModuleVersion& version, const runtime::FaultRecord& fault,
                                       const runtime::FaultContext& context);

}  // namespace cweb::server
