// The way from a client command to a server's /mgnt: one connection that is kept, and every failure as a sentence that
// says what to do.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cweb::cli {

/// Which server, and what opens it.
struct ServerAddress {
  std::string url;           ///< "http://localhost:8080": scheme, host and port, nothing behind
  std::string key = {};      ///< of /mgnt; empty: none is sent
  bool insecure = false;     ///< take any certificate
  std::string ca_file = {};  ///< PEM file of the signers to trust; empty: those of the system
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string location;  ///< of a redirect, which is not followed
};

/// What is sent, and how long it may take.
struct Call {
  std::string_view method = "GET";
  std::string_view path;       ///< with its query: "/mgnt/modules/counter"
  std::string_view body = {};  ///< of POST and PUT
  std::string_view type = {};  ///< media type of the body
  std::string_view accept = "application/json";
  std::chrono::seconds silence{60};  ///< without a byte, after which it is given up; 0: never
  std::chrono::seconds most{0};      ///< for all of it; 0: as long as it goes on
  /// Looked at about once a second: set by another thread or a signal handler, it ends the call, which is no failure.
  const std::atomic<bool>* cancelled = nullptr;
  /// Called about as often, when it is not empty. Must not use this client.
  std::function<void()> meanwhile = {};
};

/// One thread at a time.
class Client {
 public:
  /// Connects to nothing yet. Fails when there is no libcurl.
  static Expected<std::unique_ptr<Client>> create(ServerAddress address);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The answer, whatever its status. Fails when there is none.
  Expected<HttpAnswer> call(const Call& call);

  const ServerAddress& address() const { return address_; }

 private:
  struct Curl;
  Client(ServerAddress address, std::unique_ptr<Curl> curl);

  const ServerAddress address_;
  const std::unique_ptr<Curl> curl_;
};

}  // namespace cweb::cli
