// A stream of server-sent events, cut into events (WHATWG HTML, section 9.2.6). Pure: bytes in, events out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace cweb::cli {

struct ServerSentEvent {
  std::string id;    ///< the last id that the stream has told, of this event or one before it; may be empty
  std::string type;  ///< "message" where the stream gives none
  std::string data;  ///< lines are joined by '\n'
};

class EventParser {
 public:
  /// An event with more data than this is none of cweb's.
  static constexpr size_t longest_event = size_t{1} << 20;

  using Take = std::function<void(const ServerSentEvent&)>;

  /// Calls `take` for each event that is complete with these bytes. False: what comes is no stream of events, or one
  /// event is longer than the bound; nothing is taken any more then.
  bool feed(std::string_view bytes, const Take& take);

 private:
  bool take_line(const Take& take);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;
  ServerSentEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;  // a line feed now belongs to the line end before
  bool broken_ = false;
};

}  // namespace cweb::cli
