// The functions of cweb.h that have to do with sockets. What they are given is looked at here; the rest is the host's.
#include <cweb.h>

#include <atomic>
#include <cstring>
#include <new>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/websocket_host.h"

namespace cweb::runtime {
namespace {

std::atomic<WebSocketHost*> the_host{nullptr};

WebSocketHost* host_for(const void* argument) {
  return argument == nullptr ? nullptr : the_host.load(std::memory_order_acquire);
}

using Kind = WebSocketHost::Kind;

/// More is a length that was computed wrong, such as the -1 of a snprintf that failed.
constexpr size_t longest_message = size_t{1} << 30;

bool is_message(const void* message, size_t length) {
  return length <= longest_message && (message != nullptr || length == 0);
}

/// An exception must not meet the module's frames.
template <class Call>
int or_failed(const Call& call) {
  const HostSection section;
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

int send(websocket* socket, Kind kind, const void* message, size_t length) {
  WebSocketHost* const host = host_for(socket);
  if (host == nullptr || !is_message(message, length)) return -1;
  read_through(message, length);
  return or_failed([&] { return host->send(socket, kind, {static_cast<const char*>(message), length}); });
}

int broadcast(const char* path, Kind kind, const void* message, size_t length) {
  WebSocketHost* const host = host_for(path);
  if (host == nullptr || !is_message(message, length)) return -1;
  read_through(path);
  read_through(message, length);
  return or_failed([&] { return host->broadcast(path, kind, {static_cast<const char*>(message), length}); });
}

/// Those that RFC 6455, 7.4 leaves to who closes: not the ones that say what the protocol's own side has seen.
bool may_close_with(int code) {
  return code == 1000 || code == 1001 || code == 1003 || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

constexpr size_t longest_reason = 123;

}  // namespace

void set_websocket_host(WebSocketHost* host) {
  the_host.store(host, std::memory_order_release);
}

int send_text(websocket* socket, const char* message, size_t length) {
  return send(socket, Kind::text, message, length);
}

int close_normally(websocket* socket) {
  return cweb_ws_close(socket, 1000, nullptr);
}

}  // namespace cweb::runtime

namespace host = cweb::runtime;

int cweb_ws_send_binary(websocket* ws, const void* message, size_t length) {
  return host::send(ws, host::Kind::binary, message, length);
}

int cweb_ws_close(websocket* ws, int code, const char* reason) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const size_t length = reason == nullptr ? 0 : strnlen(reason, host::longest_reason + 1);
  if (sockets == nullptr || !host::may_close_with(code) || length > host::longest_reason) return -1;
  const host::HostSection section;
  return sockets->close(ws, static_cast<uint16_t>(code), {reason == nullptr ? "" : reason, length});
}

int cweb_ws_broadcast(const char* path, const char* message, size_t length) {
  return host::broadcast(path, host::Kind::text, message, length);
}

int cweb_ws_broadcast_binary(const char* path, const void* message, size_t length) {
  return host::broadcast(path, host::Kind::binary, message, length);
}

int cweb_ws_count(const char* path) {
  host::WebSocketHost* const sockets = host::host_for(path);
  if (sockets == nullptr) return 0;
  host::read_through(path);
  const host::HostSection section;
  return sockets->count(path);
}

websocket* cweb_ws_next(const char* path, websocket* previous) {
  host::WebSocketHost* const sockets = host::host_for(path);
  if (sockets == nullptr) return nullptr;
  host::read_through(path);
  const host::HostSection section;
  return sockets->next(path, previous);
}

void cweb_ws_set_data(websocket* ws, void* data) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  if (sockets == nullptr) return;
  const host::HostSection section;
  sockets->set_data(ws, data);
}

void* cweb_ws_get_data(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets == nullptr ? nullptr : sockets->data(ws);
}

int cweb_ws_close_code(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets == nullptr ? 0 : sockets->close_code(ws);
}

int cweb_ws_is_binary(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets != nullptr && sockets->is_binary(ws) ? 1 : 0;
}

const char* cweb_ws_path(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets == nullptr ? "" : sockets->path(ws);
}

const char* cweb_ws_param(websocket* ws, const char* name) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  if (sockets == nullptr || name == nullptr) return nullptr;
  host::read_through(name);
  const host::HostSection section;
  return sockets->param(ws, name);
}

const char* cweb_ws_protocol(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets == nullptr ? "" : sockets->protocol(ws);
}

http_request* cweb_ws_request(websocket* ws) {
  host::WebSocketHost* const sockets = host::host_for(ws);
  const host::HostSection section;
  return sockets == nullptr ? nullptr : sockets->request(ws);
}

namespace cweb::runtime {

std::span<const HostSymbol> websocket_functions() {
  static const HostSymbol functions[] = {
      host_function("cweb_ws_send_binary", cweb_ws_send_binary),
      host_function("cweb_ws_close", cweb_ws_close),
      host_function("cweb_ws_broadcast", cweb_ws_broadcast),
      host_function("cweb_ws_broadcast_binary", cweb_ws_broadcast_binary),
      host_function("cweb_ws_count", cweb_ws_count),
      host_function("cweb_ws_next", cweb_ws_next),
      host_function("cweb_ws_set_data", cweb_ws_set_data),
      host_function("cweb_ws_get_data", cweb_ws_get_data),
      host_function("cweb_ws_close_code", cweb_ws_close_code),
      host_function("cweb_ws_is_binary", cweb_ws_is_binary),
      host_function("cweb_ws_path", cweb_ws_path),
      host_function("cweb_ws_param", cweb_ws_param),
      host_function("cweb_ws_protocol", cweb_ws_protocol),
      host_function("cweb_ws_request", cweb_ws_request),
  };
  return functions;
}

}  // namespace cweb::runtime
