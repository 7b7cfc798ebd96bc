#include "http/known_fields.h"

#include <algorithm>

#include "base/ascii.h"

namespace cweb::http {
namespace {

HeaderPiece moved(HeaderPiece header, uint32_t by) {
  header.name.offset += by;
  header.value.offset += by;
  return header;
}

bool is_secret(std::string_view name) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"authorization", "proxy-authorization", "cookie", "x-api-key"},
      [&](std::string_view secret) { return same_ignoring_case(name, secret); });
}

}  // namespace

void KnownFields::put_into(std::vector<HeaderPiece>& headers, uint32_t offset) const {
  headers.clear();
  for (const HeaderPiece& header : headers_) headers.push_back(moved(header, offset));
}

void KnownFields::remember(std::string_view block, const std::vector<HeaderPiece>& headers, uint32_t offset,
                           bool keep_alive) {
  block_.clear();
  if (block.size() > max_bytes) return;
  headers_.clear();
  for (const HeaderPiece& header : headers) {
    headers_.push_back(moved(header, -offset));
    const Piece& name = headers_.back().name;
    if (is_secret(block.substr(name.offset, name.length))) return;
  }
  block_ = block;
  keep_alive_ = keep_alive;
}

}  // namespace cweb::http
