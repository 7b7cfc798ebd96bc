// What the functions of cweb.h that take a socket, or a socket's path, come down to. The server has the sockets; module
// code reaches them through this. Any thread, at any time: a socket that is gone answers -1, null or 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

struct http_request;
struct websocket;

namespace cweb::runtime {

class WebSocketHost {
 public:
  enum class Kind { text, binary };

  virtual ~WebSocketHost() = default;

  virtual int send(const websocket* socket, Kind kind, std::string_view message) = 0;
  /// `code` is one that an endpoint may send, `reason` at most 123 bytes.
  virtual int close(const websocket* socket, uint16_t code, std::string_view reason) = 0;
  virtual int broadcast(std::string_view path, Kind kind, std::string_view message) = 0;
  virtual int count(std::string_view path) = 0;
  /// The one that was opened next after `previous`, or first.
  virtual websocket* next(std::string_view path, const websocket* previous) = 0;
  virtual void set_data(const websocket* socket, void* data) = 0;
  virtual void* data(const websocket* socket) = 0;
  virtual bool is_binary(const websocket* socket) = 0;
  // Texts that stay while the socket is open, and then until this thread has been told of 16 others.
  virtual const char* path(const websocket* socket) = 0;
  virtual const char* protocol(const websocket* socket) = 0;
  virtual const char* param(const websocket* socket, const char* name) = 0;
  /// Of the call that this thread is inside of.
  virtual http_request* request(const websocket* socket) = 0;
};

/// The one host of the process; null when there is none. It outlives every call into a module.
void set_websocket_host(WebSocketHost* host);

// The function pointers of a struct websocket.
int send_text(websocket* socket, const char* message, size_t length);
int close_normally(websocket* socket);

}  // namespace cweb::runtime
