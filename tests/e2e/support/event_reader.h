// A client of /mgnt/events: server-sent events, one after the other.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "raw_client.h"

namespace cweb::e2e {

struct ServerEvent {
  std::string id;    ///< "RUN.17"; empty when it has none
  std::string type;  ///< "output"
  nlohmann::json data;

  std::string text() const { return data.value("text", ""); }
  /// 0 when it has none.
  uint64_t number() const { return data.value("id", uint64_t{0}); }
};

class EventReader {
 public:
  /// Asks on this connection, and reads the head of the answer, which fails the test if it is no stream.
  explicit EventReader(RawClient client, const std::string& query = {}, const std::string& header_lines = {});

  /// The next event; none at the stream's end. What comments there are is passed over.
  std::optional<ServerEvent> next();
  /// Up to the first of this type.
  std::optional<ServerEvent> next(const std::string& type);
  /// The next event or comment as it came.
  bool next_text(std::string& text);
  /// Did the stream come to its end, and not just stop?
  bool ended_in_order() const { return ended_in_order_; }
  RawClient& client() { return client_; }

 private:
  bool read_chunk();

  RawClient client_;
  std::string text_;
  bool ended_in_order_ = false;
};

}  // namespace cweb::e2e
