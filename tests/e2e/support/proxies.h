// nginx and haproxy in front of a server, each as a person would set it up, listening on a socket in a directory of
// their own. They end with the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "child_process.h"

namespace cweb::e2e {

class Proxy {
 public:
  /// Connections to the server are kept and shared. A proxy that does not come up fails the test.
  static std::unique_ptr<Proxy> start_nginx(uint16_t server_port);
  static std::unique_ptr<Proxy> start_haproxy(uint16_t server_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Path of the Unix socket that it listens on.
  const std::string& socket_path() const { return socket_path_; }
  std::string log() const { return log_.text(); }

 private:
  explicit Proxy(const std::string& name);
  void write_config(const std::string& text) const;
  void start(const std::vector<std::string>& command);
  bool accepts() const;

  std::string directory_;
  std::string config_path_;
  std::string socket_path_;
  OutputFile log_;
  pid_t pid_ = -1;
};

}  // namespace cweb::e2e
