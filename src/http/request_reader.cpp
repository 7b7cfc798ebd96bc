#include "http/request_reader.h"

#include <llhttp.h>

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/error.h"
#include "http/characters.h"
#include "http/field_check.h"
#include "http/head_check.h"
#include "http/parser_fault.h"

namespace cweb::http {
namespace {

constexpr size_t first_capacity = 16 * 1024;
/// Some clients send one behind a body (RFC 9112, 2.2); nobody sends many.
constexpr int max_empty_lines = 8;
/// What a request line has beside its target.
constexpr size_t method_and_version_bytes = 64;

}  // namespace

/// llhttp and its callbacks. They only note where things are; nothing is decided or called from inside them.
struct RequestReader::Parser {
  llhttp_t state;
  llhttp_settings_t settings;
  const char* first_byte = nullptr;  // of the method: empty lines may come before it
  bool refused = false;

  static RequestReader& reader(llhttp_t* state) { return *static_cast<RequestReader*>(state->data); }

  static int refuse(RequestReader& reader, int status, const char* sentence) {
    reader.rejection_ = {status, sentence};
    reader.parser_->refused = true;
    return HPE_USER;
  }

  /// A token may come in pieces that lie behind each other.
  static void extend(RequestReader& reader, Piece& piece, const char* at, size_t length) {
    if (piece.length == 0) piece.offset = static_cast<uint32_t>(at - reader.start());
    piece.length += static_cast<uint32_t>(length);
  }

  static int on_method(llhttp_t* state, const char* at, size_t length) {
    extend(reader(state), reader(state).method_, at, length);
    return 0;
  }

  static int on_url(llhttp_t* state, const char* at, size_t length) {
    RequestReader& self = reader(state);
    extend(self, self.target_, at, length);
    if (self.target_.length > self.limits_.target_bytes) return refuse(self, 414, "the request target is too long");
    return 0;
  }

  static int check_headers_size(RequestReader& self, const char* at, size_t length) {
    const size_t from_target = static_cast<size_t>(at + length - self.start()) - self.target_.offset;
    if (from_target > self.limits_.headers_bytes + self.target_.length) {
      return refuse(self, 431, "the headers are too large");
    }
    return 0;
  }

  static int on_header_field(llhttp_t* state, const char* at, size_t length) {
    RequestReader& self = reader(state);
    if (self.head_done_) return 0;  // a trailer: checked by ChunkCheck, and told to nobody
    // A value (even an empty one) has been reported for each header before the next name begins.
    if (self.headers_.empty() || self.headers_.back().value.offset != 0) {
      if (self.headers_.size() >= self.limits_.headers) return refuse(self, 431, "there are too many headers");
      self.headers_.emplace_back();
    }
    extend(self, self.headers_.back().name, at, length);
    return check_headers_size(self, at, length);
  }

  static int on_header_value(llhttp_t* state, const char* at, size_t length) {
    RequestReader& self = reader(state);
    if (self.head_done_) return 0;
    Piece& value = self.headers_.back().value;
    if (value.offset == 0) value.offset = static_cast<uint32_t>(at - self.start());
    value.length += static_cast<uint32_t>(length);
    return check_headers_size(self, at, length);
  }

  static int on_header_value_complete(llhttp_t* state) {
    RequestReader& self = reader(state);
    if (self.head_done_) return 0;
    HeaderPiece& header = self.headers_.back();
    // An empty value may be said to lie behind its line's end, where the next name begins.
    if (header.value.length == 0) header.value = {header.name.offset + header.name.length, 0};
    return 0;
  }

  static int on_headers_complete(llhttp_t* state) {
    // Whether to upgrade is the server's decision, not the parser's: read on as HTTP.
    reader(state).asks_upgrade_ = state->upgrade != 0;
    state->upgrade = 0;
    return HPE_PAUSED;
  }

  static int on_body(llhttp_t* state, const char* at, size_t length) {
    RequestReader& self = reader(state);
    if (self.body_.length + length > self.body_limit_) return refuse(self, 413, "the request body is too large");
    char* to = self.start() + self.body_.offset + self.body_.length;
    // Chunks are moved together over what stood between them.
    if (to != at) std::memmove(to, at, length);
    self.body_.length += static_cast<uint32_t>(length);
    return 0;
  }

