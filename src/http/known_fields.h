// The header lines that the last request had. A client sends the same ones with nearly each of its requests: where they
// stand byte for byte behind the next request line, what parser and checks found is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/piece.h"

namespace cweb::http {

/// One block of header lines with the empty line behind them, of a request without a body.
class KnownFields {
 public:
  /// Blocks above this are not kept.
  static constexpr size_t max_bytes = 1024;

  /// Is it the block with which these bytes begin?
  bool begin(std::string_view bytes) const { return !block_.empty() && bytes.starts_with(block_); }
  size_t size() const { return block_.size(); }
  bool keep_alive() const { return keep_alive_; }
  /// Its headers, counted from a request whose block begins at `offset`.
  void put_into(std::vector<HeaderPiece>& headers, uint32_t offset) const;

  /// Takes the place of what was kept. `headers` are counted from a request whose block begins at `offset`. Secrets are
  /// not kept: other connections are read with the same memory.
  void remember(std::string_view block, const std::vector<HeaderPiece>& headers, uint32_t offset, bool keep_alive);

 private:
  std::string block_;
  std::vector<HeaderPiece> headers_;
  bool keep_alive_ = true;
};

}  // namespace cweb::http
