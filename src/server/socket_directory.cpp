#include "server/socket_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"

#include "http/utf8_check.h"

namespace cweb::server {
namespace {

struct Shown {
  const websocket* handle = nullptr;
  http_request* request = nullptr;
};
thread_local Shown shown;

constexpr int64_t remains_kept_ms = 60'000;
/// With the longest targets 128 MiB.
constexpr size_t most_remains = 16'384;

bool is_utf8(std::string_view text) {
  http::Utf8Check check;
  return check.take(text) && check.complete();
}

}  // namespace

SocketDirectory::SocketDirectory(runtime::Retirer& retirer) : retirer_(retirer) {
  runtime::set_websocket_host(this);
}

SocketDirectory::~SocketDirectory() {
  runtime::set_websocket_host(nullptr);
}

bool SocketDirectory::add(const std::shared_ptr<WebSocket>& socket, int client_fd) {
  socket->handle = handles_.take(socket, socket->opening.id, client_fd);
  if (socket->handle == nullptr) return false;
  const std::lock_guard lock(mutex_);
  by_path_[socket->opening.path].emplace(socket->opening.id, socket);
  return true;
}

void SocketDirectory::leave(const WebSocket& socket) {
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(socket.opening.path);
  if (found == by_path_.end()) return;
  found->second.erase(socket.opening.id);
  if (found->second.empty()) by_path_.erase(found);
}

void SocketDirectory::forget(WebSocket& socket) {
  leave(socket);
  if (socket.handle == nullptr) return;
  handles_.give_back(std::exchange(socket.handle, nullptr));
  bury({.opening = socket.opening_owner, .data_owner = socket.set_data(nullptr), .since_ms = monotonic_ms()});
}

void SocketDirectory::bury(Remains remains) {
  std::vector<Remains> gone;
  {
    const std::lock_guard lock(mutex_);
    graveyard_.push_back(std::move(remains));
    const int64_t long_ago_ms = graveyard_.back().since_ms - remains_kept_ms;
    while (graveyard_.size() > most_remains || graveyard_.front().since_ms < long_ago_ms) {
      gone.push_back(std::move(graveyard_.front()));
      graveyard_.pop_front();
    }
  }
  for (Remains& old : gone) retirer_.let_go(std::move(old.data_owner));
}

void SocketDirectory::show_request(const websocket* handle, http_request* request) {
  shown = {handle, request};
}

int SocketDirectory::send(const websocket* socket, Kind kind, std::string_view message) {
  if (kind == Kind::text && !is_utf8(message)) return -1;
  const auto found = handles_.find(socket);
  return found ? found->send(kind, message) : -1;
}

int SocketDirectory::close(const websocket* socket, uint16_t code, std::string_view reason) {
  // A client has to fail a connection whose close frame has a reason that is no UTF-8.
  if (!is_utf8(reason)) return -1;
  const auto found = handles_.find(socket);
  return found ? found->close(code, reason) : -1;
}

int SocketDirectory::broadcast(std::string_view path, Kind kind, std::string_view message) {
  if (kind == Kind::text && !is_utf8(message)) return -1;
  Broadcast frames(kind, message);
  // Frames are made and queued without the lock: opening and closing sockets do not wait for it.
  std::vector<std::shared_ptr<WebSocket>> sockets;
  {
    const std::string key(path);
    const std::lock_guard lock(mutex_);
    const auto found = by_path_.find(key);
    if (found == by_path_.end()) return 0;
    sockets.reserve(found->second.size());
    for (const auto& [id, socket] : found->second) sockets.push_back(socket);
  }
  int reached = 0;
  for (const auto& socket : sockets) reached += socket->send(frames) == 0 ? 1 : 0;
  return reached;
}

int SocketDirectory::count(std::string_view path) {
  const std::string key(path);
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(key);
  return found == by_path_.end() ? 0 : static_cast<int>(found->second.size());
}

websocket* SocketDirectory::next(std::string_view path, const websocket* previous) {
  const uint64_t behind = previous == nullptr ? 0 : handles_.id_of(previous);
  const std::string key(path);
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(key);
  if (found == by_path_.end()) return nullptr;
  const auto next = found->second.upper_bound(behind);
  return next == found->second.end() ? nullptr : next->second->handle;
}

void SocketDirectory::set_data(const websocket* socket, void* data) {
  const auto found = handles_.find(socket);
  if (!found) return;
  // Another thread may be using what was there until now.
  if (auto owner = found->set_data(data))
    bury({.opening = nullptr, .data_owner = std::move(owner), .since_ms = monotonic_ms()});
}

void* SocketDirectory::data(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? found->data() : nullptr;
}

bool SocketDirectory::is_binary(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found && found->is_binary();
}

int SocketDirectory::close_code(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? found->close_code() : 0;
}

const char* SocketDirectory::path(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? found->opening.path.c_str() : "";
}

const char* SocketDirectory::protocol(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? found->opening.agreement.protocol.c_str() : "";
}

const char* SocketDirectory::param(const websocket* socket, const char* name) {
  const auto found = handles_.find(socket);
  if (!found) return nullptr;
  const auto& params = found->opening.params;
  const auto param = std::ranges::find(params, name, &std::pair<std::string, std::string>::first);
  return param == params.end() ? nullptr : param->second.c_str();
}

http_request* SocketDirectory::request(const websocket* socket) {
  return shown.handle == socket ? shown.request : nullptr;
}

}  // namespace cweb::server
