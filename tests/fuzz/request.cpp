// Request bytes: whatever the network does to them they mean the same, and what is accepted is what RFC 9112 allows.
#include "base/error.h"
#include "fuzz/support/input.h"
#include "fuzz/support/request_feed.h"
#include "http/head_check.h"

namespace {

using namespace cweb;
using fuzz::Headers;
using http::RequestReader;
using Step = RequestReader::Step;

// Small, so that an input of a few hundred bytes reaches them.
constexpr http::RequestLimits limits{.target_bytes = 64, .headers_bytes = 512, .headers = 8};
constexpr size_t body_limit = 100;

struct Request {
  std::string method, target, body;
  Headers headers;
  bool keep_alive = false;
  int minor_version = 1;
  bool expects_continue = false;
  bool operator==(const Request&) const = default;
};

struct Outcome {
  std::vector<Request> requests;
  int rejected_with = 0;
  bool idle = false, in_head = false;  ///< at the end of the bytes
};

/// How many bytes come with the next read.
class Pieces {
 public:
  /// 0: all at once. 1: single bytes. Else: of any size, the same for the same seed.
  explicit Pieces(uint32_t seed) : state_(seed) {}
  size_t next() {
    if (state_ <= 1) return state_ == 1 ? 1 : SIZE_MAX;
    state_ = state_ * 1'664'525 + 1'013'904'223;
    return 1 + (state_ >> 24) % (state_ & 0x10000 ? 4 : 64);
  }

 private:
  uint32_t state_;
};

bool is_token(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n:\"(),/;<=>?@[\\]{}") == text.npos && text.find('\0') == text.npos;
}

bool same_name(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() && std::equal(name.begin(), name.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

size_t count_of(const Headers& headers, std::string_view lower) {
  return static_cast<size_t>(std::count_if(headers.begin(), headers.end(),
                                           [&](const auto& header) { return same_name(header.first, lower); }));
}

/// What every accepted head has, said without the code that checks it.
void check_head(const RequestReader& reader, std::string_view sent) {
  const Headers headers = fuzz::headers_of(reader);
  CWEB_ASSERT(is_token(reader.method()));
  CWEB_ASSERT(!reader.target().empty() && reader.target().size() <= limits.target_bytes);
  CWEB_ASSERT(reader.target().find_first_of(" \t\r\n") == std::string_view::npos);
  // The first byte may be a "/" that an absolute target did not have.
  CWEB_ASSERT(sent.find(reader.target().substr(1)) != sent.npos);
  CWEB_ASSERT(headers.size() <= limits.headers);
  for (const auto& [name, value] : headers) {
    CWEB_ASSERT(is_token(name));
    CWEB_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
    CWEB_ASSERT(value.empty() || (value.front() != ' ' && value.back() != ' ' && value.back() != '\t'));
    CWEB_ASSERT(sent.find(name) != sent.npos && sent.find(value) != sent.npos);
  }
  CWEB_ASSERT(reader.minor_version() == 0 || reader.minor_version() == 1);
  const size_t hosts = count_of(headers, "host");
  CWEB_ASSERT(hosts == 1 || (hosts == 0 && reader.minor_version() == 0));
  const size_t lengths = count_of(headers, "content-length");
  CWEB_ASSERT(lengths <= 1);
  CWEB_ASSERT(lengths == 0 || count_of(headers, "transfer-encoding") == 0);
}

/// Where a request ends is said by its head alone.
void check_body(const RequestReader& reader, const Headers& head) {
  CWEB_ASSERT(fuzz::headers_of(reader) == head);
  const std::span<char> body = reader.body();
  CWEB_ASSERT(body.size() <= body_limit);
  CWEB_ASSERT(body.data()[body.size()] == '\0');
  const http::HeaderPiece* length = reader.find_header("content-length");
  if (length != nullptr) {
    std::string_view digits = reader.view(length->value);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    CWEB_ASSERT(digits == std::to_string(body.size()));
  }
  if (length == nullptr && reader.find_header("transfer-encoding") == nullptr) CWEB_ASSERT(body.empty());
}

Outcome read_all(std::string_view sent, Pieces pieces) {
  RequestReader reader(limits);
  Outcome outcome;
  Headers head;
  std::string_view rest = sent;
  const auto rejected = [&](int status) {
    outcome.rejected_with = status;
    return outcome;
  };
  for (;;) {
    switch (reader.advance()) {
      case Step::need_more: {
        if (rest.empty()) {
          outcome.idle = reader.idle();
          outcome.in_head = reader.in_head();
          return outcome;
        }
        const std::string_view piece = rest.substr(0, pieces.next());
        fuzz::feed(reader, piece);
        rest.remove_prefix(piece.size());
        break;
      }
      case Step::head:
        check_head(reader, sent);
        head = fuzz::headers_of(reader);
        if (!reader.admit_body(body_limit)) return rejected(413);
        break;
      case Step::complete:
        check_body(reader, head);
        outcome.requests.push_back({std::string(reader.method()), std::string(reader.target()),
                                    std::string(reader.body().begin(), reader.body().end()), head, reader.keep_alive(),
                                    reader.minor_version(), reader.expects_continue()});
        reader.next();
        break;
      case Step::rejected:
        CWEB_ASSERT(reader.rejection().status >= 400 && reader.rejection().status <= 505);
        CWEB_ASSERT(reader.rejection().sentence != nullptr && *reader.rejection().sentence != '\0');
        return rejected(reader.rejection().status);
    }
  }
}

/// A bound, or that a method is unknown, may be noticed before or behind another fault, by how much is seen at a time.
/// That it is refused is sure.
bool depends_on_arrival(int status) {
  return status == 413 || status == 414 || status == 431 || status == 501;
}

void check_same(const Outcome& whole, const Outcome& pieces) {
  CWEB_ASSERT(whole.requests == pieces.requests);
  CWEB_ASSERT((whole.rejected_with == 0) == (pieces.rejected_with == 0));
  CWEB_ASSERT(whole.rejected_with == pieces.rejected_with || depends_on_arrival(whole.rejected_with) ||
              depends_on_arrival(pieces.rejected_with));
  CWEB_ASSERT(whole.idle == pieces.idle && whole.in_head == pieces.in_head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view sent = fuzz::Input(data, size).rest();
  const Outcome whole = read_all(sent, Pieces(0));
  check_same(whole, read_all(sent, Pieces(1)));
  uint32_t seed = 2;
  for (const char c : sent) seed = seed * 31 + static_cast<unsigned char>(c);
  for (const uint32_t salt : {3U, 7U, 11U}) check_same(whole, read_all(sent, Pieces(seed | salt)));
  static_cast<void>(http::head_fault(sent));
  return 0;
}
