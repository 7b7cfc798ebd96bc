// Every open socket of the server, by what modules know it by and by its path. What module code does with sockets comes
// in here, on any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/retirer.h"
#include "runtime/websocket_host.h"
#include "server/socket_handles.h"
#include "server/websocket.h"

namespace cweb::server {

/// While it lives it is the process's WebSocketHost.
class SocketDirectory final : public runtime::WebSocketHost {
 public:
  explicit SocketDirectory(runtime::Retirer& retirer);
  ~SocketDirectory() override;

  uint64_t next_id() { return ids_.fetch_add(1, std::memory_order_relaxed) + 1; }
  /// Gives it a handle; from here on others can send to it. False when there is no memory for one.
  bool add(const std::shared_ptr<WebSocket>& socket, int client_fd);
  /// Others do not see it any more; its handle still leads to it.
  void leave(const WebSocket& socket);
  /// The handle leads nowhere from here on.
  void forget(WebSocket& socket);

  /// Around a call of on_open: what request() says on this thread.
  static void show_request(const websocket* handle, http_request* request);

  int send(const websocket* socket, Kind kind, std::string_view message) override;
  int close(const websocket* socket, uint16_t code, std::string_view reason) override;
  int broadcast(std::string_view path, Kind kind, std::string_view message) override;
  int count(std::string_view path) override;
  websocket* next(std::string_view path, const websocket* previous) override;
  void set_data(const websocket* socket, void* data) override;
  void* data(const websocket* socket) override;
  bool is_binary(const websocket* socket) override;
  int close_code(const websocket* socket) override;
  const char* path(const websocket* socket) override;
  const char* protocol(const websocket* socket) override;
  const char* param(const websocket* socket, const char* name) override;
  http_request* request(const websocket* socket) override;

 private:
  /// What a module may still be looking at when its socket is gone.
  struct Remains {
    std::shared_ptr<const WebSocket::Opening> opening;
    std::shared_ptr<runtime::ModuleVersion> data_owner;
    int64_t since_ms;  ///< monotonic
  };
  void bury(Remains remains);

  using Sockets = std::map<uint64_t, std::shared_ptr<WebSocket>>;  // by id: the longest open first
  std::atomic<uint64_t> ids_{0};
  SocketHandles handles_;
  runtime::Retirer& retirer_;
  std::mutex mutex_;
  std::unordered_map<std::string, Sockets> by_path_;  // guarded by mutex_
  std::deque<Remains> graveyard_;                     // guarded by mutex_; the oldest first
};

}  // namespace cweb::server
