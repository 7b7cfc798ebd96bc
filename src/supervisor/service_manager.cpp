#include "supervisor/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/log.h"

namespace cweb::supervisor {
namespace {

constexpr const char* variable = "NOTIFY_SOCKET";

Expected<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || (path[0] != '/' && path[0] != '@') || path.size() >= sizeof address.sun_path) {
    return fail(std::string(variable) + " is no path of a socket: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // An abstract name begins with a NUL, and has none behind it.
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return fd;
  return fail("the service manager at " + path + " (" + variable + ") cannot be told anything: " + strerror(errno));
}

}  // namespace

ServiceManager ServiceManager::take_from_environment() {
  const char* const value = getenv(variable);
  if (value == nullptr) return ServiceManager();
  const std::string path = value;
  unsetenv(variable);
  auto socket = connect_to(path);
  if (!socket) {
    log::warn("{}", socket.error().message);
    return ServiceManager();
  }
  return ServiceManager(std::move(*socket));
}

void ServiceManager::say(std::string_view message) const {
  if (socket_) send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
}

}  // namespace cweb::supervisor
