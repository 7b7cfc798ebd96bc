// The host's copy of a module's `config`, read from the linked image and checked: from here on nobody reads it again.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "runtime/code_image.h"

namespace cweb::runtime {

class RoutePattern;

struct RouteConfig {
  std::string path;    ///< as written: a literal, or a POSIX extended regular expression
  std::string method;  ///< "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH" or "HEAD"
  bool is_pattern = false;
  std::shared_ptr<const RoutePattern> pattern;  ///< compiled by the deploy when is_pattern
  void* handler = nullptr;
  CallShape shape = CallShape::documented;
  SourcePosition position;
};

struct WebSocketConfig {
  std::string path;
  void* on_open = nullptr;
  void* on_message = nullptr;
  void* on_close = nullptr;
  CallShape open_shape = CallShape::absent, message_shape = CallShape::absent, close_shape = CallShape::absent;
  SourcePosition position;
};

struct ModuleConfig {
  std::string name;
  std::string author;
  std::vector<RouteConfig> routes;
  std::vector<WebSocketConfig> websockets;
  void* onload = nullptr;
  void* unload = nullptr;
  int deadline_ms = 0;  ///< of its calls; 0: the server's
  CallShape onload_shape = CallShape::absent, unload_shape = CallShape::absent;
  std::vector<std::string> notices;  ///< what is allowed and worth telling, one sentence each
};

/// What is wrong with `config`, where, and what to do.
struct ConfigError {
  std::string message;
  SourcePosition position;
};

/// Reads `config` out of a linked image whose constructors have run. Reads no more than the layout says and trusts no
/// pointer in it: a string outside the image is a ConfigError, not a crash.
std::expected<ModuleConfig, ConfigError> read_config(const CodeImage& image);

}  // namespace cweb::runtime
