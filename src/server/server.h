// The HTTP server: listening sockets, one loop for each thread asked for, management calls on threads of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/listener.h"
#include "net/tls_credentials.h"
#include "runtime/runtime.h"
#include "server/management.h"
#include "server/server_metrics.h"
#include "server/websocket_options.h"

namespace cweb::server {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;                                 ///< 0: the kernel picks one
  int threads = 0;                                      ///< loops; 0: one for each core
  net::Listeners listeners;                             ///< bound already, a loop for each; none: host and port are
  size_t max_connections = 1024;                        ///< of all loops together; one more is answered with a 503
  size_t max_body_bytes = size_t{1} << 20;              ///< of a request to a module
  size_t max_management_body_bytes = size_t{16} << 20;  ///< of a request to /mgnt
  bool asks_management_for_root = false;                ///< GET / goes there too while no module has the path
  WebSocketOptions websockets;
  /// Null: plain HTTP. Outlives the server.
  const net::TlsCredentials* tls = nullptr;
  net::Listeners redirect_listeners;          ///< of plain HTTP, a loop for each: they lead to HTTPS; may be none
  std::optional<uint32_t> hsts_seconds = {};  ///< of Strict-Transport-Security on every answer; with TLS only
};

class AccessLog;

class Server {
 public:
  /// `access_log` may be null: then none is written.
  /// Binds and listens; the port is known afterwards. Whatever is passed by reference outlives the server.
  static Expected<std::unique_ptr<Server>> create(ServerOptions options, runtime::Runtime& runtime,
                                                  ManagementHandler& management, ServerMetrics& metrics,
                                                  AccessLog* access_log = nullptr);
  virtual ~Server() = default;

  virtual uint16_t port() const = 0;
  virtual const std::string& host() const = 0;
  virtual bool speaks_https() const = 0;
  /// Of the redirecting sockets; 0: there are none.
  virtual uint16_t redirect_port() const = 0;
  /// Requests are answered from here on. Returns at once.
  virtual void start() = 0;
  /// Stops accepting, finishes what is running (at most `grace`), closes every connection, ends the loops. Blocks.
  /// False when calls into modules are still running: the process can then only exit without destroying anything.
  virtual bool stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace cweb::server