  static int on_message_complete(llhttp_t*) { return HPE_PAUSED; }
};

RequestReader::RequestReader(const RequestLimits& limits) : limits_(limits), parser_(std::make_unique<Parser>()) {
  llhttp_settings_init(&parser_->settings);
  parser_->settings.on_method = Parser::on_method;
  parser_->settings.on_url = Parser::on_url;
  parser_->settings.on_header_field = Parser::on_header_field;
  parser_->settings.on_header_value = Parser::on_header_value;
  parser_->settings.on_header_value_complete = Parser::on_header_value_complete;
  parser_->settings.on_headers_complete = Parser::on_headers_complete;
  parser_->settings.on_body = Parser::on_body;
  parser_->settings.on_message_complete = Parser::on_message_complete;
  headers_.reserve(32);
  grow(first_capacity);
  start_message();
}

RequestReader::~RequestReader() = default;

void RequestReader::grow(size_t capacity) {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity + 1);
  if (end_ > begin_) std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(larger);
  capacity_ = capacity;
  parsed_ -= begin_;
  end_ -= begin_;
  begin_ = 0;
}

void RequestReader::start_message() {
  llhttp_init(&parser_->state, HTTP_REQUEST, &parser_->settings);
  parser_->state.data = this;
  parser_->refused = false;
  method_ = target_ = body_ = {};
  headers_.clear();
  body_limit_ = 0;
  chunks_.reset();
  empty_lines_ = 0;
  keep_alive_ = true;
  head_done_ = complete_ = asks_upgrade_ = false;
  fresh_ = true;
}

std::span<char> RequestReader::room() {
  CWEB_ASSERT(!complete_);
  if (begin_ == end_) begin_ = parsed_ = end_ = 0;
  if (end_ == capacity_ && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    parsed_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) grow(capacity_ * 2);
  return {buffer_.get() + end_, capacity_ - end_};
}

void RequestReader::committed(size_t bytes) {
  end_ += bytes;
}

RequestReader::Step RequestReader::refuse(const Rejection& rejection) {
  rejection_ = rejection;
  return Step::rejected;
}

/// llhttp would skip any number of them, and of bare CRs and LFs. False when there is something else than CR LF, or too
/// many: what is left is the parser's, or not a request.
bool RequestReader::skip_empty_lines() {
  while (end_ - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n') {
    if (++empty_lines_ > max_empty_lines) return false;
    begin_ += 2;
  }
  parsed_ = begin_;
  const bool half_a_line = end_ - begin_ == 1 && buffer_[begin_] == '\r';
  return begin_ == end_ || half_a_line || is_token(buffer_[begin_]);
}

RequestReader::Step RequestReader::advance() {
  CWEB_ASSERT(!complete_);
  llhttp_t& state = parser_->state;
  if (begin_ != end_) fresh_ = false;
  for (;;) {
    if (parsed_ == begin_) {
      if (!skip_empty_lines()) return refuse({400, "this is not the beginning of an HTTP request"});
      if (begin_ == end_ || buffer_[begin_] == '\r') return Step::need_more;
      if (const auto step = read_with_known_fields()) return *step;
    }
    if (parsed_ == end_ && !(head_done_ && state.error == HPE_PAUSED)) return Step::need_more;
    if (chunks_) {
      if (const auto fault = chunks_->look_at({buffer_.get() + parsed_, end_ - parsed_})) return refuse(*fault);
    }
    if (state.error == HPE_PAUSED) llhttp_resume(&state);
    const llhttp_errno_t error = llhttp_execute(&state, buffer_.get() + parsed_, end_ - parsed_);
    if (error == HPE_OK) {
      parsed_ = end_;
      // The chunks' data is moved together already: what stood between it takes no memory until the body is whole.
      if (chunks_) parsed_ = end_ = begin_ + body_.offset + body_.length;
      const size_t most = limits_.target_bytes + limits_.headers_bytes + method_and_version_bytes;
      if (!head_done_ && end_ - begin_ > most) return refuse({431, "the headers are too large"});
      return Step::need_more;
    }
    if (error == HPE_PAUSED) {
      parsed_ = static_cast<size_t>(llhttp_get_error_pos(&state) - buffer_.get());
      return head_done_ ? finish_message() : finish_head();
    }
    return stopped(error);
  }
}

/// The way of most requests behind a connection's first: llhttp reads the request line and, for the header lines that
/// are known, the empty line behind them. Nothing when this is not such a request.
std::optional<RequestReader::Step> RequestReader::read_with_known_fields() {
  const std::string_view bytes(start(), end_ - begin_);
  if (!bytes.starts_with("GET /")) return std::nullopt;
  const size_t line_length = bytes.find('\n') + 1;
  const std::string_view line = bytes.substr(0, line_length);
  if (!known_fields_.begin(bytes.substr(line_length)) || !is_request_line(line) || !line.ends_with("/1.1\r\n")) {
    return std::nullopt;
  }
  llhttp_t& state = parser_->state;
  constexpr std::string_view no_fields = "\r\n";
  llhttp_errno_t error = llhttp_execute(&state, line.data(), line.size());
  if (error == HPE_OK) error = llhttp_execute(&state, no_fields.data(), no_fields.size());
  if (error != HPE_PAUSED) return stopped(error);
  known_fields_.put_into(headers_, static_cast<uint32_t>(line_length));
  parsed_ = begin_ + line_length + known_fields_.size();
  body_.offset = static_cast<uint32_t>(parsed_ - begin_);
  minor_version_ = 1;
  keep_alive_ = known_fields_.keep_alive();
  head_done_ = true;
  return Step::head;
}

