// Chunked bodies against a decoder that is written for this test, strictly after RFC 9112 section 7.1: what the reader
// takes the decoder takes, with the same content and the same end, and what is plain they both take.
#include <optional>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "fuzz/support/request_feed.h"

namespace {

using namespace cweb;
using http::RequestReader;
using Step = RequestReader::Step;

constexpr std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr size_t body_limit = 4096;
constexpr auto npos = std::string_view::npos;

struct Decoded {
  std::string content;
  size_t bytes = 0;      ///< that the coded body has
  bool is_plain = true;  ///< no extension, no trailer, no zero in front of a size
  bool operator==(const Decoded& other) const { return content == other.content && bytes == other.bytes; }
};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// A line of a field or an extension: visible characters, blanks, and what is not ASCII.
bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return c == '\t' || static_cast<unsigned char>(c) >= 0x20; });
}

class Decoder {
 public:
  explicit Decoder(std::string_view coded) : coded_(coded) {}

  /// Nothing when the body is malformed or not all there.
  std::optional<Decoded> decode() {
    for (;;) {
      const std::optional<size_t> size = chunk_size();
      if (!size) return std::nullopt;
      if (*size == 0) break;
      if (*size > coded_.size() - at_) return std::nullopt;
      decoded_.content.append(coded_.substr(at_, *size));
      at_ += *size;
      if (coded_.substr(at_, 2) != "\r\n") return std::nullopt;
      at_ += 2;
    }
    if (!trailers()) return std::nullopt;
    decoded_.bytes = at_;
    return decoded_;
  }

 private:
  /// The next line without its CR LF; nothing when it has another end.
  std::optional<std::string_view> line() {
    const size_t end = coded_.find("\r\n", at_);
    if (end == npos) return std::nullopt;
    const std::string_view found = coded_.substr(at_, end - at_);
    at_ = end + 2;
    return found;
  }

  std::optional<size_t> chunk_size() {
    const std::optional<std::string_view> found = line();
    if (!found) return std::nullopt;
    size_t value = 0, digits = 0;
    for (; digits < found->size() && is_hex((*found)[digits]); ++digits) {
      if (value >> 60 != 0) return std::nullopt;
      const char c = (*found)[digits];
      value = value * 16 + static_cast<size_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (digits == 0) return std::nullopt;
    const std::string_view extension = found->substr(digits);
    if (!extension.empty() || (digits > 1 && found->front() == '0')) decoded_.is_plain = false;
    const size_t first = extension.find_first_not_of(" \t");
    if (!extension.empty() && (first == npos || extension[first] != ';' || !is_text(extension))) return std::nullopt;
    return value;
  }

  bool trailers() {
    for (;;) {
      const std::optional<std::string_view> found = line();
      if (!found) return false;
      if (found->empty()) return true;
      decoded_.is_plain = false;
      const size_t colon = found->find(':');
      if (colon == npos || colon == 0 || !is_text(*found)) return false;
      if (found->substr(0, colon).find_first_of(" \t") != npos) return false;
    }
  }

  const std::string_view coded_;
  size_t at_ = 0;
  Decoded decoded_;
};

/// What the reader makes of it, byte by byte: where it says "complete" the body ends.
std::optional<Decoded> read(std::string_view coded) {
  RequestReader reader(http::RequestLimits{});
  fuzz::feed(reader, head);
  CWEB_ASSERT(reader.advance() == Step::head);
  CWEB_ASSERT(reader.admit_body(body_limit));
  for (size_t at = 0;; ++at) {
    switch (reader.advance()) {
      case Step::need_more:
        if (at == coded.size()) return std::nullopt;
        fuzz::feed(reader, coded.substr(at, 1));
        break;
      case Step::head:
        CWEB_ASSERT(at == SIZE_MAX);  // There is one head, and it is behind us.
        return std::nullopt;
      case Step::complete:
        return Decoded{std::string(reader.body().begin(), reader.body().end()), at};
      case Step::rejected:
        return std::nullopt;
    }
  }
}

/// The same with everything there at once; what stands behind the body stays.
std::optional<std::string> read_at_once(std::string_view coded) {
  RequestReader reader(http::RequestLimits{});
  fuzz::feed(reader, head);
  fuzz::feed(reader, coded);
  CWEB_ASSERT(reader.advance() == Step::head);
  CWEB_ASSERT(reader.admit_body(body_limit));
  if (reader.advance() != Step::complete) return std::nullopt;
  return std::string(reader.body().begin(), reader.body().end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view coded = fuzz::Input(data, size).rest();
  const std::optional<Decoded> expected = Decoder(coded).decode();
  const std::optional<Decoded> seen = read(coded);
  if (seen) CWEB_ASSERT(expected.has_value() && *seen == *expected);
  if (expected && expected->is_plain && expected->content.size() <= body_limit) CWEB_ASSERT(seen.has_value());
  const std::optional<std::string> at_once = read_at_once(coded);
  CWEB_ASSERT(at_once.has_value() == seen.has_value());
  if (seen) CWEB_ASSERT(*at_once == seen->content);
  return 0;
}
