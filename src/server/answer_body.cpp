#include "server/answer_body.h"

#include <cweb.h>
#include <spdlog/fmt/fmt.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/heap.h"

namespace cweb::server {
namespace {

/// A text of unknown length is searched for its end no further than this.
constexpr size_t text_limit = size_t{64} << 20;

/// Copies memory of this process that may not be there: the kernel looks, and says so instead of faulting.
size_t read_carefully(const char* from, char* to, size_t length) {
  iovec local{to, length};
  iovec remote{const_cast<char*>(from), length};
  const ssize_t count = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  return count < 0 ? 0 : static_cast<size_t>(count);
}

/// The text or block at an address that is neither the buffer, nor in the heap or the image: a mapped file, memory of a
/// library, or nothing at all.
std::expected<AnswerBody, std::string> copy_foreign(const char* body, size_t length) {
  AnswerBody answer;
  if (length > 0) {
    // In steps: the length may be anything, and memory is taken only for what is there.
    constexpr size_t most_at_once = size_t{1} << 20;
    for (size_t done = 0; done < length;) {
      const size_t step = std::min(most_at_once, length - done);
      answer.copied.resize(done + step);
      if (read_carefully(body + done, answer.copied.data() + done, step) != step) {
        return std::unexpected(fmt::format("res->body points to {} bytes that are not all there", length));
      }
      done += step;
    }
    answer.bytes = {answer.copied.data(), answer.copied.size()};
    return answer;
  }
  constexpr size_t page = 4096;
  for (size_t done = 0; done < text_limit;) {
    const size_t step = page - (reinterpret_cast<uintptr_t>(body) + done) % page;
    answer.copied.resize(done + step);
    if (read_carefully(body + done, answer.copied.data() + done, step) != step) {
      return std::unexpected(std::string("res->body points to memory that is not there"));
    }
    if (const void* end = std::memchr(answer.copied.data() + done, 0, step)) {
      answer.copied.resize(static_cast<size_t>(static_cast<const char*>(end) - answer.copied.data()));
      answer.bytes = {answer.copied.data(), answer.copied.size()};
      return answer;
    }
    done += step;
  }
  return std::unexpected(std::string("res->body points to a text without an end"));
}

/// Within `available` bytes that are known to be readable.
std::expected<AnswerBody, std::string> take_known(char* body, size_t length, size_t available, const char* what) {
  if (length > available) {
    return std::unexpected(fmt::format("content_length is {} but {} has {} bytes", length, what, available));
  }
  if (length == 0) length = strnlen(body, available);
  return AnswerBody{.bytes = {body, length}, .copied = {}, .block_to_free = nullptr};
}

}  // namespace

std::expected<AnswerBody, std::string> find_answer_body(const runtime::ModuleVersion& version, char* body,
                                                        int content_length, const char* own_buffer) {
  if (content_length < 0) return std::unexpected(fmt::format("content_length is {}", content_length));
  const auto length = static_cast<size_t>(content_length);
  if (body == nullptr) {
    if (length == 0) return AnswerBody{};
    return std::unexpected(fmt::format("content_length is {} but res->body is NULL", length));
  }
  if (body >= own_buffer && body < own_buffer + HTTP_RESPONSE_SIZE) {
    return take_known(body, length, static_cast<size_t>(own_buffer + HTTP_RESPONSE_SIZE - body), "the response buffer");
  }
  if (runtime::block_state(body) == runtime::BlockState::live) {
    auto answer = take_known(body, length, runtime::block_size(body), "the block at res->body");
    if (answer) answer->block_to_free = body;
    return answer;
  }
  // Literals and static arrays.
  if (const size_t available = version.image().readable_bytes(body)) {
    return take_known(body, length, available, "the module's static memory behind res->body");
  }
  return copy_foreign(body, length);
}

}  // namespace cweb::server