/// The parser goes no further, by its own fault or by one of ours.
RequestReader::Step RequestReader::stopped(int llhttp_error) {
  if (parser_->refused) return Step::rejected;
  const char* const reason = llhttp_get_error_reason(&parser_->state);
  return refuse(parser_fault(llhttp_error, reason, {start(), end_ - begin_}));
}

RequestReader::Step RequestReader::finish_head() {
  head_done_ = true;
  llhttp_t& state = parser_->state;
  if (state.http_major > 1) return refuse(wrong_version);
  const std::string_view head(start() + method_.offset, parsed_ - begin_ - method_.offset);
  if (const char* fault = head_fault(head)) return refuse({400, fault});
  minor_version_ = state.http_minor;
  trim_values();
  if (const auto fault = field_fault(*this)) return refuse(*fault);
  keep_alive_ = llhttp_should_keep_alive(&state) != 0;
  remember_fields();
  use_origin_form();
  body_.offset = static_cast<uint32_t>(parsed_ - begin_);
  return Step::head;
}

/// Of a request whose header lines say nothing to the parser.
void RequestReader::remember_fields() {
  constexpr int matters = F_CONTENT_LENGTH | F_CHUNKED | F_TRANSFER_ENCODING | F_UPGRADE | F_CONNECTION_UPGRADE;
  if (minor_version_ == 0 || (parser_->state.flags & matters) != 0) return;
  constexpr size_t version_length = std::string_view(" HTTP/1.1\r\n").size();
  const size_t line_length = target_.offset + target_.length + version_length;
  const std::string_view block(start() + line_length, parsed_ - begin_ - line_length);
  known_fields_.remember(block, headers_, static_cast<uint32_t>(line_length), keep_alive_);
}

RequestReader::Step RequestReader::finish_message() {
  // Two parsers have read it: where they disagree about its end, a third will too.
  if (chunks_ && !chunks_->done()) return refuse({400, "the chunked body does not end where it seems to"});
  complete_ = true;
  char& behind = start()[body_.offset + body_.length];
  behind_body_ = behind;
  behind = 0;
  return Step::complete;
}

/// Optional white space behind a value is not part of it (RFC 9112, 5).
void RequestReader::trim_values() {
  for (HeaderPiece& header : headers_) {
    const char* value = data(header.value);
    while (header.value.length > 0 &&
           (value[header.value.length - 1] == ' ' || value[header.value.length - 1] == '\t')) {
      --header.value.length;
    }
  }
}

bool RequestReader::admit_body(size_t limit_bytes) {
  body_limit_ = limit_bytes;
  const llhttp_t& state = parser_->state;
  if ((state.flags & F_CHUNKED) == 0) return state.content_length <= limit_bytes;
  chunks_.emplace(limit_bytes);
  return true;
}

void RequestReader::use_origin_form() {
  const std::string_view target = view(target_);
  if (target.empty() || target.front() == '/' || method() == "CONNECT") return;
  const size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return;
  const size_t path = target.find_first_of("/?", scheme_end + 3);
  if (path != std::string_view::npos && target[path] == '/') {
    target_.offset += static_cast<uint32_t>(path);
    target_.length -= static_cast<uint32_t>(path);
    return;
  }
  // "http://host" and "http://host?query" have an empty path, which means "/": its place is the byte before.
  const size_t end = path == std::string_view::npos ? target.size() : path;
  target_.offset += static_cast<uint32_t>(end - 1);
  target_.length -= static_cast<uint32_t>(end - 1);
  *data(target_) = '/';
}

const HeaderPiece* RequestReader::find_header(std::string_view name) const {
  const auto found = std::find_if(headers_.begin(), headers_.end(), [&](const HeaderPiece& header) {
    return same_ignoring_case(view(header.name), name);
  });
  return found == headers_.end() ? nullptr : &*found;
}

bool RequestReader::expects_continue() const {
  if (minor_version_ == 0) return false;
  const HeaderPiece* expect = find_header("expect");
  return expect && same_ignoring_case(view(expect->value), "100-continue");
}

void RequestReader::next() {
  CWEB_ASSERT(complete_);
  start()[body_.offset + body_.length] = behind_body_;
  begin_ = parsed_;
  start_message();
}

void RequestReader::reset() {
  if (capacity_ > 4 * first_capacity) {
    begin_ = end_ = parsed_ = 0;
    grow(first_capacity);
  }
  begin_ = end_ = parsed_ = 0;
  // After next() nothing has been parsed yet.
  if (!fresh_) start_message();
}

}  // namespace cweb::http
