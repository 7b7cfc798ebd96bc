#include "http/response_head.h"

#include <charconv>

#include "http/date.h"
#include "http/status.h"

namespace cweb::http {
namespace {

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

/// What most answers begin with, up to their length. Made once a second a thread.
std::string_view beginning_of_ok() {
  constexpr std::string_view before_date = "HTTP/1.1 200 OK\r\nDate: ";
  thread_local std::string text;
  const std::string_view date = date_now();
  if (text.empty() || std::string_view(text).substr(before_date.size(), date.size()) != date) {
    text.assign(before_date).append(date).append("\r\nContent-Length: ");
  }
  return text;
}

}  // namespace

void OutputBuffer::sent(size_t count) {
  sent_ += count;
  if (sent_ < bytes_.size()) return;
  bytes_.clear();
  sent_ = 0;
}

void OutputBuffer::reset() {
  constexpr size_t kept_capacity = 64 * 1024;
  bytes_.clear();
  if (bytes_.capacity() > kept_capacity) bytes_ = std::string();
  sent_ = 0;
}

void begin_head(std::string& out, const ResponseHead& head) {
  if (head.status == 200) {
    out.append(beginning_of_ok());
    append_number(out, head.content_length);
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<uint64_t>(head.status));
    out.append(" ").append(reason_phrase(head.status)).append("\r\nDate: ").append(date_now());
    if (!forbids_content(head.status)) {
      out.append("\r\nContent-Length: ");
      append_number(out, head.content_length);
    }
  }
  if (!head.keep_alive) {
    out.append("\r\nConnection: close");
  } else if (head.http10) {
    out.append("\r\nConnection: keep-alive");
  }
  out.append("\r\n").append(head.further);
}

void begin_stream_head(std::string& out, const ResponseHead& head) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<uint64_t>(head.status));
  out.append(" ").append(reason_phrase(head.status)).append("\r\nDate: ").append(date_now());
  if (!head.http10) out.append("\r\nTransfer-Encoding: chunked");
  if (!head.keep_alive) out.append("\r\nConnection: close");
  out.append("\r\n").append(head.further);
}

void append_chunk(std::string& out, std::string_view bytes) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16);
  out.append(digits, end.ptr).append("\r\n").append(bytes).append("\r\n");
}

AnswerMeasures measure_answer(std::string_view answer) {
  constexpr size_t status_at = std::string_view("HTTP/1.1 ").size();
  constexpr std::string_view head_end = "\r\n\r\n";
  AnswerMeasures measures{};
  std::from_chars(answer.data() + status_at, answer.data() + status_at + 3, measures.status);
  measures.body_bytes = answer.size() - answer.find(head_end) - head_end.size();
  return measures;
}

void append_plain_answer(std::string& out, const ResponseHead& head, std::string_view sentence, bool head_only,
                         std::string_view extra_headers) {
  ResponseHead sized = head;
  sized.content_length = forbids_content(head.status) ? 0 : sentence.size() + 1;
  begin_head(out, sized);
  if (!forbids_content(head.status)) add_header(out, "Content-Type", "text/plain; charset=utf-8");
  out.append(extra_headers);
  end_head(out);
  if (!head_only && !forbids_content(head.status)) out.append(sentence).append("\n");
}

}  // namespace cweb::http
