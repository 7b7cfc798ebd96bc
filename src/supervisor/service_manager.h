// What started the server as a service and wants to know how it is: systemd, or whoever speaks its protocol of one
// datagram a message (sd_notify(3)). The main process says it: the parent, or the server that has none.
#pragma once

#include <string_view>
#include <utility>

#include "base/unique_fd.h"

namespace cweb::supervisor {

class ServiceManager {
 public:
  /// Nobody.
  ServiceManager() = default;

  /// Takes NOTIFY_SOCKET out of the environment, so that no child and no module speaks in the server's name. Nobody
  /// when it is not set; the same with a line in the log when nothing can be sent there, as after a service that has
  /// left its environment to somebody's shell. No other thread may run.
  static ServiceManager take_from_environment();

  // These take no memory and do not wait: a manager that does not read loses the message.
  void ready() const { say("READY=1\nSTATUS=serving"); }
  void replacing() const { say("STATUS=the server process has died; a new one is started"); }
  void stopping() const { say("STOPPING=1\nSTATUS=finishing what is running"); }

 private:
  explicit ServiceManager(UniqueFd socket) : socket_(std::move(socket)) {}
  void say(std::string_view message) const;

  UniqueFd socket_;
};

}  // namespace cweb::supervisor
