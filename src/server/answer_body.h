// What a handler left in `res->body`: whose memory it is, how long it is, and whether it can be read at all.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/module_version.h"

namespace cweb::server {

/// The bytes to send, and what has to be given back after they were copied.
struct AnswerBody {
  std::string_view bytes;
  std::vector<char> copied;       ///< holds the bytes where they had to be fetched carefully
  void* block_to_free = nullptr;  ///< a block of a module's heap
};

/// `content_length` above 0 counts, else the text up to its NUL. `own_buffer` is the buffer that body pointed to when
/// the handler started. Fails with a sentence for the log where the bytes cannot be read.
std::expected<AnswerBody, std::string> find_answer_body(const runtime::ModuleVersion& version, char* body,
                                                        int content_length, const char* own_buffer);

}  // namespace cweb::server
